//! Planning tests: each one applies its plan and plans again, and nothing is left.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::domain::fleet::{Damage, Damaged, ROOT};
use crate::domain::guard::guard;
use crate::domain::model::{DesiredStatus, Digest};
use crate::domain::plan::entries::{Effect, pushed};
use crate::domain::settings::Limits;
use crate::domain::state::event::{Entry, ErrorClass, Event, LedgerCreated, ProfileFailed};

/// A fleet, its record and a clock, without files.
pub(crate) struct World {
    pub now: Timestamp,
    pub settings: Settings,
    pub desired: Desired,
    pub state: State,
    pub heard: Vec<Heard>,
    /// What the provider answers to every push.
    pub refuses: Option<ErrorClass>,
}

fn profile(name: &str, settings: serde_json::Value) -> Arc<Profile> {
    Arc::new(Profile {
        name: name.parse().expect("a name"),
        description: String::new(),
        platforms: vec![crate::domain::model::Platform::Windows],
        apps: vec![],
        digest: Digest::of(settings.to_string().as_bytes()),
        settings,
        licenses: vec![],
        compliance: serde_json::from_value(json!({"encryption": {"required": true}}))
            .expect("requirements"),
    })
}

fn device(serial: &str) -> DesiredDevice {
    DesiredDevice {
        spec: serde_json::from_value(json!({
            "name": format!("dev-{serial}"), "serialNumber": serial,
            "userEmail": "ana@example.com", "profile": "Standard", "platform": "windows",
            "osVersion": "10.0", "ownership": "corporate", "labels": {},
        }))
        .expect("a device"),
        status: DesiredStatus::Enrolled,
        enrollment: 1,
        place: Place { path: format!("{serial}.yaml").into(), line: 1 },
        digest: Digest::of(serial.as_bytes()),
    }
}

impl World {
    pub fn new(serials: &[&str]) -> Self {
        let mut desired = Desired::default();
        let standard = profile("Standard", json!({"vpn": "a"}));
        desired.profiles.insert(standard.name.clone(), standard);
        let mut world = Self {
            now: "2026-11-22T10:00:00Z".parse().expect("a time"),
            settings: Settings::default(),
            desired,
            state: State::default(),
            heard: vec![],
            refuses: None,
        };
        for serial in serials {
            world.put(device(serial));
        }
        world.log(
            None,
            None,
            Event::LedgerCreated(LedgerCreated { version: 1, lineage: uuid::Uuid::nil() }),
        );
        world
    }

    pub(super) fn put(&mut self, device: DesiredDevice) {
        self.take(device.spec.serial_number.as_str());
        self.desired.devices.push(Arc::new(device));
        self.desired.devices.sort_by(|a, b| a.spec.serial_number.cmp(&b.spec.serial_number));
        self.desired.device_documents = self.desired.devices.len() as u64;
    }

    pub(super) fn take(&mut self, serial: &str) {
        self.desired.devices.retain(|d| d.spec.serial_number.as_str() != serial);
        self.desired.device_documents = self.desired.devices.len() as u64;
    }

    pub(super) fn edit(&mut self, serial: &str, change: impl FnOnce(&mut DesiredDevice)) {
        let found = self.desired.devices.iter().find(|d| d.spec.serial_number.as_str() == serial);
        let mut device = DesiredDevice::clone(found.expect("the device"));
        change(&mut device);
        self.put(device);
    }

