//! Fleetform: a device fleet, declared in Git.

pub mod durable;
pub mod event;
pub mod finding;
pub mod fleet;
pub mod ledger;
pub mod model;
pub mod provider;
pub mod settings;
pub mod state;
