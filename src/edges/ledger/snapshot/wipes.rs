//! `wipes` of the snapshot: requests by the digest of their files.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Approval, Progress, Wipe, WipeState, refused};
use crate::domain::wipe::target::LedgerId;

/// One request; the fields in the order of their keys.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WipeWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
    code: Option<CompactString>,
    detail: String,
    device_id: DeviceId,
    expires_at: Timestamp,
    intent: Option<u64>,
    issue_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerId>,
    name: Name,
    path: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    reason: WipeReason,
    requested_by: Email,
    scope: WipeScope,
    serial_number: SerialNumber,
    signers: Vec<Email>,
    since: Timestamp,
    state: WipeState,
}

/// As the snapshot has them.
pub(crate) fn out<S: Serializer>(
    wipes: &&BTreeMap<Digest, Wipe>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(wipes.iter().map(|(digest, wipe)| (digest, WipeWire::from(wipe))))
}

impl From<&Wipe> for WipeWire {
    fn from(wipe: &Wipe) -> Self {
        let Wipe {
            subject,
            path,
            state,
            since,
            code,
            detail,
            signers,
            issue_at,
            issued_at,
            intent,
            approval,
            progress,
        } = wipe.clone();
        let WipeSubject {
            request: _,
            name,
            ledger,
            device_id,
            serial_number,
            scope,
            reason,
            requested_by,
            expires_at,
        } = subject;
        Self {
            approval,
            code,
            detail,
            device_id,
            expires_at,
            intent,
            issue_at,
            issued_at,
            ledger,
            name,
            path,
            progress,
            reason,
            requested_by,
            scope,
            serial_number,
            signers,
            since,
            state,
        }
    }
}

impl WipeWire {
    /// The request with this digest.
    pub(crate) fn into_wipe(self, request: Digest) -> Wipe {
        let Self {
            approval,
            code,
            detail,
            device_id,
            expires_at,
            intent,
            issue_at,
            issued_at,
            ledger,
            name,
            path,
            progress,
            reason,
            requested_by,
            scope,
            serial_number,
            signers,
            since,
            state,
        } = self;
        let subject = WipeSubject {
            request,
            name,
            ledger,
            device_id,
            serial_number,
            scope,
            reason,
            requested_by,
            expires_at,
        };
        // Written by a version that did not keep it as a state of its own.
        let state = match state {
            WipeState::Refused => refused(false, code.as_deref().unwrap_or_default()),
            state => state,
        };
        Wipe {
            subject,
            path,
            state,
            since,
            code,
            detail,
            signers,
            issue_at,
            issued_at,
            intent,
            approval,
            progress,
        }
    }
}
