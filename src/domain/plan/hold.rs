//! What is desired and not planned, and why.

use std::sync::Arc;

use crate::domain::model::{DesiredDevice, DeviceId, Name, Place, SerialNumber, words};
use crate::domain::packing::{Packed, Packer};
use crate::domain::state::Device;

/// Something desired that is not planned, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    /// Where the intent is written, or was last seen.
    pub(crate) place: Option<Place>,
    /// Whom it is about, where the ledger knows.
    pub device: Option<DeviceId>,
    /// Where it is known.
    pub serial: Option<SerialNumber>,
    /// Where it is known.
    pub(crate) name: Option<Name>,
    /// A stable word, which metrics count by.
    pub reason: HoldReason,
    /// For people: what is missing, until when, what to do. Devices that wait for the same share it.
    pub detail: Arc<str>,
}

words! {
    /// Why something desired is not planned.
    pub enum HoldReason {
        /// The device reports that it was erased, and nobody asked for it.
        UnrequestedWipe = "unrequestedWipe",
        /// Its manifest cannot be used; the findings say why.
        ManifestInvalid = "manifestInvalid",
        /// Its profile's manifest cannot be used.
        ProfileInvalid = "profileInvalid",
        /// Enrollment completes when the device reports.
        AwaitingReport = "awaitingReport",
        /// Enrollment went wrong.
        EnrollmentFailed = "enrollmentFailed",
        /// The manifest's enrollment is lower than the recorded one.
        EnrollmentLowered = "enrollmentLowered",
        /// The device was wiped under this enrollment.
        Wiped = "wiped",
        /// The provider refused for good.
        ProviderRefused = "providerRefused",
        /// The guard refused the plan.
        Frozen = "frozen",
        /// The fleet directory is still being changed: a large or destructive change waits for
        /// a second pass that finds the same.
        Unsettled = "unsettled",
        /// The provider failed, and is tried again later.
        BackingOff = "backingOff",
        /// A wipe of the device is under way, and nothing else is done to it.
        WipeUnderWay = "wipeUnderWay",
        /// A wipe request is held.
        WipeHeld = "wipeHeld",
        /// A wipe request is refused.
        WipeRefused = "wipeRefused",
        /// A wipe request is spent, expired or vetoed: its file can go.
        WipeOver = "wipeOver",
    }
}

impl HoldReason {
    /// Whether it ends by itself, by time or by what the device or the program does next. All others
    /// wait for a decision of somebody.
    #[must_use]
    pub(crate) const fn is_waiting(self) -> bool {
        match self {
            Self::AwaitingReport | Self::Unsettled | Self::BackingOff | Self::WipeUnderWay => true,
            Self::UnrequestedWipe
            | Self::ManifestInvalid
            | Self::ProfileInvalid
            | Self::EnrollmentFailed
            | Self::EnrollmentLowered
            | Self::Wiped
            | Self::ProviderRefused
            | Self::Frozen
            | Self::WipeHeld
            | Self::WipeRefused
            | Self::WipeOver => false,
        }
    }
}

/// A detail, shared with one of the last holds that says the same: a fleet that waits would otherwise
/// have as many copies of a few sentences as devices. Those of one device are of a few kinds, in turns.
pub(crate) fn shared_detail(detail: String, holds: &[Hold]) -> Arc<str> {
    let alike = holds.iter().rev().take(4).find(|last| *last.detail == *detail);
    alike.map_or_else(|| detail.into(), |last| last.detail.clone())
}

impl Hold {
    /// Of the manifest of a device that was wiped.
    pub(super) fn of_wiped(id: DeviceId, device: &Device, desired: &DesiredDevice) -> Self {
        Self {
            place: Some(desired.place.clone()),
            device: Some(id),
            serial: Some(desired.spec.serial_number.clone()),
            name: Some(desired.spec.name.clone()),
            reason: HoldReason::Wiped,
            detail: format!(
                "wiped on {}; remove it, or raise enrollment to provision the hardware again",
                device.status_since.short()
            )
            .into(),
        }
    }

    /// For [`Hold::unpack`]; `None` if it does not fit.
    pub(crate) fn pack(&self, into: &mut Packer) -> Option<()> {
        let Self { place, device, serial, name, reason, detail } = self;
        into.optional(place.as_ref().map(|place| &*place.path))?;
        into.number(place.as_ref().map_or(0, |place| place.line));
        into.optional(device.map(|device| device.to_string()).as_deref())?;
        into.optional(serial.as_ref().map(SerialNumber::as_str))?;
        into.optional(name.as_ref().map(Name::as_str))?;
        into.word(HoldReason::ALL, *reason)?;
        into.text(detail)
    }

    /// What was packed; `None` if these bytes are something else.
    pub(crate) fn unpack(from: &mut Packed<'_>) -> Option<Self> {
        let (path, line) = (from.optional()?, from.number()?);
        Some(Self {
            place: path.map(|path| Place { path: path.into(), line }),
            device: from.optional()?.map(str::parse).transpose().ok()?,
            serial: from.optional()?.map(str::parse).transpose().ok()?,
            name: from.optional()?.map(str::parse).transpose().ok()?,
            reason: from.word(HoldReason::ALL)?,
            detail: from.text()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_unpacked_as_it_was_packed_or_not_at_all() {
        let full = Hold {
            place: Some(Place { path: "a/b.yaml".into(), line: 7 }),
            device: Some("D012".parse().unwrap()),
            serial: Some("S 1".parse().unwrap()),
            name: Some("ana".parse().unwrap()),
            reason: HoldReason::WipeOver,
            detail: "enrolls when the device reports".into(),
        };
        let empty = Hold { place: None, device: None, serial: None, name: None, ..full.clone() };
        for hold in [full, empty] {
            let mut packer = Packer::default();
            hold.pack(&mut packer).unwrap();
            let bytes = packer.finish();
            assert_eq!(Hold::unpack(&mut Packed::of(&bytes)), Some(hold));
            for length in 0..bytes.len() {
                assert_eq!(Hold::unpack(&mut Packed::of(&bytes[..length])), None, "{length}");
            }
        }
    }
}
