//! Clocks that lie, and wipes that nobody asked for.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::domain::manifest::finding::Code;
use crate::domain::model::{DesiredStatus, DeviceId, Digest, Email, Status, Timestamp};
use crate::domain::plan::tests::{World, held};
use crate::domain::plan::{HoldReason, Plan};
use crate::domain::state::event::{Event, Source, WipeAccepted, WipeIssued, WipeSubject};

const A: DeviceId = DeviceId::FIRST;
const INTENT: u64 = 77;

fn request() -> Digest {
    Digest::of(b"request")
}

/// A wipe of A1 that is accepted, and issued now if so wished.
fn wipe(world: &mut World, issued: bool) {
    let subject: WipeSubject = serde_json::from_value(json!({
        "request": request(), "name": "lost", "deviceId": A, "serialNumber": "A1",
        "scope": "full", "reason": "lost", "requestedBy": "b@example.com",
        "expiresAt": world.now + TimeDelta::days(1),
    }))
    .expect("a subject");
    let signers: Vec<Email> = vec!["b@example.com".parse().expect("an address")];
    let source = Source { path: "lost.yaml".into(), digest: request(), revision: None };
    let (issue_at, trust) = (world.now, Digest::ZERO);
    let accepted = WipeAccepted { subject, signers: signers.clone(), issue_at, trust };
    world.log(Some(A), Some(source.clone()), Event::WipeAccepted(Box::new(accepted)));
    if issued {
        let scope = crate::domain::model::WipeScope::Full;
        let (request, intent, needed) = (request(), INTENT, 1);
        let issued = WipeIssued { request, intent, scope, signers, needed };
        world.log(Some(A), Some(source), Event::WipeIssued(Box::new(issued)));
    }
}

fn kinds(plan: &Plan) -> Vec<String> {
    plan.actions.iter().map(|action| action.kind().to_string()).collect()
}

fn later(world: &mut World, minutes: i64) -> Timestamp {
    world.now = world.now + TimeDelta::minutes(minutes);
    world.now
}

#[test]
fn a_report_dated_ahead_hides_no_later_one() {
    for ahead in [TimeDelta::hours(20), TimeDelta::days(9000), TimeDelta::milliseconds(300_001)] {
        let mut world = World::enrolled(&["A1"]);
        world.hear("A1", json!({"at": world.now + ahead, "encryption": {"enabled": true}}));
        let plan = world.plan();
        assert!(plan.notes[0].contains("counts as of its arrival"), "{:?}", plan.notes);
        assert_eq!(plan.rejected, []);
        world.settle();
        let device = &world.state.devices[&A];
        assert_eq!(device.last_sync, Some(world.now), "{ahead}");
        assert_eq!(device.facts.as_ref().expect("facts").dated, Some(world.now + ahead));
        // The clock of the next one is two minutes behind: it is the later one all the same.
        let made = later(&mut world, 1) + TimeDelta::minutes(-2);
        world.hear("A1", json!({"at": made, "encryption": {"enabled": false}}));
        assert_eq!(world.settle(), ["compliance D001"], "{ahead}");
        assert_eq!(world.state.devices[&A].rare.passed_over, 0);
        // Both clocks are plausible from now on: the older one is passed over.
        let older = made + TimeDelta::minutes(-1);
        world.hear("A1", json!({"at": older, "encryption": {"enabled": true}}));
        assert_eq!(world.settle(), Vec::<String>::new());
        assert_eq!(world.state.devices[&A].rare.passed_over, 1);
    }
}

#[test]
fn five_minutes_ahead_is_a_clock_like_any_other() {
    let mut world = World::enrolled(&["A1"]);
    let at = world.now + TimeDelta::minutes(5);
    world.hear("A1", json!({"at": at, "encryption": {"enabled": true}}));
    assert_eq!(world.plan().notes, Vec::<String>::new());
    world.settle();
    assert_eq!(world.state.devices[&A].last_sync, Some(at));
}

