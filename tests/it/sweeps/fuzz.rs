//! The daemon among everything that people, devices, signals and clocks do: each request is at
//! the provider at most once, none without its line in the ledger, which was there first, and
//! none that is not signed. [`super::losses`] takes its ledger away besides.
//!
//! `FUZZ_SEED` repeats a run, `FUZZ_SECONDS` lengthens it.

#![expect(clippy::print_stdout, reason = "who repeats a run needs its seed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{entries, new_ledger, now, request, seed};
use crate::support::{
    Daemon, Dice, Fixture, PLAIN_PROFILE, VETO, WIPE, device, digest, number, signature, trusted,
    with_clock,
};

/// How long it goes on in a run of all tests.
const SECONDS: u64 = 10;
/// Each may be named by one request: enough for a run of this length.
const DEVICES: usize = 90;

/// Wipe commands by request: their ids, with the outbox in which each was seen.
type Seen = BTreeMap<String, BTreeSet<String>>;

/// What has been seen in any outbox, and what was wrong with it.
#[derive(Default)]
pub(super) struct Sightings {
    seen: Mutex<Seen>,
    wrong: Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// All data directories and logs of the place, wherever they were moved to.
pub(super) fn below(root: &Path, keep: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let Ok(list) = fs::read_dir(root) else { return vec![] };
    let paths = list.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| keep(path)).collect()
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What wipes are asked of devices now: request and id.
pub(super) fn commands(root: &Path) -> Vec<(String, String)> {
    let data = below(root, |path| ["data", "away"].contains(&&*name(path)));
    let files = data.iter().flat_map(|data| {
        below(&data.join("outbox"), |path| path.extension().is_some_and(|e| e == "json"))
    });
    // A file that is gone by now has been done or moved: the next look finds it.
    let documents = files.filter_map(|path| fs::read(path).ok());
    let documents = documents.map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap());
    let commands = documents.flat_map(|d| d["commands"].as_array().unwrap().clone());
    let wipes =
        commands.filter(|c| ["wipe", "selectiveWipe"].contains(&c["command"].as_str().unwrap()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    wipes.map(|c| (text(&c["request"]), text(&c["id"]))).collect()
}

/// Whether the ledger says that this request was issued, by this command or any.
pub(super) fn announced(root: &Path, request: &str, id: Option<&str>) -> bool {
    let data = below(root, |path| path.is_dir() && name(path) != "fleet");
    let logs = data.iter().flat_map(|data| below(data, |p| name(p).starts_with("audit.jsonl")));
    let logs = logs.filter(|log| log.exists());
    logs.flat_map(|log| entries(&log)).any(|entry| {
        entry["kind"] == "wipe.issued"
            && entry["data"]["request"] == request
            && id.is_none_or(|id| id == format!("c{}", entry["data"]["intent"]))
    })
}

impl Sightings {
    /// Looks again and again, until told to stop.
    fn watch(&self, root: &Path) {
        while !self.stop.load(Ordering::Relaxed) {
            for (request, id) in commands(root) {
                self.note(root, request, id);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn note(&self, root: &Path, request: String, id: String) {
        let mut seen = self.seen.lock().unwrap();
        let ids = seen.entry(request.clone()).or_default();
        if !ids.insert(id.clone()) {
            return;
        }
        if ids.len() > 1 {
            self.wrong.lock().unwrap().push(format!("{request} was given twice: {ids:?}"));
        }
        // The log may be on its way to another place: what is in it is found a moment later.
        let found = (0..20).any(|_| {
            let found = announced(root, &request, Some(&id));
            if !found {
                thread::sleep(Duration::from_millis(10));
            }
            found
        });
        if !found {
            self.wrong.lock().unwrap().push(format!("{id} of {request} has no line in any log"));
        }
    }

    #[track_caller]
    pub(super) fn nothing_wrong(&self) {
        assert_eq!(*self.wrong.lock().unwrap(), [] as [String; 0]);
    }
}

/// A request, and whether it may ever be issued.
struct Made {
    digest: String,
    number: usize,
    counts: bool,
}

pub(super) struct World<'a> {
    pub(super) place: &'a Fixture,
    pub(super) sightings: &'a Sightings,
    pub(super) dice: Dice,
    pub(super) daemon: Daemon,
    made: Vec<Made>,
    /// The number of the last device that a request was written for.
    pub(super) used: usize,
    /// Minutes that the daemon's clock is ahead.
    pub(super) ahead: i64,
    /// How many bytes of the daemons' log earlier ones have written.
    said: usize,
}

fn start(place: &Fixture) -> Daemon {
    with_clock(place, &["--resync", "1s"])
}

/// A fleet whose ledger has begun at a path that the configuration names.
fn place() -> Fixture {
    let place = Fixture::bare();
    place.write("clock", "+0");
    place.write("fleet/profile.yaml", PLAIN_PROFILE);
    for n in 0..DEVICES {
        place.write(&format!("fleet/{n}.yaml"), device(&format!("S{n:03}")));
    }
    place.write("signers", trusted("bob"));
    let config = "data: ./data\ntrust: {allowedSigners: signers}\nenrollment: {deadline: 48h}\n\
        wipes: {quorum: [{upTo: 1000, per: 24h, signers: 1}]}\n";
    place.write("fleetform.yaml", config);
    let (code, _, said) = place.outcome(&[&["apply", "--yes"], new_ledger()].concat());
    assert_eq!(code, 0, "{said}");
    place
}

impl World<'_> {
    /// Another daemon, after the one before has ended.
    pub(super) fn start(&mut self) {
        self.said = self.daemon.said().len();
        self.daemon = start(self.place);
    }

    /// Waits until the daemon has opened its ledger.
    pub(super) fn until_it_runs(&mut self) {
        let (log, from) = (self.place.path("daemon.log"), self.said);
        self.daemon.until("its start", || {
            let said = fs::read_to_string(&log).unwrap();
            if said[from..].contains("the daemon runs") { Ok(()) } else { Err(said) }
        });
    }

    pub(super) fn data(&self) -> PathBuf {
        self.place.path("data")
    }

    /// A request for a device that no other names; `kind`: 0 to 3 signed, 4 not, 5 by somebody
    /// who may not, 6 signed and vetoed.
    pub(super) fn ask(&mut self, ledger: &Path, kind: u64) -> Option<String> {
        let number = self.used + 1;
        if number > DEVICES {
            return None;
        }
        self.used = number;
        let serial = format!("S{:03}", number - 1);
        let text = request(ledger, u32::try_from(number).unwrap(), &format!("r{number}"), &serial);
        let file = format!("fleet/r{number}.yaml");
        let sign = |suffix: &str, who: &str, namespace: &str| {
            let bytes = signature(who, namespace, text.as_bytes());
            self.place.write(&format!("{file}{suffix}"), String::from_utf8(bytes).unwrap());
        };
        match kind {
            4 => {}
            5 => sign(".sig", "eve", WIPE),
            6 => {
                sign(".veto.sig", "bob", VETO);
                sign(".sig", "bob", WIPE);
            }
            _ => sign(".sig", "bob", WIPE),
        }
        self.place.write(&file, &text);
        let digest = digest(&text);
        self.made.push(Made { digest: digest.clone(), number, counts: kind < 4 });
        Some(digest)
    }

    /// One thing that people, programs, devices and clocks do.
    pub(super) fn step(&mut self) {
        let n = usize::try_from(self.dice.below(DEVICES as u64)).unwrap();
        let (path, manifest) = (format!("fleet/{n}.yaml"), device(&format!("S{n:03}")));
        match self.dice.below(16) {
            0 | 1 => {
                let user = format!("u{}@", self.dice.below(9));
                self.place.save(&path, &manifest.replace("ana@", &user));
            }
            2 => self.place.write(&path, "kind: [broken"),
            3 => self.place.write(&path, &manifest),
            4 | 5 => {
                let kind = self.dice.below(7);
                self.ask(&self.data(), kind);
            }
            6 | 7 => {
                // Sometimes of a device that was told to erase itself, which says that it did.
                let asked = self.made.get(n % self.made.len().max(1));
                let ids = asked.and_then(|made| {
                    self.sightings.seen.lock().unwrap().get(&made.digest).cloned()
                });
                let at = now() + TimeDelta::minutes(self.ahead);
                let report = match (asked, ids) {
                    (Some(made), Some(ids)) => json!({
                        "serialNumber": format!("S{:03}", made.number - 1), "at": at,
                        "wiped": true, "completed": ids,
                    }),
                    _ => json!({"serialNumber": format!("S{n:03}"), "at": at}),
                };
                self.place.write("r.json", report.to_string());
                self.place.outcome(&["report", "r.json"]);
            }
            8 => {
                self.daemon.until_it_listens();
                self.daemon.signal("HUP");
            }
            9 => {
                self.daemon.signal("KILL");
                self.daemon.ended();
                self.start();
            }
            10 => {
                self.daemon.until_it_listens();
                self.daemon.signal("TERM");
                assert_eq!(self.daemon.ended().code(), Some(0), "{}", self.daemon.said());
                self.start();
            }
            11 => {
                self.daemon.signal("STOP");
                thread::sleep(Duration::from_millis(self.dice.below(200)));
                self.daemon.signal("CONT");
            }
            12 => {
                // Mostly forward, and never so far that a request ends.
                let jump = i64::try_from(self.dice.below(8)).unwrap() - 2;
                self.ahead = (self.ahead + jump).clamp(0, 120);
                self.place.save("clock", &format!("+{}", self.ahead * 60));
            }
            _ => thread::sleep(Duration::from_millis(self.dice.below(60))),
        }
    }

    /// Everything is as it should be again, and so the daemon makes it.
    fn settle(&mut self) {
        for n in 0..DEVICES {
            self.place.save(&format!("fleet/{n}.yaml"), &device(&format!("S{n:03}")));
        }
        // Beyond all that the log has dates of.
        self.place.save("clock", "+3h");
        let (place, made) = (self.place, &self.made);
        self.daemon.until("every signed request is issued", || {
            let log = entries(&place.path("data/audit.jsonl"));
            let issued: BTreeSet<&str> = log
                .iter()
                .filter(|entry| entry["kind"] == "wipe.issued")
                .filter_map(|entry| entry["data"]["request"].as_str())
                .collect();
            let missing: Vec<_> = made
                .iter()
                .filter(|made| made.counts && !issued.contains(&*made.digest))
                .map(|made| made.number)
                .collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("not those of {missing:?}")) }
        });
        self.daemon.signal("TERM");
        assert_eq!(self.daemon.ended().code(), Some(0), "{}", self.daemon.said());
        for made in self.made.iter().filter(|made| !made.counts) {
            assert!(
                !announced(self.place.path("").as_path(), &made.digest, None),
                "{}",
                made.number
            );
        }
        let (code, out, said) = self.place.outcome(&["audit", "verify"]);
        assert_eq!(code, 0, "{out}{said}");
    }
}

/// Runs this on a world of its own, for a while.
pub(super) fn run(what: impl Fn(&mut World<'_>)) {
    let seed = seed("FUZZ_SEED");
    println!("FUZZ_SEED={seed}");
    let (place, sightings) = (place(), Sightings::default());
    let root = place.path("");
    thread::scope(|scope| {
        let watching = scope.spawn(|| sightings.watch(&root));
        let mut world = World {
            place: &place,
            sightings: &sightings,
            dice: Dice(seed),
            daemon: start(&place),
            made: vec![],
            used: 0,
            ahead: 0,
            said: 0,
        };
        let end = Instant::now() + Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(SECONDS));
        // A failure must end the watch too, or its thread is waited for for ever.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Instant::now() < end {
                what(&mut world);
                sightings.nothing_wrong();
            }
            world.settle();
        }));
        sightings.stop.store(true, Ordering::Relaxed);
        watching.join().expect("the watch ends");
        println!("{} requests, FUZZ_SEED={seed}", world.made.len());
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
        sightings.nothing_wrong();
        let seen = sightings.seen.lock().unwrap();
        let allowed: BTreeSet<_> =
            world.made.iter().filter(|made| made.counts).map(|made| &made.digest).collect();
        assert!(seen.keys().all(|request| allowed.contains(request)), "{seen:?}");
        assert!(!seen.is_empty(), "something was issued");
    });
}

#[test]
fn whatever_people_devices_signals_and_clocks_do_each_wipe_is_issued_once() {
    run(|world| world.step());
}
