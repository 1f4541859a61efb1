//! Lines that give a right, lines that give none, and lines that refuse the whole file.

use super::super::testing::{TestKey, base64, string};
use super::*;

const ANA: &str = "ana@example.com";
const BOB: &str = "bob@example.com";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T10:00:00Z")
}

fn trust(allowed: &str) -> Trust {
    Trust::parse(allowed.as_bytes(), None).unwrap()
}

fn malformed(allowed: &str) -> Malformed {
    Trust::parse(allowed.as_bytes(), None).unwrap_err()
}

fn right(trust: &Trust, key: &TestKey, purpose: Namespace) -> Result<String, NoRight> {
    trust.who(&key.public, now(), purpose).map(ToString::to_string).map_err(|why| why.code)
}

#[test]
fn a_file_as_an_administrator_writes_it() {
    let (ana, bob, eve) = (TestKey::ed25519(1), TestKey::p256(), TestKey::ed25519(3));
    let hardware = TestKey::ed25519(4).as_hardware("ssh:");
    let text = format!(
        "# Who may sign wipes.\n\n{ANA} namespaces=\"wipe@fleetform\" {} Ana's laptop \"old\"\n\
         \t {ANA}\tNAMESPACES=\"git,wipe@fleetform,wipe-veto@fleetform\",valid-after=\"20260101Z\",\
         valid-before=\"202701010000Z\"  {}\n  # indented\n \t\n{BOB} namespaces=\"wipe@fleetform\" {}",
        ana.openssh(),
        hardware.openssh(),
        bob.openssh()
    );
    let trust = trust(&text);
    assert_eq!(trust.signers().len(), 3);
    assert_eq!(trust.signers()[1].line, 4);
    assert_eq!(trust.digest(), Digest::of(text.as_bytes()));
    assert_eq!(trust.revoked_digest(), None);
    for purpose in [Namespace::Wipe, Namespace::Veto] {
        assert_eq!(right(&trust, &ana, purpose), Ok(ANA.into()));
        assert_eq!(right(&trust, &hardware, purpose), Ok(ANA.into()));
        assert_eq!(right(&trust, &bob, purpose), Ok(BOB.into()));
        assert_eq!(right(&trust, &eve, purpose), Err(NoRight::UnknownKey));
    }
}

#[test]
fn an_empty_file_trusts_nobody() {
    for text in ["", "\n", "# nobody yet\n"] {
        let trust = trust(text);
        assert_eq!(right(&trust, &TestKey::ed25519(1), Namespace::Wipe), Err(NoRight::UnknownKey));
    }
}

#[test]
fn only_the_namespace_gives_the_right() {
    let key = TestKey::ed25519(1);
    for (options, wipe, veto) in [
        ("", false, false),
        ("namespaces=\"git\" ", false, false),
        ("namespaces=\"file,wipe\" ", false, false),
        ("namespaces=\"Wipe@fleetform\" ", false, false),
        ("namespaces=\"wipe@fleetform.example\" ", false, false),
        ("valid-before=\"20300101Z\" ", false, false),
        ("namespaces=\"wipe-veto@fleetform\" ", false, true),
        ("namespaces=\"wipe@fleetform\" ", true, true),
        ("namespaces=\"git,wipe@fleetform\" ", true, true),
    ] {
        let trust = trust(&format!("{BOB} {options}{}\n", key.openssh()));
        for (purpose, has) in [(Namespace::Wipe, wipe), (Namespace::Veto, veto)] {
            let expected = if has { Ok(BOB.into()) } else { Err(NoRight::NoNamespace) };
            assert_eq!(right(&trust, &key, purpose), expected, "{options:?} {purpose}");
        }
    }
}

#[test]
fn keys_are_valid_from_and_until_the_second_named() {
    let key = TestKey::ed25519(1);
    let trust = trust(&format!(
        "{BOB} namespaces=\"wipe@fleetform\",valid-after=\"20261101120000Z\",\
         valid-before=\"202612011200Z\" {}\n",
        key.openssh()
    ));
    for (time, expected) in [
        ("2026-11-01T11:59:59.999Z", Err(NoRight::NotYetValid)),
        ("2026-11-01T12:00:00Z", Ok(())),
        ("2026-12-01T12:00:00Z", Ok(())),
        ("2026-12-01T12:00:00.001Z", Err(NoRight::ExpiredKey)),
    ] {
        for purpose in [Namespace::Wipe, Namespace::Veto] {
            let who = trust.who(&key.public, at(time), purpose);
            assert_eq!(who.map(|_| ()).map_err(|why| why.code), expected, "{time} {purpose}");
        }
    }
}

