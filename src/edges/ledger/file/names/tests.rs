use std::time::Duration;

use super::*;
use crate::domain::state::State;
use crate::edges::ledger::snapshot::{Snapshot, write};

/// What is seen in a snapshot, as `id name serial` and `profile`.
fn seen(state: &State) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    write(&Snapshot { state: state.clone(), log_bytes: 0 }, &mut bytes).unwrap();
    put(dir.path(), &bytes);
    seen_in(dir.path()).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "a throw-away file")]
fn put(dir: &Path, bytes: &[u8]) {
    std::fs::write(dir.join(STATE), bytes).unwrap();
}

fn seen_in(dir: &Path) -> Option<Vec<String>> {
    let mut seen = Vec::new();
    names(dir, Instant::now() + Duration::from_secs(60), &mut |peeked| {
        seen.push(match peeked {
            KnownName::Device { id, name, serial } => format!("{id} {name} {serial}"),
            KnownName::Profile(name) => name.to_owned(),
        });
    })?;
    Some(seen)
}

fn all(state: &State) -> Vec<String> {
    let devices = state.devices.iter().map(|(id, device)| {
        let spec = &device.spec;
        format!("{id} {} {}", spec.name, spec.serial_number)
    });
    devices.chain(state.profiles.keys().map(ToString::to_string)).collect()
}

#[test]
fn every_name_is_seen_and_nothing_else() {
    let mut state = crate::ui::render::testing::state();
    assert_eq!(all(&state).len(), 5);
    assert_eq!(seen(&state), all(&state));
    assert_eq!(seen(&State::default()), Vec::<String>::new());
    // Without profiles, the keys of what follows are no profiles; so with what is frozen.
    state.profiles.clear();
    let digest = crate::domain::model::Digest::of(b"x");
    let trust = serde_json::json!({"allowedSigners": digest, "revokedKeys": digest});
    state.trust = serde_json::from_value(trust).unwrap();
    assert_eq!(seen(&state), all(&state));
    state.devices.clear();
    assert_eq!(seen(&state), Vec::<String>::new());
}

#[test]
fn a_snapshot_of_many_pieces_is_seen_whole() {
    let mut state = crate::ui::render::testing::state();
    let (_, device) = state.devices.first_key_value().unwrap();
    let device = device.clone();
    for _ in 0..3000 {
        state.devices.insert(state.next_id(), device.clone());
    }
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    // The keys of the snapshot are sorted as text: D1000 comes before D999.
    assert_eq!(sorted(seen(&state)), sorted(all(&state)));
}

#[test]
fn what_is_broken_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(seen_in(dir.path()), None);
    for text in [
        "",
        "{}",
        "\n    \"D001",
        "\n  \"devices\": {\n    \"D001\": {",
        "\n  \"devices\": {\n    \"D0\u{1b}\": {\n      \"name\": \"x\",\n      \"serialNumber\": \"y\"",
        "\n  \"devices\": {\n    \"D001\": {\n      \"name\": \"a;b\",\n      \"serialNumber\": \"y\"",
    ] {
        put(dir.path(), text.as_bytes());
        assert_eq!(seen_in(dir.path()), Some(vec![]), "{text:?}");
    }
    assert_eq!(names(dir.path(), Instant::now() - Duration::from_secs(1), &mut |_| ()), None);
}
