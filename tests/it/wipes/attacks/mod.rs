//! Attacks, one test each: none gets a wipe that the administrators did not sign for.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use chrono::TimeDelta;
use serde_json::Value;

use super::lab::{
    Lab, Request, VETO, WIPE, digest, line, public, signature, start, time, trusted, write,
};

/// Everything is as it should be; `spoil` is the attack. Nothing is issued, and the request
/// stands as expected.
fn attack(spoil: impl FnOnce(&mut Lab, &str), expected: &str) {
    let mut lab = Lab::new();
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    spoil(&mut lab, &text);
    assert_eq!(lab.judge("r1.yaml"), expected);
    nothing_issued(&lab);
    let said = lab.kinds();
    lab.wait(TimeDelta::minutes(1));
    lab.pass();
    assert_eq!(lab.kinds(), said, "it is logged once, not at every pass");
}

fn nothing_issued(lab: &Lab) {
    assert_eq!((lab.issued(), lab.commands()), (0, 0));
}

/// The file cannot be used at all: a finding, and no request.
fn unusable(spoil: impl FnOnce(&Lab, &str)) {
    let lab = Lab::new();
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    spoil(&lab, &text);
    assert!(lab.pass().is_empty());
    assert_ne!(fleetform::edges::source::load(&lab.path("fleet")).findings, vec![]);
    nothing_issued(&lab);
}

fn issue(lab: &Lab, n: u32) -> String {
    let text = Request::of(n).yaml();
    let file = format!("r{n}.yaml");
    lab.request(&file, &text, &["bob"]);
    assert_eq!(lab.judge(&file), "issue issue");
    text
}

#[test]
fn without_an_attack_it_is_issued_once_and_confirmed_by_the_next_report() {
    let lab = Lab::new();
    issue(&lab, 1);
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
    lab.wait(TimeDelta::minutes(1));
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    lab.erased(1);
    lab.pass();
    assert_eq!(lab.judge("r1.yaml"), "confirmed confirmed");
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued", "wipe.confirmed"]);
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    assert_eq!(lab.issued(), 1);
}

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

#[test]
fn confirmation_taken_back() {
    unusable(|lab, text| lab.put("r1.yaml", text.replace("true", "false")));
}

#[test]
fn another_document_in_the_file() {
    unusable(|lab, text| {
        let both = format!("{text}---\n{}", Request::of(2).yaml());
        lab.request("r1.yaml", &both, &["bob"]);
    });
}

#[test]
fn a_device_manifest_in_the_same_file() {
    unusable(|lab, text| {
        let device = fs::read_to_string(lab.path("fleet/dev-1.yaml")).unwrap();
        lab.remove("dev-1.yaml");
        lab.request("r1.yaml", &format!("{device}---\n{text}"), &["bob"]);
    });
}

#[test]
fn a_request_through_a_symlink() {
    unusable(|lab, text| {
        write(lab.path("etc/elsewhere.yaml"), text);
        lab.remove("r1.yaml");
        symlink(lab.path("etc/elsewhere.yaml"), lab.path("fleet/r1.yaml")).unwrap();
    });
}

