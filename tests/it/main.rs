//! End-to-end tests of the real binary, properties of whole passes, and checks of the house.

mod architecture;
mod commands;
mod crashes;
mod invariants;
mod promises;
mod support;
mod wipes;
