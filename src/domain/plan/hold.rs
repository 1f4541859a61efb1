//! What is desired and not planned, and why.

use crate::domain::model::{DeviceId, Name, Place, SerialNumber, words};

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
    /// For people: what is missing, until when, what to do.
    pub detail: String,
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
