//! What a person asked for by command: that devices sync now.

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use uuid::Uuid;

use super::ids::{DeviceId, SerialNumber};
use super::time::Timestamp;

/// Who asked, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRequest {
    /// Made once: whatever bears it is the same request.
    pub id: Uuid,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub by: Asker,
    /// Where it came from, for people: a file, say.
    pub origin: Arc<str>,
}

/// A request, and the devices that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFile {
    /// Who asked, and when.
    pub request: Arc<SyncRequest>,
    /// The devices, each as it was known to whoever asked.
    pub devices: Vec<(DeviceId, SerialNumber)>,
}

/// Who asked for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Spelled as the actor of an entry is, as far as the system vouches for it.
    pub by: CompactString,
    /// What the request says, where the system does not vouch for that.
    pub claims: Option<CompactString>,
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, claims } = self;
        f.write_str(by)?;
        claims.as_ref().map_or(Ok(()), |claims| write!(f, " (who claims to be {claims})"))
    }
}
