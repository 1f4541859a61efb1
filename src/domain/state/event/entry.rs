//! One entry of the log, and the manifest behind it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kinds::Event;
use crate::domain::model::{DeviceId, Digest, Timestamp};

/// The manifest behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Relative to the root of the fleet directory.
    pub(crate) path: Arc<str>,
    /// Over the document's bytes as written.
    pub(crate) digest: Digest,
    /// The Git commit, where the fleet directory is in a work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<Arc<str>>,
}

/// One line of the log, but for `prev`, which only the file knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The device that the entry is about, if it is about one.
    pub device: Option<DeviceId>,
    /// Who ran the pass.
    pub actor: Arc<str>,
    /// Where the intent comes from.
    pub source: Option<Source>,
    /// The kind of the entry and its data.
    pub event: Event,
}
