//! A tale: what happens to a fleet directory, and what both sides make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;

use chrono::TimeDelta;
use fleetform::app::reconcile::Decision;
use fleetform::domain::fleet::{Desired, IncrementalFleet};
use fleetform::domain::model::{DeviceId, SerialNumber, Status, Timestamp};
use fleetform::domain::plan::Plan;
use fleetform::domain::plan::due::next_due;
use fleetform::domain::settings::Settings;
use fleetform::domain::state::event::{DeviceStatus, Event};
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger::Draft;
use fleetform::edges::provider::local::submit;
use fleetform::edges::requests::{self, Requests};
use fleetform::edges::source;
use fleetform::edges::trust_files;
use serde_json::Value;

use super::manifests::{Manifest, Node, profile, request};
use super::side::Side;
use crate::support::{Clock, Dice, Fixture, Pass, VETO, WIPE, signature, trusted};

/// Below the size at which the guard looks at shares: only an empty directory freezes.
const DEVICES: u64 = 8;
const FILES: u64 = 6;
/// Over, current, too far ahead for a few hours or for good.
const EXEMPTIONS: [&str; 4] = [
    "2025-11-01T00:00:00Z",
    "2025-12-01T00:00:00Z",
    "2025-12-22T10:00:00Z",
    "2027-01-01T00:00:00Z",
];
/// Of wipes that cool off: some bursts.
const DELAY: TimeDelta = TimeDelta::seconds(4);

/// Findings, but for the names of batches, which no two have alike.
fn said(plan: &Plan) -> Vec<(u32, &str)> {
    plan.findings.iter().map(|finding| (finding.span.line, &*finding.message)).collect()
}

pub struct World {
    fixture: Fixture,
    dice: Dice,
    manifests: BTreeMap<u64, Manifest>,
    /// Whatever else there is.
    others: BTreeMap<String, Node>,
    on_disk: BTreeMap<String, Node>,
    clock: Clock,
    settings: Settings,
    trust: TrustState,
    incremental: Side,
    whole: Side,
    live: IncrementalFleet,
    /// Whether an incremental pass may rest on what was seen.
    settled: bool,
    due: Option<Timestamp>,
    /// Bursts that were taken in by incremental passes.
    pub taken: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let fixture = Fixture::empty();
        let clock = Clock::new(Timestamp::from_millis(1_763_800_000_000));
        let mut settings = Settings::default();
        settings.wipes.delay = DELAY;
        let side = |name| Side::new(&fixture, name, &clock, &settings);
        let (incremental, whole) = (side("incremental"), side("whole"));
        let mut dice = Dice(seed);
        let files = (0..DEVICES).map(|n| (n, Manifest::new(n, dice.below(FILES)))).collect();
        let profiles = [
            ("Standard.yaml", profile("Standard", "windows", 0)),
            ("Mobile.yaml", profile("Mobile", "ios, android", 0)),
            ("deep/Broken.yaml", profile("Broken", "", 0)),
        ];
        let others = profiles.map(|(path, text)| (path.to_owned(), Node::Text(text))).into();
        let (signers, fleet) = (fixture.path("allowed_signers"), fixture.path("fleet"));
        fixture.write("allowed_signers", trusted("bob"));
        let mut world = Self {
            fixture,
            dice,
            manifests: files,
            others,
            on_disk: BTreeMap::new(),
            clock,
            settings,
            trust: TrustState::Usable(trust_files::read(&signers, None, &fleet).expect("trust")),
            incremental,
            whole,
            live: IncrementalFleet::default(),
            settled: false,
            due: None,
            taken: 0,
        };
        world.write();
        world.pass(None);
        world
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn wanted(&self) -> BTreeMap<String, Node> {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for manifest in self.manifests.values() {
            let path = format!("d{}/f{}.yaml", manifest.file % 2, manifest.file);
            texts.entry(path).or_default().push_str(&manifest.text());
        }
        let mut all: BTreeMap<_, _> =
            texts.into_iter().map(|(path, text)| (path, Node::Text(text))).collect();
        for (path, node) in &self.others {
            // Beside what is there, a text joins it; anything else takes its place.
            match (all.get_mut(path), node) {
                (Some(Node::Text(text)), Node::Text(more)) => {
                    let _ = write!(text, "---\n{more}");
                }
                _ => drop(all.insert(path.clone(), node.clone())),
            }
        }
        all
    }

