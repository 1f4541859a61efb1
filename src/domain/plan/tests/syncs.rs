//! What somebody asks devices for.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use super::world::{World, held};
use crate::domain::fleet::Desired;
use crate::domain::guard::guard;
use crate::domain::model::{Asker, SyncFile, SyncRequest};
use crate::domain::plan::{HoldReason, Op};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{LastSync, SyncStanding};

impl World {
    /// A request of that number about these devices, made now.
    fn ask(&mut self, number: u128, ids: &[&str]) {
        let request = Arc::new(SyncRequest {
            id: uuid::Uuid::from_u128(number),
            at: self.now,
            by: Asker { by: "uid=1000(ana)".into(), claims: None },
            origin: format!("requests/{number}.json").into(),
        });
        let named = |id: &&str| {
            let id = id.parse().expect("an id");
            let serial = self.state.devices.get(&id).map(|d| d.spec.serial_number.clone());
            (id, serial.unwrap_or_else(|| "NOBODY".parse().expect("a serial number")))
        };
        let devices = ids.iter().map(named).collect();
        self.requests.push(SyncFile { request, devices });
    }

    fn later(&mut self) {
        self.now = self.now + TimeDelta::minutes(1);
    }

    fn last(&self, id: &str) -> &LastSync {
        let device = &self.state.devices[&id.parse().expect("an id")];
        device.rare.sync_requested.as_deref().expect("a sync was asked for")
    }

    fn standing(&self, id: &str) -> SyncStanding<'_> {
        self.state.devices[&id.parse().expect("an id")].sync().expect("it was asked for").1
    }
}

#[test]
fn a_request_asks_each_device_once_and_is_done_when_the_device_is_heard_from() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.ask(1, &["D001", "D002"]);
    assert_eq!(world.settle(), ["sync D001", "sync D002"]);
    assert_eq!(world.requests, [], "it is let go of");
    assert_eq!(world.last("D001").by.to_string(), "uid=1000(ana)");
    assert_eq!(world.standing("D001"), SyncStanding::Waiting);
    world.later();
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.standing("D001"), SyncStanding::Done(world.now));
    assert_eq!(world.standing("D002"), SyncStanding::Waiting);
    // It was done before this one was made.
    world.later();
    world.ask(2, &["D001"]);
    assert_eq!(world.settle(), ["sync D001"]);
    assert_eq!(world.standing("D001"), SyncStanding::Waiting);
}

#[test]
fn a_second_request_while_one_waits_changes_nothing() {
    let mut world = World::enrolled(&["A1"]);
    world.ask(1, &["D001"]);
    world.ask(2, &["D001"]);
    assert_eq!(world.settle(), ["sync D001"], "one serves both");
    let before = world.last("D001").clone();
    world.later();
    world.ask(3, &["D001"]);
    assert_eq!(world.settle(), Vec::<String>::new());
    assert_eq!((world.last("D001"), &world.requests[..]), (&before, &[][..]));
}

#[test]
fn a_request_that_was_made_before_the_device_was_asked_is_served_by_that() {
    let mut world = World::enrolled(&["A1"]);
    world.ask(1, &["D001"]);
    let early = world.requests.pop().expect("a request");
    world.later();
    world.ask(2, &["D001"]);
    world.settle();
    world.later();
    world.hear("A1", json!({}));
    world.settle();
    world.requests.push(early);
    assert_eq!(world.settle(), Vec::<String>::new());
}

/// As after a crash: the log has the request, and its file is still there.
#[test]
fn a_request_that_is_found_again_finishes_its_own_intent_and_logs_nothing() {
    let mut world = World::enrolled(&["A1"]);
    world.ask(1, &["D001"]);
    let file = world.requests[0].clone();
    world.settle();
    let (seq, intent) = (world.state.seq, world.last("D001").intent);
    world.requests.push(file.clone());
    let plan = world.plan();
    let [action] = &plan.actions[..] else { panic!("{:?}", plan.actions) };
    assert!(matches!(&action.op, Op::Sync { resume: Some(n), .. } if *n == intent), "{action:?}");
    assert_eq!((world.settle(), world.state.seq), (vec!["sync D001".to_owned()], seq));
    // Once the device was heard from, or the provider refused, there is nothing to finish.
    world.later();
    world.hear("A1", json!({}));
    world.settle();
    world.requests.push(file.clone());
    assert_eq!(world.settle(), Vec::<String>::new());
}

