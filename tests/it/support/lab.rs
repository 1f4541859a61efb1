//! A fleet, its ledger and its administrators in a temporary directory, and passes in this process.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex};

use chrono::TimeDelta;
use fleetform::app::execute::Control;
use fleetform::app::reconcile::{
    Basis, Unconfirmed, acknowledge, carry_out, decide, heads, observe, reread,
};
use fleetform::domain::model::{Digest, Timestamp};
use fleetform::domain::plan::{Fresh, WipeView};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::wipe::WipeFile;
use fleetform::domain::wipe::trust_state::TrustState;
use fleetform::edges::ledger;
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::Local;
use fleetform::edges::requests;
use fleetform::edges::source;
use fleetform::edges::trust_files;
use serde_json::{Value, json};

use super::clock::{Clock, start};
use super::files::{Snapshot, copy, write};
use super::fleet::{Device, LEDGER, PLAIN_PROFILE};
use super::keys::{WIPE, line, signature, trusted};
use super::scratch::directory;

/// A ledger of that lineage, before its first pass.
pub fn begin_ledger(data: &Path, at: Timestamp) {
    let first = format!(
        "{{\"seq\":1,\"at\":\"{at}\",\"kind\":\"ledger.created\",\"actor\":\"test\",\"data\":{{\"version\":1,\
         \"lineage\":\"{LEDGER}\"}},\"prev\":\"{}\"}}",
        Digest::ZERO
    );
    write(data.join("audit.jsonl"), format!("{first}\n"));
}

pub struct Lab {
    dir: tempfile::TempDir,
    clock: Clock,
    pub settings: Settings,
    pub provider: Arc<dyn Provider>,
    meanwhile: Mutex<VecDeque<Event>>,
}

/// Something that happens.
type Event = Box<dyn FnOnce(&Lab) + Send>;

impl Lab {
    /// With five devices, `D001` to `D005`; the last is a personal one.
    pub fn new() -> Self {
        static PROVISIONED: LazyLock<Snapshot> =
            LazyLock::new(|| Snapshot::of(Lab::with(5).dir.path()));
        let lab = Self::at_start();
        PROVISIONED.write(lab.dir.path());
        lab
    }

    fn at_start() -> Self {
        let dir = directory();
        let provider = Arc::new(Local::new(dir.path().join("data")));
        let (settings, meanwhile) = (Settings::default(), Mutex::default());
        Self { dir, clock: Clock::new(start()), settings, provider, meanwhile }
    }

    pub fn with(devices: u32) -> Self {
        let lab = Self::at_start();
        lab.at(start() + TimeDelta::hours(-1));
        begin_ledger(&lab.path("data"), lab.now());
        lab.put("standard.yaml", PLAIN_PROFILE);
        for n in 1..=devices {
            let ownership = if n == 5 { "personal" } else { "corporate" };
            lab.device(n, 1, ownership);
        }
        let lines = ["bob", "carol", "dave"].map(trusted);
        lab.trust(&(lines.concat() + &line("bob", "", "bob2")));
        lab.pass();
        lab.at(start());
        lab
    }