    /// Brings the directory to what is wanted, and gives the paths that were touched.
    fn write(&mut self) -> BTreeSet<String> {
        let wanted = self.wanted();
        let mut touched = BTreeSet::new();
        let gone = self.on_disk.iter().filter(|(path, node)| wanted.get(*path) != Some(node));
        for (path, _) in gone {
            self.fixture.remove(&format!("fleet/{path}"));
            touched.insert(path.clone());
        }
        for (path, node) in wanted.iter().filter(|(path, n)| self.on_disk.get(*path) != Some(n)) {
            let full = format!("fleet/{path}");
            match node {
                Node::Text(text) => self.fixture.write(&full, text),
                Node::Directory => {
                    let inside = Manifest::new(40, 0).text();
                    self.fixture.write(&format!("{full}/inside.yaml"), inside);
                }
                Node::Symlink => {
                    let full = self.fixture.path(&full);
                    fs::create_dir_all(full.parent().expect("a parent")).expect("a directory");
                    symlink("elsewhere", full).expect("a symlink");
                }
            }
            touched.insert(path.clone());
        }
        self.on_disk = wanted;
        touched
    }

    fn pick(&mut self, words: &[&str]) -> String {
        let n = self.dice.below(words.len() as u64);
        words[n as usize].to_owned()
    }

    /// One thing that happens; whether time passes, so that the daemon looks at everything.
    fn step(&mut self) -> bool {
        let n = self.dice.below(DEVICES);
        let file = self.dice.below(FILES);
        let kind = self.dice.below(51);
        let value = match kind {
            0..=2 | 30..=40 => {
                Some(("userEmail", self.pick(&["ana@example.com", "bo@example.com"])))
            }
            3 => Some(("hardware", self.pick(&["{model: X}", "{model: Y}"]))),
            4 => Some(("status", self.pick(&["Enrolled", "Pending", "Failed"]))),
            5 | 6 => Some(("enrollment", self.pick(&["1", "2", "3"]))),
            7 => Some(("ownership", self.pick(&["corporate", "personal"]))),
            8 => Some(("osVersion", self.pick(&["\"10\"", "\"10.0\"", "\"11\""]))),
            9 => {
                Some(("profile", self.pick(&["Standard", "Standard", "Mobile", "Broken", "None"])))
            }
            10 => Some(("platform", self.pick(&["windows", "windows", "ios"]))),
            11 => Some(("color", "red".to_owned())),
            49 => {
                Some(("access", format!("{{exemptUntil: {}, reason: r}}", self.pick(&EXEMPTIONS))))
            }
            _ => None,
        };
        if let (Some((key, value)), Some(manifest)) = (value, self.manifests.get_mut(&n)) {
            manifest.spec.insert(key, value);
        }
        match kind {
            12 => self.swap(n, |a, b| std::mem::swap(&mut a.name, &mut b.name)),
            13 => self.swap(n, |a, b| std::mem::swap(&mut a.serial, &mut b.serial)),
            14 => self.swap(n, |a, b| std::mem::swap(&mut a.file, &mut b.file)),
            15 => self.change(n, |m| m.serial = m.serial.to_lowercase()),
            16 => self.change(n, |m| m.comment.push('x')),
            17 => self.change(n, |m| m.file = file),
            18 => drop(self.manifests.remove(&n)),
            19 | 20 => self.fix(n, file),
            21 => {
                let ring = self.dice.below(3);
                let platforms = self.pick(&["windows", "windows", "windows, ios", ""]);
                let text = profile("Standard", &platforms, ring);
                self.others.insert("Standard.yaml".to_owned(), Node::Text(text));
            }
            22 => {
                let path = format!("d{}/f{file}.yaml", file % 2);
                let node = match self.dice.below(5) {
                    0 => Node::Text(request(n)),
                    1 => Node::Text(profile("Standard", "windows", 7)),
                    2 => Node::Text(": no".to_owned()),
                    3 => Node::Directory,
                    _ => Node::Symlink,
                };
                self.others.insert(path, node);
            }
            23 | 41 | 42 => {
                let path = self.pick(&["w.yaml", "copy.yaml", "d0/notes.txt"]);
                self.others.insert(path, Node::Text(request(n)));
            }
            43..=45 => {
                let (path, namespace) = match self.dice.below(4) {
                    0 => ("w.yaml.veto.sig", VETO),
                    1 => ("copy.yaml.sig", WIPE),
                    _ => ("w.yaml.sig", WIPE),
                };
                if let Some(Node::Text(text)) = self.others.get("w.yaml") {
                    let signed = signature("bob", namespace, text.as_bytes());
                    let signed = String::from_utf8(signed).expect("armour");
                    self.others.insert(path.to_owned(), Node::Text(signed));
                }
            }
            24 => self.others.retain(|path, _| path.contains('S') || path.contains('M')),
            25 | 26 => self.erase(n),
            27 | 28 => self.report(n),
            46..=48 => self.ask(n),
            29 => {
                // Longer than any deadline: none is due at a burst.
                self.clock.advance(TimeDelta::minutes(31));
                return true;
            }
            _ => {}
        }
        false
    }

