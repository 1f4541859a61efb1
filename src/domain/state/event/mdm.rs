//! What the log says of the objects of an MDM.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::{Digest, GraphId, Name, Platform, Timestamp, words};

/// `device.missing`: a complete list of the MDM's devices does not have it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceMissing {
    /// When it was last heard from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<Timestamp>,
}

/// `profile.drifted`: what somebody changed in the MDM, and what is about to be put right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDrifted {
    pub intent: u64,
    pub profile: Name,
    /// Each a clause without a full stop.
    pub what: Vec<String>,
    /// Who changed it, where the MDM tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// `profile.prepared`: the MDM has the objects that a profile is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfilePrepared {
    pub intent: u64,
    pub profile: Name,
    pub digest: Digest,
    /// The compliance policies that belong to it, by platform.
    pub(crate) policies: BTreeMap<Platform, GraphId>,
    /// What was written to the MDM, each with the `client-request-id` of the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<String>,
}

words! {
    /// How far a wipe has come that was handed to the MDM, or waits for approval there.
    pub(crate) enum WipeStage {
        /// An administrator approved it in the MDM: it can be sent again.
        Approved = "approved",
        /// The MDM took the command.
        Delivered = "delivered",
        /// The MDM sent it to the device.
        Sent = "sent",
    }
}

/// `wipe.progress`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WipeProgress {
    pub request: Digest,
    /// Absent where it waits for approval: it has none then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<u64>,
    pub(crate) stage: WipeStage,
    /// The MDM's name for the device that got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<GraphId>,
    /// Of the call that the MDM took, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<CompactString>,
    /// For people, without a full stop.
    pub detail: String,
}
