//! Whether wipes can be signed: the trust files, and how many people may sign.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::fleet::count;
use crate::domain::diagnosis::Check;
use crate::domain::model::{Email, Timestamp};
use crate::domain::wipe::Namespace;
use crate::domain::wipe::quorum::Tiers;
use crate::domain::wipe::trust::{Signer, Trust};
use crate::domain::wipe::trust_state::TrustState;

const FILES: &str = "trust";
const SIGNERS: &str = "trust.signers";
const EXPIRY: &str = "trust.expiry";

/// So long ahead it is told that a key expires.
const AHEAD: TimeDelta = TimeDelta::days(30);
/// Names of people that are shown.
const FEW: usize = 10;

/// The files, who may sign, and whose right ends soon.
pub(super) fn trust(state: Option<&TrustState>, quorum: &Tiers, now: Timestamp) -> Vec<Check> {
    let files = files(state);
    let Some(TrustState::Usable(trust)) = state else {
        return vec![files, Check::skipped(SIGNERS, FILES), Check::skipped(EXPIRY, FILES)];
    };
    vec![files, signers(trust, quorum, now), expiry(trust, now)]
}

fn files(state: Option<&TrustState>) -> Check {
    match state {
        None => Check::fails(
            FILES,
            "the trust files could not be read in time",
            "look whether their file system answers",
        ),
        Some(TrustState::Usable(_)) => Check::ok(FILES, "the trust files can be relied on"),
        Some(TrustState::NotConfigured) => Check::warning(
            FILES,
            "no trust file is configured: every wipe is refused",
            "list who may sign in a file outside of the checkout, such as \
             /etc/fleetform/allowed_signers, and name it as trust.allowedSigners",
        ),
        Some(TrustState::Broken(why)) => Check::fails(
            FILES,
            format!("the trust files cannot be relied on, and every wipe is refused: {why}"),
            "mend what it names; nothing else is needed",
        ),
    }
}

/// The lines of those who may sign a wipe now.
fn able(trust: &Trust, now: Timestamp) -> impl Iterator<Item = &Signer> {
    let may = move |signer: &&Signer| trust.who(&signer.key, now, Namespace::Wipe).is_ok();
    trust.signers().iter().filter(may)
}

fn signers(trust: &Trust, quorum: &Tiers, now: Timestamp) -> Check {
    let people: BTreeSet<&Email> = able(trust, now).map(|signer| &signer.principal).collect();
    let least = quorum.as_slice().first().map_or(1, |tier| tier.signers) as usize;
    let most = quorum.as_slice().last().map_or(1, |tier| tier.signers) as usize;
    let may = match people.len() {
        0 => "nobody may sign wipes".to_owned(),
        1 => "1 person may sign wipes".to_owned(),
        n => format!("{n} people may sign wipes"),
    };
    let help = "add people to the file of trust.allowedSigners, or change wipes.quorum";
    if people.len() < least {
        return Check::warning(SIGNERS, format!("{may}, and a wipe needs {least}"), help);
    }
    if people.len() < most {
        let detail = format!("{may}; many wipes at once need {most}");
        return Check::warning(SIGNERS, detail, help);
    }
    Check::ok(SIGNERS, may)
}

fn expiry(trust: &Trust, now: Timestamp) -> Check {
    let soon: Vec<(&Signer, Timestamp)> = able(trust, now)
        .filter_map(|signer| Some((signer, signer.valid_before?)))
        .filter(|(_, end)| *end < now + AHEAD)
        .collect();
    if soon.is_empty() {
        return Check::ok(EXPIRY, "no key that counts expires within 30 days");
    }
    let shown = soon.iter().take(FEW).map(|(Signer { principal, line, .. }, end)| {
        format!("{principal} (line {line}) on {}", end.short())
    });
    let more = match soon.len().saturating_sub(FEW) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let keys = count(soon.len(), "key");
    let shown: Vec<_> = shown.collect();
    Check::warning(
        EXPIRY,
        format!("{keys} will soon not count any more: {}{more}", shown.join(", ")),
        "raise valid-before of the line, or replace the key",
    )
}
