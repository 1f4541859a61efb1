//! Whether an app registration can prove who it is.

use chrono::TimeDelta;

use super::answers::Unknown;
use crate::domain::diagnosis::Check;
use crate::domain::model::Timestamp;
use crate::domain::provider_settings::Credential;

/// So long ahead it is told that a certificate expires.
const AHEAD: TimeDelta = TimeDelta::days(30);

/// The names of the checks of one app registration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) credential: &'static str,
    pub(super) token: &'static str,
    pub(super) permission: &'static str,
    pub(super) surplus: &'static str,
}

pub(super) const APP: Names = Names {
    credential: "intune.app.credential",
    token: "intune.app.token",
    permission: "intune.app.permission",
    surplus: "intune.app.surplus",
};

pub(super) const WIPE_APP: Names = Names {
    credential: "intune.wipeApp.credential",
    token: "intune.wipeApp.token",
    permission: "intune.wipeApp.permission",
    surplus: "intune.wipeApp.surplus",
};

/// Whether the file can be used, and how long what it holds is valid.
pub(super) fn credential(
    name: &'static str,
    credential: &Credential,
    not_after: &Result<Option<Timestamp>, Unknown>,
    now: Timestamp,
) -> Check {
    let (path, what) = match credential {
        Credential::Secret(path) => (path.display(), "a client secret"),
        Credential::FederatedToken(path) => (path.display(), "a federated token"),
        Credential::Certificate(path) => (path.display(), "a certificate"),
    };
    let end = match not_after {
        Ok(end) => *end,
        Err(unknown) => return unknown.check(name),
    };
    let Some(end) = end else {
        return Check::ok(name, format!("{path} holds {what}"));
    };
    let detail = |verb: &str| format!("the certificate in {path} {verb} {}", end.short());
    let help = "make a new certificate, upload it to the app registration (Certificates & secrets), \
                and replace the file";
    if end < now {
        return Check::fails(name, detail("expired on"), help);
    }
    if end < now + AHEAD {
        return Check::warning(name, detail("expires on"), help);
    }
    Check::ok(name, detail("is valid until"))
}

/// That Entra gives a token, or why it gives none.
pub(super) fn token(name: &'static str, client: &str, refused: Option<&Unknown>) -> Check {
    match refused {
        None => Check::ok(name, format!("Entra gives the app registration {client} a token")),
        Some(unknown) => unknown.check(name),
    }
}

/// That there is no second registration.
pub(super) fn no_wipe_app() -> Check {
    Check::warning(
        "intune.wipeApp",
        "provider.wipeApp is not configured: every wipe is held",
        "register a second application that may only wipe and retire, and configure it as \
         provider.wipeApp; docs/intune.md shows how",
    )
}