#[test]
fn a_factory_clock_counts_as_of_its_arrival() {
    let dates = [
        json!("1970-01-01T00:00:12Z"),
        json!("2000-01-01T00:00:00Z"),
        json!("2019-12-31T23:59:59Z"),
        json!("2026-10-01T00:00:00Z"),
        Value::Null,
    ];
    for at in dates {
        let mut world = World::enrolled(&["A1"]);
        world.hear("A1", json!({"at": at, "encryption": {"enabled": false}}));
        assert_eq!(world.settle(), ["compliance D001"], "{at}");
        assert_eq!(world.state.devices[&A].last_sync, Some(world.now), "{at}");
    }
    // A first report cannot be compared with one before it: its date is believed.
    let mut world = World::new(&["A1"]);
    world.settle();
    let first: Timestamp = "2020-01-01T00:00:00Z".parse().expect("a time");
    world.hear("A1", json!({"at": first, "encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.state.devices[&A].last_sync, Some(first));
}

#[test]
fn of_lying_clocks_the_report_that_arrives_later_counts() {
    let mut world = World::enrolled(&["A1"]);
    world.hear("A1", json!({"at": "1970-01-01T00:00:02Z", "encryption": {"enabled": true}}));
    world.hear("A1", json!({"at": "1970-01-01T00:00:01Z", "encryption": {"enabled": false}}));
    assert_eq!(world.settle(), ["compliance D001"]);
    let facts = world.state.devices[&A].facts.clone().expect("facts");
    assert_eq!(facts.encryption.expect("a fact").enabled, Some(false));
}

#[test]
fn an_erased_device_confirms_whatever_its_clock_says() {
    let (factory, name) = ("2000-01-01T00:00:00Z", format!("c{INTENT}"));
    let reports = [
        json!({"at": factory, "wiped": true}),
        json!({"at": "2050-01-01T00:00:00Z", "wiped": true}),
        json!({"at": null, "wiped": true}),
        json!({"at": factory, "completed": [name.clone()]}),
        // Plausible, and older than both the wipe and the last report.
        json!({"at": "2026-11-22T09:30:00Z", "completed": [name]}),
        json!({"wiped": true}),
    ];
    for report in reports {
        let mut world = World::enrolled(&["A1"]);
        wipe(&mut world, true);
        // Also long after the request has expired: it was issued.
        later(&mut world, 3 * 24 * 60);
        world.hear("A1", report.clone());
        let done = world.settle();
        assert_eq!(done[..2], ["confirmWipe D001", "status D001"], "{report}");
        assert_eq!(world.status("A1"), Status::Wiped, "{report}");
    }
}

#[test]
fn a_plausible_date_before_the_wipe_does_not_confirm_it() {
    let mut world = World::enrolled(&["A1"]);
    wipe(&mut world, true);
    let before = world.now + TimeDelta::minutes(-1);
    later(&mut world, 5);
    for completed in [json!([]), json!(["c7", "c770"])] {
        world.heard.clear();
        world.hear("A1", json!({"at": before, "wiped": true, "completed": completed}));
        let plan = world.plan();
        assert!(!kinds(&plan).iter().any(|kind| kind.contains("ipe")), "{plan:?}");
        assert_eq!(plan.findings[0].code, Code::UnexpectedWipe);
    }
}

#[test]
fn a_wipe_that_nobody_issued_fails_the_device_until_its_enrollment_is_raised() {
    let mut world = World::enrolled(&["A1"]);
    world.hear("A1", json!({"wiped": true, "encryption": {"enabled": true}}));
    assert_eq!(world.plan().findings[0].code, Code::UnexpectedWipe);
    assert_eq!(world.settle(), ["unrequestedWipe D001", "status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
    let device = &world.state.devices[&A];
    assert_eq!(&*device.status_reason, "reports that it was erased without a wipe request");
    assert_eq!(device.rare.unrequested_wipe, Some(world.now));
    // Once, and whatever it says later.
    for more in [json!({"wiped": true}), json!({})] {
        later(&mut world, 1);
        world.hear("A1", json!({"encryption": {"enabled": true}}));
        world.hear("A1", more);
        assert_eq!(world.settle(), Vec::<String>::new());
        assert_eq!(world.holds(), [held("A1", HoldReason::UnrequestedWipe)]);
    }
    world.edit("A1", |d| d.status = DesiredStatus::Pending);
    assert!(!kinds(&world.plan()).contains(&"status".to_owned()), "Pending is no way out");
    world.edit("A1", |d| {
        d.status = DesiredStatus::Enrolled;
        d.enrollment = 2;
    });
    world.settle();
    assert_eq!(world.status("A1"), Status::Pending);
    assert_eq!(world.state.devices[&A].rare.unrequested_wipe, None);
    // What was said before is heard again after a crash, and is void.
    world.hear("A1", json!({"at": world.now + TimeDelta::minutes(-2), "wiped": true}));
    assert_eq!(world.settle(), Vec::<String>::new());
    later(&mut world, 1);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn no_device_is_enrolled_by_the_report_that_it_was_erased() {
    type Change = fn(&mut World);
    let worlds: [(&str, Change); 6] = [
        ("pending", |_| ()),
        ("its manifest is gone", |world| {
            world.take("A1");
            world.settle();
        }),
        ("wanted Failed", |world| {
            world.edit("A1", |d| d.status = DesiredStatus::Failed);
            world.settle();
        }),
        ("parked", |world| {
            world.edit("A1", |d| d.status = DesiredStatus::Pending);
            world.settle();
        }),
        ("the deadline has passed", |world| {
            later(world, 60);
            world.settle();
        }),
        ("a wipe is accepted, and not issued", |world| wipe(world, false)),
    ];
    for (name, change) in worlds {
        let mut world = World::new(&["A1", "B2"]);
        world.settle();
        change(&mut world);
        // Also with a date that nobody believes.
        for at in [json!(world.now), json!("1970-01-01T00:00:00Z")] {
            world.hear("A1", json!({"at": at, "wiped": true}));
        }
        let done = world.pass();
        assert_eq!(done.iter().filter(|kind| kind.contains("unrequested")).count(), 1, "{name}");
        assert_eq!(world.status("A1"), Status::Failed, "{name}");
        later(&mut world, 1);
        world.hear("A1", json!({"encryption": {"enabled": true}}));
        world.pass();
        assert_eq!(world.status("A1"), Status::Failed, "{name}");
        let told = |plan: &Plan| plan.holds.iter().any(|h| h.reason == HoldReason::UnrequestedWipe);
        assert!(told(&world.plan()), "{name}");
    }
}

#[test]
fn a_late_report_of_an_erasure_still_counts() {
    let mut world = World::enrolled(&["A1"]);
    let erased = world.now;
    later(&mut world, 5);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    world.hear("A1", json!({"at": erased, "wiped": true}));
    assert_eq!(world.settle(), ["unrequestedWipe D001", "status D001"]);
}

#[test]
fn a_crash_between_the_erasure_and_the_status_is_made_good() {
    let mut world = World::enrolled(&["A1"]);
    world.hear("A1", json!({"wiped": true, "encryption": {"enabled": true}}));
    let first = world.plan().actions.remove(0);
    let event = first.event(1).expect("an event");
    world.log(first.device(), None, event);
    assert_eq!(world.settle(), ["status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
}

#[test]
fn the_guard_lets_it_through_and_a_wiped_device_stays_wiped() {
    let mut world = World::enrolled(&["A1"]);
    world.take("A1");
    world.hear("A1", json!({"wiped": true, "encryption": {"enabled": true}}));
    assert_eq!(world.pass(), ["freeze", "unrequestedWipe D001", "status D001"]);

    let mut world = World::enrolled(&["A1"]);
    wipe(&mut world, true);
    for _ in 0..2 {
        later(&mut world, 1);
        world.hear("A1", json!({"wiped": true}));
        world.settle();
        assert_eq!(world.status("A1"), Status::Wiped);
    }
    assert_eq!(world.state.devices[&A].rare.unrequested_wipe, None);
}
