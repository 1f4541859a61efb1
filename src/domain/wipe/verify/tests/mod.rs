//! The table of attacks on one request, and what an honest one looks like.

mod rules;
mod signatures;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::judge::hours;
use super::*;
use crate::domain::model::{Digest, Ownership, Timestamp, WipeReason, WipeScope};
use crate::domain::wipe::sshsig::fingerprint;
use crate::domain::wipe::target::{LedgerId, LogHead, LoggedHead};
use crate::domain::wipe::testing::{TOUCHED, TestKey, other_form};
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wipe::{Namespace, Request};

const ANA: &str = "ana@example.com";

const BOB: &str = "bob@example.com";

const EVE: &str = "eve@example.com";

const LEDGER: &str = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21";

/// An honest request and everything around it, to be spoilt one thing at a time.
struct Case {
    request: Request,
    bytes: Vec<u8>,
    signatures: BTreeMap<String, Vec<u8>>,
    vetoes: BTreeMap<String, Vec<u8>>,
    unreadable: BTreeMap<String, String>,
    trust: TrustState,
    device: Option<Recorded>,
    ledger: Option<LedgerId>,
    logged: Option<LoggedHead>,
    require_head: bool,
    now: Timestamp,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn text_of(request: &Request) -> Vec<u8> {
    let Request {
        name, path: _, ledger, head, device_id, serial, scope, reason, requested_by, ..
    } = request;
    let Request { confirm, issued_at, expires_at, .. } = request;
    let head = head.map(|head| format!("head: {head}\n  ")).unwrap_or_default();
    format!(
        "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: {name}}}\nspec:\n  \
         ledger: {ledger}\n  {head}deviceId: {device_id}\n  serialNumber: {serial}\n  scope: {scope}\n  reason: {reason}\n  \
         requestedBy: {requested_by}\n  confirm: {confirm}\n  issuedAt: {issued_at}\n  \
         expiresAt: {expires_at}\n"
    )
    .into_bytes()
}

fn ana() -> TestKey {
    TestKey::ed25519(1)
}

fn bob() -> TestKey {
    TestKey::ed25519(2)
}

fn bobs_token() -> TestKey {
    TestKey::ed25519(3).as_hardware("ssh:")
}

fn eve() -> TestKey {
    TestKey::ed25519(66)
}

impl Case {
    /// Signed by Bob, who asks for it.
    fn new() -> Self {
        let request = Request {
            name: "d007-lost".parse().unwrap(),
            path: "wipes/d007-lost.yaml".into(),
            ledger: LEDGER.parse().unwrap(),
            head: None,
            device_id: "D007".parse().unwrap(),
            serial: "PF3XK9Q2".parse().unwrap(),
            scope: WipeScope::Full,
            reason: WipeReason::Lost,
            requested_by: BOB.parse().unwrap(),
            confirm: true,
            issued_at: at("2026-11-22T10:00:00Z"),
            expires_at: at("2026-11-23T10:00:00Z"),
            digest: Digest::ZERO,
        };
        let mut case = Self {
            request,
            bytes: Vec::new(),
            signatures: BTreeMap::new(),
            vetoes: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            trust: TrustState::Usable(lists(&[
                ana().line(ANA),
                bob().line(BOB),
                bobs_token().line(BOB),
            ])),
            device: Some(Recorded {
                id: "D007".parse().unwrap(),
                serial: "pf3xk9q2".parse().unwrap(),
                ownership: Ownership::Corporate,
                wiped: false,
                unclear: None,
            }),
            ledger: Some(LEDGER.parse().unwrap()),
            logged: None,
            require_head: false,
            now: at("2026-11-22T23:00:00Z"),
        };
        case.rewrite();
        case.sign("", &bob());
        case
    }

    /// The file says what the request says; signatures stay as they are.
    fn rewrite(&mut self) {
        self.bytes = text_of(&self.request);
        self.request.digest = Digest::of(&self.bytes);
    }

    fn sign(&mut self, label: &str, key: &TestKey) {
        self.add(label, key.sign(Namespace::Wipe, &self.bytes));
    }

    fn add(&mut self, label: &str, signature: Vec<u8>) {
        self.signatures.insert(format!("d007-lost.yaml{label}.sig"), signature);
    }

    fn veto(&mut self, veto: Vec<u8>) {
        self.vetoes.insert("d007-lost.yaml.veto.sig".into(), veto);
    }

    fn judge(&self) -> Judgement {
        let Self { request, bytes, signatures, vetoes, trust, device, now, .. } = self;
        let judgement = verify(&Evidence {
            request,
            bytes,
            signatures,
            vetoes,
            unreadable: &self.unreadable,
            trust,
            ledger: self.ledger,
            logged: self.logged,
            require_head: self.require_head,
            device: device.as_ref(),
            now: *now,
            max_validity: TimeDelta::hours(72),
        });
        let rules: Vec<_> = judgement.checks.iter().map(|check| check.rule).collect();
        assert_eq!(rules, Rule::ALL, "every rule, in its order");
        let all_hold = judgement.checks.iter().all(|check| check.holds);
        assert_eq!(all_hold, matches!(judgement.conclusion, Conclusion::Verified(_)));
        assert!(judgement.checks.iter().all(|c| !c.detail.is_empty() && !c.detail.ends_with('.')));
        judgement
    }

    fn refused(&self) -> Reason {
        match self.judge().conclusion {
            Conclusion::Refused(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn signers(&self) -> Vec<String> {
        match self.judge().conclusion {
            Conclusion::Verified(wipe) => {
                assert_eq!(*wipe.request(), self.request);
                wipe.signers().iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// The codes of the files that do not count.
    fn discounted(&self) -> Vec<&'static str> {
        let files = self.judge().files;
        files.into_iter().filter_map(|file| file.outcome.err().map(|why| why.code)).collect()
    }

    /// The only signature does not count, and this is why.
    fn unsigned(&self, code: &str) {
        assert_eq!(self.refused(), Reason::NotSigned);
        assert_eq!(self.discounted(), [code]);
    }
}

fn lists(lines: &[String]) -> Trust {
    Trust::parse(lines.concat().as_bytes(), None).unwrap()
}

fn broken(case: &Case) -> Vec<Rule> {
    case.judge().checks.into_iter().filter(|c| !c.holds).map(|c| c.rule).collect()
}
