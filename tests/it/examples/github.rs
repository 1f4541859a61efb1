//! The examples, by their own commands: workflows, pipeline and hook in a repository that `init`
//! made. Only GitHub and GitLab themselves are played, by `examples/gh` and `examples/curl`.

mod lab;

use std::fs;

use serde_json::Value;

use crate::support::tree;
use lab::{DEVICE, GITHUB, GITLAB, Lab, Ran};

const PULL_REQUEST: &[(&str, &str)] =
    &[("github.token", "secret"), ("github.event.pull_request.number", "7")];
const MARKER: &str = "<!-- fleetform diff -->\n";

fn change_user(lab: &Lab) {
    lab.replace(DEVICE, "somebody@example.com", "else@example.com");
}

fn break_profile(lab: &Lab) {
    lab.replace(DEVICE, "profile: Standard", "profile: Standrad");
}

mod github {
    use super::*;

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
}

mod gitlab {
    use super::*;

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
}

impl Ran {
    /// How many devices `list -o json` printed.
    fn devices(&self) -> usize {
        let list: Value = serde_json::from_str(&self.stdout).expect("JSON");
        list["devices"].as_array().expect("devices").len()
    }
}

mod hook {
    use super::*;

    /// With the hook turned on.
    fn lab() -> Lab {
        let lab = Lab::new();
        lab.git("config core.hooksPath .githooks");
        lab
    }

    #[track_caller]
    fn commits(lab: &Lab, command: &str) {
        lab.bash(command, &[]).exits(0);
    }

    #[track_caller]
    fn is_refused(lab: &Lab, command: &str) {
        let before = lab.git("rev-parse HEAD");
        let ran = lab.bash(command, &[]).exits(1);
        assert!(ran.stderr.contains("error[unknown-profile]"), "{ran:?}");
        assert!(ran.stderr.contains("would bring findings"), "{ran:?}");
        assert_eq!(lab.git("rev-parse HEAD"), before);
    }

    #[test]
    fn what_is_staged_counts_and_not_the_work_tree() {
        let lab = lab();
        let good = lab.read(DEVICE);
        break_profile(&lab);
        is_refused(&lab, "git commit -qam broken");
        is_refused(&lab, &format!("git commit -qm broken {DEVICE}"));
        is_refused(&lab, "cd fleet/devices && git commit -qam broken");
        // Broken where it is staged, mended where it is not.
        lab.git("add -A");
        lab.write(DEVICE, &good);
        is_refused(&lab, "git commit -qm broken");
        // And the other way around, with a file besides that Git does not know.
        change_user(&lab);
        lab.git("add -A");
        break_profile(&lab);
        lab.write("fleet/untracked.yaml", "kind: [");
        commits(&lab, "git commit -qm good");
        assert!(lab.git("show HEAD --stat").contains(DEVICE));
    }

    #[test]
    fn it_looks_at_the_whole_fleet_that_would_be() {
        let lab = lab();
        // The profile goes, and only its removal is staged.
        lab.git("rm -q --cached fleet/profiles/standard.yaml");
        is_refused(&lab, "git commit -qm broken");
        lab.git("reset -q");
        // All goes, also from the disk.
        lab.git("rm -rq fleet");
        commits(&lab, "git commit -qm gone");
        // And comes again, in a work tree that has no files.
        lab.git("checkout -q HEAD~ -- fleet && rm -r fleet");
        commits(&lab, "git commit -qm again");
        lab.git("checkout -q -- fleet");
        // What is only announced with `add -N` is not in the commit.
        lab.write("fleet/announced.yaml", "kind: [");
        lab.git("add -N fleet/announced.yaml");
        change_user(&lab);
        commits(&lab, &format!("git add {DEVICE} && git commit -qm some"));
    }

    #[test]
    fn findings_that_are_there_already_do_not_stand_in_the_way() {
        let lab = lab();
        break_profile(&lab);
        commits(&lab, "git commit -qa --no-verify -m broken");
        lab.write(
            "fleet/other.yaml",
            &lab.read("fleet/profiles/mobile.yaml").replace("Mobile", "M2"),
        );
        commits(&lab, "git add -A && git commit -qm other");
    }

