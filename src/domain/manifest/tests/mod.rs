//! Every rule by its code and place; and what hostile hands may put into a file.

use super::*;
use crate::domain::fleet::assemble;

const DEVICE: &str = "\
apiVersion: fleetform/v1
kind: Device
metadata:
  name: ana-laptop
  labels: {site: madrid}
spec:
  serialNumber: PF3XK9Q2
  userEmail: ana.ruiz@example.com
  profile: Standard
  platform: windows
  osVersion: \"10.0.26100.2314\"
  ownership: corporate
  status: Enrolled
  enrollment: 1
  hardware: {manufacturer: Dell, model: Latitude, autopilotHash: T0VNSU5GTw==}
";
const PROFILE: &str = "\
apiVersion: fleetform/v1
kind: Profile
metadata: {name: Standard}
spec:
  description: Windows 11 workstation
  platforms: [windows]
  apps: [Microsoft 365 Apps, VPN, Antivirus]
  settings: {vpn: {server: vpn.example.com}}
  licenses: [SPE_E3]
  compliance:
    minimumOsVersion: {windows: \"10.0.26100\"}
    antivirus: {required: true, maxSignatureAgeDays: 7}
    encryption: {required: true}
    screenLock: {required: true, minPinLength: 6}
";
const WIPE: &str = "\
apiVersion: fleetform/v1
kind: WipeRequest
metadata: {name: d007-lost}
spec:
  ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21
  deviceId: D007
  serialNumber: PF3XK9Q2
  scope: full
  reason: lost
  requestedBy: bob@example.com
  confirm: true
  issuedAt: 2026-11-22T10:00:00Z
  expiresAt: 2026-11-23T10:00:00Z
";

fn parse(bytes: impl AsRef<[u8]>) -> Documents {
    parse_file(&"a/b.yaml".into(), bytes.as_ref())
}

/// Code and what is pointed at, by the place alone.
fn found(bytes: impl AsRef<[u8]>) -> Vec<(Code, String)> {
    let text = String::from_utf8_lossy(bytes.as_ref()).into_owned();
    let pointed = |finding: &Finding| {
        let Span { line, column, width, .. } = finding.span;
        let line = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        line.chars().skip((column as usize).saturating_sub(1)).take(width as usize).collect()
    };
    parse(bytes).findings.iter().map(|f| (f.code, pointed(f))).collect()
}

fn finished(text: &str, n: usize) -> Arc<crate::domain::model::DesiredDevice> {
    parse(text).devices.remove(n).finish(crate::domain::model::Platform::Windows)
}

fn check_each(valid: &str, cases: &[(&str, &str, Code, &str)]) {
    assert_eq!(found(valid), []);
    for (from, to, code, pointed) in cases {
        assert!(valid.contains(from), "{from:?}");
        let text = valid.replacen(from, to, 1);
        for text in [text.clone(), text.replace('\n', "\r\n")] {
            let parsed = parse(&text);
            // Of a long line only a window is meant.
            let want: String = pointed.chars().take(200).collect();
            let mut found = found(&text);
            found.iter_mut().for_each(|f| f.1 = f.1.chars().take(200).collect());
            assert_eq!(found, [(*code, want)], "{to:?}\n{:#?}", parsed.findings);
            assert_eq!(parsed.devices.len() + parsed.profiles.len() + parsed.wipes.len(), 0);
        }
    }
}

#[test]
fn device_rules() {
    use Code::{
        ForbiddenCharacter, InvalidValue, MissingField, StatusWiped, UnknownField, UnknownKind,
        UnsupportedVersion, WrongType,
    };
    let long = "x".repeat(300);
    let long_name = format!("name: {long}");
    let label = format!("{{site: {long}}}");
    let label_key = format!("{{{long}: x}}");
    let labels =
        format!("{{{}}}", (0..33).map(|n| format!("k{n}: v")).collect::<Vec<_>>().join(", "));
    let fat = format!(
        "{{{}}}",
        (0..32)
            .map(|n| format!("k{n}{}: {}", "k".repeat(120), "v".repeat(256)))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let hash = format!("autopilotHash: {}", "A".repeat(8196));
    check_each(
        DEVICE,
        &[
            ("apiVersion: fleetform/v1\n", "", MissingField, "kind: Device"),
            ("fleetform/v1", "fleetform/v2", UnsupportedVersion, "fleetform/v2"),
            ("fleetform/v1", "1", WrongType, "1"),
            ("kind: Device", "kind: Devise", UnknownKind, "Devise"),
            ("kind: Device", "kind:", WrongType, "kind"),
            ("  name: ana-laptop\n", "", MissingField, "metadata"),
            ("name: ana-laptop", "name: -x", InvalidValue, "-x"),
            ("name: ana-laptop", &long_name, InvalidValue, &long),
            ("name: ana-laptop", "name: 123", WrongType, "123"),
            ("name: ana-laptop", "name: null", WrongType, "null"),
            ("name: ana-laptop", "name:", WrongType, "name"),
            ("name: ana-laptop", "name: [a]", WrongType, "[a]"),
            ("name: ana-laptop", "name: \"a\\u202eb\"", ForbiddenCharacter, "\"a\\u202eb\""),
            ("name: ana-laptop", "name: \"a\\nb\"", ForbiddenCharacter, "\"a\\nb\""),
            ("{site: madrid}", "{site: 5}", WrongType, "5"),
            ("{site: madrid}", "{5: madrid}", WrongType, "5"),
            ("{site: madrid}", "{\"a\\u0000\": madrid}", ForbiddenCharacter, "\"a\\u0000\""),
            ("{site: madrid}", "[site]", WrongType, "[site]"),
            ("{site: madrid}", &label, InvalidValue, &long),
            ("{site: madrid}", &label_key, InvalidValue, &long),
            ("{site: madrid}", &labels, InvalidValue, &labels),
        ],
    );
    let missing = DEVICE.replace("serialNumber:", "serialNumbr:");
    assert_eq!(
        found(&missing),
        [(UnknownField, "serialNumbr".into()), (MissingField, "spec".into())]
    );
    assert_eq!(parse(&missing).findings[0].help, "did you mean `serialNumber`?");
    check_each(
        DEVICE,
        &[
            ("{site: madrid}", &fat, InvalidValue, &fat[..]),
            ("PF3XK9Q2", "PF;3", InvalidValue, "PF;3"),
            ("PF3XK9Q2", "12345", WrongType, "12345"),
            ("PF3XK9Q2", "0x1F", WrongType, "0x1F"),
            ("PF3XK9Q2", "1e5", WrongType, "1e5"),
            ("PF3XK9Q2", "true", WrongType, "true"),
            ("PF3XK9Q2", "~", WrongType, "~"),
            ("ana.ruiz@example.com", "ana.ruiz", InvalidValue, "ana.ruiz"),
            ("profile: Standard", "profile: \"\"", InvalidValue, "\"\""),
            ("  profile: Standard\n", "", MissingField, "spec"),
            ("platform: windows", "platform: Windows", InvalidValue, "Windows"),
            ("\"10.0.26100.2314\"", "10.0", WrongType, "10.0"),
            ("\"10.0.26100.2314\"", "eleven", InvalidValue, "eleven"),
            ("ownership: corporate", "ownership: mine", InvalidValue, "mine"),
            ("status: Enrolled", "status: Wiped", StatusWiped, "Wiped"),
            ("status: Enrolled", "status: Lost", InvalidValue, "Lost"),
            ("enrollment: 1", "enrollment: 0", InvalidValue, "0"),
            ("enrollment: 1", "enrollment: -1", InvalidValue, "-1"),
            ("enrollment: 1", "enrollment: 4294967296", InvalidValue, "4294967296"),
            ("enrollment: 1", "enrollment: \"1\"", WrongType, "\"1\""),
            ("enrollment: 1", "enrollment: 1.5", WrongType, "1.5"),
            ("  enrollment: 1\n", "  enrolment: 1\n", UnknownField, "enrolment"),
            ("manufacturer: Dell", "manufacturer: ''", InvalidValue, "''"),
            ("T0VNSU5GTw==", "T0VNSU5GTw=", InvalidValue, "T0VNSU5GTw="),
            ("T0VNSU5GTw==", "T0=NSU5GTw==", InvalidValue, "T0=NSU5GTw=="),
            ("autopilotHash: T0VNSU5GTw==", &hash, InvalidValue, &hash[15..]),
        ],
    );
}

#[test]
fn device_defaults_and_values() {
    let least = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: n}\nspec: {serialNumber: S, userEmail: a@b.c, profile: P, osVersion: '1'}\n";
    let mut parsed = parse(least);
    assert_eq!(parsed.findings, []);
    let device = parsed.devices.pop().unwrap();
    assert_eq!(device.platform, None);
    let device = device.finish(crate::domain::model::Platform::Ios);
    assert_eq!(
        (device.status, device.enrollment),
        (crate::domain::model::DesiredStatus::Enrolled, 1)
    );
    assert_eq!(
        (device.spec.platform, device.spec.ownership),
        (crate::domain::model::Platform::Ios, crate::domain::model::Ownership::Corporate)
    );
    assert_eq!(device.digest, Digest::of(least.as_bytes()));
    let device =
        parse(DEVICE).devices.pop().unwrap().finish(crate::domain::model::Platform::Windows);
    assert_eq!(device.spec.labels["site"], "madrid");
    let hash = device.spec.hardware.as_ref().unwrap().autopilot_hash.as_deref();
    assert_eq!((hash, device.place.line), (Some("T0VNSU5GTw=="), 1));
}

#[test]
fn profile_rules() {
    use Code::{
        ForbiddenCharacter, InvalidValue, MissingField, PinTooShort, ProfileTooLarge, UnknownField,
        WrongType,
    };
    let long = "x".repeat(1025);
    let huge = format!("{{a: {}}}", "x".repeat(48 * 1024));
    check_each(
        PROFILE,
        &[
            ("{name: Standard}", "{name: Standard, labels: {}}", UnknownField, "labels"),
            ("Windows 11 workstation", &long, InvalidValue, &long),
            ("Windows 11 workstation", "|\n    two\n    lines", ForbiddenCharacter, "two"),
            ("  platforms: [windows]\n", "", MissingField, "spec"),
            ("[windows]", "[]", InvalidValue, "[]"),
            ("[windows]", "windows", WrongType, "windows"),
            ("[windows]", "[windows, windows]", InvalidValue, "windows"),
            ("[windows]", "[linux]", InvalidValue, "linux"),
            ("[SPE_E3]", "[SPE_E3, '']", InvalidValue, "''"),
            ("VPN,", "5,", WrongType, "5"),
            ("{vpn: {server: vpn.example.com}}", "[1]", WrongType, "[1]"),
            ("vpn.example.com", "1e999", InvalidValue, "1e999"),
            ("vpn.example.com", ".nan", InvalidValue, ".nan"),
            ("vpn.example.com", "99999999999999999999", InvalidValue, "99999999999999999999"),
            ("{server:", "{1:", WrongType, "1"),
            ("{vpn: {server: vpn.example.com}}", &huge, ProfileTooLarge, "spec"),
            ("{windows: \"", "{linux: \"", UnknownField, "linux"),
            ("{windows: \"10.0.26100\"}", "{windows: 10.0}", WrongType, "10.0"),
            ("required: true, maxS", "maxS", MissingField, "antivirus"),
            ("maxSignatureAgeDays: 7", "maxSignatureAgeDays: -1", InvalidValue, "-1"),
            ("maxSignatureAgeDays: 7", "maxSignatureAgeDays: 3651", InvalidValue, "3651"),
            ("encryption: {required: true}", "encryption: {required: 'true'}", WrongType, "'true'"),
            ("encryption: {required: true}", "encryption: true", WrongType, "true"),
            ("minPinLength: 6", "minPinLength: 5", PinTooShort, "5"),
            ("minPinLength: 6", "minPinLength: -6", PinTooShort, "-6"),
        ],
    );
}

#[test]
fn settings_as_other_programs_write_them_are_as_good_as_a_block() {
    let want: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/golden/emitted/settings.json")).unwrap();
    for (writer, text) in [
        ("PyYAML", include_str!("../../../tests/golden/emitted/pyyaml.yaml")),
        ("PyYAML, quoted", include_str!("../../../tests/golden/emitted/pyyaml-quoted.yaml")),
        ("PyYAML, Unicode", include_str!("../../../tests/golden/emitted/pyyaml-unicode.yaml")),
        ("PyYAML, flow", include_str!("../../../tests/golden/emitted/pyyaml-flow.yaml")),
        ("js-yaml", include_str!("../../../tests/golden/emitted/js-yaml.yaml")),
        ("js-yaml, quoted", include_str!("../../../tests/golden/emitted/js-yaml-quoted.yaml")),
    ] {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let parsed = parse(&text);
            assert_eq!(parsed.findings, [], "{writer}");
            assert_eq!(parsed.profiles[0].profile.settings, want, "{writer}");
        }
    }
    // What is not there to see stays forbidden, and so do keys of several lines.
    for hidden in
        ["v: \"a\\rb\"", "v: \"a\\e[2Jb\"", "v: \"a\\u202eb\"", "v: \"a\\0b\"", "\"a\\nb\": v"]
    {
        let text = PROFILE.replace("{vpn: {server: vpn.example.com}}", &format!("{{{hidden}}}"));
        let parsed = parse(&text);
        assert_eq!(parsed.findings.len(), 1, "{hidden}: {:?}", parsed.findings);
        assert_eq!(parsed.findings[0].code, Code::ForbiddenCharacter, "{hidden}");
    }
}

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
fn a_serial_number_that_many_machines_have_is_no_serial_number() {
    for (text, damaged) in [(DEVICE, 1), (WIPE, 0)] {
        for serial in ["\"0\"", "\"123456789\"", "None", "To be filled by O.E.M.", "N/A", "\"..\""]
        {
            let parsed = parse(text.replace("PF3XK9Q2", serial));
            let codes: Vec<_> = parsed.findings.iter().map(|f| f.code).collect();
            assert_eq!(codes, [Code::PlaceholderSerial], "{serial} in {text}");
            assert_eq!((parsed.devices.len(), parsed.wipes.len()), (0, 0));
            assert_eq!(parsed.unusable.len(), damaged);
        }
    }
    for serial in [
        "VMware-56 4d fa 72 69 7a 39 13-aa 0e 17 06 9b 09 42 c8",
        "VM5vodACsc+k",
        "/77NDZ12/CN7/",
        "..CN13.",
    ] {
        let parsed = parse(DEVICE.replace("PF3XK9Q2", serial));
        assert_eq!(parsed.findings, []);
        assert_eq!(parsed.devices[0].serial_number().as_str(), serial);
    }
}

