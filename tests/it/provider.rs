//! A second provider, far from files: rows with ids of its own, looks that fail or see only a part,
//! and a wish to be asked rarely. A pass and the daemon run over it as over the first one.

mod batches;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use fleetform::app::daemon::{Daemon, Options};
use fleetform::app::execute::Outcome;
use fleetform::app::reconcile::Decision;
use fleetform::app::signals::Signals;
use fleetform::app::status::View;
use fleetform::domain::diagnosis::Check;
use fleetform::domain::model::{ReportId, Status, Timestamp};
use fleetform::domain::plan::{Hold, HoldReason, IssuableWipe};
use fleetform::domain::settings::{LicenseStart, Settings};
use fleetform::domain::state::State;
use fleetform::domain::state::event::ErrorClass;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::config::Config;
use fleetform::edges::ledger::{self, Expected, Ledger};
use fleetform::edges::provider::local::parse_reports;
use fleetform::edges::provider::{
    Acknowledgement, Asked, Cadence, Cursor, Diagnosis, Error, LicenseTarget, Licensed, Limits,
    Observation, Observed, Prepared, Presence, ProfileSetup, Provider, Push, Receipt,
    ReportOutcome, Target, WatchedDir, WipeOrder, Withdrawn,
};
use fleetform::edges::requests;
use fleetform::edges::source;
use fleetform::edges::watch::Pace;
use tokio::sync::watch;

use super::support::{Fixture, PROFILE, Pass, execute_untrusted};

type Look = Result<Observed, Error>;

type BeforePush = Box<dyn Fn(&Push) + Send + Sync>;

/// An MDM somewhere else.
#[derive(Default)]
struct Remote {
    every: Option<Duration>,
    /// A directory that wakes it, where something arrives during its first look.
    wakes: Option<PathBuf>,
    /// What happens right before each push.
    meets: Option<BeforePush>,
    /// What is configured.
    settings: Settings,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// What it will say; then nothing more.
    looks: VecDeque<Look>,
    /// With which cursors it was asked.
    asked: Vec<Option<String>>,
    pushed: Vec<String>,
    /// Users that were to get a license, each with whether they were given it before.
    licensed: Vec<(String, bool)>,
    /// Serial numbers, each with the intent.
    synced: Vec<(String, u64)>,
    /// Why it takes no sync.
    sync: Option<Error>,
    /// The cursor, and the ids with what became of them.
    acknowledged: Vec<(String, Vec<Acknowledgement>)>,
}

impl Remote {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no panic")
    }

    fn will_say(&self, look: Look) {
        self.seen().looks.push_back(look);
    }
}

#[async_trait]
impl Provider for Remote {
    fn limits(&self) -> Limits {
        Limits { batch: 20, concurrency: 4, timeout: Duration::from_secs(5) }
    }

    fn cadence(&self) -> Cadence {
        let wakes = self.wakes.iter().map(|dir| WatchedDir { dir: dir.clone(), ignoring: &[] });
        Cadence { wakes: wakes.collect(), every: self.every }
    }

    async fn observe(&self, Asked { cursor, .. }: Asked<'_>) -> Result<Observed, Error> {
        let mut seen = self.seen();
        if let (Some(dir), true) = (&self.wakes, seen.asked.is_empty()) {
            std::fs::write(dir.join("row"), "new").expect("it is written");
        }
        seen.asked.push(cursor.map(ToString::to_string));
        seen.looks.pop_front().unwrap_or_else(|| Ok(nothing()))
    }

    async fn prepare(&self, _: &ProfileSetup) -> Result<Prepared, Error> {
        Ok(Prepared::default())
    }

    async fn push(&self, push: Push) -> Vec<Result<(), Error>> {
        if let Some(meets) = &self.meets {
            meets(&push);
        }
        let serials = push.targets.iter().map(|target| target.spec.serial_number.to_string());
        self.seen().pushed.extend(serials);
        vec![Ok(()); push.targets.len()]
    }

    async fn assign_license(
        &self,
        _: &str,
        targets: Vec<LicenseTarget>,
        _: u64,
    ) -> Vec<Result<Licensed, Error>> {
        let users = targets.iter().map(|target| (target.user.to_string(), target.given));
        self.seen().licensed.extend(users);
        vec![Ok(Licensed::Assigned); targets.len()]
    }

