//! Random fleets, random edits, real passes in this process: what must hold whatever happens.
//! A failure prints the steps that lead to it; nothing is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use fleetform::app::reconcile::Decision;
use fleetform::domain::fleet::{Desired, assemble};
use fleetform::domain::manifest::parse_file;
use fleetform::domain::model::{DeviceId, Digest, Status, Timestamp};
use fleetform::domain::plan::{Action, Hold, Plan, Telemetry};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger;
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::{Local, submit};
use fleetform::edges::requests::Requests;
use fleetform::edges::source;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::invariants::Reading;
use crate::support::{Clock, Device, Fixture, Pass, Profile, execute_untrusted};

const CASES: u32 = 48;

/// A device manifest in the making.
#[derive(Debug, Clone)]
struct Manifest {
    file: usize,
    renamed: bool,
    user: usize,
    profile: usize,
    status: usize,
    enrollment: u32,
    broken: bool,
}

/// What happens between two passes.
#[derive(Debug, Clone)]
enum Step {
    Add(usize, usize),
    Move(usize, usize),
    Rename(usize),
    User(usize, usize),
    Profile(usize, usize),
    Status(usize, usize),
    Enroll(usize, u32),
    Remove(usize),
    Break(usize),
    BreakFile(usize),
    MendAll,
    EditProfile(usize, usize),
    Report(usize, usize),
    Wait(i64),
    Empty,
    Pass,
}

const SERIALS: usize = 16;
const FILES: usize = 6;
const PROFILES: [&str; 2] = ["Standard", "Executive"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let serial = || 0..SERIALS;
    let step = prop_oneof![
        6 => (serial(), 0..FILES).prop_map(|(s, f)| Step::Add(s, f)),
        1 => (serial(), 0..FILES).prop_map(|(s, f)| Step::Move(s, f)),
        1 => serial().prop_map(Step::Rename),
        1 => (serial(), 0..3_usize).prop_map(|(s, u)| Step::User(s, u)),
        1 => (serial(), 0..3_usize).prop_map(|(s, p)| Step::Profile(s, p)),
        2 => (serial(), 0..3_usize).prop_map(|(s, w)| Step::Status(s, w)),
        2 => (serial(), 1..4_u32).prop_map(|(s, n)| Step::Enroll(s, n)),
        2 => serial().prop_map(Step::Remove),
        1 => serial().prop_map(Step::Break),
        1 => (0..FILES).prop_map(Step::BreakFile),
        1 => Just(Step::MendAll),
        1 => (0..2_usize, 0..5_usize).prop_map(|(p, r)| Step::EditProfile(p, r)),
        6 => (serial(), 0..8_usize).prop_map(|(s, kind)| Step::Report(s, kind)),
        2 => (1..50_i64).prop_map(Step::Wait),
        1 => Just(Step::Empty),
        5 => Just(Step::Pass),
    ];
    prop::collection::vec(step, 10..60)
}

/// A fleet directory, a ledger, a provider and a clock.
struct World {
    fixture: Fixture,
    manifests: BTreeMap<usize, Manifest>,
    broken_files: Vec<usize>,
    revisions: [usize; 2],
    clock: Clock,
    reports: u32,
    settings: Settings,
}

