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
            "check whether their file system answers",
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
            "fix what it names; nothing else is needed",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::CheckState::{self, Fails, Ok as Well, Skipped, Warning};
    use crate::domain::wipe::testing::TestKey;

    fn now() -> Timestamp {
        "2026-11-26T10:00:00Z".parse().unwrap()
    }

    fn line(who: u8, options: &str) -> String {
        let key = TestKey::ed25519(who).openssh();
        format!("p{who}@example.com {options}namespaces=\"wipe@fleetform\" {key}\n")
    }

    /// What each check comes to, with the tiers that are usual: one person, and two for many.
    fn of(lines: &[String]) -> Vec<Check> {
        let trust = TrustState::Usable(Trust::parse(lines.concat().as_bytes(), None).unwrap());
        super::trust(Some(&trust), &Tiers::default(), now())
    }

    #[track_caller]
    fn is(check: &Check, state: CheckState, says: &str) {
        assert_eq!(check.state, state, "{check:?}");
        assert!(check.detail.contains(says), "{check:?}");
        assert_eq!(check.help.is_some(), matches!(state, Fails | Warning), "{check:?}");
    }

    #[test]
    fn trust_that_is_broken_fails_and_none_at_all_is_a_warning() {
        let broken = TrustState::Broken("line 3 is cut short".to_owned());
        for (state, first) in
            [(Some(&TrustState::NotConfigured), Warning), (Some(&broken), Fails), (None, Fails)]
        {
            let checks = super::trust(state, &Tiers::default(), now());
            let states: Vec<_> = checks.iter().map(|check| check.state).collect();
            assert_eq!(states, [first, Skipped, Skipped], "{checks:?}");
        }
        let checks = super::trust(Some(&broken), &Tiers::default(), now());
        is(&checks[0], Fails, "line 3 is cut short");
    }

    #[test]
    fn people_count_once_and_only_those_who_may_sign_now() {
        is(&of(&[])[1], Warning, "nobody may sign wipes, and a wipe needs 1");
        is(&of(&[line(1, "")])[1], Warning, "1 person may sign wipes; many wipes at once need 2");
        is(&of(&[line(1, ""), line(2, "")])[1], Well, "2 people");
        let same = line(2, "").replace("p2@", "p1@");
        is(&of(&[line(1, ""), same])[1], Warning, "1 person");
        let gone = line(2, "valid-before=\"20261101Z\",");
        is(&of(&[line(1, ""), gone])[1], Warning, "1 person");
        let veto = line(2, "").replace("wipe@fleetform", "wipe-veto@fleetform");
        is(&of(&[line(1, ""), veto])[1], Warning, "1 person");
    }

    #[test]
    fn a_key_that_ends_within_thirty_days_is_told() {
        let until = |day: &str| line(1, &format!("valid-before=\"{day}Z\","));
        is(&of(&[until("20261226")])[2], Warning, "p1@example.com (line 1) on 2026-12-26");
        is(&of(&[until("20261227")])[2], Well, "no key");
        is(&of(&[until("20261101")])[2], Well, "no key");
        is(&of(&[line(1, "")])[2], Well, "no key");
    }
}
