//! Real files in real directories; the crash tests abort real processes.

mod crash;
mod inbox;
mod outbox;
mod reports;

use std::collections::BTreeMap;
use std::path::Path;

use std::sync::Arc;

use rustix::fs::{CWD, FileType, Mode};

use super::crash_points::CRASH_POINTS;
use super::embedded::{Local, lock};
use super::error::Error;
use super::outbox::Outbox;
use super::pending::pending;
use super::submit::submit;
use crate::domain::model::{
    DeviceId, Digest, Profile, Report, ReportId, Requirements, SerialNumber, Timestamp,
};
use crate::domain::state::State;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::{
    self, Asked, Cursor, Observed, Provider, Push, PushTarget, ReportOutcome, Target,
};

/// What was observed of one file.
#[derive(Debug, Clone, PartialEq)]
struct Batch {
    name: String,
    reports: Result<Vec<Report>, String>,
    bad: Vec<String>,
    ids: Vec<ReportId>,
}

/// What becomes of one file.
#[derive(Debug, Clone)]
struct Acknowledgement {
    ids: Vec<ReportId>,
    confirmed: Vec<u64>,
    rejected: Rejected,
}

#[derive(Debug, Clone)]
enum Rejected {
    None,
    Reports(Vec<Refused>),
    All(String),
}

#[derive(Debug, Clone)]
struct Refused {
    index: usize,
    why: String,
}

struct Fixture {
    dir: tempfile::TempDir,
    local: Local,
    runtime: tokio::runtime::Runtime,
    /// Where the last look ended.
    cursor: std::cell::RefCell<Cursor>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Outbox::new())
    }

    fn with(outbox: Outbox) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::with(dir.path().into(), outbox);
        Self { dir, local, runtime: runtime(), cursor: Cursor::new("").into() }
    }

    fn data(&self) -> &Path {
        self.dir.path()
    }

    fn drop_in(&self, name: &str, text: &str) {
        write(&self.data().join("inbox").join(name), text.as_bytes());
    }

    fn look(&self) -> Observed {
        let observed =
            self.runtime.block_on(self.local.observe(anything(&State::default()))).unwrap();
        if let Some(cursor) = &observed.cursor {
            self.cursor.replace(cursor.clone());
        }
        observed
    }

    fn observe(&self) -> Vec<Batch> {
        batches(&self.look())
    }

    fn troubles(&self) -> Vec<String> {
        let troubles = self.look().troubles;
        troubles
            .into_iter()
            .map(|trouble| format!("{}: {}", trouble.path, trouble.message))
            .collect()
    }

    fn observe_one(&self) -> Result<Vec<Report>, String> {
        let mut batches = self.observe();
        assert_eq!(batches.len(), 1, "{batches:?}");
        batches.remove(0).reports
    }

    fn acknowledge(&self, done: Vec<Acknowledgement>) -> Result<(), provider::Error> {
        let cursor = self.cursor.borrow();
        self.runtime.block_on(self.local.acknowledge(&cursor, outcomes(done)))
    }

    fn push(&self, intent: u64, profile: &Arc<Profile>, serials: &[&str]) -> Outcomes {
        push(&self.runtime, &self.local, intent, profile, serials)
    }

    fn pending(&self, name: &str) -> Vec<String> {
        let commands = pending(self.data(), &serial(name)).unwrap();
        commands.iter().map(|c| format!("{} {}", c.id, c.command)).collect()
    }

    /// Every file below the data directory, by path, with its content.
    fn tree(&self) -> BTreeMap<String, String> {
        tree(self.data())
    }
}

type Outcomes = Vec<Result<(), provider::Error>>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn push(
    runtime: &tokio::runtime::Runtime,
    local: &Local,
    intent: u64,
    profile: &Arc<Profile>,
    serials: &[&str],
) -> Outcomes {
    let target = |name: &&str| {
        PushTarget {
        id: DeviceId::FIRST,
        spec: serde_json::from_value(serde_json::json!({
            "name": "x", "serialNumber": name, "userEmail": "ana@example.com", "profile": "Standard",
            "platform": "windows", "osVersion": "10", "ownership": "corporate",
        }))
        .unwrap(),
        leaves: Vec::new(),
        former_users: Vec::new(),
    }
    };
    let targets = serials.iter().map(target).collect();
    runtime.block_on(local.push(Push { intent, profile: profile.clone(), targets }))
}

