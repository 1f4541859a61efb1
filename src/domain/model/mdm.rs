//! What an MDM knows of a device beside what the device says of itself.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::intune::GraphId;
use super::macros::words;
use super::time::Timestamp;

words! {
    /// Whose the hardware is, as the MDM has it.
    pub(crate) enum MdmOwnership { Company = "company", Personal = "personal", Unknown = "unknown" }
}

words! {
    /// The MDM's own verdict over a device.
    pub(crate) enum MdmVerdict {
        Compliant = "compliant",
        NonCompliant = "nonCompliant",
        /// It fails a check, and keeps its access until the grace period ends.
        InGracePeriod = "inGracePeriod",
        /// The MDM has not judged it, or says something that this version does not know.
        Unknown = "unknown",
    }
}

/// What an MDM knows of a device: telemetry. The fields are sorted, as the keys of `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MdmFacts {
    /// Of the row (see `row`) that the details below belong to; nothing where they were never asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detailed: Option<CompactString>,
    /// When this record was enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled_at: Option<Timestamp>,
    /// Until when a device that fails a check keeps its access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<Timestamp>,
    /// The MDM's name for the device.
    pub id: GraphId,
    /// Checks that the MDM judged itself by a setting of a policy, by the name of the check: whether
    /// the device passes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub judged: BTreeMap<CompactString, bool>,
    /// The state of management, in the MDM's own word.
    pub management: CompactString,
    pub ownership: MdmOwnership,
    /// How many policies judged it, by the details.
    #[serde(default)]
    pub policies: u32,
    /// What its antivirus reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
    /// How many records the MDM has of this serial number, if more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<GraphId>,
    /// Stands for the content of its row in the MDM's list: the details are asked again when it changes.
    pub row: CompactString,
    pub verdict: MdmVerdict,
}

/// What the antivirus of a device reported to the MDM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Protection {
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Whether its signatures are out of date, by its own measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures_overdue: Option<bool>,
}