#[test]
fn settings_keep_their_types_and_the_digest_ignores_layout() {
    let settings = "settings: {i: 1, h: 0x1F, o: 0o17, f: 1.5, t: true, n: ~, s: \"1\", l: [a, {b: c}], m: {}}";
    let text = PROFILE.replace("settings: {vpn: {server: vpn.example.com}}", settings);
    let profile = &parse(&text).profiles[0].profile;
    let want = serde_json::json!({"i": 1, "h": 31, "o": 15, "f": 1.5, "t": true, "n": null, "s": "1", "l": ["a", {"b": "c"}], "m": {}});
    assert_eq!(profile.settings, want);
    let digest = |text: &str| parse(text).profiles[0].profile.digest;
    let other = text
        .replace("{i: 1, h: 0x1F,", "{h: 31, i: 0x1,")
        .replace("kind: Profile", "kind: Profile # x");
    assert_eq!(digest(&text), digest(&other));
    assert_ne!(digest(&text), digest(&text.replace("f: 1.5", "f: 1.6")));
    assert_ne!(digest(&text), digest(&text.replace("{name: Standard}", "{name: Other}")));
    let block = PROFILE
        .replace("{vpn: {server: vpn.example.com}}", "\n    script: |\n      one\n      two");
    assert_eq!(parse(block).profiles[0].profile.settings["script"], "one\ntwo\n");
    let least = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: P}\nspec: {platforms: [ios], compliance: {screenLock: {required: true}}}";
    let profile = &parse(least).profiles[0].profile;
    assert_eq!(profile.settings, serde_json::json!({}));
    assert_eq!(profile.compliance.screen_lock.unwrap().min_pin_length, 6);
}

