//! Fleetform: a device fleet, declared in Git.

pub mod event;
pub mod finding;
pub mod fleet;
pub mod manifest;
pub mod model;
pub mod provider;
pub mod settings;
pub mod source;
pub mod state;
pub mod wipe_request;
pub mod wording;
pub mod yaml;