impl World {
    fn new() -> Self {
        let (settings, fixture) = (Settings::default(), Fixture::empty());
        // Reports may come before the ledger begins, and no report makes its directory.
        std::fs::create_dir_all(fixture.data()).expect("a directory");
        Self {
            fixture,
            manifests: BTreeMap::new(),
            broken_files: vec![],
            revisions: [0; 2],
            clock: Clock::new(Timestamp::from_millis(1_763_800_000_000)),
            reports: 0,
            settings,
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn change(&mut self, serial: usize, change: impl FnOnce(&mut Manifest)) {
        if let Some(manifest) = self.manifests.get_mut(&serial) {
            change(manifest);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Add(serial, file) => {
                let (renamed, broken) = (false, false);
                let new = Manifest {
                    file,
                    renamed,
                    user: 0,
                    profile: 0,
                    status: 0,
                    enrollment: 1,
                    broken,
                };
                self.manifests.entry(serial).or_insert(new);
            }
            Step::Move(serial, file) => self.change(serial, |m| m.file = file),
            Step::Rename(serial) => self.change(serial, |m| m.renamed = !m.renamed),
            Step::User(serial, user) => self.change(serial, |m| m.user = user),
            Step::Profile(serial, profile) => self.change(serial, |m| m.profile = profile),
            Step::Status(serial, status) => self.change(serial, |m| m.status = status),
            Step::Enroll(serial, enrollment) => self.change(serial, |m| m.enrollment = enrollment),
            Step::Remove(serial) => drop(self.manifests.remove(&serial)),
            Step::Break(serial) => self.change(serial, |m| m.broken = true),
            Step::BreakFile(file) => self.broken_files.push(file),
            Step::MendAll => {
                self.broken_files.clear();
                self.manifests.values_mut().for_each(|m| m.broken = false);
            }
            Step::EditProfile(profile, revision) => self.revisions[profile] = revision,
            Step::Report(serial, kind) => self.report(serial, kind),
            Step::Wait(minutes) => {
                self.clock.advance(TimeDelta::minutes(minutes));
            }
            Step::Empty => self.manifests.clear(),
            Step::Pass => self.pass(),
        }
        self.clock.advance(TimeDelta::seconds(1));
    }

    fn report(&mut self, serial: usize, kind: usize) {
        let at = match kind {
            6 => Timestamp::from_millis(self.now().millis() - 600_000),
            _ => self.now(),
        };
        let more = match kind {
            0 => r#","enrollmentError":"no license""#,
            1 => r#","encryption":{"enabled":false}"#,
            2 => "",
            3 => r#","encryption":{"enabled":true},"osVersion":"9.9""#,
            4 => r#","wiped":true"#,
            5 => r#","encryption":{"enabled":true},"completed":["c5","c6","c7"]"#,
            _ => r#","encryption":{"enabled":true},"osVersion":"11""#,
        };
        let report = format!(r#"{{"serialNumber":"sn{serial:02}","at":"{at}"{more}}}"#);
        self.reports += 1;
        let hint = format!("r{}", self.reports);
        submit(&self.fixture.data(), &hint, report.as_bytes(), self.now()).expect("a report");
    }

    /// The files of the fleet directory.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (serial, m) in &self.manifests {
            let status = ["Enrolled", "Pending", "Failed"][m.status];
            let profile = ["Standard", "Executive", "Absent"][m.profile];
            let text: &mut String =
                files.entry(format!("d{}/f{}.yaml", m.file % 2, m.file)).or_default();
            let name = format!("dev{serial}{}", if m.renamed { "-b" } else { "" });
            let user = ["ana", "bob", "eva"][m.user];
            let device = Device::new(format_args!("SN{serial:02}")).named(name);
            let device = device.with("userEmail", format_args!("{user}@example.com"));
            let device = device.with("profile", profile).with("osVersion", "\"10\"");
            let device = device.with("status", status).with("enrollment", m.enrollment);
            let broken = if m.broken { "  color: red\n" } else { "" };
            let _ = write!(text, "---\n{}{broken}", device.yaml());
        }
        for file in &self.broken_files {
            let path = format!("d{}/f{file}.yaml", file % 2);
            files.entry(path).and_modify(|text| text.insert(0, '\0'));
        }
        for (name, revision) in PROFILES.iter().zip(self.revisions) {
            // The last revision cannot be used.
            let platforms = if revision == 4 { "" } else { "windows" };
            let lowest = 10 + revision % 2;
            let demands = format!(
                "{{encryption: {{required: true}}, minimumOsVersion: {{windows: \"{lowest}\"}}}}"
            );
            let profile = Profile::new(name, platforms)
                .with("settings", format_args!("{{ring: {revision}}}"))
                .with("compliance", demands);
            files.insert(format!("{name}.yaml"), profile.yaml());
        }
        files
    }

    fn write_files(&self) {
        self.fixture.remove("fleet");
        for (path, text) in self.files() {
            self.fixture.write(&format!("fleet/{path}"), text);
        }
    }

    /// A pass over that fleet; nobody is trusted, and nobody asks for anything.
    fn over<'a>(&'a self, desired: &'a Desired) -> Pass<'a> {
        static NONE: LazyLock<Requests> = LazyLock::new(Requests::default);
        let (now, settings, requests) = (self.now(), &self.settings, &*NONE);
        Pass { now, settings, desired, requests, trust: &TrustState::NotConfigured }
    }

    /// One pass, and all that must hold after it.
    fn pass(&mut self) {
        self.write_files();
        let desired = source::load(&self.fixture.path("fleet"));
        self.order_does_not_count(&desired);
        let data = self.fixture.data();
        let clock = self.clock.reader();
        let mut ledger = ledger::file::open(&data, "property".into(), clock).expect("a ledger");
        let provider: Arc<dyn Provider> = Arc::new(Local::new(&data));
        let before = ledger.state().clone();
        let decision = self.over(&desired).decide(ledger.state(), provider.as_ref(), None);
        let frozen = decision.approved.refusal().is_some();
        if before.frozen.is_none() && !frozen {
            self.a_part_is_as_in_the_whole(&decision, &desired, &before, provider.as_ref());
        }
        let outcome = execute_untrusted(decision, &mut ledger, &provider);
        assert_eq!((outcome.left, &outcome.failed), (0, &vec![]));
        ledger.snapshot().expect("a snapshot");

        let again = self.over(&desired).decide(ledger.state(), provider.as_ref(), None);
        assert_eq!(again.approved.plan().actions, [], "planning again gives no actions");
        assert!(again.is_empty(), "no report is left");
        self.absence_destroyed_nothing(&desired, &before, ledger.state(), frozen);
        if ledger.state().seq > 0 {
            assert_eq!(&ledger::file::read(&data).expect("a ledger"), ledger.state());
            let replayed = ledger::file::replay(&data).expect("a log").state;
            assert_eq!(without_telemetry(&replayed), without_telemetry(ledger.state()));
            assert_eq!(ledger::file::verify(&data).expect("a ledger").problems, []);
        }
    }

    /// Planning some devices decides of them what planning all does.
    fn a_part_is_as_in_the_whole(
        &self,
        whole: &Decision,
        desired: &Desired,
        recorded: &State,
        provider: &dyn Provider,
    ) {
        let whole = whole.approved.plan();
        for part in 0..3 {
            let ids = recorded.devices.keys().copied().enumerate();
            let only: BTreeSet<_> = ids.filter(|(n, _)| n % 3 == part).map(|(_, id)| id).collect();
            let decision = self.over(desired).decide(recorded, provider, Some(&only));
            let of_part = decision.approved.plan();
            let about = |id: Option<DeviceId>| id.is_some_and(|id| only.contains(&id));
            let of = |plan: &Plan| -> (Vec<Action>, Vec<Hold>, Vec<Telemetry>) {
                (
                    plan.actions.iter().filter(|a| about(a.device())).cloned().collect(),
                    plan.holds.iter().filter(|h| about(h.device)).cloned().collect(),
                    plan.telemetry.iter().filter(|t| about(Some(t.device))).cloned().collect(),
                )
            };
            assert_eq!(of(of_part), of(whole));
            let mut rest = whole.actions.iter();
            assert!(of_part.actions.iter().all(|a| rest.any(|b| a == b)), "and nothing else");
            assert_eq!((&of_part.findings, &of_part.rejected), (&whole.findings, &whole.rejected));
        }
    }

    /// Promises 5 and 6: without a usable manifest, a device keeps all but what it reports.
    fn absence_destroyed_nothing(
        &self,
        desired: &Desired,
        before: &State,
        after: &State,
        frozen: bool,
    ) {
        for (id, old) in before.devices.iter() {
            let new = &after.devices[id];
            let wanted =
                desired.devices.iter().any(|d| d.spec.serial_number == old.spec.serial_number);
            if !wanted {
                // But for a device that says that it was erased.
                let erased = new.rare.unrequested_wipe.is_some() && new.status == Status::Failed;
                assert!(erased || new.status == old.status, "{id}");
                assert_eq!(new.enrollment, old.enrollment, "{id}");
                assert_eq!((&new.spec, &new.push), (&old.spec, &old.push), "{id}");
            }
            if frozen {
                assert_eq!(
                    (&new.spec, new.rare.orphaned_since),
                    (&old.spec, old.rare.orphaned_since),
                    "{id}"
                );
                assert_eq!(new.push, old.push, "{id}");
            }
        }
        assert!(!frozen || after.devices.len() == before.devices.len(), "frozen");
    }

    /// Promise 2: documents in any order give the same fleet, and so the same plan.
    fn order_does_not_count(&self, desired: &Desired) {
        let files = self.files();
        let read = |files: &mut dyn Iterator<Item = (&String, &String)>| {
            let documents =
                files.map(|(path, text)| parse_file(&path.as_str().into(), text.as_bytes()));
            assemble(documents.collect::<Vec<_>>())
        };
        let (forth, back) = (read(&mut files.iter()), read(&mut files.iter().rev()));
        let plan = |desired: &Desired| self.over(desired).plan(&State::default());
        assert_eq!(plan(&forth), plan(&back));
        assert_eq!(plan(&forth), plan(desired));
    }

    /// The log of any prefix folds to a valid state, by the fold and by the second reading.
    fn every_prefix_is_valid(&self) {
        let data = self.fixture.data();
        if !data.join(ledger::file::LOG).exists() {
            return;
        }
        Reading::check(&data);
        let mut state = State::default();
        for logged in ledger::file::entries(&data) {
            let logged = logged.expect("an entry");
            let before = state.devices.len();
            state.fold(&logged.entry, Digest::of(&logged.raw)).expect("an entry that follows");
            assert!(state.devices.len() - before <= 1);
            let ids: Vec<_> = state.devices.keys().copied().collect();
            let expected = std::iter::successors(Some(DeviceId::FIRST), |id| Some(id.next()));
            assert!(ids.into_iter().eq(expected.take(state.devices.len())), "ids have no gaps");
        }
        assert_eq!(
            without_telemetry(&state),
            without_telemetry(&ledger::file::read(&data).expect("a ledger"))
        );
    }
}

fn without_telemetry(state: &State) -> State {
    let mut state = state.clone();
    let devices = state.devices.iter().map(|(id, device)| {
        let mut device = device.clone();
        (device.last_sync, device.facts) = (None, None);
        (*id, device)
    });
    state.devices = devices.collect();
    state
}

#[test]
fn passes_over_random_fleets_keep_their_promises() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    // A fixed seed: a failure is met again by running the test again.
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let ran = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        let mut world = World::new();
        steps.into_iter().chain([Step::Pass]).for_each(|step| world.take(step));
        world.every_prefix_is_valid();
        Ok(())
    });
    if let Err(error) = ran {
        panic!("seed [7; 32]: {error}");
    }
}