    pub(super) fn hear(&mut self, serial: &str, more: serde_json::Value) {
        let mut report = json!({"serialNumber": serial, "at": self.now});
        report.as_object_mut().expect("an object").extend(more.as_object().expect("more").clone());
        self.heard.push(Heard {
            id: ReportId::new(format!("r{}", self.heard.len())),
            origin: "inbox/r.json".into(),
            report: serde_json::from_value(report).expect("a report"),
        });
    }

    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            now: self.now,
            settings: &self.settings,
            desired: &self.desired,
            recorded: &self.state,
            heard: &self.heard,
            trust: Err("no trust file is configured"),
            heads: &[],
            clock: None,
        }
    }

    pub fn plan(&self) -> Plan {
        plan(&self.inputs())
    }

    pub(super) fn log(
        &mut self,
        device: Option<DeviceId>,
        source: Option<crate::domain::state::event::Source>,
        event: Event,
    ) {
        let entry = Entry {
            seq: self.state.seq + 1,
            at: self.now,
            device,
            actor: "test".into(),
            source,
            event,
        };
        self.state.fold(&entry, Digest::ZERO).expect("an entry that follows");
    }

    /// One pass as `execute` does it, without files; gives the actions as `kind device`.
    pub(super) fn pass(&mut self) -> Vec<String> {
        self.pass_accepting(None)
    }

    fn pass_accepting(&mut self, accepted: Option<u64>) -> Vec<String> {
        let approved =
            guard(self.plan(), &self.desired, &self.state, self.settings.limits, accepted);
        let plan = approved.into_plan();
        for t in &plan.telemetry {
            if let Some((at, facts)) = &t.last {
                self.state.observe(t.device, *at, facts);
            }
            self.state.pass_over(t.device, t.passed_over);
        }
        let mut done = vec![];
        for action in &plan.actions {
            let effect = match action.effect() {
                Some(Effect::Push { profile, resume }) => Some((profile.clone(), resume)),
                Some(Effect::Wipe { .. } | Effect::Withdraw { .. }) | None => None,
            };
            let intent = effect.as_ref().and_then(|e| e.1).unwrap_or(self.state.seq + 1);
            if let Some(event) = action.event(intent) {
                self.log(action.device, action.source(None), event);
            }
            if let Some((profile, _)) = effect {
                let outcome = match self.refuses {
                    None => Event::ProfilePushed(pushed(&profile, intent)),
                    Some(class) => {
                        Event::ProfileFailed(ProfileFailed { intent, class, error: "no".into() })
                    }
                };
                self.log(action.device, None, outcome);
            }
            let id = action.device.map(|id| format!(" {id}")).unwrap_or_default();
            done.push(format!("{}{id}", action.kind()));
        }
        self.heard.clear();
        done
    }

    /// A pass after which nothing is left to do.
    pub(super) fn settle(&mut self) -> Vec<String> {
        let done = self.pass();
        let again = guard(self.plan(), &self.desired, &self.state, self.settings.limits, None);
        assert_eq!(again.plan().actions, vec![], "a second plan has nothing to do");
        done
    }

    pub(super) fn enrolled(serials: &[&str]) -> Self {
        let mut world = Self::new(serials);
        world.settle();
        for serial in serials {
            world.hear(serial, json!({"encryption": {"enabled": true}}));
        }
        world.settle();
        world.now = world.now + TimeDelta::hours(1);
        world
    }

    pub(super) fn status(&self, serial: &str) -> Status {
        self.state.by_serial(&serial.parse().expect("a serial")).expect("a device").1.status
    }

    pub(super) fn holds(&self) -> Vec<(Option<String>, HoldReason)> {
        let plan = guard(self.plan(), &self.desired, &self.state, self.settings.limits, None);
        let holds = plan.plan().holds.iter();
        holds.map(|h| (h.serial.as_ref().map(ToString::to_string), h.reason)).collect()
    }
}

pub(super) fn held(serial: &str, reason: HoldReason) -> (Option<String>, HoldReason) {
    (Some(serial.to_owned()), reason)
}

#[test]
fn new_devices_get_ids_in_order_of_serial_and_wait_for_their_report() {
    let mut world = World::new(&["B2", "a1", "C3"]);
    assert_eq!(world.settle(), ["profile", "provision D001", "provision D002", "provision D003"]);
    let serials: Vec<_> =
        world.state.devices.values().map(|d| d.spec.serial_number.as_str()).collect();
    assert_eq!(serials, ["a1", "B2", "C3"]);
    assert_eq!(world.holds()[0], held("B2", HoldReason::AwaitingReport));
}

