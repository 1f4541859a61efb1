//! What a difference and a plan say of the same pair, where the ledger holds the base.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fleetform::domain::diff::{Difference, FleetDiff, diff};
use fleetform::domain::fleet::Desired;
use fleetform::domain::model::{DesiredDevice, SerialNumber, Status, Timestamp};
use fleetform::domain::plan::{Action, HoldReason, Op, Plan};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::state::event::{Change, Field};
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger;
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::Local;
use fleetform::edges::requests::Requests;

use super::{Pair, pairs};
use crate::support::{Pass, execute_untrusted};

const CASES: u32 = 96;

/// The ledger after one pass over the base.
fn recorded(pair: &Pair) -> State {
    let data = pair.fixture.data();
    let mut ledger = ledger::file::open(&data, "pairs".into(), now).expect("a ledger");
    let provider: Arc<dyn Provider> = Arc::new(Local::new(&data));
    let decision = over(&pair.base, |pass| pass.decide(ledger.state(), provider.as_ref(), None));
    let outcome = execute_untrusted(decision, &mut ledger, &provider);
    assert_eq!((outcome.left, &outcome.failed), (0, &vec![]));
    ledger.state().clone()
}

/// What a pass over that fleet gives, where nobody is trusted.
fn over<T>(desired: &Desired, made: impl FnOnce(Pass<'_>) -> T) -> T {
    let (settings, trust) = (&Settings::default(), &TrustState::NotConfigured);
    made(Pass { now: now(), settings, desired, requests: &Requests::default(), trust })
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

#[test]
fn a_difference_is_what_a_plan_over_the_base_does() {
    pairs(CASES, |pair| {
        let (recorded, found) = (recorded(pair), diff(&pair.base, &pair.head));
        let plan = over(&pair.head, |pass| pass.plan(&recorded));
        Agreement { pair, plan: &plan, found: &found }.check();
    });
}

/// What both say of one pair.
struct Agreement<'a> {
    pair: &'a Pair,
    plan: &'a Plan,
    found: &'a FleetDiff,
}

impl Agreement<'_> {
    fn check(&self) {
        assert_eq!(self.told_by(&[Difference::Added, Difference::Mended]), self.provisioned());
        assert_eq!(
            self.told_by(&[Difference::Removed]),
            self.planned(|action| match action.op {
                Op::Orphan => action.subject.serial().cloned(),
                _ => None,
            })
        );
        for held in self.told_by(&[Difference::Held]) {
            assert!(self.is_held(&held, None), "{held} is held");
        }
        self.changes_are_the_same();
        self.profiles_reach_the_same();
        self.findings_are_the_same();
        self.wipes_are_the_same();
    }

    fn told_by(&self, differences: &[Difference]) -> BTreeSet<SerialNumber> {
        let devices = self.found.devices.iter();
        let wanted = devices.filter(|d| differences.contains(&d.difference));
        wanted.map(|d| d.device.spec.serial_number.clone()).collect()
    }

    fn planned<T: Ord>(&self, of: impl Fn(&Action) -> Option<T>) -> BTreeSet<T> {
        self.plan.actions.iter().filter_map(of).collect()
    }

    fn provisioned(&self) -> BTreeSet<SerialNumber> {
        self.planned(|action| match action.op {
            Op::Provision { .. } => action.subject.serial().cloned(),
            _ => None,
        })
    }

    fn is_held(&self, serial: &SerialNumber, why: Option<HoldReason>) -> bool {
        self.plan.holds.iter().any(|hold| {
            hold.serial.as_ref() == Some(serial) && why.is_none_or(|why| hold.reason == why)
        })
    }

    fn desired(&self, serial: &SerialNumber) -> &DesiredDevice {
        let found = self.pair.head.devices.iter().find(|d| d.spec.serial_number == *serial);
        found.expect("a device of the head")
    }

    /// Fields: the same from and to. A status is where a device stands in the ledger, and what
    /// is wished for in a manifest: it is only the same where the wish is that it has failed.
    fn changes_are_the_same(&self) {
        type Changes = BTreeMap<SerialNumber, Vec<String>>;
        let mut planned = Changes::new();
        for action in &self.plan.actions {
            let Op::Update { changes, to } = &action.op else { continue };
            let of = planned.entry(to.spec.serial_number.clone()).or_default();
            of.extend(changes.iter().filter(|c| c.field != Field::Enrollment).map(shown));
        }
        planned.retain(|_, changes| !changes.is_empty());
        let mut told = Changes::new();
        for device in &self.found.devices {
            if !matches!(device.difference, Difference::Changed | Difference::Moved) {
                continue;
            }
            let serial = &device.device.spec.serial_number;
            let of = told.entry(serial.clone()).or_default();
            for change in &device.changes {
                match change.field {
                    "status" => self.status_moves(serial),
                    "enrollment" => self.enrollment_moves(serial, change),
                    _ => of.push(shown(change)),
                }
            }
            if let Some(from) = &device.moved_from {
                of.push(format!("manifest {from:?} {:?}", device.device.place.path));
            }
        }
        told.retain(|_, changes| !changes.is_empty());
        assert_eq!(told, planned);
    }

    fn status_moves(&self, serial: &SerialNumber) {
        let failed = self.planned(|action| match action.op {
            Op::Status { to: Status::Failed, .. } => action.subject.serial().cloned(),
            _ => None,
        });
        let wanted = self.desired(serial).status.to_string() == "Failed";
        assert_eq!(failed.contains(serial), wanted, "{serial}");
    }

    fn enrollment_moves(&self, serial: &SerialNumber, change: &Change<&'static str>) {
        let raised = self.plan.actions.iter().any(|action| match &action.op {
            Op::Update { changes, to } if to.spec.serial_number == *serial => {
                let mut changes = changes.iter().filter(|c| c.field == Field::Enrollment);
                changes.any(|c| (&c.from, &c.to) == (&change.from, &change.to))
            }
            Op::Status { enrollment: Some(to), .. } if action.subject.serial() == Some(serial) => {
                change.to == *to
            }
            _ => false,
        });
        let lowered = self.is_held(serial, Some(HoldReason::EnrollmentLowered));
        let up = change.from.as_u64() < change.to.as_u64();
        assert_eq!((raised, lowered), (up, !up), "{serial}");
    }

    /// A profile that changes reaches those to whom it is pushed, and those who begin with it.
    /// Nothing is pushed besides but to who gets another profile, or enrolls again.
    fn profiles_reach_the_same(&self) {
        let pushed = self.planned(|action| match &action.op {
            Op::Push { profile, .. } | Op::Provision { profile, .. } => {
                Some((profile.name.clone(), action.subject.serial()?.clone()))
            }
            _ => None,
        });
        let mut reached = BTreeSet::new();
        for profile in &self.found.profiles {
            if self.pair.head.profiles.contains_key(&profile.name) {
                let devices = profile.reaches.iter();
                reached
                    .extend(devices.map(|d| (profile.name.clone(), d.spec.serial_number.clone())));
            }
        }
        for one in &reached {
            assert!(pushed.contains(one), "{one:?} is reached, and gets nothing");
        }
        for (profile, serial) in pushed.difference(&reached) {
            let device = self.found.devices.iter().find(|d| d.device.spec.serial_number == *serial);
            let device = device.expect("a device of which something is told");
            let another =
                device.changes.iter().any(|c| matches!(c.field, "profile" | "enrollment"));
            let new = matches!(device.difference, Difference::Added | Difference::Mended);
            assert!(new || another, "{serial} gets {profile}, and nothing of it is told");
        }
    }

    /// A plan has all findings of the head; a difference those that are new.
    fn findings_are_the_same(&self) {
        let (base, head) = (&self.pair.base.findings, &self.pair.head.findings);
        assert_eq!(&self.plan.findings, head);
        let FleetDiff { new, mended, .. } = self.found;
        assert!(new.iter().all(|f| head.contains(f)) && mended.iter().all(|f| base.contains(f)));
        assert_eq!(head.len() - new.len(), base.len() - mended.len());
    }

    fn wipes_are_the_same(&self) {
        let of = |fleet: &Desired| -> BTreeSet<_> {
            fleet.wipes.iter().map(|file| file.request.digest).collect()
        };
        let told = |difference| -> BTreeSet<_> {
            let wipes = self.found.wipes.iter().filter(|w| w.difference == difference);
            wipes.map(|w| w.file.request.digest).collect()
        };
        let (base, head) = (of(&self.pair.base), of(&self.pair.head));
        assert_eq!(told(Difference::Added), &head - &base);
        assert_eq!(told(Difference::Removed), &base - &head);
        // Without trust each one that is new is refused.
        for file in self.pair.head.wipes.iter().filter(|f| !base.contains(&f.request.digest)) {
            let path = &file.place.path;
            assert!(self.plan.wipes.iter().any(|view| view.place.path == *path), "{path}");
        }
    }
}

fn shown<F: std::fmt::Display>(change: &Change<F>) -> String {
    format!("{} {} {}", change.field, change.from, change.to)
}
