//! What a sink tells, whatever goes wrong: with a real ledger and a sink that does as the test says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::queue::{BatchOutcome, Queue};
use super::run::deliver_for;
use super::sink::{Flow, Sink, Ticketed};
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::notice::{Attempt, Job, Topic};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event};
use crate::edges::config::Config;
use crate::edges::ledger::{Expected, Ledger};

/// A sink that is told of frozen passes, and answers what it was given.
struct Scripted {
    answers: Mutex<VecDeque<Attempt>>,
    /// Ids as they arrived, with whether an earlier try may have arrived.
    heard: Mutex<Vec<(String, bool)>>,
    over: bool,
    flow: Flow,
}

/// Few at once, so that it takes many turns.
const FEW: Flow = Flow { at_once: 3, taken_in: 4 };

#[async_trait]
impl Sink for Scripted {
    fn name(&self) -> &str {
        "mail"
    }

    fn jobs(&self, entry: &Entry, _: &State, _: &Settings) -> Vec<Job> {
        matches!(entry.event, Event::PassFrozen(_) | Event::PassThawed(_))
            .then(|| job(entry.seq))
            .into_iter()
            .collect()
    }

    fn flow(&self) -> Flow {
        self.flow
    }

    fn obsolete(&self, _: &Job, _: &State) -> Option<String> {
        self.over.then(|| "it is not true any more".to_owned())
    }

    async fn deliver(&self, jobs: &[Job], _: &State, doubt: bool) -> (Attempt, Option<Ticketed>) {
        let ids = jobs.iter().map(|job| (job.id.clone(), doubt));
        self.heard.lock().unwrap().extend(ids);
        let answer = self.answers.lock().unwrap().pop_front();
        (answer.unwrap_or(Attempt::Done { reference: None }), None)
    }

    async fn test(&self) -> Attempt {
        Attempt::Done { reference: None }
    }
}

fn job(entry: u64) -> Job {
    Job {
        id: format!("e{entry}"),
        entry,
        at: at(0),
        not_before: None,
        device: None,
        episode: None,
        topic: Topic::Entry,
        payload: json!({}),
    }
}

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    start + chrono::TimeDelta::minutes(minutes)
}

/// A ledger and its configuration.
struct Place {
    config: Config,
    _dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let place = Self { config: Config { data, ..Config::default() }, _dir: dir };
        place.freeze();
        place
    }

    fn open(&self) -> Ledger {
        crate::app::wiring::open(&self.config, Expected::Any, "test".into()).unwrap()
    }

    /// One run of a sink that answers so; gives what it heard.
    fn run(&self, answers: Vec<Attempt>, over: bool) -> Vec<(String, bool)> {
        self.run_at(Flow::ONE_BY_ONE, answers, over)
    }

    fn run_at(&self, flow: Flow, answers: Vec<Attempt>, over: bool) -> Vec<(String, bool)> {
        let (answers, heard) = (Mutex::new(answers.into()), Mutex::default());
        let sink = Arc::new(Scripted { answers, heard, over, flow });
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let sinks: Vec<Arc<dyn Sink>> = vec![sink.clone()];
        let mut ledger = self.open();
        runtime
            .block_on(deliver_for(
                Duration::from_secs(20),
                sinks,
                &self.config,
                &mut ledger,
                &Arc::default(),
            ))
            .unwrap();
        sink.heard.lock().unwrap().clone()
    }

    fn freeze(&self) -> u64 {
        let mut ledger = self.open();
        let frozen = ledger.state().frozen.is_some();
        let event = if frozen {
            json!({"kind": "pass.thawed", "data": {}})
        } else {
            json!({"kind": "pass.frozen", "data": {"cause": "empty", "removed": 1, "of": 1}})
        };
        let data = event["data"].to_string();
        let event = Event::parse(event["kind"].as_str().unwrap(), &data).unwrap();
        ledger.append(vec![event.into()]).unwrap();
        ledger.end_pass().unwrap();
        ledger.state().seq
    }

    fn kinds(&self) -> Vec<String> {
        let log = crate::app::wiring::ledger(&self.config);
        let kinds = log.entries_from(1).map(|logged| logged.unwrap().entry.event.kind().to_owned());
        kinds.filter(|kind| kind.starts_with("notice.")).collect()
    }
}

