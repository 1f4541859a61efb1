//! A second reading of the log, independent of the program's: what must hold after every line,
//! whatever wrote it. It shares no code with the fold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The status machine, as pairs.
const MOVES: &[(&str, &str)] = &[
    ("Pending", "Enrolled"),
    ("Pending", "Failed"),
    ("Failed", "Enrolled"),
    ("Failed", "Pending"),
    ("Enrolled", "Pending"),
    ("Enrolled", "Failed"),
    ("Pending", "Wiped"),
    ("Enrolled", "Wiped"),
    ("Failed", "Wiped"),
];

/// What the log says of a device.
#[derive(Debug, Default)]
struct Device {
    serial: String,
    status: String,
    enrollment: u64,
    compliance: String,
    orphaned: bool,
    archived: bool,
    missing: bool,
    /// Announced pushes: number of the intent and revision.
    intents: BTreeSet<(u64, String)>,
    /// The last sync that was announced, and the requests of all of them.
    sync: Option<u64>,
    requests: BTreeSet<String>,
    wipe_confirmed: bool,
    /// The last order about access to mail: its intent, and whether it blocks.
    access: Option<(u64, bool)>,
    without_evidence: bool,
    /// The last order for each license of each user: its intent, and whether it was given.
    licenses: BTreeMap<(String, String), (u64, bool)>,
}

/// What the log says so far.
#[derive(Debug, Default)]
pub struct Reading {
    seq: u64,
    head: String,
    devices: BTreeMap<String, Device>,
    frozen: bool,
    /// By request: the last word.
    wipes: BTreeMap<String, String>,
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_sorted(list: &Value) -> bool {
    let names: Vec<_> = list.as_array().into_iter().flatten().map(word).collect();
    names.windows(2).all(|pair| pair[0] < pair[1])
}

impl Reading {
    /// Reads the whole log in a data directory, and compares the end with the snapshot.
    #[track_caller]
    pub fn check(data: &Path) -> Self {
        let log = std::fs::read(data.join("audit.jsonl")).expect("a log");
        assert_eq!(log.last(), Some(&b'\n'), "the last line is whole");
        let mut reading = Self::default();
        for line in log.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            if let Err(why) = reading.next(line) {
                panic!("{why}: {}", String::from_utf8_lossy(line));
            }
        }
        let state = std::fs::read(data.join("state.json")).expect("a snapshot");
        let state: Value = serde_json::from_slice(&state).expect("JSON");
        assert_eq!((&state["seq"], word(&state["head"])), (&reading.seq.into(), &*reading.head));
        assert_eq!(state["frozen"].is_null(), !reading.frozen);
        let devices = state["devices"].as_object().expect("devices");
        assert_eq!(devices.len(), reading.devices.len());
        for (id, device) in &reading.devices {
            let recorded = &devices[id];
            assert_eq!(word(&recorded["serialNumber"]), device.serial, "{id}");
            assert_eq!(word(&recorded["status"]), device.status, "{id}");
            assert_eq!(recorded["enrollment"], device.enrollment, "{id}");
            assert_eq!(word(&recorded["compliance"]["state"]), device.compliance, "{id}");
            assert_eq!(!recorded["orphanedSince"].is_null(), device.orphaned, "{id}");
        }
        reading
    }

