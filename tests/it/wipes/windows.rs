//! How many wipes a window admits, at its edges and under whatever is thrown at it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use chrono::TimeDelta;
use fleetform::domain::fleet::{Desired, assemble};
use fleetform::domain::guard::guard;
use fleetform::domain::manifest::parse_file;
use fleetform::domain::model::{Digest, Timestamp};
use fleetform::domain::plan::effect::{Effect, pushed};
use fleetform::domain::plan::{Action, ActionKind, Inputs, NO_NEWS, Plan, plan};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::state::event::{Entry, Event, LedgerCreated};
use fleetform::domain::wipe::WipeFile;
use fleetform::domain::wipe::quorum::{Tier, Tiers, allows};
use fleetform::domain::wipe::trust::Trust;
use fleetform::domain::wipe::trust_state::TrustState;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{
    Device, LEDGER, Lab, Profile, Request, VETO, WIPE, signature, start, trusted,
};

/// `(upTo, hours, signers)`
pub fn tiers(tiers: &[(u32, i64, u32)]) -> Tiers {
    let tier = |&(up_to, hours, signers): &_| Tier { up_to, per: TimeDelta::hours(hours), signers };
    Tiers::new(tiers.iter().map(tier).collect()).expect("tiers")
}

fn lab(quorum: &[(u32, i64, u32)]) -> Lab {
    let mut lab = Lab::with(4);
    lab.settings.wipes.quorum = tiers(quorum);
    for n in 1..=4 {
        let expires = start() + TimeDelta::hours(72);
        let request = Request { expires, ..Request::of(n) };
        lab.put(&format!("r{n}.yaml"), request.yaml());
    }
    lab
}

fn sign(lab: &Lab, n: u32, who: &[&str]) {
    let file = format!("r{n}.yaml");
    let bytes = std::fs::read(lab.path("fleet").join(&file)).expect("the request");
    for who in who {
        lab.put(&format!("{file}.{who}.sig"), signature(who, WIPE, &bytes));
    }
}