    #[test]
    fn it_works_at_the_first_commit_and_in_linked_work_trees() {
        let lab = lab();
        lab.git("checkout -q --orphan fresh");
        break_profile(&lab);
        let ran = lab.bash("git add -A && git commit -qm first", &[]).exits(1);
        assert!(ran.stderr.contains("error[unknown-profile]"), "{ran:?}");
        lab.replace(DEVICE, "Standrad", "Standard");
        commits(&lab, "git add -A && git commit -qm first");
        lab.git("worktree add -q ../linked");
        is_refused(
            &lab,
            &format!("cd ../linked && sed -i s/Standard/Standrad/ {DEVICE} && git commit -qam x"),
        );
    }

    #[test]
    fn it_costs_nothing_elsewhere_and_says_what_is_missing() {
        let lab = lab();
        lab.write("README.md", "Other words.\n");
        let without = "PATH=${PATH#*:}; ! command -v fleetform > /dev/null; git commit -qam x";
        commits(&lab, without);
        change_user(&lab);
        let ran = lab.bash(without, &[]).exits(1);
        assert!(ran.stderr.contains("fleetform is not on the PATH"), "{ran:?}");
    }

    #[test]
    fn the_frameworks_configuration_runs_it() {
        let lab = Lab::new();
        let file = lab.yaml(".pre-commit-config.yaml");
        let hook = &file["repos"][0]["hooks"][0];
        // A removed file is none that the framework would look at.
        assert_eq!((&hook["always_run"], &hook["pass_filenames"]), (&true.into(), &false.into()));
        let entry = hook["entry"].as_str().expect("an entry");
        lab.bash(entry, &[]).exits(0);
        break_profile(&lab);
        lab.git("add -A");
        lab.bash(entry, &[]).exits(1);
    }
}

mod init {
    use super::*;

    /// In a directory of its own that is no repository.
    fn bare() -> Lab {
        let lab = Lab::new();
        fs::remove_dir_all(lab.repo()).expect("it goes");
        fs::create_dir(lab.repo()).expect("a directory");
        lab
    }

    fn outcomes(ran: &Ran) -> Vec<(String, String)> {
        let all: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(all["version"], 1);
        let files = all["files"].as_array().expect("files").iter();
        let word = |value: &Value| value.as_str().expect("a word").to_owned();
        files.map(|file| (word(&file["path"]), word(&file["outcome"]))).collect()
    }

    #[test]
    fn a_fleet_is_begun_and_works_at_once() {
        let lab = bare();
        let ran = lab.bash("fleetform init new/repository -o json", &[]).exits(0);
        for (path, outcome) in outcomes(&ran) {
            assert_eq!(outcome, "written", "{path}");
            assert!(lab.repo().join("new/repository").join(&path).is_file(), "{path}");
        }
        assert!(ran.stdout.contains("git init"), "{ran:?}");
        let begun = "cd new/repository; ";
        let run = |command: &str| lab.bash(&format!("{begun}{command}"), &[]).exits(0);
        run("fleetform check");
        assert!(run("fleetform apply --yes").stdout.contains("1 provisioned"));
        assert!(run("fleetform apply --yes").stdout.contains("Applied: nothing"));
        assert_eq!(run("git init -q; git add -A; git ls-files .fleetform").stdout, "");
        let attributes = run("git check-attr text -- fleet/a.yaml b.yml fleet/wipes/c.yaml.x.sig");
        assert_eq!(attributes.stdout.matches("text: unset").count(), 3, "{attributes:?}");
        // The line by which editors find the schema is the one that `provision` writes.
        run("fleetform provision --serial S1 --user a@example.com --profile Standard --os 10");
        let first = |path: &str| {
            let text = lab.read(&format!("new/repository/fleet/devices/{path}.yaml"));
            text.lines().next().expect("a line").to_owned()
        };
        assert_eq!(first("a-s1"), first("example-laptop"));
        assert_eq!(run("fleetform schema").stdout, run("cat fleet/.schema/fleetform.json").stdout);
    }

