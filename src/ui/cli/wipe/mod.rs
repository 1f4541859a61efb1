//! `fleetform wipe new|sign|verify|list`: what a person does before a device is wiped.
//!
//! None of them wipes anything or touches the ledger: they write files to commit, and look.
//! `verify` judges a request by the same code as the plan.

mod command;
mod key;
mod list;
mod new;
mod request;
mod sign;
mod verify;

pub(super) use command::{Command, run};
