//! Composition: what the edges read becomes a decision of the domain, and is carried out.

pub mod daemon;
pub mod execute;
pub mod reconcile;
pub mod status;
