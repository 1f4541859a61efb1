//! Why a call was not answered as it should be.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::token_error::TokenError;
use crate::domain::state::event::ErrorClass;

/// Why there is no answer. It says what, where, and what to do, and nothing that gives rights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The file that proves who is asking cannot be used.
    #[error("the credential file {}: {why}", path.display())]
    Secret { path: PathBuf, why: String },
    /// There is no token.
    #[error("{0}")]
    Token(TokenError),
    /// Too much of this pass was spent on waiting already; what it would have waited for, and
    /// whether anything of it may have been taken.
    #[error("{why}; the time for one reconciliation is over, and the next one tries again")]
    OverBudget { why: String, retry_after: Option<Duration>, sent: bool },
    /// It surely did not arrive.
    #[error("{place} did not get through: {why}")]
    NotSent { place: String, why: String },
    /// It may have arrived, or not.
    #[error("{place}: {why} (client-request-id {client_request_id})")]
    NoAnswer { place: String, why: String, client_request_id: String },
    /// Graph said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// It was taken, and the answer is not what it should be.
    #[error("the answer to {place} cannot be used: {why} (client-request-id {client_request_id})")]
    Unreadable { place: String, why: String, client_request_id: String },
}

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What was called.
    pub(crate) place: String,
    pub(crate) status: u16,
    /// A word such as `Forbidden`; may be empty.
    pub(crate) code: String,
    /// Fit to be shown.
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
    /// Of Multi Admin Approval: what to send with the call once it is approved.
    pub(crate) approval_code: Option<String>,
    /// Microsoft's number of the call.
    pub(crate) request_id: Option<String>,
    /// Our number of the call.
    pub(crate) client_request_id: String,
}

impl Failure {
    /// What to make of it. What can only be mended elsewhere is transient: nothing but trying
    /// again finds out that somebody did.
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            Self::Secret { .. } | Self::Token(_) | Self::NotSent { .. } => ErrorClass::Transient,
            Self::OverBudget { sent: false, .. } => ErrorClass::Transient,
            Self::OverBudget { .. } | Self::NoAnswer { .. } | Self::Unreadable { .. } => {
                ErrorClass::Unknown
            }
            Self::Refused(refusal) => match refusal.status {
                ..300 | 408 | 500.. => ErrorClass::Unknown,
                401 | 403 | 409 | 412 | 423 | 429 => ErrorClass::Transient,
                _ => ErrorClass::Permanent,
            },
        }
    }

    /// Whether the call certainly had no effect. An error of Microsoft's servers proves nothing:
    /// what answers may stand before what already did it.
    pub(crate) fn surely_not_taken(&self) -> bool {
        self.class() != ErrorClass::Unknown
    }

    /// Whether the same call may be answered a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::NoAnswer { .. } => true,
            Self::Token(error) => error.may_pass(),
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500 | 502..=504 | 509),
            Self::Secret { .. } | Self::OverBudget { .. } | Self::Unreadable { .. } => false,
        }
    }

    /// How long Microsoft wants to be left alone, where it says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Token(error) => error.retry_after,
            Self::OverBudget { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same, where there is no time left to try again.
    pub(crate) fn over_budget(&self) -> Self {
        Self::OverBudget {
            why: self.to_string(),
            retry_after: self.retry_after(),
            sent: !self.surely_not_taken(),
        }
    }

    /// What was said no to, if it was.
    pub(crate) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether Graph says that there is no such thing.
    pub(crate) fn is_absent(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.status == 404)
    }

    /// Our number of the call, if it was made.
    pub(crate) fn client_request_id(&self) -> Option<&str> {
        match self {
            Self::NoAnswer { client_request_id, .. }
            | Self::Unreadable { client_request_id, .. } => Some(client_request_id),
            Self::Refused(refusal) => Some(&refusal.client_request_id),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, status, code, message, request_id, client_request_id, .. } = self;
        write!(f, "{place} was answered with {status}")?;
        for text in [code, message].into_iter().filter(|text| !text.is_empty()) {
            write!(f, ": {text}")?;
        }
        if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        f.write_str(" (")?;
        if let Some(id) = request_id {
            write!(f, "request-id {id}, ")?;
        }
        write!(f, "client-request-id {client_request_id})")
    }
}

impl Refusal {
    fn advice(&self) -> Option<String> {
        if let Some(code) = &self.approval_code {
            return Some(format!(
                "another administrator must approve it in the Intune admin center, Tenant \
                 administration > Multi Admin Approval, as {code}"
            ));
        }
        let advice = match self.status {
            401 => "Graph does not take the token: check tenant, loginUrl and graphUrl",
            403 => {
                "give the app registration the application permission for this call in the Entra \
                 admin center, and grant admin consent"
            }
            429 => "there were too many calls; fewer are made for a while",
            500.. => "if it lasts, look at the service health in the Microsoft 365 admin center",
            _ => return None,
        };
        Some(advice.to_owned())
    }
}