#[test]
fn wipe_rules() {
    use Code::{InvalidValue, MissingField, UnknownField, WrongType};
    check_each(
        WIPE,
        &[
            ("D007", "D7", InvalidValue, "D7"),
            ("PF3XK9Q2", "7", WrongType, "7"),
            ("scope: full", "scope: fulll", InvalidValue, "fulll"),
            ("reason: lost", "reason: fun", InvalidValue, "fun"),
            ("bob@example.com", "bob", InvalidValue, "bob"),
            ("confirm: true", "confirm: false", InvalidValue, "false"),
            ("confirm: true", "confirm: yes", WrongType, "yes"),
            ("confirm: true", "confirm: \"true\"", WrongType, "\"true\""),
            ("  confirm: true\n", "", MissingField, "spec"),
            ("2026-11-22T10:00:00Z", "2026-11-22", InvalidValue, "2026-11-22"),
            ("2026-11-23", "2026-11-22", InvalidValue, "2026-11-22T10:00:00Z"),
            ("scope: full", "scope: full\n  force: true", UnknownField, "force"),
        ],
    );
    let wipe = &parse(WIPE).wipes[0].file.request;
    assert_eq!(wipe.digest, Digest::of(WIPE.as_bytes()));
    assert_eq!(wipe.device_id.to_string(), "D007");
    let two = format!("{DEVICE}---\n{WIPE}");
    assert_eq!(found(&two), [(Code::WipeNotAlone, "WipeRequest".into())]);
    assert_eq!((parse(&two).devices.len(), parse(&two).wipes.len()), (1, 0));
    assert_eq!(found(format!("# comment\n---\n{WIPE}...\n# end\n")), []);
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
        let UnusableKind::Device { serial, .. } = &parsed.unusable[0].what else { panic!("no device") };
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
    let what = UnusableKind::Device { serial: "PF3XK9Q2".parse().ok(), name: "ana-laptop".parse().ok() };
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

#[test]
fn a_number_that_is_too_large_is_told_the_largest() {
    for (number, range) in [
        ("0", "must be at least 1, not"),
        ("-5", "must be at least 1, not"),
        ("4294967296", "must be from 1 to 4294967295, not"),
        ("99999999999999999999", "must be from 1 to 4294967295, not"),
    ] {
        let parsed = parse(DEVICE.replace("enrollment: 1", &format!("enrollment: {number}")));
        let message = &parsed.findings[0].message;
        assert!(message.contains(range), "{number}: {message}");
    }
}

#[test]
fn long_lines_are_shown_by_a_window() {
    let text = DEVICE.replace("{site: madrid}", &format!("{{é{}: x, k: 5}}", "é".repeat(60)));
    let text = text.replace("k: 5", &format!("{}k: 5", " ".repeat(400)));
    let span = &parse(&text).findings[0].span;
    let shown = span.text.chars().nth((span.column - 1 - span.offset) as usize);
    assert_eq!((span.column, span.offset, shown, span.width), (481, 380, Some('5'), 1));
    assert!(span.text.chars().count() <= 300);
}

#[test]
fn findings_of_a_file_are_bounded() {
    let text = DEVICE.to_owned() + &(0..5000).map(|n| format!("x{n}: y\n")).collect::<String>();
    let parsed = parse(text);
    assert_eq!(parsed.findings.len(), MAX_FINDINGS);
    assert!(
        parsed.findings.last().unwrap().message.ends_with("(and 4800 more findings in this file)")
    );
}

#[test]
fn large_hostile_files_end_soon() {
    // A quadratic path through this many bytes would take minutes.
    const SIZE: usize = 1 << 18;
    let units = [
        "[",
        "{",
        "- ",
        "? ",
        "[a, ",
        "{a: ",
        "a, ",
        "\"",
        "'",
        "|\n",
        "&a ",
        "!a ",
        "*a ",
        "a: ",
        "a:\n ",
        "#",
        "\n",
        "-\n",
        "\t",
        "\\",
        "\"\\u202e\", ",
        "%a\n",
        "---\n",
        "--- a\n",
        "a\n",
        "\u{feff}",
        "\0\n",
        "é",
        "? a\n",
        "- a\n",
        "[[]],",
        "a: b\n",
    ];
    for (unit, open) in units.iter().flat_map(|unit| ["", "[", "\"", "a: |\n "].map(|o| (unit, o)))
    {
        let text = format!("{open}{}", unit.repeat(SIZE / unit.len()));
        let started = std::time::Instant::now();
        let _ = parse(&text);
        assert!(started.elapsed().as_secs() < 20, "{open:?} {unit:?} took {:?}", started.elapsed());
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let level = |n: u32| format!("a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(9));
    let bomb: String = (1..20).map(level).collect();
    assert!(found("a0: &a0 lol\n".to_owned() + &bomb).iter().all(|f| f.0 == Code::YamlAnchor
        || f.0 == Code::UnknownField
        || f.0 == Code::MissingField));
}

mod arbitrary {
    use proptest::prelude::*;

    use super::*;

    fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
        let parsed = parse(bytes);
        let drafts = parsed.devices.len() + parsed.profiles.len() + parsed.wipes.len();
        prop_assert!(drafts <= yaml::cut(bytes).len());
        for finding in &parsed.findings {
            let harmless = |text: &str| !text.contains(is_deceptive);
            prop_assert!(harmless(&finding.message) && harmless(&finding.span.text));
            prop_assert!(finding.message.len() < 1000 && finding.span.width >= 1);
        }
        let again = assemble([parse(bytes)]);
        prop_assert_eq!(again, assemble([parsed]));
        Ok(())
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            holds(&bytes)?;
        }

        #[test]
        fn yaml_like_text_never_panics(text in "([-:?,#&*!|>'\"%@` \n\t\r\\[\\]{}<~a0é.\\\\]|---|: |- |\n  ){0,80}") {
            holds(text.as_bytes())?;
        }

        #[test]
        fn damaged_manifests_never_panic(
            kind in 0..3usize, at in 0..500usize, cut in 0..9usize, put in "([-:?,#&*!|>'\"% \n\t\\[\\]{}~]|---|: ){0,4}",
        ) {
            let mut text = [DEVICE, PROFILE, WIPE][kind].to_owned();
            let at = at.min(text.len());
            text.replace_range(at..(at + cut).min(text.len()), &put);
            holds(text.as_bytes())?;
        }
    }
}
