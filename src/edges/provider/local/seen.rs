//! A file of the inbox, as it was observed.

use std::ffi::OsString;

use super::command::CommandId;
use super::files::Stamp;
use super::records::Stretch;
use crate::domain::model::{ReportId, SerialNumber};

#[derive(Debug)]
pub(super) struct Seen {
    pub file: OsString,
    pub stamp: Stamp,
    /// In their order.
    pub good: Vec<Said>,
    /// What is no report, and why.
    pub bad: Vec<(Stretch, String)>,
    /// From where on it was not looked at.
    pub rest: Option<u64>,
    /// Why nothing of it can be used.
    pub unusable: Option<String>,
}

/// A report of it.
#[derive(Debug)]
pub(super) struct Said {
    pub id: ReportId,
    pub at: Stretch,
    pub serial: SerialNumber,
    pub completed: Vec<CommandId>,
}
