//! Something to be told, once.

use serde::{Deserialize, Serialize};

use crate::domain::model::{DeviceId, Timestamp, words};

words! {
    /// What a job is about.
    pub(crate) enum Topic {
        /// An episode begins: a device fails a check.
        NonCompliant = "nonCompliant",
        /// Its access ends soon.
        Reminder = "reminder",
        /// Its access has ended.
        Blocked = "blocked",
        /// The episode is over.
        Compliant = "compliant",
        /// Another episode took the place of this one.
        Superseded = "superseded",
        /// It could not be set up.
        EnrollmentFailed = "enrollmentFailed",
        /// The command to erase it was given.
        WipeIssued = "wipeIssued",
        /// A request to erase it was refused.
        WipeRefused = "wipeRefused",
        /// The device erased itself, or what was asked of it.
        WipeConfirmed = "wipeConfirmed",
        /// The device was erased, and nobody had asked for it.
        Erased = "erased",
        /// Nothing is known of it for too long.
        NoEvidence = "noEvidence",
        /// Something for the people who run Fleetform begins.
        AlertBegan = "alertBegan",
        /// Something for the people who run Fleetform is over.
        AlertEnded = "alertEnded",
        /// What did not go out by itself, once a day.
        Digest = "digest",
        /// Any entry of the log, for whoever takes them as they are.
        Entry = "entry",
        /// Somebody tries whether it works.
        Test = "test",
    }
}

/// Something to be told, once: what follows from one entry of the log for one sink. Kept in the
/// sink's checkpoint file until it is settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    /// Derived from entry, sink and topic, and so the same after a restart: `[A-Za-z0-9:_-]`.
    pub(crate) id: String,
    /// The entry that it follows from.
    pub(crate) entry: u64,
    /// When that was.
    pub(crate) at: Timestamp,
    /// Not to be told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<DeviceId>,
    /// Number of the entry that opened the episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) episode: Option<u64>,
    pub(crate) topic: Topic,
    /// What it takes to render it, made when the entry was read, so that a retry says the same.
    pub(crate) payload: serde_json::Value,
}
