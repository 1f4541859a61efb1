use std::sync::Arc;

use super::*;
use crate::domain::manifest::finding::{Code, Finding};
use crate::domain::manifest::parse_file;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::Platform;

pub(super) fn device(name: &str, serial: &str, profile: &str, more: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: {name}\nspec:\n  serialNumber: {serial}\n  userEmail: a@example.com\n  profile: {profile}\n  osVersion: '1'\n{more}"
    )
}

pub(super) fn profile(name: &str, platforms: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {{name: {name}}}\nspec: {{platforms: [{platforms}]}}\n"
    )
}

pub(super) fn wipe(name: &str) -> String {
    format!(
        "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: {name}}}\nspec: {{ledger: 4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21, deviceId: D001, serialNumber: A, scope: full, reason: lost, requestedBy: a@b.c, confirm: true, issuedAt: 2026-11-22T10:00:00Z, expiresAt: 2026-11-23T10:00:00Z}}\n"
    )
}

fn fleet(files: &[(&str, String)]) -> Desired {
    let forward =
        assemble(files.iter().map(|(path, text)| parse_file(&(*path).into(), text.as_bytes())));
    let back = files.iter().rev();
    let backward = assemble(back.map(|(path, text)| parse_file(&(*path).into(), text.as_bytes())));
    assert_eq!(forward, backward, "the order of files does not matter");
    forward
}

/// Path, line, column, width, code.
fn places(desired: &Desired) -> Vec<(&str, u32, u32, u32, Code)> {
    let place = |f: &'_ Finding| (f.span.line, f.span.column, f.span.width, f.code);
    desired
        .findings
        .iter()
        .map(|f| {
            let (line, column, width, code) = place(f);
            (&*f.span.path, line, column, width, code)
        })
        .collect()
}

fn unusable(desired: &Desired) -> Vec<String> {
    let show = |d: &Unusable| match &d.what {
        UnusableKind::Device { serial: Some(serial), name: Some(name) } => {
            format!("{name}/{serial}")
        }
        UnusableKind::ProfileOf { serial, name, profile } => {
            format!("{name}/{serial} of {profile}")
        }
        other => format!("{other:?}"),
    };
    desired.unusable.iter().map(show).collect()
}

#[test]
fn serials_clash_without_regard_to_case_and_none_wins() {
    let desired = fleet(&[
        ("p.yaml", profile("P", "ios")),
        ("a.yaml", device("a", "Ser1", "P", "")),
        ("b.yaml", device("b", "SER1", "P", "").replace("SER1", "\"SER1\" # same")),
        ("c.yaml", device("c", "ser1", "P", "")),
        ("d.yaml", device("d", "other", "P", "")),
    ]);
    let code = Code::DuplicateSerial;
    let want = [("a.yaml", 6, 17, 4, code), ("b.yaml", 6, 17, 6, code), ("c.yaml", 6, 17, 4, code)];
    assert_eq!(places(&desired), want);
    let related = |n: usize| {
        let (span, _) = desired.findings[n].related.as_ref().unwrap();
        (&*span.path, &*span.text)
    };
    assert_eq!(related(0), ("b.yaml", "  serialNumber: \"SER1\" # same"));
    assert_eq!(related(1), ("a.yaml", "  serialNumber: Ser1"));
    assert_eq!(related(2), ("a.yaml", "  serialNumber: Ser1"));
    assert_eq!(unusable(&desired), ["a/Ser1", "b/SER1", "c/ser1"]);
    assert_eq!((desired.devices.len(), desired.device_documents), (1, 4));
}