#[test]
fn each_tier_ends_where_it_says_to_the_millisecond() {
    let lab = lab(&[(1, 24, 1), (2, 48, 2)]);
    sign(&lab, 1, &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
    // The second within a day needs two people; alone it waits until the day is over.
    sign(&lab, 2, &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "held needsSignatures");
    lab.at(start() + TimeDelta::hours(24) + TimeDelta::milliseconds(-1));
    assert_eq!(lab.judge("r2.yaml"), "held needsSignatures");
    sign(&lab, 2, &["carol"]);
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
    // Two within two days: whoever signs the third, it waits until the first is two days old.
    sign(&lab, 3, &["bob", "carol", "dave"]);
    lab.at(start() + TimeDelta::hours(48) + TimeDelta::milliseconds(-1));
    assert_eq!(lab.judge("r3.yaml"), "held overEveryTier");
    lab.at(start() + TimeDelta::hours(48));
    assert_eq!(lab.judge("r3.yaml"), "issue issue");
    assert_eq!((lab.issued(), lab.commands()), (3, 3));
}

#[test]
fn a_lone_signature_passes_when_the_day_is_over() {
    let lab = lab(&[(1, 24, 1), (2, 48, 2)]);
    sign(&lab, 1, &["bob"]);
    lab.pass();
    sign(&lab, 2, &["bob"]);
    lab.pass();
    lab.at(start() + TimeDelta::hours(24));
    assert_eq!(lab.judge("r2.yaml"), "issue issue");
}

#[test]
fn what_is_held_says_what_is_missing_what_it_has_and_until_when() {
    let lab = lab(&[(1, 24, 1), (2, 48, 2)]);
    sign(&lab, 1, &["bob"]);
    lab.pass();
    sign(&lab, 2, &["bob"]);
    lab.pass();
    let detail = &lab.pass()["r2.yaml"].2;
    assert!(detail.contains("needs signatures of 2 people, has 1"), "{detail}");
    assert!(detail.contains("2026-11-23T10:00:00Z"), "{detail}");
}

#[test]
fn several_at_once_count_for_one_another_in_a_fixed_order_across_restarts() {
    let lab = lab(&[(2, 24, 1), (3, 24, 2)]);
    for n in (1..=4).rev() {
        sign(&lab, n, &["bob"]);
    }
    lab.pass();
    assert_eq!(lab.issued(), 2);
    std::fs::remove_file(lab.path("data/state.json")).expect("removed");
    let wipes = lab.pass();
    let held = wipes.values().filter(|(_, code, _)| code == "needsSignatures").count();
    assert_eq!((lab.issued(), held), (2, 2));
}

#[test]
fn those_cooling_off_count_as_well() {
    let mut lab = lab(&[(1, 24, 1), (2, 24, 2)]);
    lab.settings.wipes.delay = TimeDelta::hours(1);
    sign(&lab, 1, &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    sign(&lab, 2, &["bob"]);
    assert_eq!(lab.judge("r2.yaml"), "held needsSignatures");
    lab.wait(TimeDelta::hours(2));
    lab.pass();
    assert_eq!(lab.issued(), 1);
}

#[test]
fn one_that_falls_short_while_cooling_off_lets_go_of_its_device() {
    let mut lab = lab(&[(1, 24, 2), (2, 24, 3)]);
    lab.settings.wipes.delay = TimeDelta::hours(1);
    sign(&lab, 1, &["bob", "carol"]);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    lab.remove("r1.yaml.carol.sig");
    let other = Request { name: "other".into(), ..Request::of(1) };
    lab.request("x.yaml", &other.yaml(), &["bob", "dave"]);
    let wipes = lab.pass();
    assert_eq!((&*wipes["r1.yaml"].1, &*wipes["x.yaml"].1), ("deviceBusy", "coolingOff"));
    let said = lab.kinds();
    lab.pass();
    assert_eq!(lab.kinds(), said);
}

// Whatever mix is thrown at it.

const REQUESTS: usize = 7;
const PEOPLE: [&str; 3] = ["bob", "carol", "dave"];

/// A request, what three people sign for it, and what they sign against it.
struct Prepared {
    text: String,
    signatures: Vec<Vec<u8>>,
    vetoes: Vec<Vec<u8>>,
}

static POOL: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
    let one = |n: usize| {
        // The last two are for devices that others are for, too.
        let number = u32::try_from(n % 5 + 1).expect("small");
        let hours = i64::try_from(n).expect("small") * 3;
        let request = Request {
            name: format!("r{n}"),
            issued: start() + TimeDelta::hours(hours),
            expires: start() + TimeDelta::hours(hours + 60),
            ..Request::of(number)
        };
        let text = request.yaml();
        let by = |namespace| PEOPLE.map(|who| signature(who, namespace, text.as_bytes())).to_vec();
        Prepared { signatures: by(WIPE), vetoes: by(VETO), text }
    };
    (0..REQUESTS).map(one).collect()
});

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    Delete(usize),
    Sign(usize, usize),
    Unsign(usize, usize),
    Veto(usize, usize),
    Trusted(bool),
    /// By minutes, also back.
    Clock(i64),
    /// A pass of which so many actions are logged, each with a clock that many minutes off.
    Pass(usize, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (request, person) = (0..REQUESTS, 0..PEOPLE.len());
    prop_oneof![
        4 => request.clone().prop_map(Step::Put),
        1 => request.clone().prop_map(Step::Delete),
        6 => (request.clone(), person.clone()).prop_map(|(r, p)| Step::Sign(r, p)),
        1 => (request.clone(), person.clone()).prop_map(|(r, p)| Step::Unsign(r, p)),
        1 => (request, person).prop_map(|(r, p)| Step::Veto(r, p)),
        2 => prop::bool::weighted(0.8).prop_map(Step::Trusted),
        4 => (-300_i64..1500).prop_map(Step::Clock),
        3 => (0_usize..4, -90_i64..90).prop_map(|(cut, off)| Step::Pass(cut, off)),
        6 => Just(Step::Pass(usize::MAX, 0)),
    ]
}

