//! Pure: no file, no clock, no log, no async. Imports only from here.

pub mod backoff;
pub mod compliance;
pub mod diff;
pub mod fleet;
pub mod guard;
pub mod lifecycle;
pub mod lookup;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod settings;
pub mod state;
pub mod wipe;
pub mod wording;
