//! How many people a request has and needs, in words.

use crate::domain::model::Email;
use crate::domain::wipe::quorum::{self, Lacks};
use crate::domain::wording::{count, duration};

/// How many they are.
pub(super) fn people(signers: &[Email]) -> u32 {
    u32::try_from(signers.len()).unwrap_or(u32::MAX)
}

/// What is missing, and until when.
pub(super) fn short_of(hold: &quorum::QuorumHold) -> String {
    let until = hold.until.map(|at| format!("; accepted as it is from {}", at.short()));
    let until = until.unwrap_or_default();
    let window = hold.tier.map_or_else(String::new, |tier| {
        let per = duration(tier.per);
        if hold.forgets() {
            return format!(
                " (the ledger was restored, and what it wiped within {per} before that is not known)"
            );
        }
        format!(" ({} within {per} already)", count(hold.count as u64, "wipe"))
    });
    match (hold.reason, hold.needs) {
        (Lacks::Signatures, Some(needs)) => {
            format!("needs signatures of {needs} people, has {}{window}{until}", hold.has)
        }
        (Lacks::Signatures | Lacks::Room, _) => {
            format!("wipe limit reached{window}; no number of signatures raises it{until}")
        }
    }
}