#[test]
fn any_line_of_a_key_may_give_the_right_and_the_closest_says_why_not() {
    let key = TestKey::ed25519(1).openssh();
    let wipe = "namespaces=\"wipe@fleetform\"";
    let lines = |lines: &[String]| trust(&lines.concat());
    let git = format!("{BOB} namespaces=\"git\" {key}\n");
    let old = format!("{BOB} {wipe},valid-before=\"20260101Z\" {key}\n");
    let new = format!("{BOB} {wipe},valid-after=\"20260101Z\" {key}\n");
    let key = TestKey::ed25519(1);
    for order in [[git.clone(), old.clone()], [old.clone(), git.clone()]] {
        assert_eq!(right(&lines(&order), &key, Namespace::Wipe), Err(NoRight::ExpiredKey));
    }
    assert_eq!(right(&lines(&[git, old, new]), &key, Namespace::Wipe), Ok(BOB.into()));
}

#[test]
fn one_malformed_line_refuses_the_whole_file() {
    let key = TestKey::ed25519(2).openssh();
    let wipe = "namespaces=\"wipe@fleetform\"";
    let base64_of = |key: &str| key.split(' ').nth(1).unwrap().to_owned();
    let b64 = base64_of(&key);
    let p256 = base64_of(&TestKey::p256().openssh());
    let table = [
        ("no key", BOB.to_owned()),
        ("no key after the options", format!("{BOB} {wipe}")),
        ("no base64", format!("{BOB} {wipe} ssh-ed25519")),
        ("no principal", format!("{wipe} {key}")),
        ("key alone", key.clone()),
        ("a wildcard for all", format!("* {wipe} {key}")),
        ("a wildcard for a domain", format!("*@example.com {wipe} {key}")),
        ("a question mark", format!("bo?@example.com {wipe} {key}")),
        ("a negation", format!("!bob@example.com {wipe} {key}")),
        ("two people", format!("{ANA},{BOB} {wipe} {key}")),
        ("an empty second principal", format!("{BOB}, {wipe} {key}")),
        ("no e-mail address", format!("bob {wipe} {key}")),
        ("a quoted principal", format!("\"{BOB}\" {wipe} {key}")),
        ("cert-authority", format!("{BOB} cert-authority {key}")),
        ("cert-authority first", format!("{BOB} cert-authority,{wipe} {key}")),
        ("cert-authority last", format!("{BOB} {wipe},CERT-AUTHORITY {key}")),
        ("an unknown option", format!("{BOB} {wipe},touch-required {key}")),
        ("an unknown option with a value", format!("{BOB} from=\"10.0.0.1\",{wipe} {key}")),
        ("no quotes", format!("{BOB} namespaces=wipe@fleetform {key}")),
        ("a quote not closed", format!("{BOB} namespaces=\"wipe@fleetform {key}")),
        ("single quotes", format!("{BOB} namespaces='wipe@fleetform' {key}")),
        ("text after the quote", format!("{BOB} {wipe}x {key}")),
        ("a comma at the end", format!("{BOB} {wipe}, {key}")),
        ("a blank between options", format!("{BOB} {wipe} valid-before=\"20300101Z\" {key}")),
        ("namespaces twice", format!("{BOB} {wipe},namespaces=\"git\" {key}")),
        ("an empty namespace", format!("{BOB} namespaces=\"\" {key}")),
        ("a namespace pattern", format!("{BOB} namespaces=\"*\" {key}")),
        ("a namespace prefix", format!("{BOB} namespaces=\"wipe*\" {key}")),
        ("a negated namespace", format!("{BOB} namespaces=\"wipe@fleetform,!git\" {key}")),
        ("a blank after the comma", format!("{BOB} namespaces=\"git, wipe@fleetform\" {key}")),
        ("local time", format!("{BOB} {wipe},valid-before=\"20300101\" {key}")),
        ("an ISO date", format!("{BOB} {wipe},valid-before=\"2030-01-01Z\" {key}")),
        ("no such day", format!("{BOB} {wipe},valid-before=\"20260229Z\" {key}")),
        ("no such month", format!("{BOB} {wipe},valid-after=\"20261301Z\" {key}")),
        ("no such hour", format!("{BOB} {wipe},valid-after=\"202601012400Z\" {key}")),
        ("hours alone", format!("{BOB} {wipe},valid-after=\"2026010112Z\" {key}")),
        ("a sign in the time", format!("{BOB} {wipe},valid-after=\"+2026010Z\" {key}")),
        ("an empty time", format!("{BOB} {wipe},valid-after=\"\" {key}")),
        (
            "from after until",
            format!("{BOB} {wipe},valid-after=\"20300101Z\",valid-before=\"20290101Z\" {key}"),
        ),
        (
            "from equals until",
            format!("{BOB} {wipe},valid-after=\"20300101Z\",valid-before=\"20300101Z\" {key}"),
        ),
        ("base64 cut", format!("{BOB} {wipe} ssh-ed25519 {}", &b64[..b64.len() - 4])),
        ("base64 spoilt", format!("{BOB} {wipe} ssh-ed25519 {}", b64.replacen('A', "!", 1))),
        ("another type than the key's", format!("{BOB} {wipe} ssh-ed25519 {p256}")),
        ("an unknown type", format!("{BOB} {wipe} ssh-ed448 {b64}")),
        ("a type in capitals", format!("{BOB} {wipe} SSH-ED25519 {b64}")),
        ("an RSA key", format!("{BOB} {wipe} ssh-rsa {b64}")),
        ("a certificate", format!("{BOB} {wipe} ssh-ed25519-cert-v01@openssh.com {b64}")),
        ("another curve", format!("{BOB} {wipe} ecdsa-sha2-nistp384 {p256}")),
        ("a NUL", format!("{BOB} {wipe} {key} \0")),
        ("a bidirectional character", format!("{BOB} {wipe} {key} \u{202e}ana")),
        ("a byte order mark", format!("\u{feff}{BOB} {wipe} {key}")),
        ("CRLF", format!("{BOB} {wipe} {key}\r")),
        ("a comment with CRLF", "# hello\r".to_owned()),
        ("a lone word", "hello".to_owned()),
    ];
    let good = TestKey::ed25519(1).line(ANA);
    for (what, line) in table {
        for text in
            [format!("{good}{line}\n"), format!("{good}{line}"), format!("{good}{line}\n{good}")]
        {
            let error = Trust::parse(text.as_bytes(), None).expect_err(what);
            assert_eq!((error.list, error.line), (List::AllowedSigners, 2), "{what}: {error}");
            assert!(!error.why.contains(is_deceptive) && error.why.len() < 300, "{what}: {error}");
        }
    }
    let not_utf8 = [good.as_bytes(), b"# \xff\n"].concat();
    assert_eq!(Trust::parse(&not_utf8, None).unwrap_err().line, 2);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = Trust::parse(&utf16, None).unwrap_err();
    assert!(error.why.contains("UTF-16") && error.line == 1, "{error}");
}