    /// The same files in another directory, at the same time.
    pub fn copy(&self, change: impl FnOnce(&Self)) -> Self {
        let dir = directory();
        copy(self.dir.path(), dir.path());
        let provider = Arc::new(Local::new(dir.path().join("data")));
        let (clock, settings) = (self.clock.clone(), self.settings.clone());
        let lab = Self { dir, clock, settings, provider, meanwhile: Mutex::default() };
        change(&lab);
        lab
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        write(self.path("fleet").join(name), bytes);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path("fleet").join(name)).expect("removed");
    }

    pub fn device(&self, n: u32, enrollment: u32, ownership: &str) {
        let device = Device::new(format_args!("SN{n:03}")).named(format_args!("dev-{n}"));
        let device = device.with("userEmail", format_args!("u{n}@example.com"));
        let device = device.with("ownership", ownership).with("enrollment", enrollment);
        self.put(&format!("dev-{n}.yaml"), device.yaml());
    }

    pub fn trust(&self, text: &str) {
        write(self.path("etc/allowed_signers"), text);
    }

    /// Writes a request and the signatures of these people beside it.
    pub fn request(&self, file: &str, text: &str, signers: &[&str]) {
        self.put(file, text);
        for who in signers {
            self.put(&format!("{file}.{who}.sig"), signature(who, WIPE, text.as_bytes()));
        }
    }

    pub fn at(&self, now: Timestamp) {
        self.clock.set(now);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn wait(&self, delta: TimeDelta) {
        self.clock.advance(delta);
    }

    fn trusted(&self) -> TrustState {
        let trust = trust_files::read(
            &self.path("etc/allowed_signers"),
            Some(&self.path("etc/revoked_keys")).filter(|path| path.exists()).map(|p| &**p),
            &self.path("fleet"),
        );
        trust.map_or_else(|error| TrustState::Broken(error.to_string()), TrustState::Usable)
    }

    fn log_reader(&self) -> Arc<dyn ledger::Reader> {
        ledger::file::reader(&self.path("data"))
    }

    /// What a wipe was judged by, read again, after whatever is to happen meanwhile.
    fn reread(&self, file: &WipeFile) -> Fresh {
        if let Some(happens) = self.meanwhile.lock().expect("no panic").pop_front() {
            happens(self);
        }
        let (fleet, now) = (self.path("fleet"), || self.now());
        reread((&fleet, &*self.log_reader()), &self.settings, || self.trusted(), now, file)
    }

    /// What happens before a wipe is judged for the n-th time while it is carried out.
    pub fn meanwhile(&self, happens: impl FnOnce(&Self) + Send + 'static) {
        self.meanwhile.lock().expect("no panic").push_back(Box::new(happens));
    }

    /// One pass as the daemon makes it, and what it said of each wipe: by file, how it stands
    /// and why.
    pub fn pass(&self) -> BTreeMap<String, (String, String, String)> {
        let opened = ledger::file::open(&self.path("data"), "test".into(), self.clock.reader());
        let mut ledger = opened.expect("the ledger opens");
        let desired = source::load(&self.path("fleet"));
        let trust = self.trusted();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let log = self.log_reader();
            let heads = heads(&*log, &desired, ledger.state());
            let mut unconfirmed = Unconfirmed::of(ledger.state());
            let asked = unconfirmed.ask(&mut ledger, &self.provider, self.now());
            asked.await.expect("it is written");
            let basis = Basis {
                now: self.now(),
                settings: &self.settings,
                desired: &desired,
                recorded: ledger.state(),
                requests: &requests::read(&self.path("data")),
                trust: &trust,
                accept_removals: None,
                heads: &heads,
                clock: log.highest_time(),
                only: None,
            };
            let seen = observe(&*self.provider, None, ledger.state()).await;
            let decision = decide(basis, seen);
            let wipes = decision.approved.plan().wipes.iter().map(told).collect();
            let stop = AtomicBool::new(false);
            let fresh = |file: &WipeFile| self.reread(file);
            let control =
                Control { stop: &stop, progress: &|_, _| (), revision: None, reread: &fresh };
            let done = carry_out(decision, &mut ledger, &self.provider, &control).await;
            let (_, heard) = done.expect("done");
            ledger.snapshot().expect("a snapshot");
            if let Some(heard) = heard {
                acknowledge(heard, &mut ledger, &self.provider).await.expect("acknowledged");
            }
            wipes
        })
    }

    /// The standing of the one request in this file after a pass, and its code.
    pub fn judge(&self, file: &str) -> String {
        let wipes = self.pass();
        let (standing, code, _) =
            wipes.get(file).unwrap_or_else(|| panic!("no {file} among {wipes:?}"));
        format!("{standing} {code}")
    }

    pub fn state(&self) -> State {
        ledger::file::read(&self.path("data")).expect("a ledger")
    }

    /// Kind and data of every entry about wipes.
    pub fn log(&self) -> Vec<(String, Value)> {
        let log = fs::read_to_string(self.path("data/audit.jsonl")).expect("a log");
        let entries = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let told =
            entries.map(|e| (e["kind"].as_str().expect("a kind").to_owned(), e["data"].clone()));
        told.filter(|(kind, _)| kind.starts_with("wipe.")).collect()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.log().into_iter().map(|(kind, _)| kind).collect()
    }

    pub fn issued(&self) -> usize {
        self.kinds().iter().filter(|kind| *kind == "wipe.issued").count()
    }

    /// Wipe commands in the outbox, each of which the log has announced.
    pub fn commands(&self) -> usize {
        let commands = outbox(&self.path("data"));
        let announced = self.log();
        for command in &commands {
            let announces = |(kind, data): &&(String, Value)| {
                kind == "wipe.issued"
                    && data["request"] == command["request"]
                    && command["id"] == format!("c{}", data["intent"])
            };
            assert_eq!(announced.iter().filter(announces).count(), 1, "{command}");
        }
        commands.len()
    }

    /// The device says that it is erased.
    pub fn erased(&self, n: u32) {
        let report = json!({"serialNumber": format!("SN{n:03}"), "at": self.now(), "wiped": true});
        let bytes = report.to_string();
        fleetform::edges::provider::local::submit(
            &self.path("data"),
            "r",
            bytes.as_bytes(),
            self.now(),
        )
        .expect("handed over");
    }
}

fn told(view: &WipeView) -> (String, (String, String, String)) {
    let standing = view.standing.as_str().to_owned();
    (view.place.path.to_string(), (standing, view.code.clone(), view.detail.clone()))
}

/// What a device has to do: the commands in its file of the outbox.
pub fn outbox_of(data: &Path, serial: &str) -> Vec<Value> {
    let Ok(text) = fs::read(data.join("outbox").join(format!("{serial}.json"))) else {
        return vec![];
    };
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    document["commands"].as_array().expect("a list").clone()
}

/// Wipe commands in the outbox below a data directory.
pub fn outbox(data: &Path) -> Vec<Value> {
    let Ok(files) = fs::read_dir(data.join("outbox")) else { return vec![] };
    let files = files.map(|entry| entry.expect("an entry").path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let documents = files.map(|path| fs::read(path).expect("a file"));
    let documents = documents.map(|b| serde_json::from_slice::<Value>(&b).expect("JSON"));
    let commands = documents.flat_map(|d| d["commands"].as_array().expect("a list").clone());
    commands.filter(|c| c["command"] == "wipe" || c["command"] == "selectiveWipe").collect()
}
