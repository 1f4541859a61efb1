//! The table of attacks on one request, and what an honest one looks like.

use super::super::testing::{TOUCHED, TestKey, other_form};
use super::*;
use crate::domain::model::WipeReason;
use crate::domain::wipe::target::LogHead;

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
    trust: Result<Trust, String>,
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
            trust: Ok(lists(&[ana().line(ANA), bob().line(BOB), bobs_token().line(BOB)])),
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
            trust: trust.as_ref().map_err(String::as_str),
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

#[test]
fn an_honest_request_is_verified() {
    let case = Case::new();
    assert_eq!(case.signers(), [BOB]);
    let Conclusion::Verified(wipe) = case.judge().conclusion else { panic!("refused") };
    assert_eq!(wipe.at(), case.now);
    assert_eq!(wipe.trust(), case.trust.unwrap().digest());
}

#[test]
fn signers_are_distinct_people_in_order() {
    let mut case = Case::new();
    case.sign(".bob-again", &bob());
    case.sign(".token", &bobs_token());
    case.add(".copy", case.signatures["d007-lost.yaml.sig"].clone());
    assert_eq!(case.signers(), [BOB], "two keys and four files of one person are one person");
    case.sign(".ana", &ana());
    assert_eq!(case.signers(), [ANA, BOB]);
    assert_eq!(case.judge().files.len(), 5);
}

