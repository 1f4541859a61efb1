//! Every state that Intune may tell of a device, and what it means for a wipe of ours.

use serde_json::{Value, json};

use super::follow::{Followed, gone, step};
use crate::domain::model::{Digest, GraphId, Timestamp};
use crate::domain::plan::WipeStep;
use crate::domain::state::event::{WipeStage, WipeSubject};
use crate::domain::state::{Progress, Wipe, WipeState};
use crate::edges::provider::intune::rows::ManagedDevice;

const ISSUED: &str = "2026-08-20T10:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn wipe(scope: &str, delivered: bool) -> Wipe {
    let subject: WipeSubject = serde_json::from_value(json!({
        "request": Digest::ZERO, "name": "lost", "deviceId": "D001", "serialNumber": "PF3",
        "scope": scope, "reason": "lost", "requestedBy": "bo@example.com",
        "expiresAt": "2026-08-21T10:00:00Z",
    }))
    .unwrap();
    let target: Option<GraphId> = Some("705c-1".parse().unwrap());
    let progress = delivered.then(|| Progress {
        detail: String::new(),
        since: at(ISSUED),
        stage: WipeStage::Delivered,
        target,
    });
    Wipe {
        subject,
        path: "lost.yaml".into(),
        state: WipeState::Issued,
        since: at(ISSUED),
        code: None,
        detail: String::new(),
        signers: vec![],
        issue_at: None,
        issued_at: Some(at(ISSUED)),
        intent: Some(9),
        approval: None,
        progress,
    }
}

fn device(management: &str, results: Value) -> ManagedDevice {
    serde_json::from_value(json!({"id": "705c-1", "serialNumber": "PF3",
        "managementState": management, "lastSyncDateTime": "2026-08-20T09:00:00Z",
        "deviceActionResults": results}))
    .unwrap()
}

fn result(name: &str, state: &str, began: &str) -> Value {
    json!([{"actionName": name, "actionState": state, "startDateTime": began,
        "lastUpdatedDateTime": "2026-08-20T10:30:00Z"}])
}

fn said(wipe: &Wipe, device: &ManagedDevice, now: &str) -> Option<WipeStep> {
    let followed = Followed { request: Digest::ZERO, wipe, issued_at: at(ISSUED) };
    step(followed, device, at(now)).map(|(step, _)| step)
}

#[test]
fn each_result_of_an_action_of_ours_means_one_thing() {
    let delivered = || Some(WipeStep::Stage(WipeStage::Delivered));
    for (state, expected) in [
        ("done", Some(WipeStep::Done(at("2026-08-20T10:30:00Z")))),
        ("failed", Some(WipeStep::Failed)),
        ("notSupported", Some(WipeStep::Failed)),
        ("canceled", Some(WipeStep::Failed)),
        ("pending", delivered()),
        ("active", delivered()),
        ("none", delivered()),
        ("tomorrow", delivered()),
    ] {
        for (scope, name) in [
            ("full", "wipe"),
            ("full", "factoryReset"),
            ("selective", "retire"),
            ("selective", "removeCompanyData"),
        ] {
            let device = device("managed", result(name, state, ISSUED));
            assert_eq!(
                said(&wipe(scope, false), &device, ISSUED),
                expected,
                "{scope} {name} {state}"
            );
        }
    }
}

#[test]
fn what_others_did_or_did_before_is_not_ours() {
    let before = "2026-08-20T09:00:00Z";
    for results in [
        result("wipe", "done", before),
        result("wipe", "failed", before),
        result("retire", "done", ISSUED),
        result("syncDevice", "failed", ISSUED),
    ] {
        let device = device("managed", results.clone());
        assert_eq!(said(&wipe("full", false), &device, ISSUED), None, "{results}");
    }
    // Left by an earlier wipe, for all that anybody knows.
    assert_eq!(said(&wipe("full", false), &device("wipeFailed", json!([])), ISSUED), None);
    assert_eq!(
        said(&wipe("full", true), &device("wipeFailed", json!([])), ISSUED),
        Some(WipeStep::Failed)
    );
}

#[test]
fn the_state_of_management_tells_where_results_do_not() {
    for (scope, management, expected) in [
        ("full", "wipePending", Some(WipeStage::Delivered)),
        ("full", "wipeIssued", Some(WipeStage::Sent)),
        ("full", "retirePending", None),
        ("selective", "retirePending", Some(WipeStage::Delivered)),
        ("selective", "retireIssued", Some(WipeStage::Sent)),
        ("selective", "wipePending", None),
        ("full", "unhealthy", None),
        ("full", "unknownFutureValue", None),
    ] {
        let device = device(management, json!([]));
        let said = said(&wipe(scope, false), &device, ISSUED);
        assert_eq!(said, expected.map(WipeStep::Stage), "{scope} {management}");
    }
}

#[test]
fn a_command_in_doubt_was_not_taken_only_if_the_device_came_by_long_enough_since() {
    let mut device = device("managed", json!([]));
    let mut sync = |text: &str| {
        device.last_sync_date_time.0 = Some(at(text));
        device.clone()
    };
    let doubt = wipe("full", false);
    let late = "2026-08-20T18:00:00Z";
    assert_eq!(said(&doubt, &sync("2026-08-20T09:59:00Z"), late), None, "it did not come by");
    assert_eq!(said(&doubt, &sync("2026-08-20T10:04:00Z"), late), None, "clocks differ");
    assert_eq!(
        said(&doubt, &sync("2026-08-20T10:06:00Z"), "2026-08-20T10:10:00Z"),
        None,
        "too soon"
    );
    let never = said(&doubt, &sync("2026-08-20T10:06:00Z"), late);
    assert_eq!(never, Some(WipeStep::NotTaken));
    assert_eq!(
        said(&wipe("full", true), &sync("2026-08-20T10:06:00Z"), late),
        None,
        "it was taken"
    );
    let mut expired = wipe("full", false);
    expired.state = WipeState::Expired;
    assert_eq!(said(&expired, &sync("2026-08-20T10:06:00Z"), late), None);
    let mut odd = sync("2026-08-20T10:06:00Z");
    odd.management_state = Some("unhealthy".into());
    assert_eq!(said(&doubt, &odd, late), None);
}

#[test]
fn a_record_that_is_gone_is_erased_only_after_our_command_was_taken() {
    let now = at("2026-08-20T11:00:00Z");
    let of = |delivered| {
        let wipe = wipe("full", delivered);
        let followed = Followed { request: Digest::ZERO, wipe: &wipe, issued_at: at(ISSUED) };
        gone(followed, now).map(|(step, _)| step)
    };
    assert_eq!(of(true), Some(WipeStep::Done(now)));
    assert_eq!(of(false), None);
}