/// All that there is to hear.
fn anything(recorded: &State) -> Asked<'_> {
    Asked { cursor: None, recorded }
}

fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(dir) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                let regular = path.symlink_metadata().unwrap().is_file();
                let text = if regular { std::fs::read(&path).unwrap() } else { Vec::new() };
                files.insert(name, String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
    files
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

fn profile(name: &str, version: u32) -> Arc<Profile> {
    Arc::new(Profile {
        name: name.parse().unwrap(),
        description: String::new(),
        platforms: vec![crate::domain::model::Platform::Windows],
        apps: vec!["VPN".into()],
        settings: serde_json::json!({ "revision": version }),
        licenses: vec!["SPE_E3".into()],
        compliance: Requirements::default(),
        intune: None,
        digest: Digest::of(&version.to_be_bytes()),
    })
}

/// File by file, in their order.
fn batches(observed: &Observed) -> Vec<Batch> {
    let mut batches = BTreeMap::new();
    fn batch<'a>(batches: &'a mut BTreeMap<String, Batch>, origin: &str) -> &'a mut Batch {
        let name = origin.strip_prefix("inbox/").unwrap().to_owned();
        let (reports, bad, ids) = (Ok(Vec::new()), Vec::new(), Vec::new());
        batches.entry(name.clone()).or_insert(Batch { name, reports, bad, ids })
    }
    for observation in &observed.reports {
        let batch = batch(&mut batches, &observation.origin);
        batch.reports.as_mut().unwrap().push(observation.report.clone());
        batch.ids.push(observation.id.clone());
    }
    for unusable in &observed.unusable {
        let batch = batch(&mut batches, &unusable.origin);
        if unusable.whole {
            batch.reports = Err(unusable.why.clone());
        } else {
            batch.bad.push(unusable.why.clone());
        }
    }
    batches.into_values().collect()
}

fn outcomes(done: Vec<Acknowledgement>) -> Vec<provider::Acknowledgement> {
    let mut outcomes = Vec::new();
    for Acknowledgement { ids, confirmed, rejected } in done {
        for (index, id) in ids.into_iter().enumerate() {
            let why = match &rejected {
                Rejected::None => None,
                Rejected::Reports(refused) => {
                    refused.iter().find(|r| r.index == index).map(|r| r.why.clone())
                }
                Rejected::All(why) => Some(why.clone()),
            };
            let outcome = why.map_or(
                ReportOutcome::Taken { erased: confirmed.clone(), synced: vec![] },
                ReportOutcome::Refused,
            );
            outcomes.push(provider::Acknowledgement { id, outcome });
        }
    }
    outcomes
}

fn taken(batch: &Batch) -> Acknowledgement {
    let ids = batch.ids.clone();
    Acknowledgement { ids, confirmed: vec![], rejected: Rejected::None }
}

fn report(serial: &str) -> String {
    format!("{{\"serialNumber\":\"{serial}\",\"at\":\"2026-11-22T09:00:00Z\"}}\n")
}

const FULL: &str = r#"{"serialNumber":"PF3XK9Q2","at":"2026-11-22T09:00:00Z","osVersion":"10.0.26100.2314",
 "antivirus":{"enabled":true,"signaturesUpdatedAt":"2026-11-21T22:00:00Z"},
 "encryption":{"enabled":true},"screenLock":{"enabled":true,"pinLength":6},
 "enrollmentError":null,"wiped":false,"completed":["c17"]}"#;

/// A device with commands besides a profile.
const OTHERS: &str = r#"{"version":1,"commands":[
    {"id":"c9","command":"sync"},
    {"id":"c10","command":"profile","profile":"Old","digest":"x"},
    {"id":"c30","command":"selectiveWipe","request":"d007-lost","deep":{"a":[1]}}]}"#;
