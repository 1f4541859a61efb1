//! Fleetform: a device fleet, declared in Git.

pub mod compliance;
pub mod event;
pub mod finding;
pub mod fleet;
pub mod guard;
pub mod lifecycle;
pub mod model;
pub mod plan;
pub mod provider;
pub mod settings;
pub mod state;
