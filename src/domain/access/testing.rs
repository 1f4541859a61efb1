//! For tests: a recorded fleet, without files.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::model::{ComplianceState, DeviceId, Digest, Facts, Timestamp};
use crate::domain::state::event::{Entry, Event, Source};
use crate::domain::state::{Device, Episode, EpisodeKind, State};

/// The moment at which the tests look.
pub(super) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub(super) fn id(text: &str) -> DeviceId {
    text.parse().unwrap()
}

fn fold(state: &mut State, kind: &str, device: Option<DeviceId>, data: &Value) {
    let source = Source { path: "a.yaml".into(), digest: Digest::of(b"manifest"), revision: None };
    let entry = Entry {
        seq: state.seq + 1,
        at: now(),
        device,
        actor: "ops@example.com".into(),
        source: device.map(|_| source),
        event: Event::parse(kind, &data.to_string()).unwrap(),
    };
    state.fold(&entry, Digest::of(&entry.seq.to_be_bytes())).unwrap();
}

/// Devices of these users, D001 and so on: enrolled, compliant, and heard from just now.
pub(super) fn fleet(users: &[&str]) -> State {
    let mut state = State::default();
    let created = json!({"version": 1, "lineage": "5f2d7c1e-0000-4000-8000-000000000001"});
    fold(&mut state, "ledger.created", None, &created);
    for (n, user) in users.iter().enumerate() {
        let device = id(&format!("D{:03}", n + 1));
        let spec = json!({
            "name": format!("laptop-{}", n + 1), "serialNumber": format!("SN{}", n + 1),
            "userEmail": user, "profile": "Standard", "platform": "windows", "osVersion": "10.0",
            "ownership": "corporate", "labels": {},
        });
        let mut data = json!({"enrollment": 1, "intent": 2, "profileDigest": Digest::ZERO});
        data.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        fold(&mut state, "device.provisioned", Some(device), &data);
        let enrolled = json!({"from": "Pending", "to": "Enrolled", "reason": "it reported"});
        fold(&mut state, "device.status", Some(device), &enrolled);
        state.observe(device, now(), &Facts::default());
        edit(&mut state, device, |device| device.compliance.state = ComplianceState::Compliant);
    }
    state
}

pub(super) fn edit(state: &mut State, device: DeviceId, change: impl FnOnce(&mut Device)) {
    change(state.devices.get_mut(&device).unwrap());
}

/// Issues a wipe of the device.
pub(super) fn wipe(state: &mut State, device: DeviceId) {
    let spec = &state.devices[&device].spec;
    let data = json!({
        "request": Digest::ZERO, "name": "lost", "deviceId": device,
        "serialNumber": spec.serial_number, "scope": "full", "reason": "lost",
        "requestedBy": "bob@example.com", "expiresAt": now(), "signers": ["bob@example.com"],
        "issueAt": now(), "trust": Digest::ZERO,
    });
    fold(state, "wipe.accepted", Some(device), &data);
}

/// One device.
pub(super) fn device() -> Device {
    Device::clone(&fleet(&["ana@example.com"]).devices[&DeviceId::FIRST])
}

/// It fails its check for encryption since then.
pub(super) fn fail(device: &mut Device, since: Timestamp) {
    device.compliance.state = ComplianceState::NonCompliant;
    device.compliance.checks.failing = vec!["encryption".into()];
    device.compliance.since = since;
    device.episode = Some(Box::new(Episode {
        kind: EpisodeKind::NonCompliant,
        opened: 1,
        since,
        ended: None,
        block: None,
        told: BTreeMap::new(),
        ticket: None,
        before: None,
    }));
}

pub(super) fn spec(device: &mut Device) -> &mut crate::domain::model::DeviceSpec {
    Arc::make_mut(&mut device.spec)
}
