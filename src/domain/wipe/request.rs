//! A wipe request as written, and what people sign it for.

use std::sync::Arc;

use super::target::{LedgerId, LogHead};
use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope, words,
};
use crate::domain::state::event::WipeSubject;

words! {
    /// What a signature is made for, as it stands in the signature itself: one made for
    /// another purpose (a Git commit, say) is never taken for one of these.
    pub(crate) enum Namespace {
        /// Over a request: "wipe this device".
        Wipe = "wipe@fleetform",
        /// Over the same bytes: "do not".
        Veto = "wipe-veto@fleetform",
    }
}

/// A wipe request as written (docs/wipe-a-device.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `metadata.name`.
    pub name: Name,
    /// Of its file, relative to the root of the fleet directory.
    pub(crate) path: Arc<str>,
    /// The ledger that it is meant for.
    pub(crate) ledger: LedgerId,
    /// A recent entry of that ledger's log, where the request names one.
    pub(crate) head: Option<LogHead>,
    /// The one device to wipe.
    pub(crate) device_id: DeviceId,
    /// Must be that device's.
    pub(crate) serial: SerialNumber,
    pub(crate) scope: WipeScope,
    pub(crate) reason: WipeReason,
    /// Who asks; must be among the signers.
    pub(crate) requested_by: Email,
    /// Anything but true is refused.
    pub(crate) confirm: bool,
    /// From when on it holds.
    pub(crate) issued_at: Timestamp,
    /// Until when it holds, inclusive.
    pub(crate) expires_at: Timestamp,
    /// Over the whole file's exact bytes, which are what is signed; the request's identity.
    pub digest: Digest,
}

impl Request {
    /// As the log tells it.
    #[must_use]
    pub(crate) fn subject(&self) -> WipeSubject {
        WipeSubject {
            request: self.digest,
            name: self.name.clone(),
            ledger: Some(self.ledger),
            device_id: self.device_id,
            serial_number: self.serial.clone(),
            scope: self.scope,
            reason: self.reason,
            requested_by: self.requested_by.clone(),
            expires_at: self.expires_at,
        }
    }
}
