//! Pure: no file, no clock, no log, no async. Imports only from here.

pub(crate) mod access;
pub(crate) mod alerts;
pub(crate) mod backoff;
pub(crate) mod compliance;
pub mod diagnosis;
pub mod diff;
pub(crate) mod export;
pub mod fleet;
pub mod guard;
pub(crate) mod import;
pub(crate) mod licensing;
pub(crate) mod lifecycle;
pub(crate) mod lookup;
pub mod manifest;
pub mod model;
pub(crate) mod notice;
pub(crate) mod notify_settings;
pub(crate) mod packing;
pub mod plan;
pub(crate) mod provider_settings;
pub(crate) mod selector;
pub mod settings;
pub mod state;
pub(crate) mod summary;
pub mod wipe;
pub(crate) mod wording;
