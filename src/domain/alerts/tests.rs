//! What begins and what ends, by what is recorded and what a process has seen.

use std::sync::LazyLock;

use serde_json::json;

use super::*;
use crate::domain::plan::tests::World;
use crate::domain::state::event::Entry;

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    start + TimeDelta::minutes(minutes)
}

/// Takes events in, as the log would.
fn log(state: &mut State, events: Vec<Event>) {
    for event in events {
        let seq = state.seq + 1;
        let entry =
            Entry { seq, at: at(0), device: None, actor: "test".into(), source: None, event };
        state.fold(&entry, Digest::ZERO).unwrap();
    }
}

fn event(kind: &str, data: serde_json::Value) -> Event {
    Event::parse(kind, &data.to_string()).unwrap()
}

fn begun() -> State {
    let mut state = State::default();
    let lineage = uuid::Uuid::nil();
    log(&mut state, vec![event("ledger.created", json!({"version": 1, "lineage": lineage}))]);
    state
}

fn kinds(events: &[Event]) -> Vec<String> {
    let one = |event: &Event| match event {
        Event::AlertBegan(alert) => format!("+{} {}", alert.alert, alert.about),
        Event::AlertEnded(alert) => format!("-{} {}", alert.alert, alert.about),
        other => panic!("{other:?}"),
    };
    events.iter().map(|event| one(event).trim().to_owned()).collect()
}

fn sinks(mail: Health) -> BTreeMap<String, Health> {
    [("mail".to_owned(), mail)].into()
}

fn bad(why: &str) -> Health {
    Health::Bad(why.to_owned())
}

fn situation(recorded: &State) -> Situation<'_> {
    static SINKS: LazyLock<BTreeMap<String, Health>> = LazyLock::new(|| sinks(Health::Well));
    static NOBODY: BTreeSet<Digest> = BTreeSet::new();
    static NOTHING: BTreeMap<DeviceId, Timestamp> = BTreeMap::new();
    Situation {
        now: at(0),
        recorded,
        wipes: &[],
        unsettled: false,
        provider: &Health::Well,
        trust_broken: None,
        unwritable: None,
        sinks: &SINKS,
        doubtful: &NOBODY,
        unreconciled: &NOTHING,
        unreconciled_after: TimeDelta::hours(24),
    }
}

#[test]
fn each_alert_is_told_once_when_it_begins_and_once_when_it_ends() {
    let mut state = begun();
    log(&mut state, vec![event("pass.frozen", json!({"cause": "empty", "removed": 1, "of": 1}))]);
    let (provider, stuck) = (bad("503"), sinks(bad("535 no")));
    let all = |state: &State| {
        let bad = Situation {
            now: at(-5),
            provider: &provider,
            trust_broken: Some("gone"),
            unwritable: Some("no space"),
            sinks: &stuck,
            ..situation(state)
        };
        changes(bad)
    };
    let began = all(&state);
    assert_eq!(
        kinds(&began),
        [
            "+frozen",
            "+breakerOpen",
            "+unwritable",
            "+sinkStuck mail",
            "+clockBehind",
            "+trustBroken"
        ]
    );
    log(&mut state, began);
    assert_eq!(all(&state), vec![], "not again");
    log(&mut state, vec![event("pass.thawed", json!({}))]);
    let ended = changes(situation(&state));
    assert_eq!(ended.len(), 6);
    assert!(kinds(&ended).iter().all(|kind| kind.starts_with('-')));
    log(&mut state, ended);
    assert_eq!(changes(situation(&state)), vec![]);
}

#[test]
fn a_clock_that_steps_back_by_seconds_is_no_alert() {
    let state = begun();
    let behind = |millis: i64| {
        let now = at(0) + TimeDelta::milliseconds(-millis);
        kinds(&changes(Situation { now, ..situation(&state) }))
    };
    assert_eq!(behind(400), Vec::<String>::new());
    assert_eq!(behind(5_000), Vec::<String>::new());
    assert_eq!(behind(5_001), ["+clockBehind"]);
}