/// The world in memory: what is in the directory, and what is in the log.
struct World {
    now: Timestamp,
    settings: Settings,
    trust: TrustState,
    trusted: bool,
    there: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<usize>)>,
    state: State,
    /// The latest time in the log.
    last: Timestamp,
    issued: Vec<(Digest, Timestamp, u32)>,
}

impl World {
    fn new(quorum: Tiers, delay: TimeDelta) -> Self {
        let mut settings = Settings::default();
        (settings.wipes.quorum, settings.wipes.delay) = (quorum, delay);
        let trust = PEOPLE.map(trusted).concat();
        let mut world = Self {
            now: start(),
            settings,
            trust: TrustState::Usable(Trust::parse(trust.as_bytes(), None).expect("a trust file")),
            trusted: true,
            there: BTreeMap::new(),
            state: State::default(),
            last: start(),
            issued: vec![],
        };
        let created = LedgerCreated { version: 1, lineage: LEDGER.parse().expect("a UUID") };
        world.log(Event::LedgerCreated(created), None, 0);
        world.pass(usize::MAX, 0);
        let signed = |n| (n, (BTreeSet::from([0]), BTreeSet::new()));
        world.there = (0..REQUESTS).map(signed).collect();
        world
    }

    fn desired(&self) -> Desired {
        let profile = Profile::new("P", "ios").yaml();
        let device = |n: u32| {
            let device = Device::new(format_args!("SN{n:03}")).named(format_args!("d{n}"));
            let device = device.with("profile", "P").with("platform", "ios");
            device.with("osVersion", "\"1\"").yaml()
        };
        let mut files: Vec<(String, String)> = vec![("p.yaml".into(), profile)];
        files.extend((1..=5).map(|n| (format!("d{n}.yaml"), device(n))));
        let requests = self.there.keys().map(|n| (format!("r{n}.yaml"), POOL[*n].text.clone()));
        files.extend(requests);
        let read =
            files.iter().map(|(path, text)| parse_file(&Arc::from(&**path), text.as_bytes()));
        let mut desired = assemble(read);
        assert_eq!(desired.findings, vec![]);
        for wipe in &mut desired.wipes {
            let n: usize = wipe.request.name.as_str()[1..].parse().expect("a number");
            let (signed, vetoed) = &self.there[&n];
            let mut file = WipeFile::clone(wipe);
            let name = |who: usize| format!("{}.sig", PEOPLE[who]);
            file.signatures =
                signed.iter().map(|w| (name(*w), POOL[n].signatures[*w].clone())).collect();
            file.vetoes = vetoed.iter().map(|w| (name(*w), POOL[n].vetoes[*w].clone())).collect();
            *wipe = Arc::new(file);
        }
        desired
    }

    fn plan(&self) -> Plan {
        let desired = self.desired();
        let plan = plan(&Inputs {
            now: self.now,
            settings: &self.settings,
            desired: &desired,
            recorded: &self.state,
            heard: &[],
            news: &NO_NEWS,
            requests: &[],
            trust: if self.trusted { &self.trust } else { &TrustState::NotConfigured },
            heads: &[],
            clock: None,
        });
        guard(plan, &desired, &self.state, self.settings.limits, None).into_plan()
    }

    fn log(&mut self, event: Event, action: Option<&Action>, off: i64) {
        let at = self.now + TimeDelta::minutes(off);
        self.last = self.last.max(at);
        let entry = Entry {
            seq: self.state.seq + 1,
            at,
            device: action.and_then(|action| action.device()),
            actor: "test".into(),
            source: action.and_then(|action| action.source(None)),
            event,
        };
        self.state.fold(&entry, Digest::ZERO).expect("an entry that follows");
    }

