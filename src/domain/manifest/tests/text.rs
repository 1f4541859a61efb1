//! Files that cannot be read to their end, and what is still known of them.

use super::*;

#[test]
fn utf_16_is_one_finding_that_says_so() {
    let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let marked = format!("\u{feff}{DEVICE}");
    for bytes in [
        wide(&marked, u16::to_le_bytes),
        wide(&marked, u16::to_be_bytes),
        wide(DEVICE, u16::to_le_bytes),
        wide(DEVICE, u16::to_be_bytes),
    ] {
        let parsed = parse(bytes);
        assert_eq!((parsed.findings.len(), parsed.devices.len()), (1, 0));
        let finding = &parsed.findings[0];
        assert_eq!(finding.code, Code::InvalidUtf8);
        assert_eq!(finding.message, "the file is UTF-16, not UTF-8");
        assert!(finding.help.contains("Out-File -Encoding utf8"), "{}", finding.help);
        // Nothing that was recorded of it is removed.
        assert_eq!(parsed.unusable[0].what, UnusableKind::File);
    }
}

#[test]
fn all_findings_at_once() {
    let text = DEVICE
        .replace("ana-laptop", "-x")
        .replace("PF3XK9Q2", "12345")
        .replace("windows", "dos")
        .replace("Enrolled", "Wiped");
    let codes: Vec<_> = found(&text).into_iter().map(|f| f.0).collect();
    assert_eq!(codes, [Code::InvalidValue, Code::WrongType, Code::InvalidValue, Code::StatusWiped]);
    let parsed = parse(&text);
    assert_eq!(parsed.findings[1].help, "write \"12345\" in quotes");
    assert_eq!(
        parsed.findings[1].message,
        "`spec.serialNumber` must be a string, not the number `12345`"
    );
    let what = UnusableKind::Device { serial: "12345".parse().ok(), name: None };
    assert_eq!(parsed.unusable[0].what, what, "unquoted, the serial still says whose it is");
}

#[test]
fn yaml_that_is_refused() {
    use Code::{DuplicateKey, YamlAnchor, YamlSyntax, YamlTag, YamlTooComplex};
    let deep = format!("name: {}{}", "[".repeat(40), "]".repeat(40));
    let first = |text: &str| {
        let found = found(text);
        (found[0].0, found.len(), parse(text).unusable.len())
    };
    for (from, to, code) in [
        ("{site: madrid}", "&a {site: madrid}", YamlAnchor),
        ("PF3XK9Q2", "*a", YamlAnchor),
        ("{site: madrid}", "{<<: {a: b}}", YamlAnchor),
        ("PF3XK9Q2", "!!str 12", YamlTag),
        ("PF3XK9Q2", "!foo!bar x", YamlTag),
        ("apiVersion", "%YAML 1.2\n---\napiVersion", YamlTag),
        ("apiVersion", "%TAG ! tag:x,2000:\n---\napiVersion", YamlTag),
        ("{site: madrid}", "{a: 1, a: 2}", DuplicateKey),
        ("{site: madrid}", "{site: madrid", YamlSyntax),
        ("  name:", "\tname:", YamlSyntax),
        ("name: ana-laptop", &deep, YamlTooComplex),
    ] {
        let text = DEVICE.replacen(from, to, 1);
        let (found, _, damaged) = first(&text);
        assert_eq!((found, damaged), (code, 1), "{to}: {:#?}", parse(&text).findings);
    }
    let twice = DEVICE.replace("  profile:", "  serialNumber: X\n  profile:");
    let parsed = parse(&twice);
    let (related, what) = parsed.findings[0].related.as_ref().unwrap();
    assert_eq!(
        (related.line, related.column, related.width, what.as_str()),
        (7, 3, 12, "first given here")
    );
    assert_eq!((parsed.findings[0].span.line, parsed.findings.len()), (9, 1));
    let anchors = DEVICE.replace("ana-laptop", "&a ana").replace("PF3XK9Q2", "&b X");
    assert_eq!(found(anchors).len(), 2, "all of them, not just the first");
}

