//! The pipeline of GitLab.

use serde_json::Value;

use super::lab::{DEVICE, GITLAB, Lab, MARKER, Ran, break_profile, change_user};

fn review(lab: &Lab, more: &[(&str, &str)]) -> Ran {
    let base = lab.git("rev-parse main");
    let own = [("CI_MERGE_REQUEST_DIFF_BASE_SHA", &*base)];
    lab.gitlab("fleetform:diff", &[&own, more].concat())
}
const TOKEN: (&str, &str) = ("FLEETFORM_NOTES_TOKEN", "secret");

#[test]
fn one_note_is_kept_up_to_date() {
    let lab = Lab::new();
    // So many that the own one is on the second page; and one of somebody else.
    let others: Vec<Value> = (1..=120)
        .map(|id| serde_json::json!({"id": id, "author": {"id": 9}, "body": format!("{MARKER}mine")}))
        .collect();
    lab.set_comments(&Value::from(others).to_string());
    lab.propose(change_user);
    review(&lab, &[TOKEN]).exits(0);
    lab.propose(|lab| lab.replace(DEVICE, "10.0.26100", "10.0.99999"));
    let ran = review(&lab, &[TOKEN]).exits(0);
    assert!(ran.stdout.contains("10.0.99999"), "{ran:?}");
    let comments = lab.comments();
    assert_eq!(comments.len(), 121);
    assert!(comments[..120].iter().all(|body| body.ends_with("mine")));
    assert!(comments[120].starts_with(MARKER), "{comments:?}");
    assert!(comments[120].contains("10.0.26100 -> 10.0.99999"), "{comments:?}");
    let calls = lab.world("curl.calls");
    assert!(!calls.contains("secret"), "anybody on the machine can read arguments: {calls}");
}

#[test]
fn a_merged_result_is_compared_with_the_target() {
    let lab = Lab::new();
    let old = lab.git("rev-parse main");
    change_user(&lab);
    lab.commit("meanwhile");
    lab.propose(|lab| lab.replace(DEVICE, "10.0.26100", "10.0.99999"));
    let target = lab.git("rev-parse main");
    let variables = [
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &*old),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", &*target),
    ];
    let ran = lab.gitlab("fleetform:diff", &variables).exits(0);
    assert!(ran.stdout.contains("10.0.99999") && !ran.stdout.contains("else@"), "{ran:?}");
}

#[test]
fn without_a_token_nothing_is_written_and_with_a_bad_one_it_is_said() {
    let lab = Lab::new();
    lab.propose(change_user);
    let ran = review(&lab, &[]).exits(0);
    assert!(ran.stdout.contains("FLEETFORM_NOTES_TOKEN is not set"), "{ran:?}");
    assert_eq!(lab.world("curl.calls"), "");
    assert!(lab.read("fleetform.md").contains("else@example.com"));
    let ran = review(&lab, &[("FLEETFORM_NOTES_TOKEN", "wrong")]);
    assert!(ran.code != 0 && ran.stderr.contains("401"), "{ran:?}");
    assert_eq!(lab.comments(), Vec::<String>::new());
}

#[test]
fn where_the_fleet_is_not_touched_nobody_is_bothered() {
    let lab = Lab::new();
    lab.propose(|lab| lab.write("README.md", "Other words.\n"));
    review(&lab, &[TOKEN]).exits(0);
    assert_eq!(lab.comments(), Vec::<String>::new());
}

#[test]
fn findings_are_reported_and_fail_the_job() {
    let lab = Lab::new();
    let report = |lab: &Lab| -> Vec<Value> {
        serde_json::from_str(&lab.read("gl-code-quality-report.json")).expect("JSON")
    };
    lab.gitlab("fleetform:check", &[]).exits(0);
    assert_eq!(report(&lab), Vec::<Value>::new());
    break_profile(&lab);
    let ran = lab.gitlab("fleetform:check", &[]).exits(1);
    assert!(ran.stdout.contains("error[unknown-profile]"), "{ran:?}");
    let found = report(&lab);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["check_name"], "unknown-profile");
    assert_eq!(found[0]["location"]["path"], DEVICE);
    let line = found[0]["location"]["lines"]["begin"].as_u64().expect("a line");
    let line = usize::try_from(line).expect("a line");
    assert!(lab.read(DEVICE).lines().nth(line - 1).is_some_and(|l| l.contains("Standrad")));
    assert!(found[0]["fingerprint"].as_str().is_some_and(|text| !text.is_empty()));
}

#[test]
fn main_applies_the_plan_that_was_seen_or_nothing() {
    let lab = Lab::new();
    let data = lab.repo().with_file_name("ledger");
    let data = ("FLEETFORM_DATA", data.to_str().expect("UTF-8"));
    lab.begin(data.1);
    let config = lab.configuration();
    let config = ("FLEETFORM_CONFIG", &*config);
    let ran = lab.gitlab("fleetform:plan", &[data, config]).exits(0);
    assert!(ran.stdout.contains("1 to provision"), "{ran:?}");
    let dotenv = lab.read("plan.env");
    let plan = dotenv.trim().split_once('=').expect("a variable");
    assert!(ran.stdout.contains(plan.1), "who starts the job sees which plan it is: {ran:?}");
    let list = format!("fleetform --data {} list -o json", data.1);
    let before = lab.read(DEVICE);
    change_user(&lab);
    lab.gitlab("fleetform:apply", &[data, config, plan]).exits(3);
    assert_eq!(lab.bash(&list, &[]).devices(), 0);
    lab.write(DEVICE, &before);
    lab.gitlab("fleetform:apply", &[data, config, plan]).exits(0);
    assert_eq!(lab.bash(&list, &[]).devices(), 1);
}

#[test]
fn nothing_runs_where_it_should_not() {
    let file = Lab::new().yaml(GITLAB);
    let rule = |job: &str| file[job]["rules"][0]["if"].as_str().expect("a rule").to_owned();
    assert!(rule(".fleetform:review").contains("merge_request_event"));
    for job in ["fleetform:plan", "fleetform:apply"] {
        assert!(rule(job).contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), "{job}");
    }
    assert_eq!(file["fleetform:apply"]["rules"][0]["when"], "manual");
    assert_eq!(file["fleetform:diff"]["variables"]["GIT_DEPTH"], "0");
}
