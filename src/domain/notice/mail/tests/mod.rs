mod following;
mod rendering;
mod world;
