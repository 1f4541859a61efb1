//! When the loop wakes: the paused clock makes waiting free.

use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use tokio::time::Instant;

use super::options::Options;
use super::schedule::{Next, NextStep};
use super::unattended::Daemon;
use crate::app::deliveries::SinkStatus;
use crate::app::signals::Signals;
use crate::app::wiring;
use crate::domain::model::{Status, Timestamp};
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::ledger::Expected;
use crate::edges::watch::{Pace, Touched};

/// A daemon over an empty fleet that only looks for changes, each `poll`.
fn daemon(dir: &TempDir, poll: Duration, resync: Duration) -> Daemon {
    let (fleet, data) = (dir.path().join("fleet"), dir.path().join("data"));
    fs::create_dir_all(&fleet).unwrap();
    let config = Config { fleet, data, ..Config::default() };
    let pace = Pace {
        quiet: Duration::from_millis(300),
        most: Duration::from_secs(2),
        poll,
        always_poll: true,
    };
    let reload = Box::new(|config: &Config| Ok(config.clone()));
    let options = Options { actor: "test".into(), resync, pace, reload, views: None };
    let provider = wiring::provider(&config).expect("local");
    let mut daemon =
        Daemon::start(config, provider, Expected::Any, options, Signals::listen().unwrap())
            .unwrap();
    daemon.watch.arm();
    daemon.touched = Touched::default();
    daemon
}

fn in_seconds(seconds: i64) -> Timestamp {
    clock::now() + TimeDelta::seconds(seconds)
}

/// How many seconds it waits.
async fn waits(daemon: &mut Daemon) -> f64 {
    let start = Instant::now();
    assert!(matches!(daemon.wait().await, NextStep::Pass));
    start.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_looked_for_in_time_while_a_deadline_lies_ahead() {
    for poll in [1, 2, 5, 30] {
        let dir = TempDir::new().unwrap();
        let mut daemon = daemon(&dir, Duration::from_secs(poll), Duration::from_secs(3600));
        daemon.next.due = Some(in_seconds(36_000));
        fs::write(dir.path().join("fleet/a.yaml"), "").unwrap();
        let waited = waits(&mut daemon).await;
        assert!(waited <= poll as f64 + 0.4, "every {poll} s, and it took {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_timer_is_put_off_by_a_turn_of_the_loop() {
    let dir = TempDir::new().unwrap();
    let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
    // Looks that find nothing end each turn after 100 ms, and a deadline ends it after a second.
    let mut daemon = daemon(&dir, Duration::from_millis(100), minute);
    let about = |waited: f64, seconds: f64| (waited - seconds).abs() < 0.1;
    let reset = |daemon: &mut Daemon| {
        daemon.last.complete_at = Instant::now();
        daemon.touched = Touched::default();
        daemon.next = Next { due: Some(in_seconds(36_000)), ..Next::default() };
    };

    reset(&mut daemon);
    assert!(about(waits(&mut daemon).await, 60.0), "the look at everything");

    reset(&mut daemon);
    daemon.next.at = Some(Instant::now() + Duration::from_secs(7));
    assert!(about(waits(&mut daemon).await, 7.0), "a retry, a second look");

    reset(&mut daemon);
    daemon.next.not_before = Some(Instant::now() + hour);
    assert!(about(waits(&mut daemon).await, 3600.0), "after a pass that failed");

    // Beside the resync that is a day away a deadline is met by the clock on the wall.
    reset(&mut daemon);
    daemon.last.complete_at = Instant::now() + hour * 24;
    daemon.next.due = Some(in_seconds(-1));
    assert!(about(waits(&mut daemon).await, 0.0), "a deadline");
}

#[tokio::test(start_paused = true)]
async fn as_long_as_git_is_at_work_no_pass_is_made_to_see_whether_it_still_is() {
    let dir = TempDir::new().unwrap();
    let mut daemon = daemon(&dir, Duration::from_secs(3600), Duration::from_secs(60));
    let lock = dir.path().join("fleet/.git/index.lock");
    fs::create_dir(lock.parent().unwrap()).unwrap();
    fs::write(&lock, "").unwrap();
    // When to see whether Git is done, when a pass is due for another reason, whether Git is at work.
    for (git, at, busy, seconds) in [
        (Some(1), None, true, 60.0),
        (Some(1), Some(7), true, 7.0),
        (Some(7), Some(1), true, 1.0),
        (None, Some(1), true, 1.0),
        (Some(1), None, false, 1.0),
    ] {
        if !busy {
            fs::remove_file(&lock).unwrap();
        }
        daemon.touched = Touched::default();
        daemon.last.complete_at = Instant::now();
        let after = |seconds| Instant::now() + Duration::from_secs(seconds);
        daemon.next = Next { at: at.map(after), git: git.map(after), ..Next::default() };
        let waited = waits(&mut daemon).await;
        assert!((waited - seconds).abs() < 0.1, "{git:?} {at:?} {busy}: {waited}");
    }
}

#[tokio::test]
async fn an_alert_is_published_though_nothing_else_happened_and_over_when_that_is_seen() {
    let (dir, hour) = (TempDir::new().unwrap(), Duration::from_secs(3600));
    let mut daemon = daemon(&dir, hour, hour);
    daemon.config.notify.alerts.webhooks = vec!["siem".parse().unwrap()];
    // Without any manifest everything is frozen, and each pass looks at everything.
    let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows]}\n";
    fs::write(dir.path().join("fleet/profile.yaml"), profile).unwrap();
    daemon.touched = Touched::anything();
    daemon.pass().await.unwrap();
    daemon.publish().await.unwrap();
    let quiet = |daemon: &mut Daemon| {
        daemon.touched = Touched::default();
        daemon.last.resync = true;
    };
    quiet(&mut daemon);
    daemon.pass().await.unwrap();
    assert!(!daemon.publication.wanted(), "nothing is new");

    daemon.deliveries.statuses().change("webhook:dead", |status| {
        (status.known, status.waiting, status.oldest) = (true, 1, Some(in_seconds(-36_000)));
    });
    quiet(&mut daemon);
    daemon.pass().await.unwrap();
    assert_eq!(daemon.ledger.as_ref().unwrap().state().alerts.len(), 1);
    assert!(daemon.publication.wanted(), "those who hear of it read what is published");

    // As after a restart, before the sink has looked what waits.
    daemon.deliveries.statuses().change("webhook:dead", |status| *status = SinkStatus::default());
    quiet(&mut daemon);
    daemon.pass().await.unwrap();
    assert_eq!(daemon.ledger.as_ref().unwrap().state().alerts.len(), 1, "it is not over");
    daemon.deliveries.statuses().change("webhook:dead", |status| status.known = true);
    quiet(&mut daemon);
    daemon.pass().await.unwrap();
    assert!(daemon.ledger.as_ref().unwrap().state().alerts.is_empty());
}

/// A daemon over two devices, whose inbox nobody watches.
struct Reporting {
    dir: TempDir,
    daemon: Daemon,
}

impl Reporting {
    /// After the first pass.
    async fn begin() -> Self {
        let (dir, hour) = (TempDir::new().unwrap(), Duration::from_secs(3600));
        let daemon = daemon(&dir, hour, hour);
        let mut place = Self { dir, daemon };
        let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\nspec: {platforms: [windows]}\n";
        fs::write(place.dir.path().join("fleet/profile.yaml"), profile).unwrap();
        for serial in ["A", "B"] {
            place.manifest(serial, "10");
        }
        place.pass(Touched::anything()).await;
        place
    }

    fn manifest(&self, serial: &str, version: &str) {
        let text = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: dev-{}}}\nspec: {{serialNumber: {serial}, userEmail: \
             a@example.com, profile: Standard, platform: windows, osVersion: \"{version}\"}}\n",
            serial.to_lowercase()
        );
        fs::write(self.dir.path().join(format!("fleet/{serial}.yaml")), text).unwrap();
    }

    fn report(&self, serial: &str) {
        let text = format!("{{\"serialNumber\":\"{serial}\",\"at\":\"{}\"}}\n", clock::now());
        let inbox = self.dir.path().join("data/inbox");
        fs::create_dir_all(&inbox).unwrap();
        fs::write(inbox.join(serial), text).unwrap();
    }

    fn is_acknowledged(&self, serial: &str) -> bool {
        !self.dir.path().join("data/inbox").join(serial).exists()
    }

    async fn pass(&mut self, touched: Touched) {
        self.daemon.touched = touched;
        self.daemon.pass().await.unwrap();
    }

    /// Until the snapshot that is being written is there.
    async fn saved(&mut self) {
        assert!(matches!(self.daemon.wait().await, NextStep::Saved));
        self.daemon.end_saving().await.unwrap();
    }

    fn statuses(&self) -> Vec<Status> {
        let recorded = self.daemon.ledger.as_ref().unwrap().state();
        recorded.devices.values().map(|device| device.status).collect()
    }
}