#[test]
fn names_are_unique_by_kind() {
    let desired = fleet(&[
        ("p.yaml", profile("same", "ios")),
        ("a.yaml", device("same", "A", "same", "") + "---\n" + &device("same", "B", "same", "")),
        ("c.yaml", device("c", "C", "same", "")),
        ("w1.yaml", wipe("same")),
        ("w2.yaml", wipe("w2")),
        ("w3.yaml", wipe("w2") + "# another one\n"),
        ("w4.yaml", wipe("same")),
        ("w0.yaml", wipe("zzz")),
    ]);
    let code = Code::DuplicateName;
    let want = [
        ("a.yaml", 4, 9, 4, code),
        ("a.yaml", 14, 9, 4, code),
        ("w2.yaml", 3, 18, 2, code),
        ("w3.yaml", 3, 18, 2, code),
    ];
    assert_eq!(places(&desired), want);
    assert_eq!(&*desired.findings[2].span.text, "metadata: {name: w2}");
    // Two requests of one name are not gone: what is recorded of them waits.
    assert_eq!(unusable(&desired), ["same/A", "same/B", "File", "File"]);
    let wipes: Vec<_> = desired.wipes.iter().map(|w| &*w.place.path).collect();
    assert_eq!(wipes, ["w0.yaml", "w1.yaml"]);
}

#[test]
fn profiles_must_exist() {
    let desired = fleet(&[
        ("p.yaml", profile("Standard", "windows")),
        ("a.yaml", device("a", "A", "Standrad", "")),
        ("b.yaml", device("b", "B", "Kiosk", "")),
        ("c.yaml", device("c", "C", "standard", "")),
    ]);
    let code = Code::UnknownProfile;
    let want = [("a.yaml", 8, 12, 8, code), ("b.yaml", 8, 12, 5, code), ("c.yaml", 8, 12, 8, code)];
    assert_eq!(places(&desired), want);
    let help: Vec<_> = desired.findings.iter().map(|f| f.help.as_str()).collect();
    assert_eq!(help[0], "did you mean `Standard`?");
    assert_eq!(help[1], "add a Profile of that name, or use one of Standard");
    assert_eq!(help[2], help[0]);
    assert_eq!(unusable(&desired), ["a/A", "b/B", "c/C"]);
}

#[test]
fn devices_of_a_damaged_or_doubled_profile_are_held_without_a_finding_each() {
    let broken = profile("Broken", "windows").replace("windows", "dos");
    let untold = profile("Untold", "windows").replace("kind: Profile", "kind: Profil");
    let desired = fleet(&[
        ("p.yaml", broken + "---\n" + &untold),
        ("q.yaml", profile("Twice", "ios") + "---\n" + &profile("Twice", "android")),
        ("a.yaml", device("a", "A", "Broken", "")),
        ("b.yaml", device("b", "B", "Twice", "")),
        ("c.yaml", device("c", "C", "Untold", "")),
    ]);
    let codes: Vec<_> = desired.findings.iter().map(|f| (&*f.span.path, f.code)).collect();
    let want = [
        ("p.yaml", Code::InvalidValue),
        ("p.yaml", Code::UnknownKind),
        ("q.yaml", Code::DuplicateName),
        ("q.yaml", Code::DuplicateName),
    ];
    assert_eq!(codes, want);
    let what = "Device { serial: None, name: Some(Name(\"Untold\")) }";
    assert_eq!(unusable(&desired), ["a/A of Broken", "b/B of Twice", "c/C of Untold", what]);
    assert!(desired.profiles.is_empty() && desired.devices.is_empty());
    assert_eq!(desired.device_documents, 4);
}

