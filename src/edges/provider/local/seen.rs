//! A file of the inbox, as it was observed.

use std::ffi::OsString;

use super::command::CommandId;
use super::records::Stretch;
use crate::domain::model::{ReportId, SerialNumber};
use crate::edges::fs::spool::Stamp;

#[derive(Debug)]
pub(super) struct Seen {
    pub(crate) file: OsString,
    pub(crate) stamp: Stamp,
    /// In their order.
    pub(crate) good: Vec<Said>,
    /// What is no report, and why.
    pub(crate) bad: Vec<(Stretch, String)>,
    /// From where on it was not looked at.
    pub(crate) rest: Option<u64>,
    /// Why nothing of it can be used.
    pub(crate) unusable: Option<String>,
}

impl Seen {
    /// Whether this is the same file, read just as far.
    pub(super) fn is_as_before(&self, other: &Self) -> bool {
        let of = |seen: &Self| (seen.stamp, seen.rest, seen.good.len(), seen.bad.len());
        self.file == other.file && of(self) == of(other)
    }
}

#[derive(Debug)]
pub(super) struct Said {
    pub(crate) id: ReportId,
    pub(crate) at: Stretch,
    pub(crate) serial: SerialNumber,
    pub(crate) completed: Vec<CommandId>,
}