#[test]
fn a_report_enrols_and_is_judged() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("A1", json!({"encryption": {"enabled": false}}));
    assert_eq!(world.settle(), ["status D001", "compliance D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
    let device = &world.state.devices[&DeviceId::FIRST];
    assert_eq!(device.compliance.failing, ["encryption"]);
    assert_eq!(device.last_sync, Some(world.now));
    assert_eq!(world.holds(), []);
}

#[test]
fn a_report_older_than_the_last_one_changes_nothing() {
    let mut world = World::enrolled(&["A1"]);
    world.hear("A1", json!({"at": "2026-11-22T09:59:59Z", "encryption": {"enabled": false}}));
    world.hear("A1", json!({"at": "2026-11-22T10:00:00Z", "encryption": {"enabled": false}}));
    let (device, last) = (DeviceId::FIRST, None);
    // The second is the very report that was heard last.
    let passed_over = Telemetry { device, last, passed_over: 1 };
    assert_eq!((world.plan().actions, world.plan().telemetry), (vec![], vec![passed_over]));
}

#[test]
fn reports_count_in_order_of_their_dates_whatever_their_order() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("A1", json!({"at": "2026-11-22T10:02:00Z", "encryption": {"enabled": true}}));
    world.hear("A1", json!({"at": "2026-11-22T10:01:00Z", "enrollmentError": "no licence"}));
    assert_eq!(world.settle(), ["status D001", "status D001", "compliance D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn reports_that_nobody_can_use_are_rejected_with_the_reason() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.hear("ZZ", json!({}));
    world.hear("A1", json!({"at": "2026-11-23T10:00:01Z"}));
    let rejected = world.plan().rejected;
    assert_eq!(
        rejected,
        [(ReportId::new("r0"), "no device with serial number ZZ is recorded".into())]
    );
}

#[test]
fn the_deadline_fails_a_pending_device_and_a_late_report_enrols_it() {
    let mut world = World::new(&["A1"]);
    world.settle();
    world.now = world.now + TimeDelta::milliseconds(30 * 60_000 - 1);
    assert_eq!(world.plan().actions, vec![]);
    world.now = world.now + TimeDelta::milliseconds(1);
    assert_eq!(world.settle(), ["status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
    assert_eq!(world.holds(), [held("A1", HoldReason::EnrollmentFailed)]);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn desired_statuses_are_followed_and_desired_failed_needs_one_pass() {
    let mut world = World::new(&["A1"]);
    world.edit("A1", |d| d.status = DesiredStatus::Failed);
    assert_eq!(world.settle(), ["profile", "provision D001", "status D001"]);
    assert_eq!(world.status("A1"), Status::Failed);
    world.edit("A1", |d| d.status = DesiredStatus::Pending);
    assert_eq!(world.settle(), ["status D001"]);
    world.now = world.now + TimeDelta::days(1);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    assert_eq!(world.settle(), ["compliance D001"], "parked: no deadline, no enrolment");
    assert_eq!(world.status("A1"), Status::Pending);
}

#[test]
fn raising_enrollment_starts_afresh_and_pushes_again() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| d.enrollment = 2);
    assert_eq!(world.settle(), ["status D001", "push D001", "compliance D001"]);
    let device = &world.state.devices[&DeviceId::FIRST];
    assert_eq!((device.status, device.enrollment), (Status::Pending, 2));
    assert_eq!(device.compliance.state, ComplianceState::Unknown);
    world.edit("A1", |d| d.enrollment = 3);
    assert_eq!(world.settle(), ["update D001"], "Pending already: only the number moves");
    world.edit("A1", |d| d.enrollment = 1);
    assert_eq!(world.settle(), Vec::<String>::new());
    assert!(world.holds().contains(&held("A1", HoldReason::EnrollmentLowered)));
}

#[test]
fn a_report_from_before_the_new_enrollment_does_not_count_for_it() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| d.enrollment = 2);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    // The process dies when the entries are durable: the report is still there, its telemetry lost.
    for action in world.plan().actions {
        let event = action.event(world.state.seq + 1).expect("an event");
        world.log(action.device, action.source(None), event);
    }
    assert_eq!(world.state.devices[&DeviceId::FIRST].last_sync, Some(world.now));
    assert_eq!(world.settle(), ["push D001"]);
    assert_eq!(world.status("A1"), Status::Pending);
    world.now = world.now + TimeDelta::minutes(1);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    world.settle();
    assert_eq!(world.status("A1"), Status::Enrolled);
}

#[test]
fn fields_follow_the_manifest_and_another_profile_is_pushed() {
    let mut world = World::enrolled(&["A1"]);
    let executive = profile("Executive", json!({"vpn": "b"}));
    world.desired.profiles.insert(executive.name.clone(), executive);
    world.edit("A1", |d| {
        let spec = Arc::make_mut(&mut d.spec);
        spec.profile = "Executive".parse().expect("a name");
        spec.user_email = "bob@example.com".parse().expect("an address");
        spec.labels = Arc::new(BTreeMap::from([("site".into(), "madrid".into())]));
    });
    let fields: Vec<_> = world.plan().actions[1].changes().iter().map(|c| c.field).collect();
    assert_eq!(fields, ["userEmail", "profile", "labels"]);
    assert_eq!(world.settle(), ["profile", "update D001", "push D001"]);
}

#[test]
fn a_changed_profile_reaches_every_device_of_it() {
    let mut world = World::enrolled(&["A1", "B2"]);
    let changed = profile("Standard", json!({"vpn": "c"}));
    world.desired.profiles.insert(changed.name.clone(), changed);
    let plan = world.plan();
    assert_eq!(plan.actions[0].changes()[0].field, "settings");
    assert_eq!(world.settle(), ["profile", "push D001", "push D002"]);
}

#[test]
fn a_serial_that_moves_to_another_file_or_name_is_the_same_device() {
    let mut world = World::enrolled(&["A1"]);
    world.edit("A1", |d| {
        d.place.path = "elsewhere/x.yaml".into();
        Arc::make_mut(&mut d.spec).name = "renamed".parse().expect("a name");
    });
    assert_eq!(world.settle(), ["update D001"]);
    assert_eq!(&*world.state.devices[&DeviceId::FIRST].manifest.path, "elsewhere/x.yaml");
}

#[test]
fn case_of_a_serial_and_spelling_of_a_version_are_no_change() {
    let mut world = World::enrolled(&["a1"]);
    world.take("a1");
    let mut same = device("A1");
    same.place.path = "a1.yaml".into();
    let spec = Arc::make_mut(&mut same.spec);
    spec.name = "dev-a1".parse().expect("a name");
    spec.os_version = "10".parse().expect("a version");
    world.put(same);
    assert_eq!(world.plan().actions, vec![]);
}

#[test]
fn an_absent_manifest_orphans_and_nothing_else_and_its_return_adopts() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    assert_eq!(world.settle(), ["orphan D001"]);
    assert_eq!(world.status("A1"), Status::Enrolled);
    world.hear("A1", json!({"encryption": {"enabled": true}}));
    assert_eq!(world.settle(), Vec::<String>::new());
    assert_eq!(world.state.devices[&DeviceId::FIRST].last_sync, Some(world.now));
    let mut back = device("A1");
    back.place.path = "other.yaml".into();
    world.put(back);
    assert_eq!(world.settle(), ["adopt D001"]);
    assert_eq!(&*world.state.devices[&DeviceId::FIRST].manifest.path, "other.yaml");
}