#[test]
fn a_signature_through_a_symlink() {
    attack(
        |lab, _| {
            let (there, here) = (lab.path("etc/x.sig"), lab.path("fleet/r1.yaml.bob.sig"));
            fs::rename(&here, &there).unwrap();
            symlink(there, here).unwrap();
        },
        "held signatureUnreadable",
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

/// Another request than the ordinary one, signed as it is.
fn request(change: impl FnOnce(&mut Request), expected: &str) {
    attack(
        |lab, _| {
            let mut request = Request::of(1);
            change(&mut request);
            lab.request("r1.yaml", &request.yaml(), &["bob"]);
        },
        expected,
    );
}

#[test]
fn of_a_device_that_does_not_exist() {
    request(|r| (r.device, r.serial) = ("D099".into(), "SN099".into()), "refused unknownDevice");
}

#[test]
fn of_a_personal_device_in_full() {
    let personal = |r: &mut Request| (r.device, r.serial) = ("D005".into(), "SN005".into());
    request(personal, "refused personalFull");
}

#[test]
fn a_personal_device_declared_corporate_just_now() {
    let lab = Lab::new();
    let request = Request { device: "D005".into(), serial: "SN005".into(), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["bob"]);
    lab.device(5, 1, "corporate");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    // The record has followed by now: it was signed before that, and is refused for good.
    let log = lab.log().len();
    for _ in 0..2 {
        assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    }
    assert_eq!(lab.log().len(), log, "planning again gives no actions");
    nothing_issued(&lab);
    // A new request is signed for a corporate device, and the log shows since when it is one.
    let again = Request { name: "r2".into(), ..request };
    lab.request("r2.yaml", &again.yaml(), &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
}

#[test]
fn a_device_that_becomes_personal_in_the_same_pass() {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    lab.device(1, 1, "personal");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    assert_eq!(lab.judge("r1.yaml"), "refused personalFull");
    nothing_issued(&lab);
}

#[test]
fn before_it_is_issued() {
    let later = start() + TimeDelta::hours(1);
    request(|r| r.issued = later, "refused notYetIssued");
}

#[test]
fn after_it_has_expired() {
    request(
        |r| {
            r.issued = start() + TimeDelta::hours(-2);
            r.expires = start() + TimeDelta::milliseconds(-1);
        },
        "expired expired",
    );
}

#[test]
fn valid_for_too_long() {
    let most = TimeDelta::hours(72) + TimeDelta::milliseconds(1);
    request(|r| r.expires = r.issued + most, "refused validTooLong");
}

#[test]
fn asked_for_by_somebody_who_did_not_sign() {
    request(|r| r.by = "carol@example.com".into(), "refused requesterNotSigner");
}

#[test]
fn the_edges_of_validity_hold() {
    for wait in [TimeDelta::zero(), TimeDelta::hours(72)] {
        let lab = Lab::new();
        let request = Request { expires: start() + TimeDelta::hours(72), ..Request::of(1) };
        lab.request("r1.yaml", &request.yaml(), &["bob"]);
        lab.wait(wait);
        assert_eq!(lab.judge("r1.yaml"), "issue issue");
    }
}

#[test]
fn too_many_signature_files() {
    attack(
        |lab, _| (0..256).for_each(|n| lab.put(&format!("r1.yaml.{n}.sig"), b"x")),
        "refused tooManyFiles",
    );
}

#[test]
fn two_keys_of_one_person_count_once() {
    let mut lab = Lab::new();
    lab.settings.wipes.quorum = super::windows::tiers(&[(25, 24, 2)]);
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob", "bob2"]);
    assert_eq!(lab.judge("r1.yaml"), "held needsSignatures");
    nothing_issued(&lab);
}

#[test]
fn one_signature_copied_counts_once() {
    let mut lab = Lab::new();
    lab.settings.wipes.quorum = super::windows::tiers(&[(25, 24, 2)]);
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    lab.put("r1.yaml.carol.sig", signature("bob", WIPE, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "held needsSignatures");
    lab.put("r1.yaml.carol.sig", signature("carol", WIPE, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn two_requests_for_one_device() {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    let second = Request { name: "again".into(), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    let wipes = lab.pass();
    let codes: Vec<_> =
        wipes.values().map(|(standing, code, _)| format!("{standing} {code}")).collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.contains(&"issue issue".into()) && codes.contains(&"held deviceBusy".into()));
    lab.wait(TimeDelta::hours(1));
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
    lab.erased(1);
    lab.pass();
    lab.pass();
    assert_eq!(lab.issued(), 1, "the other one finds the device wiped");
}

#[test]
fn an_issued_wipe_that_is_never_confirmed_can_be_followed_by_another_once_it_has_expired() {
    let lab = Lab::new();
    issue(&lab, 1);
    let second =
        Request { name: "again".into(), expires: start() + TimeDelta::hours(72), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    lab.at(start() + TimeDelta::hours(24));
    assert_eq!(lab.judge("r2.yaml"), "held deviceBusy");
    lab.wait(TimeDelta::milliseconds(1));
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
    assert_eq!((lab.issued(), lab.commands()), (2, 1), "the first command is taken back");
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    assert_eq!(lab.commands(), 0, "neither is left for the next who enrols with this hardware");
}

#[test]
fn the_first_wipe_is_confirmed_while_the_second_cools_off() {
    let mut lab = Lab::new();
    issue(&lab, 1);
    lab.settings.wipes.delay = TimeDelta::hours(2);
    let second =
        Request { name: "again".into(), expires: start() + TimeDelta::hours(72), ..Request::of(1) };
    lab.request("r2.yaml", &second.yaml(), &["bob"]);
    lab.at(start() + TimeDelta::hours(25));
    assert_eq!(lab.judge("r2.yaml"), "coolingOff coolingOff");
    lab.erased(1);
    lab.pass();
    assert!(lab.state().devices[&"D001".parse().unwrap()].is_wiped());
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r2.yaml"), "refused alreadyWiped");
    assert_eq!(lab.issued(), 1);
}

#[test]
fn two_requests_of_one_name_wait_and_are_not_vetoed() {
    let mut lab = Lab::new();
    lab.settings.wipes.delay = TimeDelta::hours(1);
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    let namesake = Request { name: "r1".into(), ..Request::of(2) };
    lab.request("r2.yaml", &namesake.yaml(), &["bob"]);
    lab.wait(TimeDelta::hours(2));
    assert_eq!(lab.judge("r1.yaml"), "held requestUnreadable");
    nothing_issued(&lab);
    lab.remove("r2.yaml");
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

// Replays.

#[test]
fn replayed_under_another_name() {
    let lab = Lab::new();
    issue(&lab, 1);
    fs::rename(lab.path("fleet/r1.yaml"), lab.path("fleet/new.yaml")).unwrap();
    fs::rename(lab.path("fleet/r1.yaml.bob.sig"), lab.path("fleet/new.yaml.sig")).unwrap();
    assert_eq!(lab.judge("new.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_as_a_copy_with_fresh_signatures() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.request("a/copy.yaml", &text, &["carol", "bob"]);
    lab.pass();
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_the_device_enrolled_again() {
    let lab = Lab::new();
    issue(&lab, 1);
    lab.wait(TimeDelta::minutes(1));
    lab.erased(1);
    lab.pass();
    lab.device(1, 2, "corporate");
    lab.pass();
    let again = lab.state().by_serial(&"SN001".parse().unwrap()).unwrap().0.to_string();
    assert_eq!(again, "D006");
    assert_eq!(lab.commands(), 0, "the old command does not wait for the new device");
    lab.wait(TimeDelta::minutes(1));
    assert_eq!(lab.judge("r1.yaml"), "confirmed confirmed");
    // The old request, with the old id, signed anew in other words.
    let other = Request { name: "other".into(), ..Request::of(1) };
    lab.request("r2.yaml", &other.yaml(), &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "refused alreadyWiped");
    // The new id with the signature of the old request.
    let forged = Request::of(1).yaml().replace("D001", "D006");
    lab.put("r3.yaml", forged.replace("name: r1", "name: r3"));
    lab.put("r3.yaml.sig", signature("bob", WIPE, Request::of(1).yaml().as_bytes()));
    assert_eq!(lab.judge("r3.yaml"), "held notSigned");
    assert_eq!(lab.issued(), 1);
}

#[test]
fn replayed_after_state_json_was_deleted() {
    let lab = Lab::new();
    issue(&lab, 1);
    fs::remove_file(lab.path("data/state.json")).unwrap();
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_state_json_was_restored_from_an_old_backup() {
    let lab = Lab::new();
    let old = fs::read(lab.path("data/state.json")).unwrap();
    issue(&lab, 1);
    write(lab.path("data/state.json"), old);
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!((lab.issued(), lab.commands()), (1, 1));
}

#[test]
fn replayed_after_it_was_deleted_and_put_back() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.remove("r1.yaml");
    lab.pass();
    lab.put("r1.yaml", text);
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!(lab.issued(), 1);
}

// The clock.

#[test]
fn a_clock_behind_the_log() {
    attack(
        |lab, _| {
            // An expired request is to be brought back to life.
            lab.at(start() + TimeDelta::hours(48));
            lab.device(2, 1, "personal");
            lab.remove("r1.yaml");
            lab.pass();
            lab.put("r1.yaml", Request::of(1).yaml());
            lab.at(start() + TimeDelta::hours(1));
        },
        "held clockBehind",
    );
}

#[test]
fn a_clock_behind_the_log_stays_behind_it_after_other_entries() {
    let lab = Lab::new();
    let late = time("2026-11-25T00:00:00Z");
    lab.at(late);
    lab.device(2, 1, "personal");
    lab.pass();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    for hours in 1..4 {
        lab.at(start() + TimeDelta::hours(hours));
        // Each pass logs something with a date that lies behind.
        lab.device(2, 1, if hours % 2 == 1 { "corporate" } else { "personal" });
        assert_eq!(lab.judge("r1.yaml"), "held clockBehind");
    }
    nothing_issued(&lab);
    lab.at(late);
    assert_eq!(lab.judge("r1.yaml"), "expired expired");
}

// Vetoes.

fn cooling() -> (Lab, String) {
    let mut lab = Lab::new();
    lab.settings.wipes.delay = TimeDelta::hours(2);
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    (lab, text)
}

fn stays_stopped(lab: &Lab, code: &str) {
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r1.yaml"), format!("vetoed {code}"));
    nothing_issued(lab);
    let request = digest(&Request::of(1).yaml());
    let vetoes =
        |(kind, data): &(String, Value)| kind == "wipe.vetoed" && data["request"] == request;
    let vetoed = lab.log().into_iter().filter(vetoes).count();
    assert_eq!(vetoed, 1, "logged once");
}

#[test]
fn vetoed_while_cooling_off_even_if_the_veto_is_deleted_again() {
    let (lab, text) = cooling();
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.remove("r1.yaml.veto.sig");
    stays_stopped(&lab, "vetoed");
}

#[test]
fn vetoed_while_the_controller_is_frozen() {
    let (lab, text) = cooling();
    let devices: Vec<_> = (1..=5).map(|n| format!("dev-{n}.yaml")).collect();
    devices.iter().for_each(|name| lab.remove(name));
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.remove("r1.yaml.veto.sig");
    (1..=4).for_each(|n| lab.device(n, 1, "corporate"));
    lab.device(5, 1, "personal");
    stays_stopped(&lab, "vetoed");
}

#[test]
fn nothing_is_issued_while_frozen() {
    let (lab, _) = cooling();
    (1..=5).for_each(|n| lab.remove(&format!("dev-{n}.yaml")));
    lab.wait(TimeDelta::hours(3));
    lab.pass();
    nothing_issued(&lab);
}

#[test]
fn a_veto_beside_a_copy_counts_wherever_the_copy_lies() {
    for (first, second) in [("a/x.yaml", "r1.yaml"), ("r1.yaml", "z/x.yaml")] {
        let (lab, text) = cooling();
        lab.remove("r1.yaml");
        lab.remove("r1.yaml.bob.sig");
        lab.request(first, &text, &["bob"]);
        lab.request(second, &text, &[]);
        lab.put(&format!("{second}.veto.sig"), signature("dave", VETO, text.as_bytes()));
        assert_eq!(lab.judge(first), "vetoed veto");
        nothing_issued(&lab);
    }
}

#[test]
fn deleted_while_cooling_off_and_put_back() {
    let (lab, text) = cooling();
    lab.remove("r1.yaml");
    assert_eq!(lab.judge("r1.yaml"), "vetoed requestDeleted");
    lab.put("r1.yaml", text);
    stays_stopped(&lab, "vetoed");
}

#[test]
fn changed_while_cooling_off() {
    let (lab, text) = cooling();
    lab.put("r1.yaml", format!("{text}# no\n"));
    let wipes = lab.pass();
    assert!(wipes.values().all(|(standing, ..)| standing != "issue"), "{wipes:?}");
    lab.put("r1.yaml", text);
    stays_stopped(&lab, "vetoed");
}

#[test]
fn a_key_revoked_while_cooling_off_stops_it() {
    let (lab, _) = cooling();
    lab.trust(&trusted("carol"));
    lab.wait(TimeDelta::hours(3));
    assert_eq!(lab.judge("r1.yaml"), "held notSigned");
    // Once more trusted, it cools off from the beginning.
    lab.trust(&trusted("bob"));
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    nothing_issued(&lab);
}

#[test]
fn it_expires_while_cooling_off() {
    let (lab, _) = cooling();
    lab.wait(TimeDelta::hours(25));
    assert_eq!(lab.judge("r1.yaml"), "expired expired");
    nothing_issued(&lab);
}

#[test]
fn a_strangers_veto_stops_nothing() {
    let (lab, text) = cooling();
    lab.put("r1.yaml.veto.sig", signature("eve", VETO, text.as_bytes()));
    // Nor does a signature for the wipe, called a veto.
    lab.put("r1.yaml.dave.veto.sig", signature("dave", WIPE, text.as_bytes()));
    lab.wait(TimeDelta::hours(2));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn a_veto_after_issue_comes_too_late_and_says_so() {
    let lab = Lab::new();
    let text = issue(&lab, 1);
    lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r1.yaml"), "issued issued");
    assert_eq!(lab.kinds(), ["wipe.accepted", "wipe.issued"]);
}

#[test]
fn a_veto_by_a_key_for_vetoes_only_counts_and_its_signature_does_not() {
    let lab = Lab::new();
    let guard = format!("dave@example.com namespaces=\"{VETO}\" {}\n", public("dave"));
    lab.trust(&(trusted("bob") + &guard));
    let request = Request { by: "dave@example.com".into(), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["dave"]);
    assert_eq!(lab.judge("r1.yaml"), "held notSigned");
    let text = Request::of(2).yaml();
    lab.request("r2.yaml", &text, &["bob"]);
    lab.put("r2.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    assert_eq!(lab.judge("r2.yaml"), "vetoed veto");
    nothing_issued(&lab);
}

#[test]
fn nothing_else_is_done_to_a_device_with_a_wipe_under_way() {
    let lab = Lab::new();
    issue(&lab, 1);
    let before = fs::read_to_string(lab.path("data/outbox/SN001.json")).unwrap();
    lab.put("standard.yaml", "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows], apps: [VPN]}\n");
    lab.device(1, 2, "corporate");
    lab.wait(TimeDelta::hours(1));
    lab.pass();
    assert_eq!(fs::read_to_string(lab.path("data/outbox/SN001.json")).unwrap(), before);
    assert_eq!(lab.state().devices[&"D001".parse().unwrap()].enrollment, 1);
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
