//! What a request says, by what is recorded and what time it is.

use super::*;

#[test]
fn an_honest_request_is_verified() {
    let case = Case::new();
    assert_eq!(case.signers(), [BOB]);
    let Conclusion::Verified(wipe) = case.judge().conclusion else { panic!("refused") };
    assert_eq!(wipe.trust(), case.trust.usable().unwrap().digest());
}

#[test]
fn a_request_that_is_not_its_file_is_refused() {
    let mut case = Case::new();
    case.bytes.push(b'\n');
    case.sign("", &bob());
    assert_eq!(case.refused(), Reason::ContentChanged);
}

#[test]
fn unconfirmed_is_refused_even_if_signed() {
    let mut case = Case::new();
    case.request.confirm = false;
    case.rewrite();
    case.sign("", &bob());
    assert_eq!(case.refused(), Reason::NotConfirmed);
}

#[test]
fn the_device_must_be_the_one_meant() {
    let device = |change: fn(&mut Recorded)| {
        let mut case = Case::new();
        change(case.device.as_mut().unwrap());
        case
    };
    let case = device(|d| d.id = "D008".parse().unwrap());
    assert_eq!(case.refused(), Reason::UnknownDevice);
    let case = device(|d| d.serial = "PF3XK9Q3".parse().unwrap());
    assert_eq!((case.refused(), broken(&case)), (Reason::SerialMismatch, vec![Rule::Serial]));
    // A device that an older ledger has under a serial number that thousands of machines bear.
    for serial in ["0", "To be filled by O.E.M.", "xxxxxxx"] {
        let mut case = Case::new();
        case.device.as_mut().unwrap().serial = serial.parse().unwrap();
        case.request.serial = serial.parse().unwrap();
        assert_eq!(
            (case.refused(), broken(&case)),
            (Reason::PlaceholderSerial, vec![Rule::Serial])
        );
    }
    let case = device(|d| d.wiped = true);
    assert_eq!((case.refused(), broken(&case)), (Reason::AlreadyWiped, vec![Rule::NotWiped]));
    let case = device(|d| d.ownership = Ownership::Personal);
    assert_eq!((case.refused(), broken(&case)), (Reason::PersonalFull, vec![Rule::Scope]));
    let mut case = Case::new();
    case.device = None;
    assert_eq!(case.refused(), Reason::UnknownDevice);
    assert_eq!(broken(&case), [Rule::Device, Rule::Serial, Rule::NotWiped, Rule::Scope]);
}

#[test]
fn personal_devices_are_wiped_selectively() {
    for ownership in [Ownership::Personal, Ownership::Corporate] {
        let mut case = Case::new();
        case.device.as_mut().unwrap().ownership = ownership;
        case.request.scope = WipeScope::Selective;
        case.rewrite();
        case.sign("", &bob());
        assert_eq!(case.signers(), [BOB]);
    }
}

#[test]
fn a_request_holds_from_issue_to_expiry_inclusive() {
    for (now, expected) in [
        ("2026-11-22T09:59:59.999Z", Some(Reason::NotYetIssued)),
        ("2026-11-22T10:00:00Z", None),
        ("2026-11-23T10:00:00Z", None),
        ("2026-11-23T10:00:00.001Z", Some(Reason::Expired)),
    ] {
        let mut case = Case::new();
        case.now = at(now);
        match expected {
            None => assert_eq!(case.signers(), [BOB], "{now}"),
            Some(reason) => assert_eq!(case.refused(), reason, "{now}"),
        }
    }
}

#[test]
fn a_request_holds_for_no_longer_than_allowed() {
    for (expires, holds) in [
        ("2026-11-25T10:00:00Z", true),
        ("2026-11-25T10:00:00.001Z", false),
        ("9999-12-31T23:59:59Z", false),
    ] {
        let mut case = Case::new();
        case.request.expires_at = at(expires);
        case.rewrite();
        case.sign("", &bob());
        if holds {
            assert_eq!(case.signers(), [BOB], "{expires}");
        } else {
            assert_eq!(case.refused(), Reason::ValidTooLong, "{expires}");
        }
    }
    // Ends before it begins.
    let mut case = Case::new();
    case.request.expires_at = at("2026-11-21T10:00:00Z");
    assert!(broken(&case).contains(&Rule::Validity));
}

