//! Planning tests: each one applies its plan and plans again, and nothing is left.

mod damage;
mod episodes;
mod freeze;
mod licenses;
mod manifests;
mod mdm;
mod pushes;
mod reports;
mod syncs;
mod world;

pub(crate) use world::{World, held};