#[test]
fn bytes_that_are_refused() {
    use Code::{ForbiddenCharacter, InvalidUtf8};
    let place = |bytes: Vec<u8>| {
        let parsed = parse(bytes);
        let finding = &parsed.findings[0];
        assert_eq!((parsed.devices.len(), parsed.findings.len()), (0, 1), "{:?}", parsed.findings);
        assert!(!finding.span.text.contains(is_deceptive));
        let UnusableKind::Device { serial, .. } = &parsed.unusable[0].what else {
            panic!("no device")
        };
        let serial = serial.as_ref().map(ToString::to_string);
        (finding.code, finding.span.line, finding.span.column, finding.span.width, serial)
    };
    let with = |what: &[u8]| {
        let at = DEVICE.find("madrid").unwrap();
        [&DEVICE.as_bytes()[..at], what, &DEVICE.as_bytes()[at..]].concat()
    };
    let serial = || Some("PF3XK9Q2".to_owned());
    assert_eq!(place(with(b"\xff")), (InvalidUtf8, 5, 18, 1, serial()));
    assert_eq!(place(with("é\u{202e}".as_bytes())), (ForbiddenCharacter, 5, 19, 1, serial()));
    for c in ["\0", "\x1b", "\x7f", "\u{85}", "\u{2028}", "\u{feff}", "\r"] {
        assert_eq!(place(with(c.as_bytes())), (ForbiddenCharacter, 5, 18, 1, serial()), "{c:?}");
    }
    let bom = format!("\u{feff}{DEVICE}");
    assert_eq!(place(bom.into()), (ForbiddenCharacter, 1, 1, 1, serial()));
    assert_eq!(found(DEVICE.replace("madrid}", "madrid}\t# tab")), []);
}

#[test]
fn blank_files_and_documents() {
    for blank in ["", " \n\t\r\n", "\0\0\0\0"] {
        let parsed = parse(blank);
        assert_eq!(parsed.findings[0].code, Code::EmptyFile);
        assert_eq!((&parsed.unusable[0].what, parsed.device_documents), (&UnusableKind::File, 1));
    }
    for nothing in ["# only a comment\n", "---\n", "---\n# a\n...\n---\n\n"] {
        let parsed = parse(nothing);
        assert_eq!((parsed.findings.len(), parsed.unusable.len()), (0, 0), "{nothing:?}");
    }
    for odd in ["null", "~\n", "[]", "text", "--- text\n", "%YAML 1.2\n"] {
        let parsed = parse(odd);
        assert!(!parsed.findings.is_empty(), "{odd:?}");
        assert_eq!(parsed.unusable[0].what, UnusableKind::Device { serial: None, name: None });
    }
}

#[test]
fn a_broken_document_harms_only_itself() {
    let second = DEVICE.replace("PF3XK9Q2", "S2").replace("ana-laptop", "second");
    for broken in
        ["kind: [", "\"", "'", "a: b: c", "{", "\u{0}", "kind: Device\nspec: {serialNumber: X, ]"]
    {
        let file = format!("{DEVICE}---\n{broken}\n--- # next\n{second}");
        let parsed = parse(&file);
        assert_eq!(
            (parsed.devices.len(), parsed.unusable.len()),
            (2, 1),
            "{broken:?}: {:?}",
            parsed.findings
        );
        assert_eq!(parsed.device_documents, 3);
        assert_eq!(parsed.devices[1].place().line, 19 + broken.matches('\n').count() as u32);
        assert_eq!(parsed.findings[0].span.line, 17 + broken.matches('\n').count() as u32);
        let own = format!("--- # next\n{second}");
        assert_eq!(finished(&file, 1).digest, Digest::of(own.as_bytes()));
    }
    let invalid = [DEVICE.as_bytes(), b"---\n\xff\xfe\n---\n", second.as_bytes()].concat();
    assert_eq!(parse(invalid).devices.len(), 2);
}

#[test]
fn identity_survives_a_broken_end() {
    let parsed = parse(DEVICE.replace("  profile: Standard", "  profile: \"Stand"));
    let what =
        UnusableKind::Device { serial: "PF3XK9Q2".parse().ok(), name: "ana-laptop".parse().ok() };
    assert_eq!(parsed.unusable[0].what, what);
    let parsed = parse(PROFILE.replace("[windows]", "[windows"));
    assert_eq!((parsed.unusable.len(), parsed.device_documents), (0, 0));
    assert_eq!(parsed.unusable_profiles, ["Standard".parse().unwrap()]);
}

#[test]
fn a_misspelt_kind_may_be_a_profile_but_not_with_a_serial_number() {
    let parsed = parse(PROFILE.replace("kind: Profile", "kind: Profil"));
    assert_eq!(parsed.unusable_profiles, ["Standard".parse().unwrap()]);
    let parsed = parse(DEVICE.replace("kind: Device", "kind: Devise"));
    assert_eq!((parsed.unusable_profiles, parsed.unusable.len()), (vec![], 1));
}
