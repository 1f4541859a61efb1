//! The hook before a commit, and the configuration of the framework that runs it.

use super::lab::{DEVICE, Lab, break_profile, change_user};

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
    lab.write("fleet/other.yaml", &lab.read("fleet/profiles/mobile.yaml").replace("Mobile", "M2"));
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
