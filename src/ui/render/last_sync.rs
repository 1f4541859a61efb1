//! The last sync of a device that somebody asked for, in JSON and in a word.

use serde::Serialize;

use crate::domain::model::{Asker, Timestamp};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Device, LastSync, SyncStanding};

/// The last sync of a device that somebody asked for, as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncView<'a> {
    requested_at: Timestamp,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
    intent: u64,
    state: &'static str,
    done_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> SyncView<'a> {
    pub(super) fn of(device: &'a Device) -> Option<Self> {
        let (asked, standing) = device.sync()?;
        let LastSync { at, by: Asker { by, claims }, intent, request: _, after: _, failed: _ } =
            asked;
        let (state, done_at, failed) = match standing {
            SyncStanding::Waiting => ("waiting", None, None),
            SyncStanding::Done(at) => ("done", Some(at), None),
            SyncStanding::Failed(class, error) => ("failed", None, Some((class, error))),
        };
        let (class, error) = failed.unzip();
        let (requested_at, claims, intent) = (*at, claims.as_deref(), *intent);
        Some(Self { requested_at, by, claims, intent, state, done_at, class, error })
    }
}

/// What an operator should see at a glance.
pub(super) fn note(device: &Device) -> Option<&'static str> {
    match device.sync()?.1 {
        SyncStanding::Waiting => Some("sync requested"),
        SyncStanding::Failed(..) => Some("sync failed"),
        SyncStanding::Done(_) => None,
    }
}
