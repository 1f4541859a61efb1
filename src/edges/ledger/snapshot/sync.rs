//! The last sync that somebody asked for, as it stands in the snapshot.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::{Asker, Timestamp};
use crate::domain::state::LastSync;
use crate::domain::state::event::ErrorClass;

#[derive(Serialize)]
pub(super) struct SyncOut<'a> {
    after: Timestamp,
    at: Timestamp,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    intent: u64,
    request: uuid::Uuid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncIn {
    after: Timestamp,
    at: Timestamp,
    by: CompactString,
    #[serde(default)]
    claims: Option<CompactString>,
    #[serde(default)]
    class: Option<ErrorClass>,
    #[serde(default)]
    error: Option<Box<str>>,
    intent: u64,
    request: uuid::Uuid,
}

impl<'a> From<&'a LastSync> for SyncOut<'a> {
    fn from(sync: &'a LastSync) -> Self {
        let LastSync { at, by: Asker { by, claims }, intent, request, after, failed } = sync;
        let (class, error) = failed.as_ref().map(|(class, error)| (*class, &**error)).unzip();
        let (at, after, intent, request) = (*at, *after, *intent, *request);
        Self { after, at, by, claims: claims.as_deref(), class, error, intent, request }
    }
}

impl SyncIn {
    pub(super) fn sync(self) -> Result<Box<LastSync>, &'static str> {
        let Self { after, at, by, claims, class, error, intent, request } = self;
        let failed = match (class, error) {
            (None, None) => None,
            (Some(class), Some(error)) => Some((class, error)),
            _ => return Err("a sync has `class` and `error` if and only if it failed"),
        };
        Ok(Box::new(LastSync { at, by: Asker { by, claims }, intent, request, after, failed }))
    }
}