#[test]
fn a_request_is_for_one_ledger() {
    let mut case = Case::new();
    case.ledger = Some("4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c22".parse().unwrap());
    assert_eq!((case.refused(), broken(&case)), (Reason::OtherLedger, vec![Rule::Ledger]));
    case.ledger = None;
    assert_eq!(case.refused(), Reason::NoLedger, "there is none yet: nobody knows");
    // Told before anything about the device is.
    case.device = None;
    assert_eq!(case.refused(), Reason::NoLedger);
}

#[test]
fn a_request_names_a_recent_entry_where_that_is_asked_for() {
    let head = |seq, text: &[u8]| LogHead { seq, hash: Digest::of(text) };
    let logged = |head, age: TimeDelta| LoggedHead { head, at: at("2026-11-22T23:00:00Z") + -age };
    let (right, other) = (head(7, b"a"), head(7, b"b"));
    let fresh = TimeDelta::hours(72);
    let old = fresh + TimeDelta::milliseconds(1);
    for (named, found, required, expected) in [
        (None, None, false, None),
        (None, None, true, Some(Reason::HeadMissing)),
        (Some(right), Some(logged(right, fresh)), true, None),
        (Some(right), Some(logged(right, old)), true, Some(Reason::HeadTooOld)),
        (Some(right), Some(logged(right, old)), false, Some(Reason::HeadTooOld)),
        (Some(right), Some(logged(other, fresh)), true, Some(Reason::HeadUnknown)),
        (Some(right), None, false, Some(Reason::HeadUnknown)),
    ] {
        let mut case = Case::new();
        case.request.head = named;
        case.rewrite();
        case.sign("", &bob());
        (case.logged, case.require_head) = (found, required);
        match expected {
            None => assert_eq!(case.signers(), [BOB]),
            Some(reason) => {
                assert_eq!((case.refused(), broken(&case)), (reason, vec![Rule::Head]));
            }
        }
    }
}

#[test]
fn what_is_final_is_found_behind_every_other_refusal() {
    let mut case = Case::new();
    case.device.as_mut().unwrap().ownership = Ownership::Personal;
    case.signatures.clear();
    case.trust = TrustState::Broken("there is no trust file".into());
    case.now = at("2026-11-21T10:00:00Z");
    case.require_head = true;
    assert_eq!(case.refused(), Reason::HeadMissing);
    assert_eq!(case.judge().for_good.map(|(reason, _)| reason), Some(Reason::PersonalFull));
    // Without a device nothing is known of it.
    case.device = None;
    assert_eq!(case.judge().for_good, None);
}

#[test]
fn an_unclear_ownership_holds_full_wipes_only() {
    let mut case = Case::new();
    case.device.as_mut().unwrap().unclear = Some("a.yaml:1 cannot be used".into());
    assert_eq!((case.refused(), broken(&case)), (Reason::OwnershipUnclear, vec![Rule::Scope]));
    case.device.as_mut().unwrap().ownership = Ownership::Personal;
    assert_eq!(case.refused(), Reason::PersonalFull);
    case.request.scope = WipeScope::Selective;
    case.rewrite();
    case.sign("", &bob());
    assert_eq!(case.signers(), [BOB]);
}

#[test]
fn equal_evidence_gives_equal_judgements() {
    let mut case = Case::new();
    case.sign(".ana", &ana());
    case.sign(".eve", &eve());
    assert_eq!(case.judge(), case.judge());
}

#[test]
fn durations_read_as_they_are_written() {
    for (seconds, text) in
        [(0, "0s"), (5400, "1h 30m"), (259_200, "72h"), (-60, "-1m"), (61, "1m 1s")]
    {
        assert_eq!(hours(TimeDelta::seconds(seconds)), text);
    }
}