#[test]
fn what_the_provider_did_not_take_is_said_and_asked_for_again_only_by_somebody() {
    let mut world = World::enrolled(&["A1"]);
    world.refuses = Some(ErrorClass::Transient);
    world.ask(1, &["D001"]);
    let file = world.requests[0].clone();
    assert_eq!(world.settle(), ["sync D001"]);
    assert_eq!(world.standing("D001"), SyncStanding::Failed(ErrorClass::Transient, "no"));
    world.requests.push(file);
    assert_eq!(world.settle(), Vec::<String>::new(), "the same request");
    world.refuses = None;
    world.ask(2, &["D001"]);
    assert_eq!(world.settle(), ["sync D001"], "another one");
    assert_eq!(world.standing("D001"), SyncStanding::Waiting);
}

#[test]
fn a_clock_ahead_is_no_answer_and_a_date_ahead_is_no_new_request() {
    let mut world = World::enrolled(&["A1"]);
    let ahead = world.now + TimeDelta::minutes(4);
    world.hear("A1", json!({"at": ahead}));
    world.settle();
    world.ask(1, &["D001"]);
    Arc::make_mut(&mut world.requests[0].request).at = world.now + TimeDelta::days(9);
    let file = world.requests[0].clone();
    world.settle();
    assert_eq!(world.standing("D001"), SyncStanding::Waiting, "it reported that before");
    world.later();
    world.hear("A1", json!({"at": ahead + TimeDelta::seconds(1)}));
    world.settle();
    assert!(matches!(world.standing("D001"), SyncStanding::Done(_)));
    world.requests.push(file);
    assert_eq!(world.settle(), Vec::<String>::new());
}

#[test]
fn a_request_that_does_not_fit_the_ledger_is_refused_whole() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.ask(1, &["D001", "D009"]);
    world.ask(2, &["D001"]);
    world.requests[1].devices[0].1 = "B2".parse().expect("a serial number");
    let plan = world.plan();
    assert_eq!(plan.actions, []);
    let refused = |n: u8, why: &str| (format!("requests/{n}.json").into(), why.to_owned());
    assert_eq!(
        plan.refused_requests,
        [
            refused(1, "no device D009 with serial number NOBODY is recorded"),
            refused(2, "no device D001 with serial number B2 is recorded"),
        ]
    );
}

#[test]
fn an_orphaned_device_is_asked_and_so_is_one_of_a_fleet_that_is_frozen() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    world.settle();
    world.ask(1, &["D001"]);
    assert_eq!(world.settle(), ["sync D001"], "orphaned");
    world.desired = Desired { missing: Some("gone".into()), ..Desired::default() };
    world.ask(2, &["D002"]);
    assert_eq!(world.settle(), ["freeze", "sync D002"], "frozen");
}

#[test]
fn what_is_held_back_by_others_waits_and_is_not_forgotten() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.ask(1, &["D001", "D002"]);
    let approved = guard(world.plan(), &world.desired, &world.state, world.settings.limits, None);
    let first = "D001".parse().expect("an id");
    let approved = approved.holding(|action| {
        (action.device() == Some(first)).then(|| (HoldReason::BackingOff, "later".to_owned()))
    });
    let plan = approved.into_plan();
    assert_eq!(plan.actions.len(), 1);
    assert_eq!(plan.held_requests, [("requests/1.json".into(), first)].into());
    let holds = plan.holds.iter();
    let holds: Vec<_> =
        holds.map(|h| (h.serial.as_ref().map(ToString::to_string), h.reason)).collect();
    assert_eq!(holds, [held("A1", HoldReason::BackingOff)]);
}