#[test]
fn messages_name_what_to_write_instead() {
    let key = TestKey::ed25519(2).openssh();
    for (line, hint) in [
        (format!("{BOB} namespaces=\"wipe@fleetform\" ssh-rsa AAAA"), "ed25519-sk"),
        (format!("*@example.com {key}"), "each person's address"),
        (format!("{BOB} cert-authority {key}"), "each person's own key"),
        (format!("{BOB} valid-before=\"20300101\" {key}"), "with the Z"),
        (format!("{BOB} namespaces=\"git, wipe@fleetform\" {key}"), "without blanks"),
        (format!("{BOB} namespaces=\"wipe@fleetform {key}"), "is not closed"),
    ] {
        let error = malformed(&line).to_string();
        assert!(error.contains(hint) && error.contains("line 1"), "{error}");
    }
}

#[test]
fn a_key_belongs_to_one_person() {
    let (ed, ec) = (TestKey::ed25519(1), TestKey::p256());
    for key in [ed, ec] {
        let faces = [
            key.openssh(),
            key.as_hardware("ssh:").openssh(),
            key.as_hardware("ssh:elsewhere").openssh(),
        ];
        for one in &faces {
            for other in &faces {
                // Whatever the lines are for.
                let text = format!(
                    "{ANA} namespaces=\"wipe@fleetform\" {one}\n# \n{BOB} namespaces=\"git\" {other}\n"
                );
                let error = malformed(&text);
                assert_eq!(error.line, 3, "{error}");
                assert!(error.why.contains(ANA) && error.why.contains("line 1"), "{error}");
                let same = text.replace(BOB, ANA);
                assert!(Trust::parse(same.as_bytes(), None).is_ok());
            }
        }
    }
}

