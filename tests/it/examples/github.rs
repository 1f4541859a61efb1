//! The workflow of GitHub.

use serde_json::Value;

use super::lab::{DEVICE, GITHUB, Lab, MARKER, break_profile, change_user};

const PULL_REQUEST: &[(&str, &str)] =
    &[("github.token", "secret"), ("github.event.pull_request.number", "7")];

#[test]
fn one_comment_is_kept_up_to_date() {
    let lab = Lab::new();
    // Somebody else's comment is not to be mistaken for the own one.
    lab.set_comments(
        r#"[{"id": 1, "user": {"login": "mallory"}, "body": "<!-- fleetform diff -->\nmine"}]"#,
    );
    lab.propose(change_user);
    lab.github("review", PULL_REQUEST).exits(0);
    let comments = lab.comments();
    assert_eq!((comments.len(), comments[0].ends_with("mine")), (2, true), "{comments:?}");
    assert!(comments[1].starts_with(MARKER), "{comments:?}");
    assert!(comments[1].contains("somebody@example.com -> else@example.com"), "{comments:?}");
    assert!(lab.world("summary.md").contains("else@example.com"));

    lab.propose(|lab| lab.replace(DEVICE, "10.0.26100", "10.0.99999"));
    lab.github("review", PULL_REQUEST).exits(0);
    let comments = lab.comments();
    assert_eq!((comments.len(), comments[0].ends_with("mine")), (2, true), "{comments:?}");
    assert!(comments[1].contains("10.0.26100 -> 10.0.99999"), "{comments:?}");
    assert!(!comments[1].contains("else@example.com"), "{comments:?}");
    let calls = lab.world("gh.calls");
    let count = |method: &str| calls.matches(&format!("--method {method}")).count();
    assert_eq!((count("POST"), count("PATCH")), (1, 1), "{calls}");
}

#[test]
fn where_the_fleet_is_not_touched_nobody_is_bothered() {
    let lab = Lab::new();
    lab.propose(|lab| lab.write("README.md", "Other words.\n"));
    lab.github("review", PULL_REQUEST).exits(0);
    assert_eq!(lab.comments(), Vec::<String>::new());
    // But what was said and holds no more is taken back.
    lab.propose(change_user);
    lab.github("review", PULL_REQUEST).exits(0);
    lab.propose(|lab| lab.write("README.md", "Other words.\n"));
    lab.github("review", PULL_REQUEST).exits(0);
    let comments = lab.comments();
    assert!(comments.len() == 1 && comments[0].contains("No changes"), "{comments:?}");
}

#[test]
fn findings_are_annotated_and_fail_the_job() {
    let lab = Lab::new();
    lab.propose(break_profile);
    let ran = lab.github("review", PULL_REQUEST).exits(1);
    assert_eq!(ran.failed.as_deref(), Some("Check"));
    let line = 1 + lab.read(DEVICE).lines().position(|l| l.contains("Standrad")).expect("it");
    let expected = format!("::error file={DEVICE},line={line},");
    assert!(ran.stdout.contains(&expected), "{expected} is not in {}", ran.stdout);
    assert!(lab.comments()[0].contains("error[unknown-profile]"), "{:?}", lab.comments());
}

#[test]
fn who_may_not_comment_finds_the_diff_in_the_summary() {
    let lab = Lab::new();
    lab.forbid_writing();
    lab.propose(change_user);
    let ran = lab.github("review", PULL_REQUEST).exits(0);
    assert!(ran.stdout.contains("::warning title=No comment::"), "{ran:?}");
    assert!(lab.world("summary.md").contains("else@example.com"));
    assert_eq!(lab.comments(), Vec::<String>::new());
}

#[test]
fn what_strangers_write_is_never_run() {
    let lab = Lab::new();
    lab.propose(|lab| {
        let text = lab
            .read(DEVICE)
            .replace("EXAMPLE-0001", "E2")
            .replace("example-laptop  ", "\"$(touch pwned)`touch pwned`\\n::error::pwned\"  ");
        lab.write("fleet/$(touch pwned);`touch pwned`.yaml", &text);
        lab.write("fleet/-o.yaml", "kind: [\n::error::pwned\n");
    });
    let ran = lab.github("review", PULL_REQUEST).exits(1);
    assert_eq!(ran.failed.as_deref(), Some("Check"));
    assert!(!lab.repo().join("pwned").exists());
    assert!(!ran.stdout.lines().any(|line| line.starts_with("::error::")), "{ran:?}");
}

#[test]
fn findings_are_uploaded() {
    let lab = Lab::new();
    lab.propose(break_profile);
    lab.github("sarif", PULL_REQUEST).exits(0);
    let sarif: Value = serde_json::from_str(&lab.world("sarif.json")).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "unknown-profile");
}

#[test]
fn main_applies_the_plan_that_was_seen_or_nothing() {
    let lab = Lab::new();
    let data = lab.repo().with_file_name("ledger");
    let data = data.to_str().expect("UTF-8");
    lab.begin(data);
    let config = lab.configuration();
    let own = [("vars.FLEETFORM_DATA", data), ("vars.FLEETFORM_CONFIG", &*config)];
    let planned = lab.github("plan", &own).exits(0);
    let digest = planned.outputs["digest"].clone();
    assert!(lab.world("summary.md").contains(&digest), "the reviewer sees which plan it is");
    let context = [&own[..], &[("needs.plan.outputs.digest", &*digest)]].concat();

    // Something else has been merged meanwhile.
    let before = lab.read(DEVICE);
    change_user(&lab);
    lab.github("apply", &context).exits(3);
    assert_eq!(lab.bash(&format!("fleetform --data {data} list -o json"), &[]).devices(), 0);

    lab.write(DEVICE, &before);
    lab.github("apply", &context).exits(0);
    assert_eq!(lab.bash(&format!("fleetform --data {data} list -o json"), &[]).devices(), 1);
}

#[test]
fn it_is_safe_by_default() {
    let lab = Lab::new();
    let file = lab.yaml(GITHUB);
    assert_eq!(file["permissions"], serde_json::json!({}));
    assert!(file["on"]["pull_request_target"].is_null());
    for (name, job) in file["jobs"].as_object().expect("jobs") {
        let allowed: &[&str] = match &**name {
            "review" => &["pull-requests"],
            "sarif" => &["security-events"],
            _ => &[],
        };
        for (right, how) in job["permissions"].as_object().expect("permissions of their own") {
            assert!(how == "read" || allowed.contains(&&**right), "{name}: {right}: {how}");
        }
        let strangers = job["if"].as_str().is_some_and(|on| on.contains("pull_request'"));
        let own = job["runs-on"].as_str().is_some_and(|on| on.contains("vars."));
        assert!(!(strangers && own), "{name}: strangers' files on an own machine");
        for step in job["steps"].as_array().expect("steps") {
            if let Some(action) = step["uses"].as_str() {
                let (action, pin) = action.split_once('@').expect("a pin");
                let is_commit = pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(action == "actions/checkout" && is_commit, "{name}: {step}");
                assert_eq!(step["with"]["persist-credentials"], false, "{name}: {step}");
            }
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{name}: pass it by env: {script}");
        }
    }
}
