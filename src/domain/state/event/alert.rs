//! What the log says of alerts to the people who run Fleetform.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::words;

words! {
    /// What the people who run Fleetform have to look at.
    pub(crate) enum AlertKind {
        /// The guard refuses all intents.
        Frozen = "frozen",
        /// The provider failed again and again, and is left alone.
        BreakerOpen = "breakerOpen",
        /// A wipe request lacks signatures.
        WipeUnsigned = "wipeUnsigned",
        /// The command to erase a device was given, and is not confirmed.
        WipeIssued = "wipeIssued",
        /// Nobody can tell whether the provider has the command.
        WipeInDoubt = "wipeInDoubt",
        /// The log or the snapshot could not be written.
        Unwritable = "unwritable",
        /// A device does not get what its manifest wants, for a long time.
        Unreconciled = "unreconciled",
        /// Notifications are not delivered, for a long time.
        SinkStuck = "sinkStuck",
        /// This machine's clock is behind the log.
        ClockBehind = "clockBehind",
        /// The trust files cannot be relied on.
        TrustBroken = "trustBroken",
    }
}

/// `alert.began` and `alert.ended`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertChanged {
    pub(crate) alert: AlertKind,
    /// What it is about, where there may be several: a request, a sink.
    #[serde(default, skip_serializing_if = "CompactString::is_empty")]
    pub(crate) about: CompactString,
    /// For people, without a full stop.
    pub(crate) detail: String,
}
