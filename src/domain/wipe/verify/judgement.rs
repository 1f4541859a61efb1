//! What a judgement says.

use super::verified::VerifiedWipe;
use crate::domain::model::Email;
use crate::domain::wipe::request::Namespace;
use crate::domain::wipe::rules::{Reason, Rule};
use crate::domain::wipe::sshsig;
use crate::domain::wipe::trust::WhyNot;

/// One rule's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleCheck {
    pub(crate) rule: Rule,
    pub(crate) holds: bool,
    /// What was found, without a full stop.
    pub(crate) detail: String,
}

/// What one signature or veto file is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileCheck {
    /// Its name, harmless to show.
    pub(crate) name: String,
    /// What it was read as.
    pub(crate) purpose: Namespace,
    /// Whose it is, or why it does not count.
    pub(crate) outcome: Result<Email, Discounted>,
}

/// Why a file does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Discounted {
    /// Stable: a word of [`sshsig::Fault`] or [`crate::domain::wipe::trust::NoRight`].
    pub(crate) code: &'static str,
    /// Without a full stop.
    pub(crate) detail: String,
    /// Whether it could not even be told what the file is.
    pub(crate) unreadable: bool,
}

/// All that [`super::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// One for each [`Rule`], in its order.
    pub(crate) checks: Vec<RuleCheck>,
    /// Signatures, then vetoes, each sorted by name.
    pub(crate) files: Vec<FileCheck>,
    pub(crate) conclusion: Conclusion,
    /// The reason that makes a refusal final, whatever other rules say.
    pub(crate) for_good: Option<(Reason, String)>,
}

/// What follows from the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// Every rule holds.
    Verified(Box<VerifiedWipe>),
    /// A trusted signer objects, whatever else there is to say: the first by address.
    Vetoed(Email),
    /// The reason of the first rule that does not hold.
    Refused(Reason),
}

impl From<sshsig::Failure> for Discounted {
    fn from(sshsig::Failure { code, detail }: sshsig::Failure) -> Self {
        Self { code: code.as_str(), detail, unreadable: code.is_unreadable() }
    }
}

impl From<WhyNot> for Discounted {
    fn from(WhyNot { code, detail }: WhyNot) -> Self {
        Self { code: code.as_str(), detail, unreadable: false }
    }
}
