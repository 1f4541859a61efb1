//! Multi Admin Approval beside our signatures: a wipe that Intune wants approved waits, is sent again
//! with the code, and costs no signature.

use rayon::prelude::*;
use serde_json::{Value, json};

use super::wipes::{SERIAL, ends_wiped, with_enrolled};
use crate::support::{Site, text};

/// Wipes need approval, and a signed request was sent.
fn with_request(settings: &Value, test: impl FnOnce(&Site<'_>)) {
    with_enrolled(&json!({}), |site, _| {
        site.tenant.set(json!({"approvals": settings}));
        site.tenant.post("/approvals/policies", json!({"policyType": "deviceWipe"}));
        site.request(SERIAL, "full");
        site.apply();
        test(site);
    });
}

fn decide(site: &Site<'_>, decision: &str) {
    site.tenant
        .post("/approvals/latest", json!({"decision": decision, "justification": "as asked"}));
}

fn code(site: &Site<'_>) -> String {
    let requests = site.tenant.get("/approvals")["requests"].take();
    text(&requests.as_array().expect("a list").last().expect("a request")["code"]).to_owned()
}

#[test]
fn a_wipe_that_needs_approval_waits_says_so_everywhere_and_is_sent_again_with_its_code() {
    // As documented, and as reported from the field.
    let all = [
        json!({"status": 403}),
        json!({"status": 412, "justificationRequired": true}),
        json!({"status": 403, "pendingStatus": 409}),
    ];
    all.par_iter().for_each(|settings| {
        with_request(settings, |site| {
            let code = code(site);
            assert_eq!(site.tenant.accepted().len(), 0);
            let (standing, word, why) = site.wipe();
            assert_eq!((&*standing, &*word), ("awaitingApproval", "awaitingApproval"), "{why}");
            assert!(why.contains(&code) && why.contains("Multi Admin Approval"), "{why}");
            site.is_settled();
            for args in [&["plan"][..], &["show", SERIAL], &["list"]] {
                let said = site.run(args).stdout;
                assert!(said.contains("approval"), "{args:?}: {said}");
            }
            let shown = site.run(&["show", SERIAL]).stdout;
            assert!(shown.contains(&code), "{shown}");
            // Days without a decision: it asks, and sends nothing.
            let before = site.tenant.last_call();
            site.tenant.wait("12h");
            site.pass();
            assert_eq!(site.tenant.written(before), [""; 0], "nothing is sent meanwhile");
            decide(site, "approve");
            site.apply();
            let accepted = site.tenant.accepted();
            assert_eq!(accepted.len(), 1, "{:?}", site.wipe());
            assert_eq!(accepted[0]["approvalCode"], code);
            let posts = site.tenant.calls("method=POST&path=*/wipe");
            assert_eq!(posts.len(), 2, "one to ask, one with the code");
            assert_eq!(posts[0]["body"], posts[1]["body"]);
            ends_wiped(site, &settings.to_string());
        });
    });
}

#[test]
fn what_is_not_approved_ends_the_request_with_that_reason() {
    let all = [
        ("reject", "approvalRejected"),
        ("cancel", "approvalCancelled"),
        ("expire", "approvalExpired"),
    ];
    all.par_iter().for_each(|(decision, expected)| {
        with_request(&json!({}), |site| {
            site.tenant.wait("10m");
            decide(site, decision);
            site.pass();
            let (standing, code, why) = site.wipe();
            assert_eq!((&*standing, &*code), ("refused", *expected), "{why}");
            assert!(why.contains("as asked"), "the approver's words are told: {why}");
            site.tenant.wait("9h");
            site.pass();
            assert_eq!(site.tenant.accepted().len(), 0);
            assert_eq!(
                site.tenant.calls("method=POST&path=*/wipe").len(),
                1,
                "nothing was sent again"
            );
        });
    });
}

#[test]
fn whoever_objects_while_a_wipe_awaits_approval_stops_it() {
    with_request(&json!({}), |site| {
        site.place.remove(&format!("fleet/wipes/{SERIAL}.yaml"));
        decide(site, "approve");
        site.pass();
        site.tenant.wait("9h");
        site.pass();
        assert_eq!(site.tenant.accepted().len(), 0, "an approval in Intune is no signature");
    });
}

#[test]
fn an_approval_that_cannot_be_read_is_read_later() {
    with_request(&json!({}), |site| {
        decide(site, "approve");
        let path = "*/operationApprovalRequests";
        site.tenant.fault(json!({"match": {"path": path}, "action": {"status": 403}}));
        let (code, _) = site.pass();
        assert_eq!((code, site.tenant.accepted().len()), (1, 0), "that it cannot be read is said");
        assert_eq!(site.wipe().0, "awaitingApproval");
        site.tenant.heal();
        ends_wiped(site, "read later");
    });
}

#[test]
fn what_goes_wrong_when_the_code_is_sent_is_as_at_any_other_call() {
    let all = [
        json!({"status": 503, "retryAfter": "1"}),
        json!({"status": 503, "takesEffect": true}),
        json!({"status": 500}),
        json!({"status": 500, "takesEffect": true}),
        json!({"status": 401}),
        json!({"cut": "before"}),
        json!({"cut": "after"}),
    ];
    all.par_iter().for_each(|action| {
        with_request(&json!({}), |site| {
            decide(site, "approve");
            let matches = json!({"method": "POST", "path": "*/wipe"});
            site.tenant.fault(json!({"match": matches, "times": 1, "action": action}));
            site.pass();
            ends_wiped(site, &action.to_string());
        });
    });
}
