//! Requests in a fleet without files: what a plan says of each, and what a pass makes of it.

mod clocks;
mod confirming;
mod going_on;
mod issuing;
mod mdm;
mod owners;
pub(super) mod requests;
mod showing;
mod stopping;
mod withdrawing;