fn busy() -> Attempt {
    Attempt::Retry { why: "503".into(), after: None }
}

fn told(entries: &[u64]) -> Vec<(String, bool)> {
    entries.iter().map(|entry| (format!("e{entry}"), false)).collect()
}

#[test]
fn a_new_sink_is_told_nothing_of_the_past_and_all_that_comes_once() {
    let place = Place::new();
    assert_eq!(place.run(vec![], false), vec![]);
    let (a, b) = (place.freeze(), place.freeze());
    assert_eq!(place.run(vec![], false), told(&[a, b]));
    assert_eq!(place.run(vec![], false), vec![]);
    let each = ["notice.intended", "notice.sent"];
    let expected: Vec<&str> = ["notice.begun"].into_iter().chain(each).chain(each).collect();
    assert_eq!(place.kinds(), expected);
}

#[test]
fn without_its_checkpoint_a_sink_tells_what_it_has_not_told_and_nothing_twice() {
    let place = Place::new();
    place.run(vec![], false);
    let a = place.freeze();
    assert_eq!(place.run(vec![], false), told(&[a]));
    let b = place.freeze();
    for damage in [
        None,
        Some("{"),
        Some(r#"{"version":1,"lineage":null,"queue":{"cursor":99,"waiting":[]}}"#),
    ] {
        let file = place.config.data.join("deliveries/mail.json");
        std::fs::remove_file(&file).unwrap();
        if let Some(text) = damage {
            std::fs::write(&file, text).unwrap();
        }
        let expected = if damage.is_none() { told(&[b]) } else { vec![] };
        assert_eq!(place.run(vec![], false), expected, "{damage:?}");
    }
    // One of another ledger, or of before a restore, says nothing of this one.
    let c = place.freeze();
    let queue = json!({"cursor": c, "waiting": []});
    let foreign = json!({"version": 1, "lineage": uuid::Uuid::nil(), "queue": queue});
    std::fs::write(place.config.data.join("deliveries/mail.json"), foreign.to_string()).unwrap();
    assert_eq!(place.run(vec![], false), told(&[c]));
}

#[test]
fn what_a_sink_does_not_take_waits_and_goes_out_under_the_same_intent() {
    let place = Place::new();
    place.run(vec![], false);
    let a = place.freeze();
    assert_eq!(place.run(vec![busy()], false), told(&[a]));
    assert_eq!(place.kinds(), ["notice.begun", "notice.intended"]);
    // After a start nobody waits any more; and nobody can tell how old the checkpoint is.
    assert_eq!(place.run(vec![], false), vec![(format!("e{a}"), true)]);
    assert_eq!(place.kinds(), ["notice.begun", "notice.intended", "notice.sent"]);
}

#[test]
fn a_try_that_may_have_arrived_is_said_to_the_next_one_also_after_a_crash() {
    let place = Place::new();
    place.run(vec![], false);
    let a = place.freeze();
    place.run(vec![Attempt::InDoubt { why: "no answer".into() }], false);
    assert_eq!(place.run(vec![busy()], false), vec![(format!("e{a}"), true)]);
    // The intent is in the log, and no outcome: whoever reads it again knows as much.
    std::fs::remove_file(place.config.data.join("deliveries/mail.json")).unwrap();
    assert_eq!(place.run(vec![], false), vec![(format!("e{a}"), true)]);
}

#[test]
fn what_the_far_side_needs_no_more_is_dropped_and_not_said_to_be_done() {
    let place = Place::new();
    place.run(vec![], false);
    let a = place.freeze();
    let closed = Attempt::NotNeeded { why: "the ticket is closed".into() };
    assert_eq!(place.run(vec![closed], false), told(&[a]));
    assert_eq!(place.kinds(), ["notice.begun", "notice.intended", "notice.dropped"]);
    assert_eq!(place.run(vec![], false), vec![]);
}

#[test]
fn what_is_refused_is_given_up_and_can_be_tried_again_by_hand() {
    let place = Place::new();
    place.run(vec![], false);
    let (a, b) = (place.freeze(), place.freeze());
    let refused = Attempt::Refused { why: "550 no such user".into() };
    assert_eq!(place.run(vec![refused], false), told(&[a, b]));
    assert!(place.kinds().contains(&"notice.failed".to_owned()));
    assert_eq!(place.run(vec![], false), vec![]);
    crate::edges::deliveries::ask_again(&place.config.data, &format!("e{a}")).unwrap();
    assert_eq!(place.run(vec![], false), told(&[a]));
    assert_eq!(place.run(vec![], false), vec![]);
}

#[test]
fn what_is_not_true_any_more_is_not_told_and_the_log_says_so() {
    let place = Place::new();
    place.run(vec![], false);
    place.freeze();
    assert_eq!(place.run(vec![], true), vec![]);
    assert_eq!(place.kinds(), ["notice.begun", "notice.dropped"]);
}

#[test]
fn where_the_far_side_knows_ids_many_are_announced_at_once_and_go_out_in_their_order() {
    let place = Place::new();
    place.run(vec![], false);
    let all: Vec<u64> = (0..5).map(|_| place.freeze()).collect();
    assert_eq!(place.run_at(FEW, vec![], false), told(&all));
    let kinds = [["notice.intended"; 3], ["notice.sent"; 3]].concat();
    let rest = [["notice.intended"; 2], ["notice.sent"; 2]].concat();
    assert_eq!(place.kinds(), [vec!["notice.begun"], kinds, rest].concat());
}

#[test]
fn one_that_fails_keeps_nobody_back_but_a_sink_that_rests_keeps_back_all_that_is_announced() {
    let place = Place::new();
    place.run(vec![], false);
    let all: Vec<u64> = (0..4).map(|_| place.freeze()).collect();
    assert_eq!(place.run_at(FEW, vec![busy()], false), told(&all));
    let wrong = Attempt::Misconfigured { why: "401".into() };
    let more: Vec<u64> = (0..3).map(|_| place.freeze()).collect();
    let first = vec![(format!("e{}", all[0]), true)];
    assert_eq!(place.run_at(FEW, vec![wrong], false), first);
    // Nobody can tell how old the checkpoint is: what was announced may have arrived.
    let heard = place.run_at(FEW, vec![], false);
    let expected = [&all[..1], &more[..]].concat();
    let ids: Vec<String> = expected.iter().map(|entry| format!("e{entry}")).collect();
    assert_eq!(heard.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
    assert_eq!(heard.iter().filter(|(_, doubt)| !doubt).count(), 1, "three were announced");
}

#[test]
fn what_cannot_go_out_is_not_taken_in_without_end() {
    let place = Place::new();
    place.run(vec![], false);
    let all: Vec<u64> = (0..20).map(|_| place.freeze()).collect();
    let wrong = || Attempt::Misconfigured { why: "401".into() };
    assert_eq!(place.run_at(FEW, vec![wrong()], false), told(&all[..1]));
    let queues = super::queues(&place.config.data).unwrap();
    let (_, kept) = &queues[0];
    assert!((1..2 * FEW.taken_in).contains(&kept.len()), "{} of 20 are taken in", kept.len());
    let heard = place.run_at(FEW, vec![], false);
    assert_eq!(heard.len(), all.len(), "and then all of them go out");
}

/// What the log says of each job of the sink: how often it was announced, and how often it had an outcome.
fn told_of(place: &Place) -> BTreeMap<String, (usize, usize)> {
    let mut told: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for logged in crate::app::wiring::ledger(&place.config).entries_from(1) {
        match logged.unwrap().entry.event {
            Event::NoticeIntended(told_now) => {
                for id in told_now.ids {
                    told.entry(id.into()).or_default().0 += 1;
                }
            }
            Event::NoticeSent(told_now) => {
                for id in told_now.ids {
                    told.entry(id.into()).or_default().1 += 1;
                }
            }
            _ => {}
        }
    }
    told
}

#[test]
fn through_outages_restarts_and_lost_checkpoints_each_notice_is_told_and_none_twice_without_doubt()
{
    for (seed, flow) in (0..24).zip([Flow::ONE_BY_ONE, FEW].into_iter().cycle()) {
        let mut state = seed * 2 + 1;
        // As good as chance, and the same each time (splitmix64).
        let mut below = |n: u64| {
            state = u64::wrapping_add(state, 0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33) % n
        };
        let place = Place::new();
        place.run(vec![], false);
        let file = place.config.data.join("deliveries/mail.json");
        let (mut happened, mut kept) = (Vec::new(), std::fs::read(&file).unwrap());
        // Per job: tries that surely arrived, and those that may have.
        let mut arrived: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let last = 14;
        for step in 0..=last {
            for _ in 0..below(4) {
                happened.push(format!("e{}", place.freeze()));
            }
            match below(5) {
                0 => std::fs::remove_file(&file).unwrap(),
                // A copy of earlier: a backup, or a disk that forgot what was written last.
                1 => std::fs::write(&file, &kept).unwrap(),
                2 => kept = std::fs::read(&file).unwrap(),
                _ => {}
            }
            // At the end the sink takes what it is given.
            let answers: Vec<Attempt> = (0..if step == last { 0 } else { below(12) })
                .map(|_| match below(4) {
                    0 => Attempt::Done { reference: None },
                    1 => busy(),
                    2 => Attempt::Misconfigured { why: "401".into() },
                    _ => Attempt::InDoubt { why: "no answer".into() },
                })
                .collect();
            let settled: Vec<String> = told_of(&place)
                .into_iter()
                .filter_map(|(id, (_, outcomes))| (outcomes > 0).then_some(id))
                .collect();
            for (n, (id, doubt)) in
                place.run_at(flow, answers.clone(), false).into_iter().enumerate()
            {
                assert!(!settled.contains(&id), "seed {seed}: {id} is told again");
                let (surely, perhaps) = arrived.entry(id.clone()).or_default();
                assert!(
                    doubt || *perhaps == 0,
                    "seed {seed}: {id} may have arrived, and nobody says so"
                );
                match answers.get(n) {
                    None | Some(Attempt::Done { .. }) => *surely += 1,
                    Some(Attempt::InDoubt { .. }) => *perhaps += 1,
                    Some(_) => {}
                }
            }
        }
        assert_eq!(place.run_at(flow, vec![], false), vec![], "seed {seed}: nothing is left");
        let told = told_of(&place);
        assert_eq!(told.len(), happened.len(), "seed {seed}");
        for id in happened {
            assert_eq!(arrived[&id].0, 1, "seed {seed}: {id} arrives once for sure");
            let (announced, outcomes) = told[&id];
            assert!(announced >= 1 && outcomes == 1, "seed {seed}: {id}: {announced}, {outcomes}");
        }
    }
}

fn entry(seq: u64) -> Entry {
    let event = Event::parse("pass.thawed", "{}").unwrap();
    Entry { seq, at: at(0), device: None, actor: "test".into(), source: None, event }
}

/// Takes jobs of these devices in, one an entry.
fn queue(devices: &[Option<u32>]) -> Queue {
    let mut queue = Queue::from(0);
    for (n, device) in devices.iter().enumerate() {
        let seq = n as u64 + 1;
        let device = device.map(|n| format!("D{n:03}").parse::<DeviceId>().unwrap());
        queue.take_in("mail", &entry(seq), vec![Job { device, ..job(seq) }]);
    }
    queue
}

fn next(queue: &Queue, elapsed: u64) -> Option<super::queue::Batch> {
    queue.next(at(0), Duration::from_secs(elapsed), 1, |_, _| vec![], |_| false).pop()
}

#[test]
fn a_job_that_waits_keeps_back_those_of_its_device_and_no_others() {
    let mut queue = queue(&[Some(1), Some(1), Some(2)]);
    let first = next(&queue, 0).unwrap();
    assert_eq!(first.jobs[0].entry, 1);
    assert_eq!(queue.settle(&first, &busy(), at(0), Duration::ZERO), BatchOutcome::Again);
    let second = next(&queue, 1).unwrap();
    assert_eq!(second.jobs[0].entry, 3, "the other device goes first");
    queue.settle(&second, &Attempt::Done { reference: None }, at(0), Duration::ZERO);
    assert_eq!(next(&queue, 1), None);
    assert_eq!(next(&queue, 60).unwrap().jobs[0].entry, 1, "then in order");
}

#[test]
fn a_sink_that_fails_again_and_again_is_left_alone_and_then_tried_with_one_job() {
    let mut queue = queue(&[None; 8]);
    for _ in 0..5 {
        let batch = next(&queue, 0).unwrap();
        queue.settle(&batch, &busy(), at(0), Duration::ZERO);
    }
    assert_eq!(next(&queue, 1), None, "it is left alone, though three jobs were never tried");
    assert_eq!(queue.resting(), Some("503"));
    let (_, again) = queue.wakes(Duration::from_secs(1));
    let again = again.unwrap();
    let all = |_: &Job, others: &[&Job]| (0..others.len()).collect();
    let probe = queue.next(at(0), again, 1, all, |_| false).pop().unwrap();
    assert_eq!(probe.jobs.len(), 1);
    queue.settle(&probe, &Attempt::Done { reference: None }, at(0), again);
    let rest = queue.next(at(0), again, 1, all, |_| false).pop().unwrap();
    assert_eq!(rest.jobs.len(), 7);
}

#[test]
fn a_far_side_that_names_a_time_is_left_alone_for_so_long() {
    let mut queue = queue(&[None, None]);
    let batch = next(&queue, 0).unwrap();
    let after = Some(Duration::from_secs(3000));
    queue.settle(&batch, &Attempt::Retry { why: "429".into(), after }, at(0), Duration::ZERO);
    assert_eq!(next(&queue, 2999), None);
    assert!(next(&queue, 3000).is_some());
}

#[test]
fn after_three_days_a_job_is_given_up_but_not_for_a_wrong_password() {
    for (attempt, settled) in [
        (busy(), BatchOutcome::GivenUp),
        (Attempt::InDoubt { why: "cut".into() }, BatchOutcome::GivenUp),
        (Attempt::Misconfigured { why: "535".into() }, BatchOutcome::Again),
    ] {
        let mut queue = queue(&[None]);
        let batch = next(&queue, 0).unwrap();
        queue.intended(&batch, 9, at(0));
        assert_eq!(
            queue.settle(&batch, &attempt, at(72 * 60), Duration::ZERO),
            BatchOutcome::Again
        );
        let later = at(72 * 60 + 1);
        assert_eq!(queue.settle(&batch, &attempt, later, Duration::ZERO), settled, "{attempt:?}");
        assert_eq!(queue.given_up.len(), usize::from(settled == BatchOutcome::GivenUp));
    }
}

#[test]
fn a_checkpoint_says_what_was_kept() {
    let mut before = queue(&[Some(1), None]);
    let batch = next(&before, 0).unwrap();
    before.intended(&batch, 7, at(1));
    assert_eq!(before.cursor, 2, "what was taken in is not read again");
    let text = serde_json::to_string(&before).unwrap();
    let after: Queue = serde_json::from_str(&text).unwrap();
    assert_eq!(after, before);
}

#[test]
fn what_is_not_due_yet_keeps_nobody_back() {
    let mut queue = Queue::from(0);
    let device = Some("D001".parse().unwrap());
    let later = Job { not_before: Some(at(60)), device, ..job(1) };
    queue.take_in("mail", &entry(1), vec![later]);
    queue.take_in("mail", &entry(2), vec![Job { device, ..job(2) }]);
    assert_eq!(next(&queue, 0).unwrap().jobs[0].entry, 2);
    let due = queue.next(at(60), Duration::ZERO, 1, |_, _| vec![], |_| false).pop().unwrap();
    assert_eq!(due.jobs[0].entry, 1);
}
