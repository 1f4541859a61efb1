#![allow(clippy::disallowed_methods, reason = "throw-away files in a temporary directory")]

use std::time::Instant;

use super::*;

fn sh(script: &str, time: Duration) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    Running::start(&mut command, "test", time).unwrap()
}

fn read(running: &mut Running) -> String {
    let mut text = String::new();
    running.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_takes_too_long_is_killed_with_all_that_it_started() {
    let begun = Instant::now();
    // The inner shell keeps standard output open.
    let mut running = sh("echo a; sh -c 'sleep 600' & sleep 600", Duration::from_millis(50));
    assert_eq!(read(&mut running), "a\n");
    assert!(!running.end().unwrap().success() && running.is_late());
    let error = running.failed(io::ErrorKind::UnexpectedEof.into());
    assert!(matches!(error, Error::Late { command: "test", .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_is_dropped_is_killed() {
    let begun = Instant::now();
    drop(sh("sleep 600", Duration::from_secs(600)));
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_it_left_behind_is_waited_for_by_nobody() {
    let begun = Instant::now();
    let mut running = sh("sleep 600 >/dev/null & echo done >&2; exit 3", Duration::from_secs(600));
    assert_eq!(read(&mut running), "");
    assert_eq!(running.end().unwrap().code(), Some(3));
    assert_eq!(running.complaint(), "done\n");
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_flood_is_an_error() {
    let mut running = sh("yes >&2", Duration::from_millis(300));
    read(&mut running);
    assert!(running.end().is_ok() && running.is_late());
    assert_eq!(running.complaint().len() as u64, MAX_COMPLAINT);
    let limit = Limit { time: QUESTION.time, bytes: 3 };
    let long = Git::Nowhere.output("version", &[], limit);
    assert!(matches!(long, Err(Error::Long { bytes: 3, .. })), "{long:?}");
    let version = Git::Nowhere.output("version", &[], QUESTION).unwrap();
    assert!(version.starts_with(b"git version"));
}

#[test]
fn nothing_of_the_environment_goes_in_but_what_is_named() {
    let command = Git::Named("x.git".into()).command(&["version"]);
    let set: Vec<&str> = SET.iter().map(|(name, _)| *name).collect();
    for (name, _) in command.get_envs() {
        let name = name.to_str().unwrap();
        let known = set.contains(&name) || KEPT.contains(&name) || KEPT_IF_NAMED.contains(&name);
        assert!(
            known || name.starts_with("GIT_CONFIG_") || ["PATH", "GIT_DIR"].contains(&name),
            "{name}"
        );
    }
    assert!(std::env::split_paths(&path()).all(|dir| dir.is_absolute()));
}