#[test]
fn an_orphaned_pending_device_meets_no_deadline() {
    let mut world = World::new(&["A1", "B2"]);
    world.settle();
    world.take("A1");
    world.settle();
    world.now = world.now + TimeDelta::days(3);
    assert_eq!(world.settle(), ["status D002"]);
}

#[test]
fn damage_holds_what_it_may_hide() {
    let damage = |what, path: &str| Damaged { place: Place { path: path.into(), line: 1 }, what };
    let serial = |s: &str| Some(s.parse().expect("a serial"));
    let cases = [
        (damage(Damage::File, "A1.yaml"), true),
        (damage(Damage::File, "other.yaml"), false),
        (damage(Damage::Directory, ROOT), true),
        (damage(Damage::Directory, "A1.yaml"), true),
        (damage(Damage::Directory, "A1"), false),
        (damage(Damage::Device { serial: serial("a1"), name: None }, "moved.yaml"), true),
        (damage(Damage::Device { serial: serial("B2"), name: None }, "A1.yaml"), false),
        (damage(Damage::Device { serial: serial("NEW"), name: None }, "A1.yaml"), true),
        (damage(Damage::Device { serial: None, name: None }, "A1.yaml"), true),
        (
            damage(
                Damage::Device { serial: None, name: Some("dev-A1".parse().expect("a name")) },
                "x.yaml",
            ),
            true,
        ),
    ];
    for (damaged, holds) in cases {
        let mut world = World::enrolled(&["A1", "B2"]);
        world.take("A1");
        world.desired.damaged.push(damaged.clone());
        let expected: &[&str] = if holds { &[] } else { &["orphan D001"] };
        assert_eq!(world.settle(), expected, "{damaged:?}");
        let reasons: Vec<_> = world.holds().into_iter().map(|h| h.1).collect();
        assert_eq!(reasons, [HoldReason::ManifestInvalid], "{damaged:?} is always shown");
    }
}