    async fn sync(&self, targets: Vec<Target>, intent: u64) -> Vec<Result<(), Error>> {
        let mut seen = self.seen();
        seen.synced.extend(targets.iter().map(|target| (target.serial.to_string(), intent)));
        vec![seen.sync.clone().map_or(Ok(()), Err); targets.len()]
    }

    async fn set_access(&self, targets: Vec<Target>, _: bool, _: u64) -> Vec<Result<(), Error>> {
        vec![Ok(()); targets.len()]
    }

    async fn wipe(&self, _: &IssuableWipe, _: WipeOrder<'_>) -> Result<Receipt, Error> {
        unreachable!("nobody asks for a wipe")
    }

    async fn has(&self, _: &Target, _: u64, _: Option<u64>) -> Result<Presence, Error> {
        Ok(Presence::Unknown)
    }

    async fn withdraw(&self, _: &Target, _: u64) -> Result<Withdrawn, Error> {
        Ok(Withdrawn::Gone)
    }

    async fn acknowledge(&self, cursor: &Cursor, done: Vec<Acknowledgement>) -> Result<(), Error> {
        self.seen().acknowledged.push((cursor.to_string(), done));
        Ok(())
    }

    async fn diagnose(&self, _: Diagnosis<'_>) -> Vec<Check> {
        Vec::new()
    }
}

fn nothing() -> Observed {
    Observed { complete: true, ..Observed::default() }
}

fn fails() -> Look {
    Err(Error::new(ErrorClass::Transient, "503 Service Unavailable"))
}

/// These devices are healthy; each row has an id that is no place in a list.
fn says(cursor: &str, serials: &[&str], complete: bool) -> Look {
    let report = |serial: &&str| {
        let text = format!(
            "{{\"serialNumber\":\"{serial}\",\"at\":\"{}\",\"osVersion\":\"10\"}}",
            "2026-11-22T12:00:00Z"
        );
        Observation {
            id: ReportId::new(format!("row-{serial}#1f")),
            origin: "somewhere".into(),
            report: parse_reports(text.as_bytes()).good.remove(0).1,
        }
    };
    let reports = serials.iter().map(report).collect();
    Ok(Observed { reports, complete, cursor: Some(Cursor::new(cursor)), ..nothing() })
}

/// Two devices and their profile.
fn fleet() -> Fixture {
    let fixture = Fixture::empty();
    fixture.write(
        "fleet/profile.yaml",
        "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: \
         [windows]}\n",
    );
    for serial in ["A", "B"] {
        let text = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: dev-{}}}\nspec:\n  \
             serialNumber: SN{serial}\n  userEmail: ana@example.com\n  profile: Standard\n  platform: \
             windows\n  osVersion: \"10\"\n",
            serial.to_lowercase()
        );
        fixture.write(&format!("fleet/{serial}.yaml"), text);
    }
    fixture
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// What is decided, and the ledger that it rests on.
fn decided(fixture: &Fixture, remote: &Remote) -> (Ledger, Decision) {
    let ledger = ledger::file::open(&fixture.path("data"), "test".into(), now).expect("a ledger");
    let desired = source::load(&fixture.path("fleet"));
    let (settings, trust) = (&remote.settings, &TrustState::NotConfigured);
    let requests = &requests::read(&fixture.path("data"));
    let pass = Pass { now: now(), settings, desired: &desired, requests, trust };
    let decision = pass.decide(ledger.state(), remote, None);
    (ledger, decision)
}

/// One pass as `apply` makes it: its holds, what came of it, and the record after it.
fn pass(fixture: &Fixture, remote: &Arc<Remote>) -> (Vec<Hold>, Outcome, State) {
    let (mut ledger, decision) = decided(fixture, remote);
    let provider: Arc<dyn Provider> = remote.clone();
    let holds = decision.approved.plan().holds.clone();
    let outcome = execute_untrusted(decision, &mut ledger, &provider);
    (holds, outcome, ledger.state().clone())
}

