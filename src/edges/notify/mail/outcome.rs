//! What came of a step of a conversation with a mail server.

use std::error::Error as _;
use std::io;

use lettre::transport::smtp::Error;

use crate::domain::notice::Attempt;
use crate::domain::wording::harmless_within;

/// As much of a server's answer is shown.
const LONGEST: usize = 300;

/// How far a conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Starttls,
    Login,
    Sender,
    Recipient,
    /// The server is asked to take the content.
    Data,
    /// The content is handed over.
    Content,
}

impl Step {
    const fn words(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Starttls => "STARTTLS",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data => "the mail",
            Self::Content => "the content of the mail",
        }
    }
}

/// What to make of a failure. `server` is how it is called, `secrets` are never shown.
pub(super) fn outcome(step: Step, error: &Error, server: &str, secrets: &[String]) -> Attempt {
    let said = shown(error, secrets);
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let why = format!("{server} refused {}: {code} {said}", step.words());
        // Wrong or missing proof of who we are, whatever it was said of.
        let who = matches!(code, 530 | 534 | 535 | 538);
        return match step {
            _ if error.is_transient() => Attempt::Retry { why, after: None },
            _ if who => Attempt::Misconfigured {
                why: format!("{why}; see notify.mail.userFile and passwordFile"),
            },
            Step::Recipient | Step::Data | Step::Content => Attempt::Refused { why },
            Step::Connect | Step::Starttls | Step::Login => Attempt::Misconfigured { why },
            Step::Sender => Attempt::Misconfigured { why: format!("{why}; see notify.mail.from") },
        };
    }
    let trust = tls(error);
    if error.is_client() || error.is_tls() || trust.is_some() {
        let said = trust.unwrap_or(said);
        let help = match step {
            Step::Starttls if error.is_client() => "; see notify.mail.tls",
            Step::Login => "; see notify.mail.login",
            Step::Connect | Step::Starttls => "; see notify.mail.tls and caFile",
            Step::Sender | Step::Recipient | Step::Data | Step::Content => "",
        };
        let why = format!("{server}: {}: {said}{help}", step.words());
        return Attempt::Misconfigured { why };
    }
    let said = if timed_out(error) { "it did not answer in time".to_owned() } else { said };
    let why = format!("{server}: {}: {said}", step.words());
    match step {
        Step::Content => Attempt::InDoubt { why },
        _ => Attempt::Retry { why, after: None },
    }
}

/// The text of the server, or of the system.
fn shown(error: &Error, secrets: &[String]) -> String {
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    harmless_within(&redacted(text, secrets).replace(['\r', '\n'], " "), LONGEST)
}

/// Without what a server echoes of a login.
pub(super) fn redacted(text: String, secrets: &[String]) -> String {
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| text.replace(secret, "…"))
}

fn causes(error: &Error) -> impl Iterator<Item = &io::Error> {
    std::iter::successors(error.source(), |error| (**error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
}

/// What is wrong with an encrypted connection, where that is what failed.
fn tls(error: &Error) -> Option<String> {
    causes(error).find_map(|error| {
        let inner = error.get_ref()?;
        inner
            .downcast_ref::<rustls::Error>()
            .map(|error| harmless_within(&error.to_string(), LONGEST))
    })
}

fn timed_out(error: &Error) -> bool {
    causes(error)
        .any(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
}