    /// How many devices there are.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// Takes the next line, without its newline.
    pub fn next(&mut self, line: &[u8]) -> Result<(), String> {
        let entry: Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        let zeros = "0".repeat(64);
        let prev = if self.seq == 0 { &zeros } else { &self.head };
        ensure(entry["seq"] == self.seq + 1, "a gap in seq")?;
        ensure(word(&entry["prev"]) == prev, "a broken chain")?;
        ensure(line.len() < 64 * 1024, "a line of 64 KiB")?;
        ensure(!word(&entry["at"]).is_empty() && !word(&entry["actor"]).is_empty(), "no actor")?;
        let kind = word(&entry["kind"]).to_owned();
        ensure((self.seq == 0) == (kind == "ledger.created"), "ledger.created is first, once")?;
        self.seq += 1;
        self.head = Sha256::digest(line).iter().map(|b| format!("{b:02x}")).collect();
        match kind.split_once('.') {
            Some(("device", "provisioned")) => self.provisioned(&entry)?,
            Some(("ledger", "restored")) => {
                let data = &entry["data"];
                ensure(data["lineage"] != data["previous"], "restored under the same lineage")?;
            }
            Some(("wipe", word)) => self.wipe(&entry, word)?,
            Some(("pass", "frozen")) => self.frozen = true,
            Some(("pass", "thawed")) => {
                ensure(std::mem::take(&mut self.frozen), "thawed and not frozen")?;
            }
            // Of any device, or of many.
            Some(("notice" | "ticket", _)) => {}
            Some(("access", _)) => {
                let device =
                    self.devices.get_mut(word(&entry["device"])).ok_or("no such device")?;
                let blocks = entry["data"]["blocked"] == true;
                ensure(device.status != "Wiped" || !blocks, "blocked after the wipe")?;
                device.next(&entry, &kind, self.seq)?;
            }
            Some(("device" | "compliance" | "evidence" | "sync" | "license", _))
            | Some(("profile", "intended" | "pushed" | "failed")) => {
                let id = word(&entry["device"]);
                let device = self.devices.get_mut(id).ok_or("no such device")?;
                // With what it was, what was known of it is gone.
                let forgotten = kind == "compliance.changed" && entry["data"]["to"] == "unknown";
                ensure(device.status != "Wiped" || forgotten, "something after the wipe")?;
                device.next(&entry, &kind, self.seq)?;
            }
            _ => ensure(entry["device"].is_null(), "it names a device")?,
        }
        Ok(())
    }

    fn provisioned(&mut self, entry: &Value) -> Result<(), String> {
        let (id, data) = (word(&entry["device"]), &entry["data"]);
        ensure(id == format!("D{:03}", self.devices.len() + 1), "ids have gaps")?;
        let serial = word(&data["serialNumber"]);
        let mut same = self.devices.values().filter(|d| d.serial.eq_ignore_ascii_case(serial));
        ensure(same.all(|d| d.status == "Wiped"), "two live devices with one serial")?;
        ensure(entry["source"]["digest"].is_string(), "no manifest behind it")?;
        let intent = data["intent"].as_u64().ok_or("no intent")?;
        ensure(intent <= self.seq, "an intent of the future")?;
        let device = Device {
            serial: serial.to_owned(),
            status: "Pending".to_owned(),
            enrollment: data["enrollment"].as_u64().ok_or("no enrollment")?,
            compliance: "unknown".to_owned(),
            intents: [(intent, word(&data["profileDigest"]).to_owned())].into(),
            ..Device::default()
        };
        self.devices.insert(id.to_owned(), device);
        Ok(())
    }

    fn wipe(&mut self, entry: &Value, said: &str) -> Result<(), String> {
        let request = word(&entry["data"]["request"]).to_owned();
        let before = self.wipes.get(&request).map_or("", String::as_str);
        let follows = match said {
            // Nobody asked for it.
            "unrequested" => return Ok(()),
            "issued" => matches!(before, "accepted" | "deferred"),
            "deferred" | "failed" => before == "issued",
            "progress" if entry["data"]["stage"] == "approved" => before == "deferred",
            "progress" | "confirmed" => matches!(before, "issued" | "expired"),
            "expired" => before != "confirmed" && before != "failed",
            _ => matches!(before, "" | "refused" | "held" | "accepted" | "deferred"),
        };
        ensure(follows, "a wipe out of order")?;
        if said == "progress" {
            return Ok(());
        }
        if said == "confirmed" {
            let id = word(&entry["device"]);
            self.devices.get_mut(id).ok_or("no such device")?.wipe_confirmed = true;
        }
        self.wipes.insert(request, said.to_owned());
        Ok(())
    }
}

