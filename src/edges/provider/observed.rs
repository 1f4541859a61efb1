//! What a provider has heard, and what becomes of it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::domain::model::{Report, ReportId};
use crate::domain::plan::News;
use crate::domain::state::State;

/// Where a look at a provider ended: only the provider that gave it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Arc<str>);

impl Cursor {
    /// As the provider spells it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a provider is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Where the last look ended that was acknowledged.
    pub cursor: Option<&'a Cursor>,
    /// What is recorded: whom to look for, and which wipes are under way.
    pub recorded: &'a State,
}

/// What a provider has heard since the cursor that it was asked with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// What devices said, in the order of its arrival.
    pub reports: Vec<Observation>,
    /// What was said that is no report.
    pub unusable: Vec<UnusableReport>,
    /// What could not be looked at: it is tried again, and nothing is concluded from it.
    pub troubles: Vec<ReadProblem>,
    /// What it knows beside. That a device is missing counts only where the look is complete.
    pub news: News,
    /// Fields of reports that this version does not know and passed over.
    pub unknown_fields: BTreeSet<String>,
    /// Files that are passed over, since their names say that they are still being written.
    pub unfinished: BTreeSet<String>,
    /// Whether all was looked at. Only then a device that is not named is not there: from any
    /// other look nothing is concluded about devices that it does not name.
    pub complete: bool,
    /// Whether there is more than one look takes: the next one may follow at once.
    pub more: bool,
    /// Where the look ended: it is acknowledged with this, and the next look begins there.
    /// Nothing where nothing was heard: then there is nothing to acknowledge either.
    pub cursor: Option<Cursor>,
}

/// One thing that a device said.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The provider's own name for it.
    pub id: ReportId,
    /// Where it came from, for the log and for people; for `local`: `inbox/NAME`.
    pub origin: Arc<str>,
    /// As the device sent it; nothing of it is believed yet.
    pub report: Report,
}

/// Something that was said and is no report. The provider itself knows what to do with it once
/// the look is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableReport {
    /// Where it came from, as in [`Observation`].
    pub(crate) origin: Arc<str>,
    /// What becomes of it, in a sentence without a full stop.
    pub(crate) what: &'static str,
    /// What is wrong with it, likewise.
    pub(crate) why: String,
    /// Whether it is all that came from there.
    pub(crate) whole: bool,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadProblem {
    /// What: for `local` a path below the data directory.
    pub(crate) path: String,
    /// What is wrong, in a sentence without a full stop.
    pub(crate) message: String,
    /// What to do about it, likewise.
    pub(crate) help: String,
}

/// What became of one report; the snapshot that holds its telemetry is durable by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// As in [`Observation`].
    pub id: ReportId,
    /// The plan's verdict over the report.
    pub outcome: ReportOutcome,
}

/// Whether a report was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportOutcome {
    /// Taken: the commands that it names as completed are done.
    Taken {
        /// Intents of wipes of the device that the report confirms, whether or not it names the
        /// commands: these must not wait for the hardware to enroll again.
        erased: Vec<u64>,
        /// Intents of syncs of the device that are done since it was heard from, whether or not the
        /// report names the commands.
        synced: Vec<u64>,
    },
    /// Refused: why, in a sentence without a full stop.
    Refused(String),
}
