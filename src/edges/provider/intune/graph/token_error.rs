//! Why Entra gives no token.

use std::fmt;
use std::time::Duration;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenError {
    /// Where it was asked for.
    pub(crate) place: String,
    /// Who asked: the id of the app registration, and what it is for.
    pub(crate) client: String,
    /// A word of OAuth's; nothing where there was no such answer.
    pub(crate) code: Option<String>,
    /// Fit to be shown.
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
    /// Whether it may go away by itself.
    pub(crate) passing: bool,
}

impl TokenError {
    pub(crate) const fn may_pass(&self) -> bool {
        self.passing
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, client, code, message, .. } = self;
        write!(f, "{place} gives no token to the app registration {client}: ")?;
        if let Some(code) = code {
            write!(f, "{code}: ")?;
        }
        f.write_str(message)?;
        match advice(message) {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

/// What to do about the errors that a wrong setting leads to; by Entra's number of them.
fn advice(message: &str) -> Option<&'static str> {
    let number: String = message
        .split_once("AADSTS")?
        .1
        .chars()
        .take_while(|digit| digit.is_ascii_digit())
        .collect();
    Some(match number.as_str() {
        "90002" | "900023" => "check tenant, and that loginUrl is of the same cloud",
        "700016" => "check clientId, and that the app registration is in this tenant",
        "7000215" => {
            "secretFile must hold the value of a client secret; what the portal calls its id is not \
             the value"
        }
        "7000222" => {
            "the client secret has expired: make a new one in the Entra admin center, and put its \
             value into secretFile"
        }
        "700027" | "700030" => {
            "upload this very certificate to the app registration, Certificates & secrets"
        }
        "700024" => "the clock of this machine is wrong: check that it is synchronized",
        "70021" | "700211" | "700212" | "700213" | "7002131" => {
            "check issuer, subject and audience of the federated credential of the app registration"
        }
        "53003" => "a Conditional Access policy for workload identities stops it",
        "7000112" => "the app registration is disabled: enable it in the Entra admin center",
        _ => return None,
    })
}