impl Device {
    fn next(&mut self, entry: &Value, kind: &str, seq: u64) -> Result<(), String> {
        let data = &entry["data"];
        match kind {
            "device.status" => {
                let (from, to) = (word(&data["from"]), word(&data["to"]));
                ensure(from == self.status, "it was not there")?;
                ensure(MOVES.contains(&(from, to)), "no such move")?;
                ensure(to != "Wiped" || self.wipe_confirmed, "wiped, and nobody confirmed")?;
                self.status = to.to_owned();
                if let Some(raised) = data["enrollment"].as_u64() {
                    ensure(raised > self.enrollment && to == "Pending", "enrollment not raised")?;
                    self.enrollment = raised;
                }
            }
            "device.updated" => self.updated(data)?,
            "device.orphaned" => {
                ensure(!std::mem::replace(&mut self.orphaned, true), "orphaned twice")?;
            }
            "device.missing" => {
                ensure(!std::mem::replace(&mut self.missing, true), "missing twice")?;
            }
            "device.found" => ensure(std::mem::take(&mut self.missing), "it was not missing")?,
            "device.adopted" => {
                ensure(std::mem::take(&mut self.orphaned), "it was no orphan")?;
                self.archived = false;
            }
            "device.archived" => {
                ensure(self.orphaned || self.status == "Wiped", "archived, and it is in use")?;
                ensure(!std::mem::replace(&mut self.archived, true), "archived twice")?;
            }
            "profile.intended" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                ensure(intent <= seq, "an intent of the future")?;
                self.intents.insert((intent, word(&data["digest"]).to_owned()));
            }
            "profile.pushed" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                let pair = (intent, word(&data["digest"]).to_owned());
                ensure(self.intents.contains(&pair), "pushed without an intent")?;
            }
            "profile.failed" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                ensure(self.intents.iter().any(|i| i.0 == intent), "failed without an intent")?;
            }
            "license.intended" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                ensure(intent <= seq, "an intent of the future")?;
                let license = (word(&data["sku"]).to_owned(), word(&data["user"]).to_owned());
                let before = self.licenses.insert(license, (intent, false));
                ensure(!before.is_some_and(|(_, given)| given), "ordered, and it was given")?;
            }
            "license.assigned" | "license.failed" => {
                let license = (word(&data["sku"]).to_owned(), word(&data["user"]).to_owned());
                let (intent, given) =
                    self.licenses.get_mut(&license).ok_or("a license without an intent")?;
                ensure(data["intent"] == *intent, "another order")?;
                let before = std::mem::replace(given, kind == "license.assigned");
                // One that somebody removed fails, and may be given again.
                ensure(!(before && *given), "given already")?;
            }
            "sync.requested" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                ensure(intent <= seq && self.sync < Some(intent), "an intent out of order")?;
                ensure(!word(&data["by"]).is_empty(), "nobody asked")?;
                let request = word(&data["request"]).to_owned();
                ensure(self.requests.insert(request), "one request asks twice")?;
                self.sync = Some(intent);
            }
            "sync.failed" => ensure(data["intent"].as_u64() == self.sync, "another sync")?,
            "compliance.changed" => {
                ensure(word(&data["from"]) == self.compliance, "it was not judged so")?;
                ensure(is_sorted(&data["failing"]) && is_sorted(&data["missing"]), "not sorted")?;
                let count = |key: &str| data[key].as_array().map_or(0, Vec::len);
                let to = word(&data["to"]);
                ensure((count("failing") > 0) == (to == "nonCompliant"), "failing and verdict")?;
                ensure(to != "compliant" || count("missing") == 0, "compliant unheard")?;
                // A verdict is evidence.
                self.without_evidence &= to == "unknown";
                self.compliance = to.to_owned();
            }
            "evidence.missing" => {
                ensure(!std::mem::replace(&mut self.without_evidence, true), "missing twice")?;
            }
            "evidence.returned" => {
                ensure(std::mem::take(&mut self.without_evidence), "it was not missing")?;
            }
            "access.intended" => {
                let intent = data["intent"].as_u64().ok_or("no intent")?;
                ensure(intent <= seq, "an intent of the future")?;
                let blocked = data["blocked"].as_bool().ok_or("blocked or restored?")?;
                let before = self.access.replace((intent, blocked));
                ensure(before.is_some() || blocked, "restored, and never blocked")?;
            }
            "access.blocked" | "access.restored" => {
                let order = data["intent"].as_u64().zip(data["blocked"].as_bool());
                ensure(order == self.access, "another order")?;
                ensure(data["blocked"] == (kind == "access.blocked"), "the other of the two")?;
            }
            "access.failed" => {
                let intent = self.access.map(|(intent, _)| intent);
                ensure(data["intent"].as_u64() == intent, "another order")?;
            }
            _ => return Err("a kind that is not known".to_owned()),
        }
        Ok(())
    }

    fn updated(&mut self, data: &Value) -> Result<(), String> {
        let changes = data["changes"].as_array().ok_or("no changes")?;
        ensure(!changes.is_empty(), "an update of nothing")?;
        for change in changes {
            ensure(change["from"] != change["to"], "a change to the same")?;
            match word(&change["field"]) {
                "serialNumber" | "status" => return Err("a field that no update moves".to_owned()),
                "enrollment" => {
                    ensure(change["from"] == self.enrollment, "another enrollment")?;
                    let raised = change["to"].as_u64().unwrap_or(0);
                    ensure(raised > self.enrollment, "enrollment not raised")?;
                    self.enrollment = raised;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