#[test]
fn while_it_cannot_be_observed_a_pass_goes_on_and_commands_wait() {
    let (fixture, remote) = (fleet(), Arc::new(Remote::default()));
    remote.will_say(fails());
    let (holds, outcome, recorded) = pass(&fixture, &remote);
    assert_eq!(holds.len(), 2, "{holds:?}");
    for hold in holds {
        assert_eq!(hold.reason, HoldReason::BackingOff);
        assert!(hold.detail.contains("503 Service Unavailable"), "{hold:?}");
    }
    assert_eq!((outcome.left, recorded.profiles.len(), recorded.devices.len()), (0, 1, 0));
    assert!(remote.seen().pushed.is_empty() && remote.seen().acknowledged.is_empty());
    let (holds, _, recorded) = pass(&fixture, &remote);
    assert_eq!((holds, recorded.devices.len()), (vec![], 2));
    assert_eq!(remote.seen().pushed, ["SNA", "SNB"]);

    // What needs nothing of the provider is done: a manifest that is gone is noted.
    fixture.remove("fleet/B.yaml");
    remote.will_say(fails());
    let (_, _, recorded) = pass(&fixture, &remote);
    assert_eq!(recorded.devices.values().filter(|d| d.rare.orphaned_since.is_some()).count(), 1);
}

#[test]
fn what_it_says_is_acknowledged_by_its_own_ids_and_silence_means_nothing() {
    let (fixture, remote) = (fleet(), Arc::new(Remote::default()));
    pass(&fixture, &remote);
    remote.will_say(says("delta-7", &["SNB", "SNX", "SNA"], true));
    let (_, _, before) = pass(&fixture, &remote);
    let statuses: Vec<_> = before.devices.values().map(|device| device.status).collect();
    assert_eq!(statuses, [Status::Enrolled, Status::Enrolled]);
    {
        let seen = remote.seen();
        let [(cursor, done)] = &seen.acknowledged[..] else { panic!("once") };
        assert_eq!(cursor, "delta-7");
        let taken = |serial: &str| Acknowledgement {
            id: ReportId::new(format!("row-{serial}#1f")),
            outcome: ReportOutcome::Taken { erased: vec![], synced: vec![] },
        };
        assert_eq!((&done[0], &done[2]), (&taken("SNB"), &taken("SNA")));
        let refused = "no device with serial number SNX is recorded".to_owned();
        let id = ReportId::new("row-SNX#1f");
        assert_eq!(done[1], Acknowledgement { id, outcome: ReportOutcome::Refused(refused) });
    }
    // A look that saw only a part of the fleet, and one that saw nothing of it.
    for look in [says("delta-8", &["SNA"], false), says("delta-9", &[], false)] {
        remote.will_say(look);
        let (holds, _, after) = pass(&fixture, &remote);
        assert_eq!((holds, &after.devices), (vec![], &before.devices));
    }
}

#[test]
fn the_daemon_asks_it_when_it_wants_to_be_asked_and_goes_on_from_where_it_was() {
    let fixture = fleet();
    let every = Some(Duration::from_millis(50));
    let remote = Arc::new(Remote { every, ..Remote::default() });
    for _ in 0..2 {
        remote.will_say(fails());
    }
    remote.will_say(Ok(nothing()));
    remote.will_say(says("delta-1", &["SNA"], true));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let first = View::first(unattended(&fixture, None).0);
        let views = watch::Sender::new(Arc::new(first));
        let mut seen = views.subscribe();
        let second = Duration::from_secs(1);
        let (config, options) = unattended(&fixture, Some(views));
        let signals = Signals::listen().expect("signals");
        let daemon = Daemon::start(config, remote.clone(), Expected::Any, options, signals);
        let works = async {
            let degraded = seen.wait_for(|view| !view.degraded.is_empty()).await.expect("a view");
            let [why] = &degraded.degraded[..] else { panic!("{:?}", degraded.degraded) };
            assert!(why.contains("cannot be observed: 503 Service Unavailable"), "{why}");
            drop(degraded);
            let enrolled = |view: &Arc<View>| {
                let statuses = view.recorded.devices.values().map(|device| device.status);
                statuses.filter(|status| *status == Status::Enrolled).count() == 1
            };
            let view = seen.wait_for(enrolled).await.expect("a view").clone();
            assert_eq!((&view.not_ready, &view.degraded), (&vec![], &vec![]));
            while remote.seen().asked.last() != Some(&Some("delta-1".to_owned())) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            done = daemon.expect("it starts").run() => panic!("{done:?}"),
            () = works => {}
            () = tokio::time::sleep(60 * second) => panic!("{:?}", remote.seen().asked),
        }
    });
    let seen = remote.seen();
    assert_eq!(seen.pushed, ["SNA", "SNB"]);
    assert_eq!(seen.acknowledged.len(), 1);
    assert!(seen.asked[..4].iter().all(Option::is_none), "{:?}", seen.asked);
}