#[test]
fn a_damaged_profile_holds_its_devices_and_harms_no_other() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    world.put(device("C3"));
    world.desired.damaged.push(Damaged {
        place: Place { path: "A1.yaml".into(), line: 1 },
        what: Damage::ProfileOf {
            serial: "A1".parse().expect("a serial"),
            name: "dev-A1".parse().expect("a name"),
            profile: "Broken".parse().expect("a name"),
        },
    });
    assert_eq!(world.settle(), ["provision D003"]);
    assert!(world.holds().contains(&held("A1", HoldReason::ProfileInvalid)));
}

#[test]
fn pushes_in_doubt_are_finished_under_their_own_number() {
    let mut world = World::enrolled(&["A1"]);
    let standard = world.desired.profiles.values().next().expect("a profile").clone();
    world.log(Some(DeviceId::FIRST), None, Event::ProfileIntended(pushed(&standard, 77)));
    let plan = world.plan();
    assert!(matches!(plan.actions[0].effect(), Some(Effect::Push { resume: Some(77), .. })));
    assert_eq!(world.settle(), ["push D001"]);
}

#[test]
fn failed_pushes_are_tried_again_unless_the_provider_refuses_for_good() {
    for (class, again) in
        [(ErrorClass::Transient, true), (ErrorClass::Unknown, true), (ErrorClass::Permanent, false)]
    {
        let mut world = World::new(&["A1"]);
        world.refuses = Some(class);
        world.pass();
        assert_eq!(!world.plan().actions.is_empty(), again, "{class}");
        let refused = world.holds().contains(&held("A1", HoldReason::ProviderRefused));
        assert_eq!(refused, !again, "{class}");
    }
}

