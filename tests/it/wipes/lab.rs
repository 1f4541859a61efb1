//! A fleet, its ledger and its administrators in a temporary directory.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use chrono::TimeDelta;
use fleetform::app::execute::Control;
use fleetform::app::reconcile::{Basis, Unconfirmed, carry_out, decide, heads, observe, reread};
use fleetform::domain::fleet::WipeFile;
use fleetform::domain::model::{Digest, Timestamp};
use fleetform::domain::plan::{Fresh, WipeView};
use fleetform::domain::settings::Settings;
use fleetform::domain::state::State;
use fleetform::domain::wipe::trust::Trust;
use fleetform::edges::ledger::{self, Ledger};
use fleetform::edges::provider::Provider;
use fleetform::edges::provider::local::Local;
use fleetform::edges::source;
use fleetform::edges::trust_files;
use serde_json::{Value, json};

pub const WIPE: &str = "wipe@fleetform";
pub const VETO: &str = "wipe-veto@fleetform";

/// The lineage of every lab's ledger: what requests name.
pub const LEDGER: &str = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21";

/// A ledger of that lineage, before its first pass.
pub fn begin_ledger(data: &Path, at: Timestamp) {
    fs::create_dir_all(data).expect("a directory");
    let first = format!(
        "{{\"seq\":1,\"at\":\"{at}\",\"kind\":\"ledger.created\",\"actor\":\"test\",\"data\":{{\"version\":1,\
         \"lineage\":\"{LEDGER}\"}},\"prev\":\"{}\"}}",
        Digest::ZERO
    );
    write(data.join("audit.jsonl"), format!("{first}\n"));
}

/// When the devices have been provisioned.
pub fn start() -> Timestamp {
    time("2026-11-22T10:00:00Z")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Key files, made once by ssh-keygen: what is signed with them is what administrators make.
/// They stay with the build, since nothing ends a static.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let keys = build.join("wipe-keys");
    if keys.is_dir() {
        return keys;
    }
    let dir = tempfile::tempdir_in(build).expect("a directory");
    for (name, kind) in [
        ("bob", "ed25519"),
        ("bob2", "ecdsa"),
        ("carol", "ecdsa"),
        ("dave", "ed25519"),
        ("eve", "ed25519"),
        ("rsa", "rsa"),
    ] {
        let status = Command::new("ssh-keygen")
            .args(["-q", "-N", "", "-C", name, "-t", kind, "-f"])
            .arg(dir.path().join(name))
            .status()
            .expect("ssh-keygen is needed: apt-get install openssh-client");
        assert!(status.success(), "{name}");
    }
    // Another process may have been faster: then its keys serve.
    if fs::rename(dir.path(), &keys).is_err() {
        assert!(keys.is_dir(), "there are keys");
    }
    keys
});

pub fn key(name: &str) -> PathBuf {
    KEYS.join(name)
}

#[expect(clippy::disallowed_methods, reason = "a test's own file may be torn")]
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).expect("written");
}

