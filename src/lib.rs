//! Fleetform: a device fleet, declared in Git.

pub mod clock;
pub mod config;
pub mod event;
pub mod finding;
pub mod fleet;
pub mod model;
pub mod object;
pub mod provider;
pub mod settings;
pub mod state;