    #[test]
    fn what_is_there_is_kept() {
        let lab = bare();
        lab.bash("fleetform init", &[]).exits(0);
        let before = tree(&lab.repo());
        let ran = lab.bash("fleetform init -o json", &[]).exits(0);
        assert!(outcomes(&ran).iter().all(|(_, outcome)| outcome == "kept"), "{ran:?}");
        assert!(tree(&lab.repo()) == before, "something was touched");
        let text = lab.bash("fleetform init", &[]).exits(0).stdout;
        assert!(text.contains("  kept      README.md\n"), "{text}");
        assert!(text.ends_with("0 files written, 14 kept, 0 left out.\n"), "{text}");

        // What a crash left out is made up for.
        fs::remove_file(lab.repo().join(DEVICE)).expect("it goes");
        let ran = lab.bash("fleetform init -o json", &[]).exits(0);
        assert!(outcomes(&ran).contains(&(DEVICE.to_owned(), "written".to_owned())), "{ran:?}");
        assert!(tree(&lab.repo()).keys().eq(before.keys()));
    }

    #[test]
    fn a_fleet_of_ones_own_gets_no_manifests() {
        for (path, text) in [
            ("fleet/madrid/p.yaml", include_str!("../../fleet/profiles/standard.yaml").to_owned()),
            ("fleet/broken.yaml", "kind: [".to_owned()),
            ("fleet/profiles/standard.yaml", "# Mine.\n".to_owned()),
            ("fleetform.yaml", "fleet: ./devices\n".to_owned()),
        ] {
            let lab = bare();
            lab.write(path, &text);
            let ran = lab.bash("fleetform init -o json", &[]).exits(0);
            let left: Vec<_> = outcomes(&ran).into_iter().filter(|(_, o)| o == "leftOut").collect();
            assert!(left.len() >= 3 && ran.stdout.contains("No manifests were added"), "{ran:?}");
            assert!(left.iter().all(|(path, _)| !lab.repo().join(path).exists()), "{path}");
            assert_eq!(lab.read(path), text);
        }
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let lab = bare();
        lab.write("fleet", "a file where a directory should be");
        lab.write("notes.txt", "mine");
        let names = |lab: &Lab| tree(&lab.repo()).into_keys().collect::<Vec<_>>();
        let before = names(&lab);
        let ran = lab.bash("fleetform init", &[]).exits(1);
        assert!(ran.stderr.contains("fleet"), "{ran:?}");
        assert_eq!(names(&lab), before);
        // Also where the disk is full.
        fs::remove_file(lab.repo().join("fleet")).expect("it goes");
        let before = names(&lab);
        let full = "strace -f -o /dev/null -e trace=fsync -e inject=fsync:error=ENOSPC:when=9 fleetform init";
        let ran = lab.bash(full, &[]).exits(1);
        assert!(ran.stderr.contains("No space left on device"), "{ran:?}");
        assert_eq!(names(&lab), before);
    }

    #[test]
    fn what_has_to_be_done_by_hand_is_said() {
        let lab = bare();
        lab.write(".gitattributes", "*.png binary\n*.yml -text\n");
        lab.write(".gitignore", "# mine\n/.fleetform/\n");
        lab.git("init -q");
        let ran = lab.bash("fleetform init", &[]).exits(0);
        let add = ".gitattributes was kept; add to it: *.yaml -text, *.sig -text\n";
        assert!(ran.stderr.contains(add), "{ran:?}");
        assert!(!ran.stderr.contains(".gitignore") && !ran.stderr.contains("git init"), "{ran:?}");
        let ran = lab.bash("fleetform init below", &[]).exits(0);
        assert!(ran.stderr.contains("This is below/ of a larger repository"), "{ran:?}");
        lab.bash("fleetform init --fleet elsewhere", &[]).exits(1);
    }
}