#[test]
fn platforms_come_from_the_manifest_or_a_profile_with_one() {
    let desired = fleet(&[
        ("one.yaml", profile("One", "macos")),
        ("two.yaml", profile("Two", "ios, android")),
        ("a.yaml", device("a", "A", "One", "")),
        ("b.yaml", device("b", "B", "Two", "")),
        ("c.yaml", device("c", "C", "Two", "  platform: android\n")),
        ("d.yaml", device("d", "D", "Two", "  platform: 'windows'\n")),
        ("e.yaml", device("e", "E", "One", "  platform: ios\n")),
    ]);
    let want = [
        ("b.yaml", 8, 12, 3, Code::PlatformAmbiguous),
        ("d.yaml", 10, 13, 9, Code::PlatformNotAllowed),
        ("e.yaml", 10, 13, 3, Code::PlatformNotAllowed),
    ];
    assert_eq!(places(&desired), want);
    assert_eq!(&*desired.findings[2].span.text, "  platform: ios");
    assert_eq!(desired.findings[0].help, "add `platform:` with one of ios, android");
    let platforms: Vec<_> = desired.devices.iter().map(|d| d.spec.platform).collect();
    assert_eq!(platforms, [Platform::Macos, Platform::Android]);
    assert_eq!(unusable(&desired), ["b/B", "d/D", "e/E"]);
}

#[test]
fn a_clash_does_not_hide_other_findings() {
    let desired =
        fleet(&[("a.yaml", device("a", "A", "P", "")), ("b.yaml", device("a", "A", "P", ""))]);
    let codes: Vec<_> = desired.findings.iter().map(|f| f.code).collect();
    use Code::{DuplicateName, DuplicateSerial, UnknownProfile};
    assert_eq!(codes, [DuplicateName, DuplicateSerial, UnknownProfile].repeat(2));
    assert_eq!(unusable(&desired), ["a/A", "a/A"]);
}

#[test]
fn equal_labels_are_one() {
    let labelled = |name: &str| {
        device(name, name, "P", "").replace("spec:", "  labels: {site: madrid}\nspec:")
    };
    let desired = fleet(&[
        ("p.yaml", profile("P", "ios")),
        ("a.yaml", labelled("a")),
        ("b.yaml", labelled("b")),
        ("c.yaml", device("c", "c", "P", "")),
    ]);
    let [a, b, c] = &desired.devices[..] else { panic!("three devices") };
    assert!(Arc::ptr_eq(&a.spec.labels, &b.spec.labels));
    assert!(c.spec.labels.is_empty());
}

#[test]
fn many_unknown_profiles_end_soon() {
    let names: Vec<_> = (0..2000).map(|n| format!("profile-{n}")).collect();
    let mut files: Vec<_> = names.iter().map(|n| (n.as_str(), profile(n, "ios"))).collect();
    let devices: Vec<_> = (0..2000)
        .map(|n| device(&format!("dev{n}"), &format!("s{n}"), &format!("prfile-x{n}"), ""))
        .collect();
    files.push(("devices.yaml", devices.join("---\n")));
    let desired = fleet(&files);
    assert_eq!(desired.findings.len(), 2000);
}

#[test]
fn a_damaged_device_is_judged_by_the_other_rules_too_and_harms_no_other() {
    let broken = device("a", "A", "Standrd", "  status: Wiped\n");
    let mobile = device("b", "B", "Mobile", "  status: Wiped\n  platform: windows\n");
    let desired = fleet(&[
        ("p.yaml", profile("Standard", "windows")),
        ("m.yaml", profile("Mobile", "ios")),
        ("good.yaml", device("a", "A", "Standard", "")),
        ("broken.yaml", broken),
        ("mobile.yaml", mobile),
    ]);
    let found: Vec<_> = places(&desired).into_iter().map(|p| (p.0, p.1, p.4)).collect();
    assert_eq!(
        found,
        [
            ("broken.yaml", 4, Code::DuplicateName),
            ("broken.yaml", 6, Code::DuplicateSerial),
            ("broken.yaml", 8, Code::UnknownProfile),
            ("broken.yaml", 10, Code::StatusWiped),
            ("mobile.yaml", 10, Code::StatusWiped),
            ("mobile.yaml", 11, Code::PlatformNotAllowed),
        ]
    );
    let related = desired.findings[1].related.as_ref().expect("the other place");
    assert_eq!((&*related.0.path, related.0.line), ("good.yaml", 6));
    assert_eq!(desired.devices.len(), 1, "the good one proceeds");
}
