//! AffectedFiles that do not count, and trust files that cannot be relied on.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::attack::{attack, nothing_issued};
use crate::support::{Lab, Request, WIPE, digest, line, public, signature, trusted, write};

#[test]
fn a_key_that_has_expired() {
    let options = "valid-before=\"20261122095959Z\",";
    attack(|lab, _| lab.trust(&line("bob", options, "bob")), "held notSigned");
}

#[test]
fn a_key_that_is_valid_only_later() {
    let options = "valid-after=\"20261122110000Z\",";
    attack(|lab, _| lab.trust(&line("bob", options, "bob")), "held notSigned");
}

#[test]
fn a_key_that_is_revoked() {
    attack(|lab, _| write(lab.path("etc/revoked_keys"), public("bob") + "\n"), "held notSigned");
}

#[test]
fn a_key_without_the_namespace() {
    attack(|lab, _| lab.trust(&format!("bob@example.com {}\n", public("bob"))), "held notSigned");
}

#[test]
fn a_malformed_line_in_the_trust_file() {
    attack(|lab, _| lab.trust(&(trusted("bob") + "carol@example.com oops\n")), "refused noTrust");
}

#[test]
fn a_trust_file_that_others_can_write() {
    attack(
        |lab, _| {
            let mode = fs::Permissions::from_mode(0o664);
            fs::set_permissions(lab.path("etc/allowed_signers"), mode).unwrap();
        },
        "refused noTrust",
    );
}

#[test]
fn a_trust_file_in_a_directory_that_others_can_write() {
    attack(
        |lab, _| {
            fs::set_permissions(lab.path("etc"), fs::Permissions::from_mode(0o777)).unwrap();
        },
        "refused noTrust",
    );
}

#[test]
fn a_trust_file_that_leads_into_the_fleet_directory() {
    attack(
        |lab, _| {
            lab.put("allowed_signers", trusted("bob"));
            fs::remove_file(lab.path("etc/allowed_signers")).unwrap();
            symlink(lab.path("fleet/allowed_signers"), lab.path("etc/allowed_signers")).unwrap();
        },
        "refused noTrust",
    );
}

#[test]
fn no_trust_file() {
    attack(|lab, _| fs::remove_file(lab.path("etc/allowed_signers")).unwrap(), "refused noTrust");
}

#[test]
fn two_keys_of_one_person_count_once() {
    let mut lab = Lab::new();
    lab.settings.wipes.quorum = crate::wipes::windows::tiers(&[(25, 24, 2)]);
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob", "bob2"]);
    assert_eq!(lab.judge("r1.yaml"), "held needsSignatures");
    nothing_issued(&lab);
}

#[test]
fn one_signature_copied_counts_once() {
    let mut lab = Lab::new();
    lab.settings.wipes.quorum = crate::wipes::windows::tiers(&[(25, 24, 2)]);
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    lab.put("r1.yaml.carol.sig", signature("bob", WIPE, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "held needsSignatures");
    lab.put("r1.yaml.carol.sig", signature("carol", WIPE, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn a_trust_file_that_changes_is_logged_by_its_digest() {
    let lab = Lab::new();
    lab.trust(&trusted("carol"));
    lab.pass();
    lab.pass();
    let log = fs::read_to_string(lab.path("data/audit.jsonl")).unwrap();
    let changes: Vec<_> = log.lines().filter(|line| line.contains("\"trust.changed\"")).collect();
    assert_eq!(changes.len(), 2);
    assert!(changes[1].contains(&digest(&trusted("carol"))), "{}", changes[1]);
}