#[test]
fn a_compressed_point_would_be_a_second_key_and_is_refused() {
    let key = TestKey::p256();
    let KeyData::Ecdsa(public) = &key.public else { panic!("p256") };
    let point = public.as_sec1_bytes();
    let mut compressed = vec![2 + (point[64] & 1)];
    compressed.extend(&point[1..33]);
    let hardware: &[u8] = b"sk-ecdsa-sha2-nistp256@openssh.com";
    let software: &[u8] = b"ecdsa-sha2-nistp256";
    for (kind, application) in [(software, None), (hardware, Some(b"ssh:".as_slice()))] {
        let line = |point: &[u8]| {
            let mut blob = Vec::new();
            for part in [kind, b"nistp256", point].into_iter().chain(application) {
                string(&mut blob, part);
            }
            format!("{} {}", std::str::from_utf8(kind).unwrap(), base64(&blob))
        };
        let allowed = |line: &str| format!("{BOB} namespaces=\"wipe@fleetform\" {line}\n");
        assert_eq!(trust(&allowed(&line(point))).signers().len(), 1, "as OpenSSH writes it");
        let compressed = line(&compressed);
        let error = malformed(&allowed(&compressed));
        assert!(error.why.contains("compressed"), "{error}");
        let revoked = Trust::parse(b"", Some(compressed.as_bytes())).unwrap_err();
        assert_eq!(revoked.list, List::RevokedKeys);
    }
}

#[test]
fn one_person_has_one_spelling() {
    let text = format!(
        "{}{}",
        TestKey::ed25519(1).line("bob@example.com"),
        TestKey::ed25519(2).line("Bob@Example.com")
    );
    let error = malformed(&text);
    assert_eq!(error.line, 2);
    assert!(error.why.contains("count twice"), "{error}");
}

#[test]
fn a_revoked_key_has_no_right_whatever_its_face() {
    let (key, other) = (TestKey::ed25519(1), TestKey::ed25519(2));
    let allowed =
        format!("{}{}{}", key.line(ANA), key.as_hardware("ssh:").line(ANA), other.line(BOB));
    for face in [key.openssh(), key.as_hardware("ssh:x").openssh()] {
        let revoked = format!("# stolen in March\n\n{face} Ana's laptop\n");
        let trust = Trust::parse(allowed.as_bytes(), Some(revoked.as_bytes())).unwrap();
        assert_eq!(trust.revoked_digest(), Some(Digest::of(revoked.as_bytes())));
        for key in [&key, &key.as_hardware("ssh:")] {
            for purpose in [Namespace::Wipe, Namespace::Veto] {
                assert_eq!(right(&trust, key, purpose), Err(NoRight::RevokedKey));
            }
        }
        assert_eq!(right(&trust, &other, Namespace::Wipe), Ok(BOB.into()));
        // Revoked is said even of keys that nobody lists.
        let nobody = Trust::parse(b"", Some(revoked.as_bytes())).unwrap();
        assert_eq!(right(&nobody, &key, Namespace::Wipe), Err(NoRight::RevokedKey));
    }
}

#[test]
fn keys_that_never_served_may_be_revoked_too() {
    let mut blob = Vec::new();
    for part in [b"ssh-rsa".as_slice(), &[1, 0, 1], &[0x7f; 256]] {
        string(&mut blob, part);
    }
    let revoked = format!("ssh-rsa {}\n", base64(&blob));
    let key = TestKey::ed25519(1);
    let trust = Trust::parse(key.line(ANA).as_bytes(), Some(revoked.as_bytes())).unwrap();
    assert_eq!(right(&trust, &key, Namespace::Wipe), Ok(ANA.into()));
}

#[test]
fn a_malformed_list_of_revoked_keys_refuses_everything() {
    let key = TestKey::ed25519(1);
    for (what, revoked) in [
        ("binary", b"SSHKRL\n\0\0\0\0\x01".to_vec()),
        ("a principal", key.line(BOB).into_bytes()),
        ("a fingerprint", b"SHA256:abcdef".to_vec()),
        ("a KRL specification", b"serial: 7".to_vec()),
        ("cut", key.openssh().as_bytes()[..40].to_vec()),
        ("CRLF", format!("{}\r\n", key.openssh()).into_bytes()),
        ("not UTF-8", vec![0xff, 0xfe]),
    ] {
        let error = Trust::parse(key.line(ANA).as_bytes(), Some(&revoked)).expect_err(what);
        assert_eq!((error.list, error.line), (List::RevokedKeys, 1), "{what}: {error}");
        assert_eq!(error.why.contains("binary"), what == "binary", "{error}");
    }
}