/// `type base64`
pub fn public(name: &str) -> String {
    let line = fs::read_to_string(key(name).with_extension("pub")).expect("a public key");
    line.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// What `ssh-keygen -Y sign` makes of these bytes.
pub fn signature(who: &str, namespace: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .arg(key(who))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("ssh-keygen is needed: apt-get install openssh-client");
    child.stdin.take().expect("its input").write_all(bytes).expect("written");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{who} cannot sign");
    output.stdout
}

/// A request with every field, to be changed.
#[derive(Debug, Clone)]
pub struct Request {
    pub name: String,
    pub ledger: String,
    /// `head: …` with its line end and the indent after it, or nothing.
    pub head: String,
    pub device: String,
    pub serial: String,
    pub scope: &'static str,
    pub by: String,
    pub issued: Timestamp,
    pub expires: Timestamp,
}

impl Request {
    /// `n` is the number of a device; its serial number is `SN` and that number.
    pub fn of(n: u32) -> Self {
        Self {
            name: format!("r{n}"),
            ledger: LEDGER.into(),
            head: String::new(),
            device: format!("D{n:03}"),
            serial: format!("SN{n:03}"),
            scope: "full",
            by: "bob@example.com".into(),
            issued: start(),
            expires: start() + TimeDelta::hours(24),
        }
    }

    pub fn yaml(&self) -> String {
        let Self { name, ledger, head, device, serial, scope, by, issued, expires } = self;
        format!(
            "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: {name}}}\nspec:\n  \
             ledger: {ledger}\n  {head}deviceId: {device}\n  serialNumber: {serial}\n  scope: {scope}\n  reason: lost\n  \
             requestedBy: {by}\n  confirm: true\n  issuedAt: {issued}\n  expiresAt: {expires}\n"
        )
    }
}

pub struct Lab {
    dir: tempfile::TempDir,
    clock: Arc<AtomicI64>,
    pub settings: Settings,
    pub provider: Arc<dyn Provider>,
    meanwhile: Mutex<VecDeque<Event>>,
}

/// Something that happens.
type Event = Box<dyn FnOnce(&Lab) + Send>;

impl Lab {
    /// With five devices, `D001` to `D005`; the last is a personal one.
    pub fn new() -> Self {
        Self::with(5)
    }

    pub fn with(devices: u32) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let provider = Arc::new(Local::new(dir.path().join("data")));
        let clock = Arc::new(AtomicI64::new((start() + TimeDelta::hours(-1)).millis()));
        let (settings, meanwhile) = (Settings::default(), Mutex::default());
        let lab = Self { dir, clock, settings, provider, meanwhile };
        fs::create_dir_all(lab.path("etc")).expect("a directory");
        let profile = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
                       spec: {platforms: [windows]}\n";
        begin_ledger(&lab.path("data"), lab.now());
        lab.put("standard.yaml", profile);
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
        let dir = tempfile::tempdir().expect("a directory");
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
        let path = self.path("fleet").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        write(path, bytes);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path("fleet").join(name)).expect("removed");
    }

    pub fn device(&self, n: u32, enrollment: u32, ownership: &str) {
        let text = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: dev-{n}}}\nspec: {{serialNumber: \
             SN{n:03}, userEmail: u{n}@example.com, profile: Standard, platform: windows, osVersion: \
             \"10.0\", ownership: {ownership}, enrollment: {enrollment}}}\n"
        );
        self.put(&format!("dev-{n}.yaml"), text);
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
        self.clock.store(now.millis(), Ordering::Relaxed);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.load(Ordering::Relaxed))
    }

    pub fn wait(&self, delta: TimeDelta) {
        self.at(self.now() + delta);
    }

    fn trusted(&self) -> Result<Trust, String> {
        let trust = trust_files::read(
            &self.path("etc/allowed_signers"),
            Some(&self.path("etc/revoked_keys")).filter(|path| path.exists()).map(|p| &**p),
            &self.path("fleet"),
        );
        trust.map_err(|error| error.to_string())
    }

    /// What a wipe was judged by, read again, after whatever is to happen meanwhile.
    fn reread(&self, file: &WipeFile, manifest: &str) -> Fresh {
        if let Some(happens) = self.meanwhile.lock().expect("no panic").pop_front() {
            happens(self);
        }
        let (fleet, now) = (self.path("fleet"), || self.now());
        reread(
            (&fleet, &self.path("data")),
            &self.settings,
            || self.trusted(),
            now,
            (file, manifest),
        )
    }

    /// What happens before a wipe is judged for the n-th time while it is carried out.
    pub fn meanwhile(&self, happens: impl FnOnce(&Self) + Send + 'static) {
        self.meanwhile.lock().expect("no panic").push_back(Box::new(happens));
    }

    /// One pass as the daemon makes it, and what it said of each wipe: by file, how it stands
    /// and why.
    pub fn pass(&self) -> BTreeMap<String, (String, String, String)> {
        let clock = self.clock.clone();
        let now = move || Timestamp::from_millis(clock.load(Ordering::Relaxed));
        let mut ledger =
            Ledger::open(&self.path("data"), "test".into(), now).expect("the ledger opens");
        let desired = source::load(&self.path("fleet"));
        let trust = self.trusted();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let heads = heads(&self.path("data"), &desired, ledger.state());
            let mut unconfirmed = Unconfirmed::of(ledger.state());
            let asked = unconfirmed.ask(&mut ledger, &self.provider, self.now());
            asked.await.expect("it is written");
            let basis = Basis {
                now: self.now(),
                settings: &self.settings,
                desired: &desired,
                recorded: ledger.state(),
                trust: trust.as_ref().map_err(String::as_str),
                accept_removals: None,
                heads: &heads,
                clock: ledger::highest_time(&self.path("data")),
                only: None,
            };
            let seen = observe(&*self.provider, None).await;
            let decision = decide(basis, seen);
            let wipes = decision.approved.plan().wipes.iter().map(told).collect();
            let stop = AtomicBool::new(false);
            let fresh = |file: &WipeFile, manifest: &str| self.reread(file, manifest);
            let control =
                Control { stop: &stop, progress: &|_, _| (), revision: None, reread: &fresh };
            carry_out(decision, &mut ledger, &self.provider, &control).await.expect("done");
            ledger.snapshot().expect("a snapshot");
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
        ledger::read(&self.path("data")).expect("a ledger")
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

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let (from, to) = entry.map(|e| (e.path(), to.join(e.file_name()))).expect("an entry");
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}

fn told(view: &WipeView) -> (String, (String, String, String)) {
    let standing = view.standing.as_str().to_owned();
    (view.place.path.to_string(), (standing, view.code.clone(), view.detail.clone()))
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

/// A line of the trust file: `options` end in a comma.
pub fn line(who: &str, options: &str, key: &str) -> String {
    format!("{who}@example.com {options}namespaces=\"{WIPE}\" {}\n", public(key))
}

pub fn trusted(who: &str) -> String {
    line(who, "", who)
}

pub fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}
