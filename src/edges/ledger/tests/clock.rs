//! When the time of a pass is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::domain::state::event::{WipeStopped, WipeSubject};
use crate::edges::ledger::highest_time;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_763_800_000_000 + seconds * 1_000)
}

/// A request that nobody signed, until then.
fn held(expires: Timestamp) -> Draft {
    let subject: WipeSubject = serde_json::from_value(serde_json::json!({
        "request": Digest::ZERO, "name": "x", "deviceId": "D001", "serialNumber": "A",
        "scope": "full", "reason": "lost", "requestedBy": "bo@example.com", "expiresAt": expires,
    }))
    .unwrap();
    let stopped = WipeStopped {
        subject,
        code: "notSigned".into(),
        detail: String::new(),
        signers: vec![],
        for_good: false,
        intent: None,
    };
    let source = Some(source("fleet/x.yaml"));
    Draft { device: None, source, event: Event::WipeHeld(Box::new(stopped)) }
}

#[test]
fn a_pass_keeps_its_time_where_something_depends_on_it_or_a_minute_has_gone_by() {
    let dir = tempfile::tempdir().unwrap();
    let seconds = Arc::new(AtomicI64::new(0));
    let open = || {
        let seconds = seconds.clone();
        let now = move || at(seconds.load(Ordering::Relaxed));
        Ledger::open(dir.path(), "t".into(), now).unwrap()
    };
    let kept = || highest_time(dir.path());
    let mut ledger = open();
    ledger.append(vec![profile("x")]).unwrap();
    let pass = |ledger: &mut Ledger, second| {
        seconds.store(second, Ordering::Relaxed);
        ledger.end_pass().unwrap();
        kept()
    };
    assert_eq!(pass(&mut ledger, 0), Some(at(0)), "the first of all");
    assert_eq!(pass(&mut ledger, 59), Some(at(0)), "a quiet one");
    assert_eq!(pass(&mut ledger, 60), Some(at(60)), "a minute later");
    ledger.time_matters_until(Some(at(3_600)));
    assert_eq!(pass(&mut ledger, 61), Some(at(61)), "a request that the log does not have");
    ledger.time_matters_until(Some(at(55)));
    assert_eq!(pass(&mut ledger, 62), Some(at(61)), "one that stays expired by what is kept");
    ledger.time_matters_until(None);
    ledger.append(vec![held(at(70))]).unwrap();
    assert_eq!(pass(&mut ledger, 63), Some(at(63)), "one that the log has");
    assert_eq!(pass(&mut ledger, 75), Some(at(75)), "the pass that sees it expire");
    assert_eq!(pass(&mut ledger, 76), Some(at(76)), "within the tolerance");
    assert_eq!(pass(&mut ledger, 77), Some(at(76)), "no clock revives it any more");
    // At a stop, and at a start.
    seconds.store(78, Ordering::Relaxed);
    ledger.snapshot().unwrap();
    assert_eq!(kept(), Some(at(78)));
    drop(ledger);
    seconds.store(79, Ordering::Relaxed);
    let mut ledger = open();
    assert_eq!(kept(), Some(at(79)));
    // It never goes back.
    seconds.store(10, Ordering::Relaxed);
    ledger.snapshot().unwrap();
    assert_eq!((kept(), ledger.latest(at(10))), (Some(at(79)), at(79)));
}
