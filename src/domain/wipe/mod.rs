//! Wipes: what has to hold before a device is erased, decided without any file, clock or log.
//!
//! [`sshsig`] says which key signed some bytes, [`trust`] whose key that is and what it may do,
//! [`verify`] whether a request holds, and [`quorum`] whether enough people signed it for the
//! number of wipes there were lately. Whatever is in doubt is refused, with a stable code and
//! a sentence that says what to do.
//!
//! Signers are people (principals), never keys or signature files: someone with three keys is
//! one signer. Signature bytes are no identity either: a request is known by the digest of its file.

pub(crate) mod clock;
pub mod quorum;
mod rules;
pub mod sshsig;
pub mod target;
#[cfg(test)]
pub(crate) mod testing;
pub mod trust;
pub mod trust_state;
pub mod verify;

use std::sync::Arc;

use self::target::{LedgerId, LogHead};
use crate::domain::model::{
    DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope, words,
};
use crate::domain::state::event::WipeSubject;

words! {
    /// What a signature is made for, as it stands in the signature itself: one made for
    /// another purpose (a Git commit, say) is never taken for one of these.
    Namespace {
        /// Over a request: "wipe this device".
        Wipe = "wipe@fleetform",
        /// Over the same bytes: "do not".
        Veto = "wipe-veto@fleetform",
    }
}

/// A wipe request as written (contract §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `metadata.name`.
    pub name: Name,
    /// Of its file, relative to the root of the fleet directory.
    pub path: Arc<str>,
    /// The ledger that it is meant for.
    pub ledger: LedgerId,
    /// A recent entry of that ledger's log, where the request names one.
    pub head: Option<LogHead>,
    /// The one device to wipe.
    pub device_id: DeviceId,
    /// Must be that device's.
    pub serial: SerialNumber,
    /// How much to erase.
    pub scope: WipeScope,
    /// Why.
    pub reason: WipeReason,
    /// Who asks; must be among the signers.
    pub requested_by: Email,
    /// Anything but true is refused.
    pub confirm: bool,
    /// From when on it holds.
    pub issued_at: Timestamp,
    /// Until when it holds, inclusive.
    pub expires_at: Timestamp,
    /// Over the whole file's exact bytes, which are what is signed; the request's identity.
    pub digest: Digest,
}

impl Request {
    /// As the log tells it.
    #[must_use]
    pub fn subject(&self) -> WipeSubject {
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
