//! Who signed, who objects, and what counts.

use super::*;

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
    case.trust = TrustState::Usable(lists(&[key.line(BOB)]));
    let [one, other] = other_form(&key, Namespace::Wipe, &case.bytes);
    assert_ne!(one, other);
    case.add("", one);
    case.add(".other", other);
    assert_eq!(case.discounted(), [""; 0]);
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn line_ends_changed_by_git_spoil_the_signature() {
    let mut case = Case::new();
    case.bytes = String::from_utf8(case.bytes).unwrap().replace('\n', "\r\n").into_bytes();
    case.request.digest = Digest::of(&case.bytes);
    case.unsigned("badSignature");
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
    case.trust = TrustState::Broken("trust.allowedSigners is not set".into());
    assert_eq!(case.refused(), Reason::NoTrust);
    let judgement = case.judge();
    let check = judgement.checks.iter().find(|check| check.rule == Rule::Trust).unwrap();
    assert!(check.detail.contains("trust.allowedSigners"), "{check:?}");
    assert_eq!(judgement.files, []);
    case.trust = TrustState::Usable(lists(&[]));
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
        case.trust = TrustState::Usable(lists(&[line]));
        case.unsigned(code);
    }
    let mut case = Case::new();
    let revoked = bob().openssh();
    let allowed = [bob().line(BOB), ana().line(ANA)].concat();
    case.trust =
        TrustState::Usable(Trust::parse(allowed.as_bytes(), Some(revoked.as_bytes())).unwrap());
    case.unsigned("revokedKey");
}

#[test]
fn keys_are_judged_by_the_time_of_judgement_not_of_signing() {
    let line = format!(
        "{BOB} namespaces=\"wipe@fleetform\",valid-before=\"202611222300Z\" {}\n",
        bob().openssh()
    );
    let mut case = Case::new();
    case.trust = TrustState::Usable(lists(&[line]));
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
    case.trust = TrustState::Broken("there is no trust file".into());
    assert!(broken(&case).contains(&Rule::Readable));
}

#[test]
fn a_veto_is_one_whatever_its_file_is_called() {
    let mut case = Case::new();
    case.add(".ana", ana().sign(Namespace::Veto, &case.bytes));
    assert_eq!(case.judge().conclusion, Conclusion::Vetoed(ANA.parse().unwrap()));
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
        case.trust = TrustState::Usable(lists(&lines));
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
        case.trust = TrustState::Usable(lists(&[
            ana().line(ANA),
            bob().line(BOB),
            expired.clone(),
            git.clone(),
        ]));
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
fn whether_somebody_objects_is_told_where_it_can_be_told() {
    let told = |case: &Case| case.judge().checks.pop().map(|check| (check.rule, check.detail));
    let veto = |detail: &str| Some((Rule::Veto, detail.to_owned()));
    let mut case = Case::new();
    assert_eq!(told(&case), veto("no objection"));
    case.device = None;
    assert_eq!(told(&case), veto("no objection"), "whatever else does not hold");
    case.veto(ana().sign(Namespace::Veto, &case.bytes));
    assert_eq!(told(&case), veto("ana@example.com objects"));
    case.trust = TrustState::NotConfigured;
    assert_eq!(told(&case), veto("no veto could be checked"));
}

#[test]
fn without_a_ledger_each_file_says_what_it_is_for_and_whose() {
    let case = Case::new();
    let files: BTreeMap<String, Vec<u8>> = [
        ("1.bob", bob().sign(Namespace::Wipe, &case.bytes)),
        ("2.ana-objects", ana().sign(Namespace::Veto, &case.bytes)),
        ("3.eve", eve().sign(Namespace::Wipe, &case.bytes)),
        ("4.other", bob().sign(Namespace::Wipe, b"another file")),
        ("5.damaged\u{1b}", b"damaged".to_vec()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into();
    let trust = case.trust.usable().unwrap();
    let read = |named, trust| signed_files(&case.bytes, (&files, named), trust, case.now);
    let told = |file: &SignedFile| {
        let person = file.person.as_ref().map(|person| match person {
            Ok(person) => person.to_string(),
            Err(why) => why.code.to_owned(),
        });
        (file.purpose, file.key.as_ref().map_err(|why| why.code).cloned(), person)
    };
    let key = |key: TestKey| Ok(fingerprint(&key.public));
    let (wipe, veto) = (Namespace::Wipe, Namespace::Veto);
    let known = |who: &str| Some(who.to_owned());
    let judged: Vec<_> = read(wipe, Some(trust)).iter().map(told).collect();
    assert_eq!(
        judged,
        [
            (wipe, key(bob()), known(BOB)),
            (veto, key(ana()), known(ANA)),
            (wipe, key(eve()), known("unknownKey")),
            (wipe, Err("badSignature"), None),
            (wipe, Err("badArmour"), None),
        ]
    );
    assert!(!read(wipe, None)[4].name.contains('\u{1b}'));
    assert!(read(wipe, None).iter().all(|file| file.person.is_none()), "no signature counts");
    // Who called it a veto did not mean to agree.
    let called: Vec<_> = read(veto, Some(trust)).iter().map(told).collect();
    assert_eq!(called[0], (veto, Err("wrongNamespace"), None));
    assert_eq!(called[1], (veto, key(ana()), known(ANA)));
}
