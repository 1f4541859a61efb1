//! For tests: a screen that remembers, and a small fleet written by hand.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::out::{Out, Presentation};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::State;
use crate::domain::state::event::{DeviceProvisioned, Entry, Event, Source};
use crate::edges::ledger::Logged;

/// Both streams of an [`Out`], kept.
#[derive(Clone, Default)]
pub(crate) struct Screen {
    presentation: Presentation,
    results: Kept,
    notes: Kept,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    pub(crate) fn new(presentation: Presentation) -> Self {
        Self { presentation, ..Self::default() }
    }
    pub(crate) fn piped() -> Self {
        Self::default()
    }
    pub(crate) fn wide(columns: usize) -> Self {
        Self::new(Presentation { width: Some(columns), ..Presentation::default() })
    }
    pub(crate) fn out(&self) -> Out {
        Out::new(Box::new(self.results.clone()), Box::new(self.notes.clone()), self.presentation)
    }
    pub(crate) fn results(&self) -> String {
        self.results.text()
    }
    pub(crate) fn notes(&self) -> String {
        self.notes.text()
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The moment at which the tests look.
pub(crate) fn now() -> Timestamp {
    time("2026-11-22T10:00:00Z")
}

pub(crate) fn entry(seq: u64, at: &str, device: Option<&str>, event: Event) -> Entry {
    let source = device.map(|_| Source {
        path: "madrid/ana.yaml".into(),
        digest: Digest::of(b"manifest"),
        revision: None,
    });
    Entry {
        seq,
        at: time(at),
        device: device.map(|id| id.parse().unwrap()),
        actor: "ops@example.com".into(),
        source,
        event,
    }
}

pub(crate) fn event(kind: &str, data: &serde_json::Value) -> Event {
    Event::parse(kind, &data.to_string()).unwrap()
}

fn provisioned(name: &str, serial: &str, user: &str, profile: &str, platform: &str) -> Event {
    let spec = serde_json::json!({
        "name": name, "serialNumber": serial, "userEmail": user, "profile": profile,
        "platform": platform, "osVersion": "10.0.26100.2314", "ownership": "corporate",
        "labels": {"site": "madrid"},
    });
    Event::DeviceProvisioned(Box::new(DeviceProvisioned {
        spec: Arc::new(serde_json::from_value(spec).unwrap()),
        enrollment: 1,
        intent: 2,
        profile_digest: Digest::of(b"profile"),
    }))
}

/// A log, and the state it folds to: four devices in all sorts of trouble.
pub(crate) fn log() -> Vec<Entry> {
    let morning = "2026-11-20T08:00:00Z";
    let about = |seq, at, id, kind, data| entry(seq, at, Some(id), event(kind, &data));
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let profile = serde_json::json!({
        "name": "Standard", "description": "Windows 11 workstation", "platforms": ["windows"],
        "apps": ["Microsoft 365 Apps", "VPN"], "settings": {}, "licenses": ["SPE_E3"],
        "compliance": {"encryption": {"required": true}}, "digest": Digest::of(b"profile"),
    });
    let push = serde_json::json!({
        "intent": 2, "profile": "Standard", "digest": Digest::of(b"profile"),
    });
    let created = r#"{"version":1,"lineage":"5f2d7c1e-0000-4000-8000-000000000001"}"#;
    let enrolled = r#"{"from":"Pending","to":"Enrolled","reason":"the device reported"}"#;
    let bad = r#"{"from":"unknown","to":"nonCompliant","failing":["encryption"],"missing":["antivirus"]}"#;
    vec![
        entry(1, morning, None, event("ledger.created", &json(created))),
        entry(2, morning, None, event("profile.recorded", &profile)),
        entry(
            3,
            morning,
            Some("D001"),
            provisioned(
                "ana-ruiz-laptop",
                "PF3XK9Q2",
                "ana.ruiz@example.com",
                "Standard",
                "windows",
            ),
        ),
        entry(
            4,
            morning,
            Some("D002"),
            provisioned("bo-li-phone", "C39ZZ1", "bo.li@example.com", "Mobile", "ios"),
        ),
        entry(
            5,
            morning,
            Some("D003"),
            provisioned("cem-kaya-tablet", "R52T", "cem.kaya@example.com", "Mobile", "android"),
        ),
        entry(
            6,
            morning,
            Some("D004"),
            provisioned(
                "dora-novak-laptop",
                "PF9",
                "dora.novak@example.com",
                "Executive",
                "windows",
            ),
        ),
        about(7, "2026-11-20T08:00:01Z", "D001", "profile.pushed", push),
        about(8, "2026-11-20T09:30:00Z", "D001", "device.status", json(enrolled)),
        about(9, "2026-11-20T09:30:00Z", "D001", "compliance.changed", json(bad)),
        about(10, "2026-11-20T09:31:00Z", "D002", "device.status", json(enrolled)),
        about(11, "2026-11-21T09:00:00Z", "D002", "device.orphaned", json("{}")),
        about(
            12,
            "2026-11-22T09:50:00Z",
            "D003",
            "device.status",
            json(
                r#"{"from":"Pending","to":"Failed","reason":"the enrollment deadline of 30m passed"}"#,
            ),
        ),
        about(
            13,
            "2026-11-22T09:50:00Z",
            "D003",
            "profile.failed",
            json(r#"{"intent":2,"class":"permanent","error":"no such group"}"#),
        ),
        about(
            14,
            "2026-11-20T10:00:00Z",
            "D004",
            "device.status",
            json(r#"{"from":"Pending","to":"Enrolled","reason":"the device reported"}"#),
        ),
        about(
            15,
            "2026-11-20T10:00:00Z",
            "D004",
            "compliance.changed",
            json(r#"{"from":"unknown","to":"compliant","failing":[]}"#),
        ),
        about(
            16,
            "2026-11-22T08:00:00Z",
            "D004",
            "device.status",
            json(r#"{"from":"Enrolled","to":"Wiped","reason":"the wipe was confirmed"}"#),
        ),
    ]
}

impl From<Entry> for Logged {
    fn from(entry: Entry) -> Self {
        Self { raw: Vec::new(), entry, prev: Digest::of(b"the line before") }
    }
}

/// [`log`], as it is read.
pub(crate) fn logged() -> Vec<Logged> {
    log().into_iter().map(Logged::from).collect()
}

/// What [`log`] folds to, with some telemetry.
pub(crate) fn state() -> State {
    let mut state = State::default();
    for entry in log() {
        state.fold(&entry, Digest::of(&entry.seq.to_be_bytes())).unwrap();
    }
    let facts = crate::domain::model::Facts {
        os_version: Some(crate::domain::model::ReportedVersion::new("10.0.26100.3000")),
        ..Default::default()
    };
    let id = |text: &str| text.parse::<DeviceId>().unwrap();
    state.observe(id("D001"), time("2026-11-22T09:00:00Z"), &facts);
    state.observe(id("D002"), time("2026-11-20T09:31:00Z"), &facts);
    state
}
