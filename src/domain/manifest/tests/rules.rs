//! The rules of each kind, each by its code and place.

use super::*;

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
    let hash = device
        .spec
        .hardware
        .as_ref()
        .unwrap()
        .autopilot_hash
        .as_ref()
        .and_then(|hash| hash.expose());
    assert_eq!((hash, device.place.line), (Some("T0VNSU5GTw=="), 1));
}

#[test]
fn an_exemption_has_an_end_and_a_reason() {
    use Code::{ForbiddenCharacter, InvalidValue, MissingField, UnknownField, WrongType};
    let exempt =
        |access: &str| DEVICE.replace("  enrollment: 1\n", &format!("  access: {access}\n"));
    let valid = exempt("{exemptUntil: 2026-12-01T00:00:00Z, reason: waits for a new disk}");
    let long = "x".repeat(257);
    let most = "x".repeat(256);
    check_each(
        &valid,
        &[
            ("exemptUntil: 2026-12-01T00:00:00Z, ", "", MissingField, "access"),
            (", reason: waits for a new disk", "", MissingField, "access"),
            ("2026-12-01T00:00:00Z", "2026-12-01", InvalidValue, "2026-12-01"),
            ("2026-12-01T00:00:00Z", "tomorrow", InvalidValue, "tomorrow"),
            ("2026-12-01T00:00:00Z", "30", WrongType, "30"),
            ("waits for a new disk", "''", InvalidValue, "''"),
            ("waits for a new disk", &long, InvalidValue, &long),
            ("waits for a new disk", "\"a\\nb\"", ForbiddenCharacter, "\"a\\nb\""),
            ("waits for a new disk", "x, by: ana", UnknownField, "by"),
            (
                "{exemptUntil: 2026-12-01T00:00:00Z, reason: waits for a new disk}",
                "true",
                WrongType,
                "true",
            ),
        ],
    );
    let device = finished(
        &exempt(&format!("{{exemptUntil: 2026-12-01T01:00:00+01:00, reason: {most}}}")),
        0,
    );
    let exemption = device.spec.access.as_deref().unwrap();
    assert_eq!(exemption.exempt_until.to_string(), "2026-12-01T00:00:00.000Z");
    assert_eq!(exemption.reason, most);
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
        serde_json::from_str(include_str!("../../../../tests/golden/emitted/settings.json"))
            .unwrap();
    for (writer, text) in [
        ("PyYAML", include_str!("../../../../tests/golden/emitted/pyyaml.yaml")),
        ("PyYAML, quoted", include_str!("../../../../tests/golden/emitted/pyyaml-quoted.yaml")),
        ("PyYAML, Unicode", include_str!("../../../../tests/golden/emitted/pyyaml-unicode.yaml")),
        ("PyYAML, flow", include_str!("../../../../tests/golden/emitted/pyyaml-flow.yaml")),
        ("js-yaml", include_str!("../../../../tests/golden/emitted/js-yaml.yaml")),
        ("js-yaml, quoted", include_str!("../../../../tests/golden/emitted/js-yaml-quoted.yaml")),
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
