//! What a queue keeps for the next process.

use serde_json::json;

use super::*;
use crate::domain::notice::Topic;

const HOUR: Duration = Duration::from_secs(3600);

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    start + chrono::TimeDelta::minutes(minutes)
}

/// With one job.
fn queue() -> Queue {
    let event = Event::parse("pass.thawed", "{}").unwrap();
    let entry =
        Entry { seq: 1, at: at(0), device: None, actor: "test".into(), source: None, event };
    let job = Job {
        id: "e1".into(),
        entry: 1,
        at: at(0),
        not_before: None,
        device: None,
        episode: None,
        topic: Topic::Entry,
        payload: json!({}),
    };
    let mut queue = Queue::from(0);
    queue.take_in("mail", &entry, vec![job]);
    queue
}

fn next(queue: &Queue, elapsed: Duration) -> Option<Batch> {
    queue.next(at(0), elapsed, 1, |_, _| vec![], |_| false).pop()
}

fn answered(queue: &mut Queue, attempt: &Attempt) {
    let batch = next(queue, Duration::ZERO).unwrap();
    queue.settle(&batch, attempt, at(0), Duration::ZERO);
}

/// As another process finds it.
fn reopened(queue: &Queue, now: Timestamp, elapsed: Duration) -> Queue {
    let kept = serde_json::to_vec(queue).unwrap();
    serde_json::from_slice::<Queue>(&kept).unwrap().resumed(now, elapsed)
}

#[test]
fn the_next_process_does_not_call_before_the_far_side_said_either() {
    let mut queue = queue();
    let after = Some(2 * HOUR);
    answered(&mut queue, &Attempt::Retry { why: "429".into(), after });
    // When it starts, what its own clock says then, and how long it has to wait.
    for (now, elapsed, left) in [
        (at(5), Duration::ZERO, 115 * 60),
        (at(60), HOUR, 60 * 60),
        (at(-600), Duration::ZERO, 120 * 60),
        (at(120), Duration::ZERO, 0),
    ] {
        let queue = reopened(&queue, now, elapsed);
        let until = elapsed + Duration::from_secs(left);
        assert!(next(&queue, until).is_some(), "{now}");
        if left > 0 {
            assert_eq!(next(&queue, until - Duration::from_secs(1)), None, "{now}");
            assert_eq!(queue.resting(), Some("429"));
        }
    }
}

#[test]
fn any_other_answer_ends_the_wait_that_the_far_side_asked_for() {
    let mut queue = queue();
    answered(&mut queue, &Attempt::Retry { why: "429".into(), after: Some(HOUR) });
    let batch = next(&queue, HOUR).unwrap();
    queue.settle(&batch, &Attempt::InDoubt { why: "cut".into() }, at(60), HOUR);
    let queue = reopened(&queue, at(1), Duration::ZERO);
    assert!(next(&queue, Duration::ZERO).is_some(), "a clock that was set back revives nothing");
}
