//! Backups of a ledger: made beside a running daemon, and restored where there is none.
//!
//! A backup is as old as it is: whatever was done after it is forgotten by a ledger that is restored
//! from it, wipes among it. So a restored ledger goes on under a new lineage, and no request that was
//! written before is ever accepted again; its windows of wipes count as used up, but for the last tier;
//! and no order to erase a device comes back with it.

mod make;
mod restore;

pub(crate) use make::{Made, make};
pub(crate) use restore::{Restored, restore};
