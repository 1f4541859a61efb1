//! The last sync of a device that a person asked for.

use super::event::{ErrorClass, SyncFailed, SyncRequested};
use crate::domain::model::{Asker, Timestamp};

/// The last sync that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSync {
    /// When the log had it.
    pub at: Timestamp,
    pub by: Asker,
    pub intent: u64,
    /// The request, by its id.
    pub request: uuid::Uuid,
    /// A device that is heard from later than this has synced.
    pub after: Timestamp,
    /// Why the provider did not take it.
    pub failed: Option<(ErrorClass, Box<str>)>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStanding<'a> {
    /// The device has not been heard from since.
    Waiting,
    /// It was heard from then.
    Done(Timestamp),
    /// The provider did not take it.
    Failed(ErrorClass, &'a str),
}

impl LastSync {
    pub(super) fn new(at: Timestamp, requested: &SyncRequested) -> Self {
        let after = Some(at).max(requested.last_sync).unwrap_or(at);
        let SyncRequested { intent, request, .. } = *requested;
        Self { at, by: requested.asker(), intent, request, after, failed: None }
    }

    pub(super) fn fail(&mut self, failed: &SyncFailed) -> Result<(), String> {
        if self.intent != failed.intent {
            return Err(format!("its last intent is {}, not {}", self.intent, failed.intent));
        }
        self.failed = Some((failed.class, failed.error.as_str().into()));
        Ok(())
    }

    /// How it stands, given when the device was last heard from.
    #[must_use]
    pub fn standing(&self, heard: Option<Timestamp>) -> SyncStanding<'_> {
        match (&self.failed, heard.filter(|heard| *heard > self.after)) {
            (_, Some(at)) => SyncStanding::Done(at),
            (Some((class, error)), None) => SyncStanding::Failed(*class, error),
            (None, None) => SyncStanding::Waiting,
        }
    }
}