    /// Logs the first `cut` actions of the plan, as a crash would leave it.
    fn pass(&mut self, cut: usize, off: i64) {
        // No two passes are made in one millisecond.
        self.now = self.now + TimeDelta::milliseconds(1);
        let behind = self.now < self.last;
        let plan = self.plan();
        for action in plan.actions.iter().take(cut) {
            let intent = self.state.seq + 1;
            let Some(event) = action.event(intent) else { continue };
            if let Event::WipeIssued(issued) = &event {
                assert!(!behind, "issued by a clock behind the log");
                self.check_signers(
                    issued.request,
                    &issued.signers.iter().map(|s| s.as_str()).collect(),
                );
                let at = self.last.max(self.now + TimeDelta::minutes(off));
                let people = u32::try_from(issued.signers.len()).expect("few");
                self.issued.push((issued.request, at, people));
            }
            self.log(event, Some(action), off);
            if let Some(Effect::Push { profile, .. }) = action.effect() {
                let done = Event::ProfilePushed(pushed(profile, intent));
                self.log(done, Some(action), off);
            }
        }
        if cut == usize::MAX && off == 0 {
            let again = self.plan().actions;
            let left: Vec<_> = again.iter().map(Action::kind).collect();
            assert!(left.iter().all(|kind| *kind == ActionKind::Push), "left to do: {left:?}");
        }
    }

    /// Only by signatures that are there now, and against no veto.
    fn check_signers(&self, request: Digest, signers: &BTreeSet<&str>) {
        let n = (0..REQUESTS).find(|n| Digest::of(POOL[*n].text.as_bytes()) == request);
        let (signed, vetoed) = &self.there[&n.expect("one of the pool")];
        let there: BTreeSet<_> =
            signed.iter().map(|who| format!("{}@example.com", PEOPLE[*who])).collect();
        assert!(
            signers.iter().all(|who| there.contains(*who)) && signers.contains("bob@example.com")
        );
        assert!(vetoed.is_empty() && self.trusted);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put(r) => {
                self.there.entry(r).or_default();
            }
            Step::Delete(r) => {
                self.there.remove(&r);
            }
            Step::Sign(r, p) => {
                self.there.entry(r).or_default().0.extend([p, 0]);
            }
            Step::Unsign(r, p) => {
                self.there.entry(r).or_default().0.remove(&p);
            }
            Step::Veto(r, p) => {
                self.there.entry(r).or_default().1.insert(p);
            }
            Step::Trusted(trusted) => self.trusted = trusted,
            Step::Clock(minutes) => self.now = self.now + TimeDelta::minutes(minutes),
            Step::Pass(cut, off) => self.pass(cut, off),
        }
    }
}

#[test]
fn no_window_ever_holds_more_than_its_tiers_allow_whatever_is_thrown_at_it() {
    let quorum = prop_oneof![
        Just(tiers(&[(1, 24, 1), (2, 24, 2), (4, 24, 3)])),
        Just(tiers(&[(1, 6, 1), (3, 48, 2)])),
        Just(tiers(&[(2, 24, 1)])),
        Just(tiers(&[(1, 48, 2), (2, 24, 3)])),
    ];
    let delay = prop_oneof![Just(0_i64), Just(60), Just(300)];
    let mix = (prop::collection::vec(step(), 1..60), quorum, delay);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = Config { cases: 120, failure_persistence: None, ..Config::default() };
    let issued = Cell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(&mix, |(steps, quorum, delay)| {
        let mut world = World::new(quorum, TimeDelta::minutes(delay));
        for step in &steps {
            world.step(step);
        }
        let times: Vec<_> = world.issued.iter().map(|(_, at, people)| (*at, *people)).collect();
        prop_assert!(allows(&times, &world.settings.wipes.quorum), "{times:?}");
        let once: BTreeSet<_> = world.issued.iter().map(|(request, ..)| request).collect();
        prop_assert_eq!(once.len(), world.issued.len(), "a request is issued once");
        issued.set(issued.get() + once.len());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("with the seed [7; 32]: {error}"));
    assert!(issued.get() > 60, "a storm without rain: {}", issued.get());
}