#[test]
fn both_forms_of_one_signature_count_once() {
    let mut case = Case::new();
    let key = TestKey::p256();
    case.trust = Ok(lists(&[key.line(BOB)]));
    let [one, other] = other_form(&key, Namespace::Wipe, &case.bytes);
    assert_ne!(one, other);
    case.add("", one);
    case.add(".other", other);
    assert_eq!(case.discounted(), [""; 0]);
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn every_field_altered_after_signing_spoils_the_signature() {
    type Alter = fn(&mut Request);
    let alterations: [(&str, Alter); 11] = [
        ("ledger", |r| r.ledger = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c22".parse().unwrap()),
        ("name", |r| r.name = "d008-lost".parse().unwrap()),
        ("deviceId", |r| r.device_id = "D008".parse().unwrap()),
        ("serialNumber", |r| r.serial = "PF3XK9Q3".parse().unwrap()),
        ("scope", |r| r.scope = WipeScope::Selective),
        ("reason", |r| r.reason = WipeReason::Breach),
        ("requestedBy", |r| r.requested_by = ANA.parse().unwrap()),
        ("confirm", |r| r.confirm = false),
        ("issuedAt", |r| r.issued_at = at("2026-11-22T10:00:01Z")),
        ("expiresAt", |r| r.expires_at = at("2026-11-24T10:00:00Z")),
        ("a comment", |_| {}),
    ];
    for (field, alter) in alterations {
        let mut case = Case::new();
        alter(&mut case.request);
        case.rewrite();
        if field == "a comment" {
            case.bytes.extend(b"# harmless\n");
            case.request.digest = Digest::of(&case.bytes);
        }
        // As if the ledger had a device that fits.
        if let Some(device) = &mut case.device {
            device.id = case.request.device_id;
            device.serial = case.request.serial.clone();
        }
        assert!(broken(&case).contains(&Rule::Signatures), "{field}");
        assert_eq!(case.discounted(), ["badSignature"], "{field}");
    }
}

#[test]
fn a_request_that_is_not_its_file_is_refused() {
    let mut case = Case::new();
    case.bytes.push(b'\n');
    case.sign("", &bob());
    assert_eq!(case.refused(), Reason::ContentChanged);
}

#[test]
fn line_ends_changed_by_git_spoil_the_signature() {
    let mut case = Case::new();
    case.bytes = String::from_utf8(case.bytes).unwrap().replace('\n', "\r\n").into_bytes();
    case.request.digest = Digest::of(&case.bytes);
    case.unsigned("badSignature");
}

#[test]
fn unconfirmed_is_refused_even_if_signed() {
    let mut case = Case::new();
    case.request.confirm = false;
    case.rewrite();
    case.sign("", &bob());
    assert_eq!(case.refused(), Reason::NotConfirmed);
}

#[test]
fn the_device_must_be_the_one_meant() {
    let device = |change: fn(&mut Recorded)| {
        let mut case = Case::new();
        change(case.device.as_mut().unwrap());
        case
    };
    let case = device(|d| d.id = "D008".parse().unwrap());
    assert_eq!(case.refused(), Reason::UnknownDevice);
    let case = device(|d| d.serial = "PF3XK9Q3".parse().unwrap());
    assert_eq!((case.refused(), broken(&case)), (Reason::SerialMismatch, vec![Rule::Serial]));
    // A device that an older ledger has under a serial number that thousands of machines bear.
    for serial in ["0", "To be filled by O.E.M.", "xxxxxxx"] {
        let mut case = Case::new();
        case.device.as_mut().unwrap().serial = serial.parse().unwrap();
        case.request.serial = serial.parse().unwrap();
        assert_eq!(
            (case.refused(), broken(&case)),
            (Reason::PlaceholderSerial, vec![Rule::Serial])
        );
    }
    let case = device(|d| d.wiped = true);
    assert_eq!((case.refused(), broken(&case)), (Reason::AlreadyWiped, vec![Rule::NotWiped]));
    let case = device(|d| d.ownership = Ownership::Personal);
    assert_eq!((case.refused(), broken(&case)), (Reason::PersonalFull, vec![Rule::Scope]));
    let mut case = Case::new();
    case.device = None;
    assert_eq!(case.refused(), Reason::UnknownDevice);
    assert_eq!(broken(&case), [Rule::Device, Rule::Serial, Rule::NotWiped, Rule::Scope]);
}

#[test]
fn personal_devices_are_wiped_selectively() {
    for ownership in [Ownership::Personal, Ownership::Corporate] {
        let mut case = Case::new();
        case.device.as_mut().unwrap().ownership = ownership;
        case.request.scope = WipeScope::Selective;
        case.rewrite();
        case.sign("", &bob());
        assert_eq!(case.signers(), [BOB]);
    }
}

#[test]
fn a_request_holds_from_issue_to_expiry_inclusive() {
    for (now, expected) in [
        ("2026-11-22T09:59:59.999Z", Some(Reason::NotYetIssued)),
        ("2026-11-22T10:00:00Z", None),
        ("2026-11-23T10:00:00Z", None),
        ("2026-11-23T10:00:00.001Z", Some(Reason::Expired)),
    ] {
        let mut case = Case::new();
        case.now = at(now);
        match expected {
            None => assert_eq!(case.signers(), [BOB], "{now}"),
            Some(reason) => assert_eq!(case.refused(), reason, "{now}"),
        }
    }
}

#[test]
fn a_request_holds_for_no_longer_than_allowed() {
    for (expires, holds) in [
        ("2026-11-25T10:00:00Z", true),
        ("2026-11-25T10:00:00.001Z", false),
        ("9999-12-31T23:59:59Z", false),
    ] {
        let mut case = Case::new();
        case.request.expires_at = at(expires);
        case.rewrite();
        case.sign("", &bob());
        if holds {
            assert_eq!(case.signers(), [BOB], "{expires}");
        } else {
            assert_eq!(case.refused(), Reason::ValidTooLong, "{expires}");
        }
    }
    // Ends before it begins.
    let mut case = Case::new();
    case.request.expires_at = at("2026-11-21T10:00:00Z");
    assert!(broken(&case).contains(&Rule::Validity));
}

#[test]
fn who_asks_must_sign() {
    let mut case = Case::new();
    case.signatures.clear();
    case.sign(".ana", &ana());
    assert_eq!(case.refused(), Reason::RequesterNotSigner);
    case.sign("", &bob());
    assert_eq!(case.signers(), [ANA, BOB]);
    // Letter case is no difference between people.
    case.request.requested_by = "BOB@example.com".parse().unwrap();
    case.rewrite();
    case.sign("", &bob());
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn without_a_signature_or_trust_nothing_is_wiped() {
    let mut case = Case::new();
    case.signatures.clear();
    assert_eq!(case.refused(), Reason::NotSigned);
    let mut case = Case::new();
    case.trust = Err("trust.allowedSigners is not set".into());
    assert_eq!(case.refused(), Reason::NoTrust);
    let judgement = case.judge();
    let check = judgement.checks.iter().find(|check| check.rule == Rule::Trust).unwrap();
    assert!(check.detail.contains("trust.allowedSigners"), "{check:?}");
    assert_eq!(judgement.files, []);
    case.trust = Ok(lists(&[]));
    case.unsigned("unknownKey");
}

#[test]
fn keys_without_a_right_do_not_count() {
    let wipe = "namespaces=\"wipe@fleetform\"";
    let key = bob().openssh();
    for (line, code) in [
        (format!("{BOB} {wipe},valid-before=\"202611222259Z\" {key}\n"), "expiredKey"),
        (format!("{BOB} {wipe},valid-after=\"202611222301Z\" {key}\n"), "notYetValid"),
        (format!("{BOB} {key}\n"), "noNamespace"),
        (format!("{BOB} namespaces=\"git\" {key}\n"), "noNamespace"),
        (format!("{BOB} namespaces=\"wipe-veto@fleetform\" {key}\n"), "noNamespace"),
        (ana().line(ANA), "unknownKey"),
        (bob().as_hardware("ssh:").line(BOB), "unknownKey"),
    ] {
        let mut case = Case::new();
        case.trust = Ok(lists(&[line]));
        case.unsigned(code);
    }
    let mut case = Case::new();
    let revoked = bob().openssh();
    let allowed = [bob().line(BOB), ana().line(ANA)].concat();
    case.trust = Ok(Trust::parse(allowed.as_bytes(), Some(revoked.as_bytes())).unwrap());
    case.unsigned("revokedKey");
}

#[test]
fn keys_are_judged_by_the_time_of_judgement_not_of_signing() {
    let line = format!(
        "{BOB} namespaces=\"wipe@fleetform\",valid-before=\"202611222300Z\" {}\n",
        bob().openssh()
    );
    let mut case = Case::new();
    case.trust = Ok(lists(&[line]));
    assert_eq!(case.signers(), [BOB]);
    case.now = case.now + TimeDelta::minutes(1);
    case.unsigned("expiredKey");
}

#[test]
fn forged_signatures_do_not_count() {
    let good = |case: &Case| case.signatures["d007-lost.yaml.sig"].clone();
    type Spoil = fn(Vec<u8>) -> Vec<u8>;
    let spoilt: [(&str, Spoil); 6] = [
        ("badArmour", |s| s[..s.len() / 2].to_vec()),
        ("badArmour", |s| [s.clone(), s].concat()),
        ("badArmour", |s| [b"Approved:\n".to_vec(), s].concat()),
        ("badArmour", |s| [s, b"Approved\n".to_vec()].concat()),
        ("badArmour", |s| String::from_utf8(s).unwrap().replace('\n', "\r\n").into()),
        ("tooLarge", |s| s.repeat(100)),
    ];
    for (code, spoil) in spoilt {
        let mut case = Case::new();
        case.add("", spoil(good(&case)));
        assert_eq!(case.refused(), Reason::SignatureUnreadable, "{code}");
        assert_eq!(case.discounted(), [code]);
    }
    let mut case = Case::new();
    case.add("", bob().sign(Namespace::Wipe, b"another file"));
    case.unsigned("badSignature");
    let sha512 = ssh_key::HashAlg::Sha512;
    case.add("", bob().sign_as("git", sha512, TOUCHED, &case.bytes));
    case.unsigned("wrongNamespace");
    case.sign("", &eve());
    case.unsigned("unknownKey");
    case.add("", bobs_token().sign_as("wipe@fleetform", ssh_key::HashAlg::Sha512, 0, &case.bytes));
    case.unsigned("noUserPresence");
    let sha256 = ssh_key::HashAlg::Sha256;
    case.add("", bobs_token().sign_as("wipe@fleetform", sha256, TOUCHED, &case.bytes));
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn files_that_do_not_count_spoil_nothing_and_are_reported() {
    let mut case = Case::new();
    case.sign(".eve", &eve());
    case.add(".\u{202e}\u{1b}[2J", eve().sign(Namespace::Wipe, &case.bytes));
    case.add(".git", bob().sign_as("git", ssh_key::HashAlg::Sha512, TOUCHED, &case.bytes));
    case.veto(eve().sign(Namespace::Veto, &case.bytes));
    assert_eq!(case.signers(), [BOB]);
    let mut codes = case.discounted();
    codes.sort_unstable();
    assert_eq!(codes, ["unknownKey", "unknownKey", "unknownKey", "wrongNamespace"]);
    assert!(!case.judge().files.iter().any(|f| f.name.contains(['\u{202e}', '\u{1b}'])));
}

#[test]
fn a_file_that_may_be_a_damaged_veto_holds_it() {
    let veto = |case: &Case| ana().sign(Namespace::Veto, &case.bytes);
    type Spoil = fn(Vec<u8>) -> Vec<u8>;
    let spoilt: [Spoil; 5] = [
        |_| Vec::new(),
        |_| b"\0\xff".to_vec(),
        |veto| veto[..veto.len() - 60].to_vec(),
        |veto| String::from_utf8(veto).unwrap().replace('\n', "\r\n").into(),
        |veto| String::from_utf8(veto).unwrap().replace("U1NIU0lH", "U1NIU0lI").into(),
    ];
    for (n, spoil) in spoilt.into_iter().enumerate() {
        let mut case = Case::new();
        case.veto(spoil(veto(&case)));
        assert_eq!((case.refused(), n), (Reason::SignatureUnreadable, n));
        assert_eq!(broken(&case), [Rule::Readable]);
    }
    let mut case = Case::new();
    case.unreadable.insert("d007-lost.yaml.veto.sig".into(), "permission denied".into());
    assert_eq!(
        (case.refused(), broken(&case)),
        (Reason::SignatureUnreadable, vec![Rule::Readable])
    );
    assert_eq!(case.discounted(), ["unreadable"]);
    // Nobody could look at it either where nobody is trusted.
    case.trust = Err("there is no trust file".into());
    assert!(broken(&case).contains(&Rule::Readable));
}

#[test]
fn a_veto_is_one_whatever_its_file_is_called() {
    let mut case = Case::new();
    case.add(".ana", ana().sign(Namespace::Veto, &case.bytes));
    assert_eq!(case.judge().conclusion, Conclusion::Vetoed(ANA.parse().unwrap()));
}

#[test]
fn a_request_is_for_one_ledger() {
    let mut case = Case::new();
    case.ledger = Some("4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c22".parse().unwrap());
    assert_eq!((case.refused(), broken(&case)), (Reason::OtherLedger, vec![Rule::Ledger]));
    case.ledger = None;
    assert_eq!(case.refused(), Reason::OtherLedger, "there is none yet");
    // Told before anything about the device is.
    case.device = None;
    assert_eq!(case.refused(), Reason::OtherLedger);
}

#[test]
fn a_request_names_a_recent_entry_where_that_is_asked_for() {
    let head = |seq, text: &[u8]| LogHead { seq, hash: Digest::of(text) };
    let logged = |head, age: TimeDelta| LoggedHead { head, at: at("2026-11-22T23:00:00Z") + -age };
    let (right, other) = (head(7, b"a"), head(7, b"b"));
    let fresh = TimeDelta::hours(72);
    let old = fresh + TimeDelta::milliseconds(1);
    for (named, found, required, expected) in [
        (None, None, false, None),
        (None, None, true, Some(Reason::HeadMissing)),
        (Some(right), Some(logged(right, fresh)), true, None),
        (Some(right), Some(logged(right, old)), true, Some(Reason::HeadTooOld)),
        (Some(right), Some(logged(right, old)), false, Some(Reason::HeadTooOld)),
        (Some(right), Some(logged(other, fresh)), true, Some(Reason::HeadUnknown)),
        (Some(right), None, false, Some(Reason::HeadUnknown)),
    ] {
        let mut case = Case::new();
        case.request.head = named;
        case.rewrite();
        case.sign("", &bob());
        (case.logged, case.require_head) = (found, required);
        match expected {
            None => assert_eq!(case.signers(), [BOB]),
            Some(reason) => {
                assert_eq!((case.refused(), broken(&case)), (reason, vec![Rule::Head]));
            }
        }
    }
}

#[test]
fn what_is_final_is_found_behind_every_other_refusal() {
    let mut case = Case::new();
    case.device.as_mut().unwrap().ownership = Ownership::Personal;
    case.signatures.clear();
    case.trust = Err("there is no trust file".into());
    case.now = at("2026-11-21T10:00:00Z");
    case.require_head = true;
    assert_eq!(case.refused(), Reason::HeadMissing);
    assert_eq!(case.judge().for_good.map(|(reason, _)| reason), Some(Reason::PersonalFull));
    // Without a device nothing is known of it.
    case.device = None;
    assert_eq!(case.judge().for_good, None);
}

#[test]
fn an_unclear_ownership_holds_full_wipes_only() {
    let mut case = Case::new();
    case.device.as_mut().unwrap().unclear = Some("a.yaml:1 cannot be used".into());
    assert_eq!((case.refused(), broken(&case)), (Reason::OwnershipUnclear, vec![Rule::Scope]));
    case.device.as_mut().unwrap().ownership = Ownership::Personal;
    assert_eq!(case.refused(), Reason::PersonalFull);
    case.request.scope = WipeScope::Selective;
    case.rewrite();
    case.sign("", &bob());
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn any_trusted_signer_can_stop_it() {
    let carol = TestKey::ed25519(9);
    let veto_only =
        format!("carol@example.com namespaces=\"wipe-veto@fleetform\" {}\n", carol.openssh());
    let people = [(ana(), ANA), (bob(), BOB), (bobs_token(), BOB), (carol, "carol@example.com")];
    for (key, who) in people {
        let mut case = Case::new();
        let lines = [ana().line(ANA), bob().line(BOB), bobs_token().line(BOB), veto_only.clone()];
        case.trust = Ok(lists(&lines));
        case.sign(".ana", &ana());
        case.veto(key.sign(Namespace::Veto, &case.bytes));
        assert_eq!(case.judge().conclusion, Conclusion::Vetoed(who.parse().unwrap()));
        assert_eq!(broken(&case), [Rule::Veto]);
    }
}

#[test]
fn a_veto_stops_a_request_that_does_not_hold_yet() {
    let mut case = Case::new();
    case.signatures.clear();
    case.now = at("2026-11-22T09:00:00Z");
    case.veto(ana().sign(Namespace::Veto, &case.bytes));
    assert_eq!(case.judge().conclusion, Conclusion::Vetoed(ANA.parse().unwrap()));
}

#[test]
fn not_everything_is_a_veto() {
    let expired = format!(
        "{EVE} namespaces=\"wipe@fleetform\",valid-before=\"20260101Z\" {}\n",
        eve().openssh()
    );
    let git = format!("g@example.com namespaces=\"git\" {}\n", TestKey::ed25519(8).openssh());
    type Veto = fn(&[u8]) -> Vec<u8>;
    let cases: [(&str, Veto); 5] = [
        ("wrongNamespace", |bytes| ana().sign(Namespace::Wipe, bytes)),
        ("badSignature", |_| ana().sign(Namespace::Veto, b"another request")),
        ("expiredKey", |bytes| eve().sign(Namespace::Veto, bytes)),
        ("noNamespace", |bytes| TestKey::ed25519(8).sign(Namespace::Veto, bytes)),
        ("unknownKey", |bytes| TestKey::ed25519(77).sign(Namespace::Veto, bytes)),
    ];
    for (code, veto) in cases {
        let mut case = Case::new();
        case.trust = Ok(lists(&[ana().line(ANA), bob().line(BOB), expired.clone(), git.clone()]));
        case.veto(veto(&case.bytes));
        assert_eq!(case.signers(), [BOB], "{code}");
        assert_eq!(case.discounted(), [code]);
    }
}

#[test]
fn a_flood_of_files_wipes_nothing_and_hides_no_veto() {
    let mut case = Case::new();
    for i in 0..MAX_FILES - 1 {
        case.sign(&format!(".{i}"), &eve());
    }
    assert_eq!(case.signers(), [BOB]);
    case.veto(ana().sign(Namespace::Veto, &case.bytes));
    assert_eq!(case.refused(), Reason::TooManyFiles);
    assert_eq!(case.judge().files, []);
}

#[test]
fn equal_evidence_gives_equal_judgements() {
    let mut case = Case::new();
    case.sign(".ana", &ana());
    case.sign(".eve", &eve());
    assert_eq!(case.judge(), case.judge());
}

#[test]
fn durations_read_as_they_are_written() {
    for (seconds, text) in
        [(0, "0s"), (5400, "1h 30m"), (259_200, "72h"), (-60, "-1m"), (61, "1m 1s")]
    {
        assert_eq!(hours(TimeDelta::seconds(seconds)), text);
    }
}