#[test]
fn what_arrives_while_the_daemon_looks_for_the_first_time_waits_for_no_resync() {
    let fixture = fleet();
    let wakes = fixture.path("rows");
    std::fs::create_dir(&wakes).expect("a directory");
    let remote = Arc::new(Remote { wakes: Some(wakes), ..Remote::default() });
    let (config, options) = unattended(&fixture, None);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let signals = Signals::listen().expect("signals");
        let daemon = Daemon::start(config, remote.clone(), Expected::Any, options, signals);
        let asked_again = async {
            while remote.seen().asked.len() < 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            done = daemon.expect("it starts").run() => panic!("{done:?}"),
            () = asked_again => {}
            () = tokio::time::sleep(Duration::from_secs(20)) => panic!("it was not asked again"),
        }
    });
}

/// A daemon over the fixture that looks for changes each second, and resyncs in an hour.
fn unattended(fixture: &Fixture, views: Option<watch::Sender<Arc<View>>>) -> (Config, Options) {
    let mut config = Config::default();
    (config.fleet, config.data) = (fixture.path("fleet"), fixture.path("data"));
    let second = Duration::from_secs(1);
    let options = Options {
        actor: "test".into(),
        resync: 3600 * second,
        pace: Pace { quiet: second, most: 2 * second, poll: second, always_poll: true },
        reload: Box::new(|config| Ok(config.clone())),
        views,
    };
    (config, options)
}

/// The devices that are to sync, in one request.
fn ask(fixture: &Fixture, ids: &[&str]) {
    let state = ledger::file::read(&fixture.path("data")).expect("a ledger");
    let named = ids.iter().map(|id| {
        let id = id.parse().expect("an id");
        (id, state.devices[&id].spec.serial_number.clone())
    });
    let named: Vec<_> = named.collect();
    requests::submit(&fixture.path("data"), "uid=0", &named, now()).expect("a request");
}

#[test]
fn a_sync_waits_while_it_cannot_be_observed_and_what_it_refuses_is_logged() {
    let (fixture, remote) = (fleet(), Arc::new(Remote::default()));
    pass(&fixture, &remote);
    ask(&fixture, &["D001", "D002"]);
    remote.will_say(fails());
    let (holds, ..) = pass(&fixture, &remote);
    assert_eq!(holds.iter().filter(|h| h.detail.contains("503 Service Unavailable")).count(), 2);
    assert!(remote.seen().synced.is_empty());
    let (_, outcome, recorded) = pass(&fixture, &remote);
    let intent = recorded.seq - 1;
    let both = vec![("SNA".to_owned(), intent), ("SNB".to_owned(), intent)];
    assert_eq!((&remote.seen().synced, &outcome.failed), (&both, &vec![]));

    let (fixture, remote) = (fleet(), Arc::new(Remote::default()));
    pass(&fixture, &remote);
    ask(&fixture, &["D001"]);
    remote.seen().sync = Some(Error::new(ErrorClass::Permanent, "it is not enrolled there"));
    let (_, outcome, recorded) = pass(&fixture, &remote);
    assert_eq!(outcome.failed.len(), 1);
    let first = recorded.devices.values().next().expect("a device");
    let failed =
        first.rare.sync_requested.as_ref().expect("asked").failed.as_ref().expect("refused");
    assert_eq!((failed.0, &*failed.1), (ErrorClass::Permanent, "it is not enrolled there"));
    // Whoever still wants it asks again.
    pass(&fixture, &remote);
    assert_eq!(remote.seen().synced.len(), 1);
}
