//! The trust file, person by person.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::json;
use super::out::{Out, Tone};
use crate::domain::model::{Digest, Email, Timestamp};
use crate::domain::wipe::Namespace;
use crate::domain::wipe::quorum::Tiers;
use crate::domain::wipe::sshsig::fingerprint;
use crate::domain::wipe::trust::{Signer, Trust};
use crate::domain::wording::{count, duration};

/// What people may do, and whether they are enough.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrustCheck {
    version: u32,
    digest: Digest,
    revoked_digest: Option<Digest>,
    people: Vec<Person>,
    /// People who may sign wipes now.
    signers: usize,
    tiers: Vec<TierCheck>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    email: String,
    signs_wipes: bool,
    vetoes_wipes: bool,
    keys: Vec<KeyCheck>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyCheck {
    line: usize,
    fingerprint: String,
    namespaces: Vec<Namespace>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
    /// Whether it signs wipes now.
    counts: bool,
    /// Whether it stops wipes now.
    #[serde(default)]
    vetoes: bool,
    /// Why it does nothing of what its line says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TierCheck {
    up_to: u32,
    per: String,
    signers: u32,
    reachable: bool,
}

impl TrustCheck {
    /// As it is at `now`.
    #[must_use]
    pub(crate) fn of(trust: &Trust, quorum: &Tiers, now: Timestamp) -> Self {
        let mut people: BTreeMap<&Email, Person> = BTreeMap::new();
        for signer in trust.signers() {
            let Signer { principal, key, namespaces, valid_after, valid_before, line } = signer;
            let person = people.entry(principal).or_insert_with(|| Person {
                email: principal.to_string(),
                signs_wipes: false,
                vetoes_wipes: false,
                keys: Vec::new(),
            });
            let signs = trust.who(key, now, Namespace::Wipe);
            let vetoes = trust.who(key, now, Namespace::Veto);
            person.signs_wipes |= signs.is_ok();
            person.vetoes_wipes |= vetoes.is_ok();
            let (counts, stops) = (signs.is_ok(), vetoes.is_ok());
            // A key for vetoes alone lacks nothing by signing no wipes.
            let right = if namespaces.contains(&Namespace::Wipe) { signs } else { vetoes };
            person.keys.push(KeyCheck {
                line: *line,
                fingerprint: fingerprint(key),
                namespaces: namespaces.iter().copied().collect(),
                valid_after: *valid_after,
                valid_before: *valid_before,
                counts,
                vetoes: stops,
                why: right.err().map(|why| why.detail),
            });
        }
        let people: Vec<_> = people.into_values().collect();
        let signers = people.iter().filter(|person| person.signs_wipes).count();
        let tiers = quorum.as_slice().iter().map(|tier| TierCheck {
            up_to: tier.up_to,
            per: duration(tier.per),
            signers: tier.signers,
            reachable: signers >= usize::try_from(tier.signers).unwrap_or(usize::MAX),
        });
        Self {
            version: 1,
            digest: trust.digest(),
            revoked_digest: trust.revoked_digest(),
            tiers: tiers.collect(),
            people,
            signers,
        }
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        for person in &self.people {
            let Person { email, signs_wipes, vetoes_wipes, keys } = person;
            let (may, tone) = match (signs_wipes, vetoes_wipes) {
                (true, _) => ("may sign wipes, and stop them", Tone::Added),
                (false, true) => ("may stop wipes, and sign none", Tone::Changed),
                (false, false) => ("has no right now", Tone::Removed),
            };
            let email = out.paint(Tone::Strong, email).to_string();
            writeln!(out, "{email}: {}", out.paint(tone, may))?;
            for key in keys {
                let KeyCheck {
                    line,
                    fingerprint,
                    namespaces: _,
                    valid_after,
                    valid_before,
                    counts,
                    vetoes,
                    why,
                } = key;
                let from = valid_after.map(|at| format!(", from {}", at.short()));
                let until = valid_before.map(|at| format!(", until {}", at.short()));
                let (from, until) = (from.unwrap_or_default(), until.unwrap_or_default());
                let (mark, tone) = match (*counts, *vetoes) {
                    (true, _) => ("counts", Tone::Added),
                    (false, true) => ("vetoes", Tone::Added),
                    (false, false) => ("no    ", Tone::Changed),
                };
                let text = format!("line {line}: {fingerprint}{from}{until}");
                let mark = out.paint(tone, mark).to_string();
                writeln!(out, "  {mark}  {}", out.paint(Tone::Plain, &text))?;
                if let Some(why) = why {
                    writeln!(out, "            {}", out.paint(Tone::Plain, why))?;
                }
            }
        }
        if !self.people.is_empty() {
            writeln!(out)?;
        }
        let people = match self.signers {
            0 => "Nobody may sign wipes: every wipe is held.".to_owned(),
            1 => "1 person may sign wipes.".to_owned(),
            n => format!("{n} people may sign wipes."),
        };
        writeln!(out, "{}", out.paint(Tone::Strong, &people))?;
        for TierCheck { up_to, per, signers, reachable } in &self.tiers {
            let wipes = count(u64::from(*up_to), "wipe");
            let (enough, tone) = match reachable {
                true => ("enough", Tone::Added),
                false => ("NOT ENOUGH people", Tone::Removed),
            };
            let needs =
                if *signers == 1 { "1 signature".into() } else { format!("{signers} signatures") };
            let enough = out.paint(tone, enough).to_string();
            writeln!(out, "  up to {wipes} in {per} need {needs} each: {enough}")?;
        }
        Ok(())
    }

    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::wipe::testing::TestKey;
    use crate::ui::render::testing::{Screen, now};

    fn line(who: u8, options: &str, namespaces: &str) -> String {
        let key = TestKey::ed25519(who).openssh();
        format!("p{who}@example.com {options}namespaces=\"{namespaces}\" {key}\n")
    }

    #[test]
    fn each_person_is_told_with_what_their_keys_may_do_and_why_not() {
        let text = [
            line(1, "", "wipe@fleetform"),
            line(2, "valid-before=\"20261101Z\",", "wipe@fleetform"),
            line(3, "", "wipe-veto@fleetform"),
            line(4, "valid-before=\"20261101Z\",", "wipe-veto@fleetform"),
        ]
        .concat();
        let trust = Trust::parse(text.as_bytes(), None).unwrap();
        let check = TrustCheck::of(&trust, &Tiers::default(), now());
        let screen = Screen::piped();
        check.text(&mut screen.out()).unwrap();
        let said = screen.results();
        for part in [
            "p1@example.com: may sign wipes, and stop them\n  counts  line 1: SHA256:",
            "p2@example.com: has no right now\n",
            "was valid until 2026-11-01",
            "p3@example.com: may stop wipes, and sign none\n  vetoes  line 3: SHA256:",
            "p4@example.com: has no right now\n  no      line 4: SHA256:",
            "1 person may sign wipes.\n  up to 3 wipes in 1d need 1 signature each: enough\n",
            "  up to 25 wipes in 1d need 2 signatures each: NOT ENOUGH people\n",
        ] {
            assert!(said.contains(part), "{part:?} in\n{said}");
        }
        assert!(!said.contains("namespaces"), "{said}");
        let whys: Vec<_> = check.people.iter().map(|p| p.keys[0].why.is_some()).collect();
        assert_eq!((check.signers, whys), (1, vec![false, true, false, true]));
    }
}