#[test]
fn an_empty_missing_or_shrunken_directory_freezes_and_facts_still_count() {
    let serials: Vec<String> = (10..20).map(|n| format!("S{n}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    type Harm = fn(&mut World);
    let harms: [(Harm, FreezeCause); 3] = [
        (
            |w| {
                w.desired = Desired { missing: Some("gone".into()), ..Desired::default() };
            },
            FreezeCause::Missing,
        ),
        (|w| (10..20).for_each(|n| w.take(&format!("S{n}"))), FreezeCause::Empty),
        (|w| (10..14).for_each(|n| w.take(&format!("S{n}"))), FreezeCause::Shrunken),
    ];
    for (harm, cause) in harms {
        let mut world = World::enrolled(&serials);
        let whole = world.desired.clone();
        harm(&mut world);
        world.put_new_unless_missing(cause);
        world.hear("S10", json!({"encryption": {"enabled": false}}));
        assert_eq!(world.settle(), ["freeze", "compliance D001"], "{cause}");
        assert_eq!(world.state.frozen.as_ref().expect("frozen").why.cause, cause);
        assert!(world.holds().iter().any(|h| h.1 == HoldReason::Frozen));
        assert!(world.state.devices.values().all(|d| d.orphaned_since.is_none()));
        world.desired = whole;
        assert_eq!(world.settle(), ["thaw"]);
    }
}

impl World {
    /// Intents of a frozen plan are withheld, a new device included.
    fn put_new_unless_missing(&mut self, cause: FreezeCause) {
        if cause == FreezeCause::Shrunken {
            self.put(device("NEW"));
        }
    }
}

#[test]
fn the_freeze_has_its_edges() {
    let serials: Vec<String> = (10..20).map(|n| format!("S{n}")).collect();
    let serials: Vec<&str> = serials.iter().map(String::as_str).collect();
    let frozen = |fleet: &[&str], gone: usize, limits: Limits| {
        let mut world = World::enrolled(fleet);
        world.settings.limits = limits;
        fleet[..gone].iter().for_each(|serial| world.take(serial));
        world.pass().contains(&"freeze".to_owned())
    };
    let limits = Limits { max_removed_percent: 30, min_fleet: 10 };
    assert!(!frozen(&serials, 3, limits), "30 % is not more than 30 %");
    assert!(frozen(&serials, 4, limits));
    assert!(!frozen(&serials[..9], 8, limits), "below minFleet it is off");
    assert!(frozen(&serials[..9], 9, limits), "but empty always freezes");
    assert!(frozen(&serials[..1], 1, limits), "but empty always freezes");
}

#[test]
fn only_the_right_number_lifts_the_freeze_and_the_log_keeps_it() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    world.take("B2");
    assert_eq!(world.pass_accepting(Some(1)), ["freeze"]);
    assert_eq!(world.pass_accepting(Some(2)), ["thaw", "orphan D001", "orphan D002"]);
    assert_eq!(world.settle(), Vec::<String>::new(), "accepted for good");

    let mut world = World::enrolled(&["A1"]);
    world.take("A1");
    assert_eq!(world.pass_accepting(Some(1)), ["freeze", "thaw", "orphan D001"]);

    let mut world = World::enrolled(&["A1"]);
    world.desired = Desired { missing: Some("gone".into()), ..Desired::default() };
    assert_eq!(world.pass_accepting(Some(1)), ["freeze"], "what is unseen cannot be accepted");
}

#[test]
fn nothing_recorded_and_nothing_there_freezes_too() {
    let mut world = World::new(&[]);
    world.desired.profiles.clear();
    assert_eq!(world.settle(), ["freeze"]);
    let mut world = World::new(&[]);
    assert_eq!(world.settle(), Vec::<String>::new(), "profiles alone are a beginning");
}

#[test]
fn lost_telemetry_keeps_the_recorded_verdict() {
    let mut world = World::enrolled(&["A1"]);
    let device = world.state.devices.get_mut(&DeviceId::FIRST).expect("a device");
    device.facts = None;
    device.last_sync = None;
    assert_eq!(world.plan().actions, vec![]);
}

#[test]
fn the_digest_is_over_the_decision_alone() {
    let mut world = World::new(&["A1", "B2"]);
    let of = |world: &World| digest(&world.plan().actions);
    let first = of(&world);
    world.now = world.now + TimeDelta::seconds(5);
    world.edit("A1", |d| d.place = Place { path: "moved.yaml".into(), line: 9 });
    assert_eq!(of(&world), first, "neither the moment nor the place");
    world
        .edit("A1", |d| Arc::make_mut(&mut d.spec).os_version = "11.0".parse().expect("a version"));
    assert_ne!(of(&world), first);
}
