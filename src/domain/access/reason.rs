//! Why somebody may not come in.

use crate::domain::model::words;

words! {
    /// Why an answer is no. The words are stable: clients and alerts key on them.
    pub(crate) enum Reason {
        /// The daemon has not finished its first pass.
        NotReady = "not-ready",
        /// The ledger cannot be opened.
        LedgerUnreadable = "ledger-unreadable",
        /// No pass has gone well for longer than `maxAge`.
        OutOfDate = "out-of-date",
        /// The fleet has been frozen for longer than `maxAge`.
        Frozen = "frozen",
        /// The configuration has no such resource.
        UnknownResource = "unknown-resource",
        /// The subject is not a user.
        UnsupportedSubject = "unsupported-subject",
        /// No device belongs to the user.
        UnknownUser = "unknown-user",
        /// No device is named, and none of the user's devices is enrolled.
        NoEnrolledDevice = "no-enrolled-device",
        /// There is no such device.
        UnknownDevice = "unknown-device",
        /// The device belongs to another user.
        ForeignDevice = "device-of-another-user",
        /// Its id and its serial number name two devices.
        AmbiguousDevice = "ambiguous-device",
        /// The device is wiped.
        Wiped = "device-wiped",
        /// A wipe of the device is accepted or issued.
        WipeUnderWay = "wipe-under-way",
        /// Its status is not Enrolled.
        NotEnrolled = "device-not-enrolled",
        /// The MDM does not list it any more.
        Missing = "device-missing",
        /// A required check fails.
        NonCompliant = "device-noncompliant",
        /// A required check lacks a fact.
        ComplianceUnknown = "compliance-unknown",
        /// Its last report is older than `maxAge`, or there is none.
        Stale = "evidence-stale",
        /// It has been non-compliant for too long.
        Blocked = "device-blocked",
        /// It is a personal device.
        NotCorporate = "device-not-corporate",
        /// Its manifest is gone.
        NotDeclared = "device-not-declared",
    }
}
