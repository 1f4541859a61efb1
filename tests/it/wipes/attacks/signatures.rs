//! Requests that were changed after signing, and signatures that are none or somebody else's.

use super::attack::attack;
use crate::support::{Lab, Request, VETO, WIPE, signature};

/// One field altered after signing, each with a value that would be valid.
macro_rules! altered {
    ($($name:ident: $from:literal => $to:literal, $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            attack(|lab, text| {
                assert!(text.contains($from), "{text}");
                lab.put("r1.yaml", text.replace($from, $to));
            }, $expected);
        }
    )+};
}
altered! {
    altered_name: "{name: r1}" => "{name: r2}", "held notSigned";
    altered_serial: "serialNumber: SN001" => "serialNumber: SN002", "refused serialMismatch";
    altered_scope: "scope: full" => "scope: selective", "held notSigned";
    altered_reason: "reason: lost" => "reason: stolen", "held notSigned";
    altered_requester: "bob@example.com" => "carol@example.com", "held notSigned";
    altered_issue: "issuedAt: 2026-11-22T10:00" => "issuedAt: 2026-11-22T09:59", "held notSigned";
    altered_expiry: "expiresAt: 2026-11-23T10:00" => "expiresAt: 2026-11-23T10:01", "held notSigned";
    altered_in_a_space: "confirm: true" => "confirm:  true", "held notSigned";
    altered_by_a_comment: "apiVersion" => "# urgent\napiVersion", "held notSigned";
    altered_line_ends: "\n" => "\r\n", "held notSigned";
    altered_device: "deviceId: D001" => "deviceId: D002", "refused serialMismatch";
}

#[test]
fn altered_device_and_serial_together() {
    attack(
        |lab, text| lab.put("r1.yaml", text.replace("D001", "D002").replace("SN001", "SN002")),
        "held notSigned",
    );
}

/// Instead of Bob's signature there is another file.
fn with_signature(make: impl FnOnce(&Lab, &str) -> Vec<u8>) {
    attack(|lab, text| lab.put("r1.yaml.bob.sig", make(lab, text)), "held notSigned");
}

/// Instead of Bob's signature there is a file of which nobody can tell what it was.
fn with_damage(make: impl FnOnce(&Lab, &str) -> Vec<u8>) {
    attack(|lab, text| lab.put("r1.yaml.bob.sig", make(lab, text)), "held signatureUnreadable");
}

#[test]
fn a_signature_for_another_purpose() {
    with_signature(|_, text| signature("bob", "git", text.as_bytes()));
}

#[test]
fn a_veto_called_a_signature() {
    attack(
        |lab, text| lab.put("r1.yaml.bob.sig", signature("bob", VETO, text.as_bytes())),
        "vetoed veto",
    );
}

#[test]
fn the_signature_of_a_stranger() {
    with_signature(|_, text| signature("eve", WIPE, text.as_bytes()));
}

#[test]
fn an_rsa_signature() {
    with_signature(|_, text| signature("rsa", WIPE, text.as_bytes()));
}

#[test]
fn the_signature_of_another_request() {
    with_signature(|_, _| signature("bob", WIPE, Request::of(2).yaml().as_bytes()));
}

#[test]
fn a_truncated_signature() {
    with_damage(|_, text| {
        let whole = signature("bob", WIPE, text.as_bytes());
        whole[..whole.len() - 40].to_vec()
    });
}

#[test]
fn a_doubled_signature() {
    with_damage(|_, text| signature("bob", WIPE, text.as_bytes()).repeat(2));
}

#[test]
fn text_before_the_armour() {
    with_damage(|_, text| [b"hi\n".as_slice(), &signature("bob", WIPE, text.as_bytes())].concat());
}

#[test]
fn text_after_the_armour() {
    with_damage(|_, text| [&signature("bob", WIPE, text.as_bytes()), b"hi\n".as_slice()].concat());
}

#[test]
fn a_signature_with_crlf() {
    with_damage(|_, text| {
        let armour = String::from_utf8(signature("bob", WIPE, text.as_bytes())).unwrap();
        armour.replace('\n', "\r\n").into_bytes()
    });
}

#[test]
fn an_empty_signature() {
    with_damage(|_, _| vec![]);
}