    fn change(&mut self, n: u64, change: impl FnOnce(&mut Manifest)) {
        self.manifests.get_mut(&n).map(change);
    }

    fn swap(&mut self, n: u64, swap: impl FnOnce(&mut Manifest, &mut Manifest)) {
        let other = (n + 1) % DEVICES;
        let (Some(mut a), Some(mut b)) = (self.manifests.remove(&n), self.manifests.remove(&other))
        else {
            return;
        };
        swap(&mut a, &mut b);
        self.manifests.extend([(n, a), (other, b)]);
    }

    /// As it was in the beginning, but for its file; all else that nobody needs is gone.
    fn fix(&mut self, n: u64, file: u64) {
        let new = Manifest::new(n, file);
        let old = self.manifests.entry(n).or_insert(new.clone());
        *old =
            Manifest { file: old.file, name: old.name.clone(), serial: old.serial.clone(), ..new };
    }

    fn report(&mut self, n: u64) {
        let more = self.pick(&[
            "",
            r#","encryption":{"enabled":true}"#,
            r#","encryption":{"enabled":false}"#,
            r#","enrollmentError":"no license""#,
            r#","wiped":true"#,
        ]);
        // No two have the same date.
        self.clock.advance(TimeDelta::milliseconds(1));
        let now = self.now();
        let report = format!(r#"{{"serialNumber":"SN{n}","at":"{now}"{more}}}"#);
        let (path, _) = submit(&self.fixture.path("incremental"), "r", report.as_bytes(), now)
            .expect("a report");
        // Under the same name: what the log says of a report names its file.
        let name = path.file_name().expect("a name").to_str().expect("UTF-8");
        self.fixture.write(&format!("whole/inbox/{name}"), &report);
    }

    /// Somebody asks for a sync of the device.
    fn ask(&mut self, n: u64) {
        let serial: SerialNumber = format!("SN{n}").parse().expect("a serial number");
        let Some((id, device)) = self.incremental.ledger.state().by_serial(&serial) else { return };
        let serial = device.spec.serial_number.clone();
        self.clock.advance(TimeDelta::milliseconds(1));
        let now = self.now();
        requests::submit(&self.incremental.data, "ana", &[(id, serial)], now).expect("a request");
        let names = |side: &Side| {
            let dir = fs::read_dir(side.data.join("requests"));
            let names = dir.into_iter().flatten().map(|entry| entry.expect("an entry").file_name());
            names.map(|name| name.into_string().expect("UTF-8")).collect::<BTreeSet<_>>()
        };
        // The very file: what the log says of a request has its id.
        let theirs = names(&self.whole);
        for name in names(&self.incremental).difference(&theirs) {
            let text = self.fixture.read(&format!("incremental/requests/{name}"));
            self.fixture.write(&format!("whole/requests/{name}"), text);
        }
    }

    /// As if a wipe of the device had been confirmed.
    fn erase(&mut self, n: u64) {
        let serial: SerialNumber = format!("SN{n}").parse().expect("a serial number");
        for side in [&mut self.incremental, &mut self.whole] {
            let Some((id, device)) = side.ledger.state().by_serial(&serial) else { return };
            if device.is_wiped() {
                return;
            }
            let event = Event::DeviceStatus(DeviceStatus {
                from: device.status,
                to: Status::Wiped,
                reason: "erased".into(),
                enrollment: None,
                last_sync: None,
            });
            let draft = Draft { device: Some(id), source: None, event };
            side.ledger.append(vec![draft]).expect("appended");
            side.ledger.end_pass().expect("durable");
        }
    }

    fn decide(
        &self,
        side: &Side,
        desired: &Desired,
        only: Option<&BTreeSet<DeviceId>>,
    ) -> Decision {
        let asked = requests::read(&side.data);
        self.over(desired, &asked).decide(side.ledger.state(), side.provider.as_ref(), only)
    }

    fn over<'a>(&'a self, desired: &'a Desired, requests: &'a Requests) -> Pass<'a> {
        let (now, settings, trust) = (self.now(), &self.settings, &self.trust);
        Pass { now, settings, desired, requests, trust }
    }

    fn due_of(&self, only: Option<&BTreeSet<DeviceId>>, decision: &Decision) -> Option<Timestamp> {
        let recorded = self.incremental.ledger.state();
        let asked = Requests::default();
        let pass = self.over(self.live.desired(), &asked);
        let inputs = pass.inputs(recorded);
        let devices = recorded.devices.iter().filter(|(id, _)| only.is_none_or(|o| o.contains(id)));
        next_due(&inputs, devices.map(|(_, device)| device), &decision.approved.plan().wipes)
    }

    /// Takes in a burst, on one side file by file where that may be.
    fn pass(&mut self, touched: Option<BTreeSet<String>>) {
        let root = self.fixture.path("fleet");
        let desired = source::load(&root);
        let only = touched.filter(|_| self.settled).and_then(|touched| {
            let serials = source::reread(&root, &touched, &mut self.live)?;
            assert_eq!(**self.live.desired(), desired, "{touched:?}");
            let recorded = self.incremental.ledger.state();
            serials.iter().map(|serial| Some(recorded.by_serial(serial)?.0)).collect()
        });
        let whole = self.decide(&self.whole, &desired, None);
        let decision = self.decide(&self.incremental, &desired, only.as_ref());
        let (ours, theirs) = (decision.approved.plan(), whole.approved.plan());
        assert_eq!(ours.actions, theirs.actions, "{only:?}");
        assert_eq!(ours.telemetry, theirs.telemetry);
        assert_eq!((said(ours), &ours.rejected), (said(theirs), &theirs.rejected));
        assert!(ours.holds.iter().all(|hold| theirs.holds.contains(hold)));
        let only = only.filter(|_| ours.may_be_incremental());
        if only.is_none() {
            self.live = IncrementalFleet::new(desired.clone());
            self.due = None;
        } else {
            self.taken += 1;
        }
        // As the daemon has it: deadlines begin with what a device reports, too.
        let heard = ours.telemetry.iter().map(|said| said.device);
        let moved = ours.actions.iter().filter_map(|action| action.device());
        let others: BTreeSet<DeviceId> = heard.chain(moved).collect();
        let concerned: Option<BTreeSet<DeviceId>> =
            only.as_ref().map(|only| only.union(&others).copied().collect());
        let again = self.decide(&self.incremental, &desired, only.as_ref());
        self.incremental.carry_out(decision);
        self.whole.carry_out(whole);
        let due = self.due_of(concerned.as_ref(), &again);
        self.due = [self.due, due].into_iter().flatten().min();
        let left = self.decide(&self.incremental, &desired, None);
        assert_eq!(left.approved.plan().actions, []);
        assert!(!left.has_reports());
        let due = self.due_of(None, &left);
        let late = due.is_some_and(|due| self.due.is_none_or(|ours| ours > due));
        assert!(!late, "due {due:?}, and it wakes {:?}", self.due);
        self.settled = self.incremental.ledger.state().frozen.is_none();
    }

    pub fn burst(&mut self) {
        let mut time_passes = false;
        for _ in 0..=self.dice.below(3) {
            time_passes |= self.step();
        }
        self.clock.advance(TimeDelta::seconds(1));
        let mut touched = self.write();
        if self.dice.below(4) == 0 {
            // An event for nothing.
            touched.extend(self.on_disk.keys().next().cloned());
        }
        // What is no regular file is told by the watcher itself.
        let plain =
            |path: &String| self.on_disk.get(path).is_none_or(|node| matches!(node, Node::Text(_)));
        let incremental = !time_passes && touched.iter().all(plain);
        self.pass(incremental.then_some(touched));
    }

    /// The log, but for what a ledger has of its own.
    pub fn log(&self, side: &str) -> Vec<Value> {
        let text = self.fixture.read(&format!("{side}/audit.jsonl"));
        let entries = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let bare = |mut entry: Value| {
            entry["prev"].take();
            entry["data"]["lineage"].take();
            entry
        };
        entries.map(bare).collect()
    }
}
