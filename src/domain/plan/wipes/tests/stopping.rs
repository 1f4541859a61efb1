//! Requests that do not hold: what is said of them, once, and what their devices are free for.

use std::sync::Arc;

use chrono::TimeDelta;

use super::requests::*;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::{DeviceId, Ownership, Place};
use crate::domain::plan::tests::World;
use crate::domain::plan::{Cause, Op};
use crate::domain::state::WipeState;
use crate::domain::wipe::Request;

#[test]
fn whatever_does_not_hold_is_stopped_in_its_own_way() {
    type Change = fn(&mut Request);
    type Harm = fn(&mut World);
    let nothing: Change = |_| {};
    let unharmed: Harm = |_| {};
    type Row<'a> =
        (&'a str, &'a [&'a str], Change, Harm, &'a [&'a str], (&'a str, &'a str), WipeState);
    let table: &[Row<'_>] = &[
        (
            "nobody signed",
            &[],
            nothing,
            unharmed,
            &["holdWipe D001"],
            ("held", "notSigned"),
            WipeState::Held,
        ),
        (
            "it may be vetoed",
            &[ANA],
            nothing,
            |world| hide(world, "lost"),
            &["holdWipe D001"],
            ("held", "signatureUnreadable"),
            WipeState::Held,
        ),
        (
            "it is not confirmed",
            &[ANA],
            |request| request.confirm = false,
            unharmed,
            &["refuseWipe D001"],
            ("refused", "notConfirmed"),
            WipeState::Refused,
        ),
        (
            "somebody else asks",
            &[ANA],
            |request| request.requested_by = BOB.parse().expect("an address"),
            unharmed,
            &["refuseWipe D001"],
            ("refused", "requesterNotSigner"),
            WipeState::Refused,
        ),
        (
            "another serial number",
            &[ANA],
            |request| request.serial = "B2".parse().expect("a serial"),
            unharmed,
            &["refuseWipe D001"],
            ("refused", "serialMismatch"),
            WipeState::RefusedForGood,
        ),
        (
            "the device is not known",
            &[ANA],
            |request| request.device_id = DeviceId::FIRST.next(),
            unharmed,
            &["refuseWipe"],
            ("refused", "unknownDevice"),
            WipeState::Refused,
        ),
        (
            "it has expired",
            &[ANA],
            nothing,
            |world| later(world, TimeDelta::hours(25)),
            &["expireWipe D001"],
            ("expired", "expired"),
            WipeState::Expired,
        ),
        (
            "somebody objects",
            &[ANA],
            nothing,
            |world| veto(world, "lost", BOB),
            &["vetoWipe D001"],
            ("vetoed", "veto"),
            WipeState::Vetoed,
        ),
    ];
    for (what, signers, change, harm, kinds, (standing, code), state) in table {
        let mut world = world(&["A1"]);
        let request = ask_for(&mut world, "lost", "A1", signers, change);
        harm(&mut world);
        assert_eq!(stands(&world, "lost"), told(standing, code), "{what}");
        let shown = view(&world, "lost");
        assert!(shown.new, "{what}");
        assert_eq!(
            shown.signers.iter().map(|s| s.as_str()).collect::<Vec<_>>(),
            *signers,
            "{what}"
        );
        assert_eq!(world.settle(), *kinds, "{what}");
        let known = &world.state.wipes[&request];
        assert_eq!((known.state, known.code.as_deref()), (*state, Some(*code)), "{what}");
        assert_eq!(known.signers, shown.signers, "{what}");
    }
}

#[test]
fn a_request_that_nobody_signed_says_how_many_it_needs() {
    let mut world = world(&["A1"]);
    world.settings.wipes.quorum = tiers(&[(1, 2)]);
    ask(&mut world, "lost", "A1", &[]);
    assert_eq!(view(&world, "lost").needs, Some(2));
}

#[test]
fn only_a_veto_gets_through_a_freeze() {
    let causes = |world: &World| -> Vec<Cause> {
        let actions = world.plan().actions;
        let wipes = actions.into_iter().filter(|a| matches!(a.op, Op::StopWipe { .. }));
        wipes.map(|action| action.cause).collect()
    };
    let mut world = world(&["A1"]);
    ask(&mut world, "lost", "A1", &[]);
    assert_eq!(causes(&world), [Cause::Intent]);
    veto(&mut world, "lost", BOB);
    assert_eq!(causes(&world), [Cause::Fact]);
}

#[test]
fn what_stops_a_request_is_logged_again_only_when_it_is_something_else() {
    let mut world = world(&["A1"]);
    world.settings.wipes.quorum = tiers(&[(1, 3)]);
    ask(&mut world, "lost", "A1", &[ANA]);
    assert_eq!(world.settle(), ["holdWipe D001"]);
    sign(&mut world, "lost", BOB);
    assert_eq!(world.settle(), ["holdWipe D001"], "other signers");
    hide(&mut world, "lost");
    assert_eq!(world.settle(), ["holdWipe D001"], "another code");
    edit(&mut world, "lost", |file| file.unreadable.clear());
    assert_eq!(world.settle(), ["holdWipe D001"]);
}

#[test]
fn an_accepted_request_that_stops_lets_go_of_its_device() {
    type Stop = fn(&mut World);
    let stops: [(Stop, &[&str], &str); 5] = [
        (|world| veto(world, "lost", BOB), &["update D001", "vetoWipe D001"], "veto"),
        (|world| delete(world, "lost"), &["update D001", "vetoWipe D001"], "requestDeleted"),
        (|world| hide(world, "lost"), &["update D001", "holdWipe D001"], "signatureUnreadable"),
        (
            |world| world.settings.wipes.quorum = tiers(&[(1, 2)]),
            &["update D001", "holdWipe D001"],
            "needsSignatures",
        ),
        (
            |world| later(world, TimeDelta::hours(25)),
            &["update D001", "expireWipe D001"],
            "expired",
        ),
    ];
    for (stop, kinds, code) in stops {
        let mut world = world(&["A1"]);
        world.settings.wipes.delay = TimeDelta::hours(48);
        let request = ask(&mut world, "lost", "A1", &[ANA]);
        assert_eq!(world.settle(), ["acceptWipe D001"]);
        move_device(&mut world, "A1", BOB);
        assert_eq!(world.settle(), Vec::<String>::new(), "{code}: it is held back so far");
        stop(&mut world);
        assert_eq!(world.settle(), kinds, "{code}");
        assert_eq!(world.state.wipes[&request].code.as_deref(), Some(code));
    }
}

#[test]
fn a_request_that_is_held_takes_no_device_from_another_one() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    ask(&mut world, "one", "A1", &[ANA]);
    ask(&mut world, "two", "A1", &[]);
    assert_eq!(world.settle(), ["acceptWipe D001", "holdWipe D001"]);
    hide(&mut world, "two");
    move_device(&mut world, "A1", BOB);
    ask(&mut world, "three", "A1", &[ANA]);
    let kinds = world.settle();
    assert!(!kinds.iter().any(|k| k.starts_with("update") || k.starts_with("accept")), "{kinds:?}");
    assert_eq!(stands(&world, "three"), told("held", "deviceBusy"));
    delete(&mut world, "two");
    assert_eq!(world.settle(), ["vetoWipe D001"], "nor does one whose file is gone");
}

#[test]
fn the_place_of_a_deleted_request_is_free_in_the_same_pass() {
    let mut world = world(&["A1"]);
    world.settings.wipes.delay = TimeDelta::hours(1);
    ask(&mut world, "one", "A1", &[ANA]);
    assert_eq!(world.settle(), ["acceptWipe D001"]);
    delete(&mut world, "one");
    ask(&mut world, "two", "A1", &[ANA]);
    assert!(view(&world, "one").new);
    assert_eq!(world.settle(), ["vetoWipe D001", "acceptWipe D001"]);
}

#[test]
fn an_open_request_ends_with_its_file_and_no_other_does() {
    // Held, accepted, and issued.
    for (signers, delay, kinds) in
        [(&[][..], 0, &["vetoWipe D001"][..]), (&[ANA], 1, &["vetoWipe D001"]), (&[ANA], 0, &[])]
    {
        let mut world = world(&["A1"]);
        world.settings.wipes.delay = TimeDelta::hours(delay);
        ask(&mut world, "lost", "A1", signers);
        world.settle();
        delete(&mut world, "lost");
        assert_eq!(world.settle(), kinds, "{signers:?} {delay}");
    }
}

#[test]
fn a_request_that_cannot_be_read_waits() {
    let cases = [
        (UnusableKind::File, "wipes/lost.yaml"),
        (UnusableKind::Directory, "wipes"),
        // It may have moved there.
        (UnusableKind::Unread, "elsewhere"),
    ];
    for (what, path) in cases {
        let mut world = world(&["A1"]);
        world.settings.wipes.delay = TimeDelta::hours(1);
        ask(&mut world, "lost", "A1", &[ANA]);
        world.settle();
        delete(&mut world, "lost");
        world.desired.unusable.push(Unusable { place: Place { path: path.into(), line: 1 }, what });
        assert_eq!(stands(&world, "lost"), told("held", "requestUnreadable"));
        assert!(!view(&world, "lost").new);
        assert_eq!(world.settle(), Vec::<String>::new());
        world.desired.unusable.clear();
        assert_eq!(stands(&world, "lost"), told("vetoed", "requestDeleted"));
        // Of a directory that is not there at all nothing can be said.
        world.desired.missing = Some("gone".into());
        assert!(!world.plan().actions.iter().any(|a| matches!(a.op, Op::StopWipe { .. })));
    }
}

#[test]
fn while_something_cannot_be_read_no_wipe_goes_on() {
    let mut world = world(&["A1"]);
    ask(&mut world, "lost", "A1", &[ANA]);
    let place = Place { path: "elsewhere".into(), line: 1 };
    let unread = Unusable { place, what: UnusableKind::Unread };
    world.desired.unusable.push(unread);
    assert!(!world.plan().actions.iter().any(|action| matches!(action.op, Op::Wipe { .. })));
    let view = view(&world, "lost");
    assert!(view.detail.contains("elsewhere"), "{view:?}");
    world.desired.unusable.clear();
    assert!(world.plan().actions.iter().any(|action| matches!(action.op, Op::Wipe { .. })));
}

#[test]
fn a_personal_device_is_refused_for_good_whoever_says_that_it_is_personal() {
    let mut world = world(&["A1"]);
    let request = ask(&mut world, "lost", "A1", &[ANA]);
    let own = |world: &mut World, ownership| {
        world.edit("A1", |device| {
            Arc::make_mut(&mut device.spec).ownership = ownership;
        });
    };
    own(&mut world, Ownership::Personal);
    assert_eq!(world.settle(), ["update D001", "refuseWipe D001"]);
    assert_eq!(world.state.wipes[&request].state, WipeState::RefusedForGood);
    own(&mut world, Ownership::Corporate);
    // The record says so still, in the pass that changes it.
    ask(&mut world, "again", "A1", &[ANA]);
    assert_eq!(stands(&world, "again"), told("refused", "personalFull"));
    let shown = view(&world, "lost");
    assert_eq!((shown.code.as_str(), shown.new), ("personalFull", false));
    assert!(shown.detail.starts_with("refused for good at"), "{}", shown.detail);
}

#[test]
fn a_refusal_says_which_files_do_not_count_but_not_all_of_a_flood() {
    let mut world = world(&["A1"]);
    ask(&mut world, "lost", "A1", &[]);
    let other = signature_of(BOB, b"another file");
    edit(&mut world, "lost", |file| {
        for n in 0..100 {
            file.signatures.insert(format!("lost.yaml.{n:02}.sig"), other.clone());
        }
    });
    let detail = view(&world, "lost").detail;
    assert!(detail.starts_with("no signature counts"), "{detail}");
    assert!(detail.contains("; lost.yaml.00.sig: it does not fit the file"), "{detail}");
    assert!(detail.contains("; lost.yaml.01.sig: "), "{detail}");
    assert!((1_000..1_500).contains(&detail.len()), "{}", detail.len());
    // Other refusals are not about these files.
    edit(&mut world, "lost", |file| file.signatures.retain(|name, _| name.contains("00")));
    sign(&mut world, "lost", BOB);
    let detail = view(&world, "lost").detail;
    assert_eq!(detail, "ana@example.com did not sign");
}
