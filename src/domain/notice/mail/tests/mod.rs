mod following;
mod going_on;
mod rendering;
mod world;
