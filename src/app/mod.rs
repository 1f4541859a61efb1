//! Composition: what the edges read becomes a decision of the domain, and is carried out.

pub(crate) mod alerts;
pub mod daemon;
pub(crate) mod deliveries;
pub(crate) mod doctor;
pub mod execute;
pub(crate) mod notices;
pub mod reconcile;
pub mod signals;
pub mod status;
pub(crate) mod wiring;
