//! An administrator's written wish to have one device wiped (contract §4).
//!
//! A request is only a wish: it does nothing without signatures over the exact bytes of its
//! file, which [`WipeRequest::digest`] identifies.

use crate::model::{
    DeviceId, Digest, Email, Name, Place, SerialNumber, Timestamp, WipeReason, WipeScope,
};

/// One valid request; that it says `confirm: true` is part of being valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeRequest {
    /// `metadata.name`.
    pub name: Name,
    /// Which device.
    pub device_id: DeviceId,
    /// Must match the device that bears the id.
    pub serial_number: SerialNumber,
    /// How much is erased.
    pub scope: WipeScope,
    /// Why.
    pub reason: WipeReason,
    /// One of the signers.
    pub requested_by: Email,
    /// When it was written.
    pub issued_at: Timestamp,
    /// After `issued_at`.
    pub expires_at: Timestamp,
    /// Where it is written: alone in its file.
    pub place: Place,
    /// Over all bytes of the file.
    pub digest: Digest,
}
