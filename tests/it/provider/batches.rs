//! Many devices go in batches, of which two are under way at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use fleetform::app::execute::Control;
use fleetform::app::reconcile::carry_out;
use serde_json::Value;

use super::*;

/// Two batches, and a part of a third one.
const DEVICES: usize = 5000;
/// Devices of the first one, whose first action records the profile; and of the first two.
const FIRST: usize = 2047;
const BOTH: usize = FIRST + 2048;

/// One pass over so many new devices, up to where `stop` is set; `meets` is called before each push.
fn pass_over(
    fixture: &Fixture,
    stop: &Arc<AtomicBool>,
    meets: impl Fn(&Push) + Send + Sync + 'static,
) -> (Arc<Remote>, Result<Outcome, String>) {
    pass_by(Remote { meets: Some(Box::new(meets)), ..Remote::default() }, fixture, stop)
}

fn pass_by(
    remote: Remote,
    fixture: &Fixture,
    stop: &Arc<AtomicBool>,
) -> (Arc<Remote>, Result<Outcome, String>) {
    let remote = Arc::new(remote);
    let (mut ledger, decision) = decided(fixture, &remote);
    let reread = &|_: &_| unreachable!("nobody is trusted");
    let control = Control { stop, progress: &|_, _| (), revision: None, reread };
    let provider: Arc<dyn Provider> = remote.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let work = carry_out(decision, &mut ledger, &provider, &control);
    let outcome = runtime.expect("a runtime").block_on(work);
    (remote, outcome.map(|(outcome, _)| outcome).map_err(|error| error.to_string()))
}

/// The devices of the entries of one kind, each with the intent.
fn logged(log: &Path, kind: &str) -> BTreeMap<String, u64> {
    let mut devices = BTreeMap::new();
    for line in fs::read_to_string(log).expect("a log").lines() {
        let entry: Value = serde_json::from_str(line).expect("an entry");
        if entry["kind"] == kind {
            let device = entry["device"].as_str().expect("a device").to_owned();
            let intent = entry["data"]["intent"].as_u64().expect("an intent");
            assert_eq!(devices.insert(device, intent), None, "{kind} twice: {line}");
        }
    }
    devices
}

#[test]
fn an_effect_comes_after_its_intents_and_the_next_batch_is_logged_meanwhile() {
    let fixture = Fixture::generated(DEVICES);
    let log = fixture.path("data/audit.jsonl");
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let meets = {
        let (log, seen) = (log.clone(), seen.clone());
        move |push: &Push| {
            let (intended, pushed) =
                (logged(&log, "device.provisioned"), logged(&log, "profile.pushed"));
            let ids = push.targets.iter().map(|target| target.id.to_string());
            let intents: BTreeSet<_> = ids.clone().map(|id| intended.get(&id).copied()).collect();
            assert!(ids.clone().all(|id| !pushed.contains_key(&id)), "logged as pushed already");
            let [Some(intent)] = intents.into_iter().collect::<Vec<_>>()[..] else {
                panic!("they have no intent in common: {:?}", ids.collect::<Vec<_>>());
            };
            let mut seen = seen.lock().expect("no panic");
            seen.entry(intent).or_insert((intended.len(), pushed.len()));
        }
    };
    let (remote, outcome) = pass_over(&fixture, &Arc::default(), meets);
    assert_eq!(outcome.expect("an outcome").left, 0);
    let seen: Vec<_> = seen.lock().expect("no panic").values().copied().collect();
    assert_eq!(seen, [(BOTH, 0), (DEVICES, FIRST), (DEVICES, BOTH)]);
    assert_eq!(remote.seen().pushed.len(), DEVICES);
    assert_eq!(logged(&log, "profile.pushed"), logged(&log, "device.provisioned"));
}

#[test]
fn a_stop_comes_after_both_and_leaves_no_intent_in_doubt() {
    let fixture = Fixture::generated(DEVICES);
    let log = fixture.path("data/audit.jsonl");
    let stop: Arc<AtomicBool> = Arc::default();
    let asked = stop.clone();
    let stops = move |_: &Push| asked.store(true, Ordering::Relaxed);
    let (first, outcome) = pass_over(&fixture, &stop, stops);
    assert_eq!(outcome.expect("an outcome").left, DEVICES - BOTH);
    let pushed = logged(&log, "profile.pushed");
    assert_eq!((pushed.len(), &pushed), (BOTH, &logged(&log, "device.provisioned")));
    // The next pass does the rest, and nothing twice.
    let (second, outcome) = pass_over(&fixture, &Arc::default(), |_| ());
    assert_eq!(outcome.expect("an outcome").left, 0);
    let (first, second) = (first.seen().pushed.clone(), second.seen().pushed.clone());
    let all: BTreeSet<_> = first.iter().chain(&second).collect();
    assert_eq!((all.len(), first.len() + second.len()), (DEVICES, DEVICES));
}

#[test]
fn once_the_log_is_gone_no_further_batch_has_an_effect() {
    let fixture = Fixture::generated(DEVICES);
    let log = fixture.path("data/audit.jsonl");
    let gone = fixture.path("data/elsewhere");
    let takes = move |_: &Push| {
        if log.exists() {
            fs::rename(&log, &gone).expect("a rename");
        }
    };
    let (remote, outcome) = pass_over(&fixture, &Arc::default(), takes);
    let error = outcome.expect_err("nothing can be logged");
    assert!(error.contains("the log"), "{error}");
    assert_eq!(remote.seen().pushed.len(), FIRST);
}

#[test]
fn a_batch_whose_effects_rest_on_the_one_before_waits_for_what_came_of_it() {
    let fixture = Fixture::generated(DEVICES);
    fixture.write("fleet/profile.yaml", format!("{PROFILE}  licenses: [SPE_E3]\n"));
    let mut remote = Remote::default();
    remote.settings.provider.licenses = Some(LicenseStart::Declared);
    let (remote, outcome) = pass_by(remote, &fixture, &Arc::default());
    assert_eq!(outcome.expect("an outcome").left, 0);
    // All devices have one user, who is asked for once in each batch.
    let given: Vec<_> = remote.seen().licensed.iter().map(|(_, given)| *given).collect();
    assert!(given.len() > 2, "{given:?}");
    assert_eq!(given.iter().position(|given| *given), Some(1), "{given:?}");
    assert!(given[1..].iter().all(|given| *given), "{given:?}");
}
