//! Kinds of actions in words, for people.

use super::action::ActionKind;
use crate::domain::wording::count;

impl ActionKind {
    /// In a line of a plan: the code, or words where the code is none.
    #[must_use]
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::UnrequestedWipe => "erased",
            Self::Thaw => "unfreeze",
            Self::Restore => "correct",
            Self::LicenseMissing => "license missing",
            Self::EvidenceMissing => "no evidence",
            Self::EvidenceReturned => "evidence again",
            Self::BlockAccess => "block mail",
            Self::RestoreAccess => "restore mail",
            Self::AcceptWipe => "accept wipe",
            Self::RefuseWipe => "refuse wipe",
            Self::HoldWipe => "hold wipe",
            Self::ExpireWipe => "expire wipe",
            Self::VetoWipe => "stop wipe",
            Self::WithdrawWipe => "withdraw wipe",
            Self::WipeProgress => "wipe in progress",
            Self::DeferWipe => "retry wipe",
            Self::FailWipe => "wipe failed",
            Self::ConfirmWipe => "wipe confirmed",
            Self::Freeze
            | Self::Profile
            | Self::Provision
            | Self::Adopt
            | Self::Update
            | Self::Status
            | Self::Push
            | Self::License
            | Self::Sync
            | Self::Missing
            | Self::Found
            | Self::Compliance
            | Self::Orphan
            | Self::Archive
            | Self::Trust
            | Self::Wipe => self.as_str(),
        }
    }

    /// That it is not done: a clause.
    #[must_use]
    pub(crate) const fn undone(self) -> &'static str {
        match self {
            Self::Profile => "the profile is not recorded",
            Self::Provision => "the device is not provisioned",
            Self::Adopt => "the device is not adopted",
            Self::Update => "the changed manifest is not applied",
            Self::Status => "the status is not changed",
            Self::Push => "the profile is not pushed",
            Self::License => "the license is not assigned",
            Self::Sync => "the device is not asked to sync",
            Self::Restore => "the profile is not corrected in the MDM",
            Self::Compliance => "compliance is not judged again",
            Self::BlockAccess => "mail is not blocked",
            Self::RestoreAccess => "mail is not restored",
            Self::Orphan => "the manifest is gone, and the device does not become orphaned",
            Self::Archive => "the device is not archived",
            Self::Trust => "the new trust files are not recorded",
            Self::AcceptWipe => "the wipe request is not accepted",
            Self::Wipe | Self::DeferWipe => "the device is not wiped",
            Self::WithdrawWipe => "the wipe is not withdrawn",
            Self::UnrequestedWipe
            | Self::Freeze
            | Self::Thaw
            | Self::Missing
            | Self::Found
            | Self::LicenseMissing
            | Self::EvidenceMissing
            | Self::EvidenceReturned
            | Self::RefuseWipe
            | Self::HoldWipe
            | Self::ExpireWipe
            | Self::VetoWipe
            | Self::WipeProgress
            | Self::FailWipe
            | Self::ConfirmWipe => "this is not recorded",
        }
    }

    /// `3 provisioned`: how many actions of a kind, done.
    #[must_use]
    pub(crate) fn told(self, n: u64) -> String {
        match self {
            Self::Freeze => "frozen".to_owned(),
            Self::Thaw => "no longer frozen".to_owned(),
            Self::Profile => format!("{} recorded", count(n, "profile")),
            Self::Provision => format!("{n} provisioned"),
            Self::Adopt => format!("{n} adopted"),
            Self::Update => format!("{n} updated"),
            Self::Status => count(n, "status change"),
            Self::Push => format!("{} pushed", count(n, "profile")),
            Self::Compliance => count(n, "compliance change"),
            Self::EvidenceMissing => format!("{n} without evidence"),
            Self::EvidenceReturned => format!("{n} with evidence again"),
            Self::BlockAccess => format!("{n} blocked from mail"),
            Self::RestoreAccess => format!("{n} with mail restored"),
            Self::License => format!("{} assigned", count(n, "license")),
            Self::LicenseMissing => format!("{} missing", count(n, "license")),
            Self::Sync => format!("{n} asked to sync"),
            Self::Restore => format!("{} corrected", count(n, "drifted profile")),
            Self::Missing => format!("{n} missing from the MDM"),
            Self::Found => format!("{n} found in the MDM again"),
            Self::Orphan => format!("{n} orphaned"),
            Self::Archive => format!("{n} archived"),
            Self::Trust => "trust files recorded".to_owned(),
            Self::AcceptWipe => format!("{} accepted", count(n, "wipe")),
            Self::RefuseWipe => format!("{} refused", count(n, "wipe")),
            Self::HoldWipe => format!("{} held", count(n, "wipe")),
            Self::ExpireWipe => format!("{} expired", count(n, "wipe")),
            Self::VetoWipe => format!("{} stopped", count(n, "wipe")),
            Self::Wipe => format!("{} issued", count(n, "wipe")),
            Self::WithdrawWipe => format!("{} withdrawn", count(n, "wipe")),
            Self::WipeProgress => format!("{} in progress", count(n, "wipe")),
            Self::DeferWipe => format!("{} to be retried", count(n, "wipe")),
            Self::FailWipe => format!("{} failed", count(n, "wipe")),
            Self::ConfirmWipe => format!("{} confirmed", count(n, "wipe")),
            Self::UnrequestedWipe => {
                format!("{} ERASED WITHOUT A REQUEST", count(n, "device"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_words_and_no_codes() {
        // `holdWipe`: within a word.
        let is_code = |text: &str| {
            text.as_bytes()
                .windows(2)
                .any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase())
        };
        assert!(is_code(ActionKind::HoldWipe.as_str()));
        for kind in ActionKind::ALL.iter().copied() {
            assert!(!is_code(kind.label()), "{}", kind.label());
            assert!(!is_code(kind.undone()), "{}", kind.undone());
            assert!(!is_code(&kind.told(2)), "{}", kind.told(2));
        }
        assert_eq!(ActionKind::Thaw.label(), "unfreeze");
        assert_eq!(ActionKind::HoldWipe.told(1), "1 wipe held");
    }
}