#[test]
fn what_nobody_has_seen_yet_neither_begins_nor_ends() {
    let (provider, stuck) = (bad("503"), sinks(bad("535 no")));
    let unseen = sinks(Health::Unknown);
    let after_a_start = |state: &State| {
        changes(Situation { provider: &Health::Unknown, sinks: &unseen, ..situation(state) })
    };
    let mut state = begun();
    assert_eq!(after_a_start(&state), vec![]);
    let began = changes(Situation { provider: &provider, sinks: &stuck, ..situation(&state) });
    assert_eq!(kinds(&began), ["+breakerOpen", "+sinkStuck mail"]);
    log(&mut state, began);
    assert_eq!(after_a_start(&state), vec![]);
    let still = changes(Situation { provider: &provider, sinks: &stuck, ..situation(&state) });
    assert_eq!(still, vec![]);
    assert_eq!(kinds(&changes(situation(&state))), ["-breakerOpen", "-sinkStuck mail"]);
}

#[test]
fn of_a_sink_that_is_gone_nobody_says_that_it_delivers_again() {
    let mut state = begun();
    let stuck = sinks(bad("535 no"));
    let began = changes(Situation { sinks: &stuck, ..situation(&state) });
    log(&mut state, began);
    let ended = changes(Situation { sinks: &BTreeMap::new(), ..situation(&state) });
    let [Event::AlertEnded(ended)] = &*ended else { panic!("{ended:?}") };
    assert_eq!(ended.detail, "this sink is not configured any more");
}

#[test]
fn a_device_is_late_when_it_has_been_without_its_profile_for_that_long_however_often_it_was_tried()
{
    let mut world = World::enrolled(&["A"]);
    let device = |world: &World| unreconciled_since(&world.state.devices[&DeviceId::FIRST]);
    assert_eq!(device(&world), None);
    let push = |n: u64| json!({"intent": n, "profile": "Standard", "digest": Digest::ZERO});
    let failed = |n: u64| json!({"intent": n, "class": "transient", "error": "no"});
    let say = |world: &mut World, kind: &str, data| {
        world.log(Some(DeviceId::FIRST), None, event(kind, data));
    };
    let first = world.state.seq + 1;
    say(&mut world, "profile.intended", push(first));
    let since = device(&world).expect("it waits");
    world.now = world.now + TimeDelta::hours(20);
    say(&mut world, "profile.failed", failed(first));
    let second = world.state.seq + 1;
    say(&mut world, "profile.intended", push(second));
    assert_eq!(device(&world), Some(since), "another profile, and still none");
    let unreconciled = [(DeviceId::FIRST, since)].into();
    let late = |now| {
        let recorded = &world.state;
        kinds(&changes(Situation { now, unreconciled: &unreconciled, ..situation(recorded) }))
    };
    assert_eq!(late(since + TimeDelta::hours(24)), Vec::<String>::new());
    assert_eq!(late(since + TimeDelta::hours(25)), ["+unreconciled"]);
    say(&mut world, "profile.pushed", push(second));
    assert_eq!(device(&world), None);
}

#[test]
fn a_directory_that_is_half_there_ends_no_alert_of_its_requests() {
    let mut state = begun();
    let about = "0".repeat(64);
    let waits = json!({"alert": "wipeUnsigned", "about": about, "detail": "it waits"});
    log(&mut state, vec![event("alert.began", waits)]);
    assert_eq!(changes(Situation { unsettled: true, ..situation(&state) }), vec![]);
    let mut frozen = state.clone();
    log(&mut frozen, vec![event("pass.frozen", json!({"cause": "empty", "removed": 1, "of": 1}))]);
    assert_eq!(kinds(&changes(situation(&frozen))), ["+frozen"]);
    assert_eq!(kinds(&changes(situation(&state))), [format!("-wipeUnsigned {about}")]);
}