#[tokio::test]
async fn while_reports_wait_for_a_snapshot_no_deadline_is_missed_that_others_may_have_met() {
    let mut place = Reporting::begin().await;
    place.report("A");
    place.pass(Touched::anything()).await;
    assert_eq!(place.statuses(), [Status::Enrolled, Status::Pending]);
    // The report of B is not read yet, and its time is over.
    place.report("B");
    place.daemon.config.settings.enrollment_deadline = TimeDelta::zero();
    place.manifest("B", "11");
    let edited = Touched { files: ["B.yaml".into()].into(), reports: true, ..Touched::default() };
    place.pass(edited).await;
    assert_eq!(place.statuses(), [Status::Enrolled, Status::Pending]);
    place.pass(Touched::anything()).await;
    assert_eq!(place.statuses(), [Status::Enrolled, Status::Pending]);
    assert!(!place.is_acknowledged("A") && place.daemon.next.due.is_none());

    place.daemon.publish().await.unwrap();
    place.saved().await;
    assert!(place.is_acknowledged("A") && !place.is_acknowledged("B"));
    assert!(matches!(place.daemon.wait().await, NextStep::Pass));
    place.daemon.pass().await.unwrap();
    assert_eq!(place.statuses(), [Status::Enrolled, Status::Enrolled]);
}

#[tokio::test]
async fn a_snapshot_that_was_begun_before_reports_were_heard_acknowledges_none() {
    let mut place = Reporting::begin().await;
    place.daemon.publish().await.unwrap();
    assert!(place.daemon.ledger.as_ref().unwrap().is_saving());
    place.report("A");
    place.pass(Touched::anything()).await;
    place.daemon.publish().await.unwrap();
    place.saved().await;
    assert!(!place.is_acknowledged("A"), "that one does not say what A reported");
    assert!(matches!(place.daemon.wait().await, NextStep::Publish));
    place.daemon.publish().await.unwrap();
    place.saved().await;
    assert!(place.is_acknowledged("A"));
}
