use jsonschema::Validator;

use super::*;
use crate::domain::manifest::parse_file;
use crate::domain::model::SerialNumber;

const DEVICE: &str = "apiVersion: fleetform/v1\nkind: Device\nmetadata: {name: a}\nspec:\n  \
    serialNumber: A1\n  userEmail: a@example.com\n  profile: Standard\n  osVersion: \"1.0\"\n";
const PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: a}\nspec:\n  \
    platforms: [windows]\n";
const WIPE: &str = "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {name: w}\nspec:\n  \
    ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21\n  deviceId: D007\n  serialNumber: A1\n  scope: full\n  reason: lost\n  \
    requestedBy: bob@example.com\n  confirm: true\n  issuedAt: \"2026-11-22T10:00:00Z\"\n  \
    expiresAt: \"2026-11-23T10:00:00Z\"\n";

/// Values for every field, right and wrong, whatever the field.
const VALUES: &[&str] = &[
    "a",
    "A1",
    "\"\"",
    "1",
    "1.5",
    "0",
    "-1",
    "true",
    "null",
    "[]",
    "{}",
    "[windows]",
    "[a, a]",
    "[windows, windows]",
    "windows",
    "ios",
    "Wiped",
    "Failed",
    "enrolled",
    "personal",
    "full",
    "\"1.0\"",
    "1.2.3",
    "\"1.\"",
    "\"1234567890\"",
    "a@b",
    "a@b.c",
    "\"a b\"",
    "D001",
    "D01",
    "D0001",
    "D1000",
    "D000",
    "-a",
    "a.",
    "{required: true}",
    "{required: true, x: 1}",
    "{x: y}",
    "{windows: \"1\"}",
    "{windows: 1}",
    "{required: yes}",
    "\"a\\nb\"",
    "\"a\\u202eb\"",
    "é",
    "2026-11-22T10:00:00Z",
    "2026-11-22",
    "QUJD",
    "QUI=",
    "QUJ",
    "4294967296",
    "6",
    "5",
    "{required: true, minPinLength: 6}",
    "{required: true, minPinLength: 5}",
    "{required: true, maxSignatureAgeDays: 7}",
    "{required: true, maxSignatureAgeDays: -7}",
];

fn corpus() -> Vec<String> {
    let mut corpus = vec![DEVICE.to_owned(), PROFILE.to_owned(), WIPE.to_owned()];
    let fields = [
        (
            DEVICE,
            "serialNumber userEmail profile platform osVersion ownership status enrollment \
                  hardware access nonsense",
        ),
        (PROFILE, "description platforms apps settings licenses compliance nonsense"),
        (
            WIPE,
            "ledger head deviceId serialNumber scope reason requestedBy confirm issuedAt expiresAt x",
        ),
    ];
    let replaced = |text: &str, key: &str, value: &str| {
        let kept = text.lines().filter(|line| !line.trim_start().starts_with(&format!("{key}:")));
        kept.map(|line| format!("{line}\n")).collect::<String>() + &format!("  {key}: {value}\n")
    };
    for (text, keys) in fields {
        for line in text.lines() {
            corpus.push(text.replace(&format!("{line}\n"), ""));
        }
        for key in keys.split_whitespace() {
            corpus.extend(VALUES.iter().map(|value| replaced(text, key, value)));
        }
        for value in VALUES {
            corpus.push(text.replace("fleetform/v1", value));
            corpus.push(text.replace("{name: a}", &format!("{{name: {value}}}")));
            corpus.push(text.replace("{name: a}", &format!("{{name: a, labels: {{k: {value}}}}}")));
            corpus.push(text.replace("{name: a}", &format!("{{name: a, labels: {value}}}")));
        }
    }
    for key in ["minimumOsVersion", "antivirus", "encryption", "screenLock", "x"] {
        for value in VALUES {
            let inner = format!("{{{key}: {value}}}");
            corpus.push(replaced(PROFILE, "compliance", &inner));
        }
    }
    for key in ["manufacturer", "model", "autopilotHash", "x"] {
        for value in VALUES {
            corpus.push(replaced(DEVICE, "hardware", &format!("{{{key}: {value}}}")));
        }
    }
    for value in VALUES {
        for access in [
            format!("{{exemptUntil: {value}, reason: travels}}"),
            format!("{{exemptUntil: 2026-11-22T10:00:00Z, reason: {value}}}"),
            format!("{{exemptUntil: 2026-11-22T10:00:00Z, {value}: x}}"),
        ] {
            corpus.push(replaced(DEVICE, "access", &access));
        }
    }
    corpus
}

/// Rules between two fields, and of more than a schema can say.
fn beyond(text: &str) -> bool {
    let serial = text.lines().find_map(|line| line.trim_start().strip_prefix("serialNumber: "));
    let serial = serial.and_then(|serial| serial.trim_matches('"').parse::<SerialNumber>().ok());
    if serial.is_some_and(|serial| serial.is_placeholder()) {
        return true;
    }
    ["issuedAt: 2026-11-22T10", "expiresAt: 2026-11-22T10"].iter().any(|t| text.contains(t))
        || text.contains("deviceId: D000")
}

#[test]
fn schema_and_check_agree() {
    let all = jsonschema::validator_for(&of(None)).unwrap();
    let single: Vec<(Kind, Validator)> =
        Kind::ALL.iter().map(|k| (*k, jsonschema::validator_for(&of(Some(*k))).unwrap())).collect();
    let (mut right, mut wrong, mut disagree) = (0, 0, Vec::new());
    let corpus = corpus();
    for text in corpus.iter().filter(|text| !beyond(text)) {
        let Ok(value) = serde_yaml::from_str::<Value>(text) else { continue };
        let found = parse_file(&"a.yaml".into(), text.as_bytes()).findings;
        let accepted = all.is_valid(&value);
        if accepted == found.is_empty() {
            if accepted { right += 1 } else { wrong += 1 }
        } else {
            let found: Vec<_> = found.iter().map(|finding| &finding.message).collect();
            disagree.push(format!("schema: {accepted}, check: {found:?}\n{text}"));
        }
        for (kind, validator) in &single {
            let own = value["kind"] == kind.as_str() && accepted;
            assert_eq!(validator.is_valid(&value), own, "{kind}: {text}");
        }
    }
    assert!(disagree.is_empty(), "{}: {}", disagree.len(), disagree.join("\n"));
    assert!(right > 100 && wrong > 1_000, "{right} right, {wrong} wrong");
}

#[test]
fn it_is_a_schema_and_the_sample_fleet_obeys_it() {
    for kind in Kind::ALL.iter().copied().map(Some).chain([None]) {
        assert!(jsonschema::meta::is_valid(&of(kind)));
    }
    let all = jsonschema::validator_for(&of(None)).unwrap();
    for text in [DEVICE, PROFILE, WIPE] {
        let value = serde_yaml::from_str::<Value>(text).unwrap();
        assert!(all.is_valid(&value), "{text}");
    }
}
