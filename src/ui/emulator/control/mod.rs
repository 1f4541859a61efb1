//! What tests do to the tenant, under `/emulator/`: time, hardware, faults, and what was called.

mod answer;
mod apps;
mod directory;
mod hardware;
mod index;
mod observed;
mod policies;
mod rules;
mod serve;

pub(super) use directory::{ensure_group, ensure_sku};
pub(super) use hardware::{Given, add_given};
pub(super) use policies::ensure_policy;
pub(super) use serve::{act, serve_control};
