//! The client of a running daemon: what it has recorded, its log and its settings, read from another
//! machine over HTTP.

mod ledger;
mod remote;

pub(crate) use ledger::ledger;
pub(crate) use remote::{Error, Remote};
