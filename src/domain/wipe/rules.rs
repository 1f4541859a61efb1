//! The rules that a wipe request has to keep, why it is refused, and what of that is final.

use crate::domain::model::words;

words! {
    /// The rules, in the order in which they are judged and shown.
    pub(crate) enum Rule {
        /// The request is what was read from the file.
        Content = "content",
        /// `confirm: true`.
        Confirm = "confirm",
        /// It is meant for this ledger.
        Ledger = "ledger",
        /// The entry of the log that it names is there, and recent.
        Head = "head",
        /// The device is recorded.
        Device = "device",
        /// It has this serial number, which is one machine's alone.
        Serial = "serial",
        /// It is not wiped yet.
        NotWiped = "notWiped",
        /// Personal devices only selectively.
        Scope = "scope",
        /// Now is within `issuedAt` and `expiresAt`.
        Time = "time",
        /// They are not too far apart.
        Validity = "validity",
        /// There is a trust file, and it can be relied on.
        Trust = "trust",
        /// Not too many files beside it.
        Files = "files",
        /// Every file beside it can be read.
        Readable = "readable",
        /// At least one person signed.
        Signatures = "signatures",
        /// Who asks for it is one of them.
        RequestedBy = "requestedBy",
        /// Nobody objects.
        Veto = "veto",
    }
}

words! {
    /// Why a request is refused.
    pub(crate) enum Reason {
        ContentChanged = "contentChanged",
        NotConfirmed = "notConfirmed",
        OtherLedger = "otherLedger",
        /// Nobody here can tell whether it is for this ledger.
        NoLedger = "noLedger",
        HeadMissing = "headMissing",
        HeadUnknown = "headUnknown",
        HeadTooOld = "headTooOld",
        UnknownDevice = "unknownDevice",
        SerialMismatch = "serialMismatch",
        PlaceholderSerial = "placeholderSerial",
        AlreadyWiped = "alreadyWiped",
        PersonalFull = "personalFull",
        OwnershipUnclear = "ownershipUnclear",
        NotYetIssued = "notYetIssued",
        Expired = "expired",
        ValidTooLong = "validTooLong",
        NoTrust = "noTrust",
        TooManyFiles = "tooManyFiles",
        SignatureUnreadable = "signatureUnreadable",
        NotSigned = "notSigned",
        RequesterNotSigner = "requesterNotSigner",
    }
}

impl Reason {
    /// Whether the request only waits for something: nothing about it is wrong.
    #[must_use]
    pub(crate) const fn holds(self) -> bool {
        matches!(self, Self::NotSigned | Self::SignatureUnreadable | Self::OwnershipUnclear)
    }

    /// Whether nothing that happens later may let the request through.
    ///
    /// | final | because |
    /// |---|---|
    /// | `otherLedger` | a lineage that a ledger does not have, or no more, never comes back |
    /// | `serialMismatch` | an id never gets another serial number |
    /// | `alreadyWiped` | a wiped id never comes back |
    /// | `personalFull` | who declares the device corporate later did not ask its owner |
    ///
    /// All others end by time, by a signature, by a corrected file or by another configuration.
    #[must_use]
    pub(crate) const fn is_final(self) -> bool {
        matches!(
            self,
            Self::OtherLedger | Self::SerialMismatch | Self::AlreadyWiped | Self::PersonalFull
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_reasons_only_wait_and_few_are_final() {
        for reason in Reason::ALL {
            let waits = ["notSigned", "signatureUnreadable", "ownershipUnclear"];
            let last = ["otherLedger", "serialMismatch", "alreadyWiped", "personalFull"];
            assert_eq!(reason.holds(), waits.contains(&reason.as_str()), "{reason}");
            assert_eq!(reason.is_final(), last.contains(&reason.as_str()), "{reason}");
        }
    }
}
