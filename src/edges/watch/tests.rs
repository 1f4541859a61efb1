//! What wakes and what does not, on real directories; the paused clock makes waiting free.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use notify::event::{AccessKind, AccessMode, CreateKind, Event, EventKind, RemoveKind};
use tempfile::TempDir;

use super::filter::Filter;
use super::paths::anchors;
use super::prints::Prints;
use super::survey::{self, *};
use super::touched::FILES;
use super::watcher::*;
use super::*;

fn inbox(dir: PathBuf) -> Entrance {
    Entrance { dir, ignoring: &["rejected"] }
}

fn places(dir: &Path) -> Places {
    Places {
        fleet: dir.join("fleet"),
        reports: vec![inbox(dir.join("data/inbox"))],
        requests: inbox(dir.join("data/requests")),
        files: vec![dir.join("etc/allowed_signers")],
    }
}

fn filter(dir: &Path) -> Filter {
    let places = places(dir);
    let mut filter = Filter::default();
    filter.set(&places, anchors(&places));
    for watched in ["fleet", "fleet/madrid"] {
        filter.add(&dir.join(watched));
    }
    filter
}

#[test]
fn reading_and_tidying_and_neighbours_do_not_wake() {
    let dir = TempDir::new().unwrap();
    let filter = filter(dir.path());
    let (made, gone) = (EventKind::Create(CreateKind::Any), EventKind::Remove(RemoveKind::Any));
    let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let read = EventKind::Access(AccessKind::Close(AccessMode::Read));
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    for (path, kind, wakes) in [
        ("fleet/a.yaml", made, true),
        ("fleet/a.yaml", gone, true),
        ("fleet/a.yaml", written, true),
        ("fleet/a.yaml", opened, false),
        ("fleet/a.yaml", read, false),
        ("fleet/madrid/a.yaml", made, true),
        ("fleet/madrid", gone, true),
        ("fleet/.a.yaml.swp", made, false),
        ("fleet/.git", made, false),
        ("fleet", gone, true),
        ("fleet", opened, false),
        ("fleetling", made, false),
        ("data", made, true),
        ("data/inbox/1.json", made, true),
        ("data/inbox/1.json", gone, false),
        ("data/inbox/.1.json", made, false),
        ("data/inbox/rejected", made, false),
        ("data/requests/1.json", made, true),
        ("data/requests/1.json", gone, false),
        ("data/requests/.1.json", made, false),
        ("data/requests/rejected", made, false),
        ("data/state.json", made, false),
        ("data/inbox", made, true),
        ("etc/allowed_signers", written, true),
        ("etc/passwd", written, false),
    ] {
        let event = Event::new(kind).add_path(dir.path().join(path));
        assert_eq!(!filter.touched(&event, false).is_empty(), wakes, "{path} {kind:?}");
    }
}

#[test]
fn events_tell_where_as_far_as_it_is_certain() {
    let dir = TempDir::new().unwrap();
    let filter = filter(dir.path());
    fs::create_dir_all(dir.path().join("fleet/made")).unwrap();
    fs::write(dir.path().join("fleet/a.yaml"), "").unwrap();
    symlink("a.yaml", dir.path().join("fleet/link.yaml")).unwrap();
    let made = EventKind::Create(CreateKind::Any);
    let file = |path: &str| Touched::file(path.into());
    for (path, touched) in [
        ("fleet/a.yaml", file("a.yaml")),
        ("fleet/madrid/gone.yaml", file("madrid/gone.yaml")),
        ("fleet/a.yaml.new", file("a.yaml.new")),
        ("fleet/w.yaml.sig", Touched::anything()),
        ("fleet/w.yaml.carol.veto.sig", Touched::anything()),
        ("fleet/made", Touched::anything()),
        ("fleet/madrid", Touched::anything()),
        ("fleet/link.yaml", Touched::anything()),
        ("fleet", Touched::anything()),
        ("etc/allowed_signers", Touched::anything()),
        ("data/inbox/1.json", Touched { reports: true, ..Touched::default() }),
        ("data/requests/1.json", Touched { requests: true, ..Touched::default() }),
    ] {
        let event = Event::new(made).add_path(dir.path().join(path));
        assert_eq!(filter.touched(&event, false), touched, "{path}");
    }
    let renamed = Event::new(made)
        .add_path(dir.path().join("fleet/a.yaml"))
        .add_path(dir.path().join("fleet/b.yaml"));
    assert_eq!(filter.touched(&renamed, false).files.len(), 2);
    let mut many = Touched::default();
    (0..=FILES).for_each(|n| many.merge(file(&n.to_string())));
    assert_eq!(many, Touched::anything());
}

#[test]
fn a_tree_that_is_on_the_way_to_the_inbox_still_wakes() {
    let dir = TempDir::new().unwrap();
    let places = Places { fleet: dir.path().into(), ..places(dir.path()) };
    let mut filter = Filter::default();
    filter.set(&places, anchors(&places));
    filter.add(dir.path());
    let made = EventKind::Create(CreateKind::Any);
    assert!(
        !filter.touched(&Event::new(made).add_path(dir.path().join("a.yaml")), false).is_empty()
    );
}

#[test]
fn the_way_to_a_place_leads_through_its_symlinks() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    fs::create_dir_all(dir.join("trees/one/fleet")).unwrap();
    symlink("trees/one", dir.join("current")).unwrap();
    symlink("loop", dir.join("loop")).unwrap();
    let places = Places {
        fleet: dir.join("current/fleet"),
        reports: vec![inbox(dir.join("loop/inbox"))],
        requests: inbox(dir.join("loop/requests")),
        files: vec![dir.join("no/such/file")],
    };
    let anchors = super::paths::anchors(&places);
    for (path, name) in [
        ("", "current"),
        ("", "trees"),
        ("trees", "one"),
        ("trees/one", "fleet"),
        ("", "loop"),
        ("", "no"),
        ("no", "such"),
    ] {
        let path = if path.is_empty() { dir.clone() } else { dir.join(path) };
        assert!(anchors[&path].contains(std::ffi::OsStr::new(name)), "{path:?} {name}");
    }
}

/// The directories that a round watches, or that all is to be watched anew.
fn round(known: &BTreeMap<PathBuf, Identity>, root: &Path) -> (Vec<String>, bool) {
    let mut watched = Vec::new();
    let mut survey = Survey::new(known);
    let mut watch = |path: &Path, new: bool| {
        let path = path.strip_prefix(root.parent().unwrap()).unwrap();
        watched.extend(new.then(|| path.display().to_string()));
        Ok(())
    };
    survey.tree(root, &mut watch).unwrap();
    let anew = survey.done().is_err();
    watched.sort();
    (watched, anew)
}

fn known(root: &Path) -> BTreeMap<PathBuf, Identity> {
    let nothing = BTreeMap::new();
    let mut survey = Survey::new(&nothing);
    survey.tree(root, &mut |_, _| Ok(())).unwrap();
    survey.done().unwrap()
}

#[test]
fn only_what_is_new_is_watched_and_all_anew_once_something_is_another() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("fleet");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::create_dir_all(root.join(".git/objects")).unwrap();
    assert_eq!(
        round(&BTreeMap::new(), &root),
        (vec!["fleet".into(), "fleet/a".into(), "fleet/a/b".into()], false)
    );
    let before = known(&root);
    assert_eq!(round(&before, &root), (vec![], false));
    fs::create_dir(root.join("c")).unwrap();
    assert_eq!(round(&before, &root), (vec!["fleet/c".into()], false));
    // The old one stays, so that the new one cannot get its inode.
    fs::rename(root.join("a"), dir.path().join("old")).unwrap();
    assert!(round(&before, &root).1);
    fs::create_dir_all(root.join("a/b")).unwrap();
    assert!(round(&before, &root).1);
}

#[test]
fn on_a_file_system_of_this_machine_watching_is_possible() {
    let dir = TempDir::new().unwrap();
    assert_eq!(survey::deaf(&places(dir.path())), None);
}

#[test]
fn prints_change_with_what_matters() {
    let dir = TempDir::new().unwrap();
    let places = places(dir.path());
    let mut last = Prints::of(&places);
    let mut look = |wakes: bool, what: &str| {
        let prints = Prints::of(&places);
        assert_eq!(!prints.touched_since(&last).is_empty(), wakes, "{what}");
        last = prints;
    };
    look(false, "nothing at all");
    fs::create_dir_all(dir.path().join("fleet/a")).unwrap();
    look(true, "the root appeared");
    fs::write(dir.path().join("fleet/a/x.yaml"), "x").unwrap();
    look(true, "a file");
    fs::write(dir.path().join("fleet/a/.x.yaml"), "x").unwrap();
    look(false, "a hidden file");
    fs::rename(dir.path().join("fleet/a"), dir.path().join("fleet/b")).unwrap();
    look(true, "a rename");
    fs::create_dir_all(dir.path().join("data/inbox/rejected")).unwrap();
    look(false, "the inbox");
    fs::write(dir.path().join("data/inbox/1.json"), "{}").unwrap();
    look(true, "a report");
    fs::remove_file(dir.path().join("data/inbox/1.json")).unwrap();
    look(false, "the report was taken");
    fs::create_dir_all(dir.path().join("data/requests/rejected")).unwrap();
    look(false, "the directory of requests");
    fs::write(dir.path().join("data/requests/1.json"), "{}").unwrap();
    look(true, "a request");
    fs::remove_file(dir.path().join("data/requests/1.json")).unwrap();
    look(false, "the request was taken");
    fs::create_dir(dir.path().join("etc")).unwrap();
    fs::write(dir.path().join("etc/allowed_signers"), "").unwrap();
    look(true, "the trust file");
}

const PACE: Pace = Pace {
    quiet: Duration::from_millis(300),
    most: Duration::from_secs(2),
    poll: Duration::from_secs(5),
    always_poll: false,
};

fn watch(dir: &Path) -> Watch {
    Watch::new(places(dir), PACE)
}

#[tokio::test(start_paused = true)]
async fn quiet_for_a_while_but_not_for_ever() {
    let dir = TempDir::new().unwrap();
    let mut watch = watch(dir.path());
    let start = Instant::now();
    watch.shared.soil(Touched::anything());
    assert_eq!(watch.settled().await, (start, Touched::anything()));
    assert_eq!(start.elapsed().as_millis(), 300);

    let start = Instant::now();
    watch.shared.soil(Touched::anything());
    let shared = watch.shared.clone();
    let restless = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            shared.soil(Touched::anything());
        }
    });
    watch.settled().await;
    assert!((2000..=2002).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    restless.abort();
}

#[tokio::test(start_paused = true)]
async fn dropped_while_waiting_it_loses_nothing() {
    let dir = TempDir::new().unwrap();
    let mut watch = watch(dir.path());
    watch.shared.soil(Touched::anything());
    let early = tokio::time::timeout(Duration::from_millis(10), watch.settled()).await;
    assert!(early.is_err());
    watch.settled().await;
    let none = tokio::time::timeout(Duration::from_secs(3600), watch.settled()).await;
    assert!(none.is_err(), "woken without a reason");
}

#[test]
fn lost_events_mean_to_watch_anew() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("fleet")).unwrap();
    let mut watch = watch(dir.path());
    watch.arm();
    assert_eq!(watch.mode(), &Mode::Watching);
    assert!(watch.known.contains_key(&dir.path().join("fleet")));
    watch.known.insert("/gone".into(), *watch.known.values().next().unwrap());
    watch.shared.take(Ok(Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan)));
    watch.arm();
    assert!(!watch.known.contains_key(Path::new("/gone")), "watched anew");
}

#[tokio::test]
async fn a_directory_that_was_away_for_a_moment_is_watched_again() {
    let quick = Pace { quiet: Duration::from_millis(5), ..PACE };
    for (moved, file) in [
        ("fleet", "fleet/a.yaml"),
        ("fleet/madrid", "fleet/madrid/a.yaml"),
        ("data", "data/inbox/1.json"),
        ("data/inbox", "data/inbox/1.json"),
        ("data/requests", "data/requests/1.json"),
    ] {
        let dir = TempDir::new().unwrap();
        for path in ["fleet/madrid", "data/inbox", "data/requests"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        let mut watch = Watch::new(places(dir.path()), quick);
        watch.arm();
        let (there, away) = (dir.path().join(moved), dir.path().join("away"));
        fs::rename(&there, &away).unwrap();
        fs::rename(&away, &there).unwrap();
        let wakes = async |watch: &mut Watch| {
            tokio::time::timeout(Duration::from_secs(20), watch.settled()).await.is_ok()
        };
        assert!(wakes(&mut watch).await, "{moved} was moved");
        watch.arm();
        fs::write(dir.path().join(file), "").unwrap();
        assert!(wakes(&mut watch).await, "{moved} was away, and then {file} is written");
    }
}

#[tokio::test(start_paused = true)]
async fn it_looks_in_time_though_whoever_waits_begins_anew_each_second() {
    for (poll, again) in [(1000, 999), (1100, 1000), (5000, 1000), (5000, 4999), (60_000, 1000)] {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("fleet")).unwrap();
        let pace = Pace { poll: Duration::from_millis(poll), always_poll: true, ..PACE };
        let mut watch = Watch::new(places(dir.path()), pace);
        watch.arm();
        for n in 0..3 {
            fs::write(dir.path().join(format!("fleet/{n}.yaml")), "").unwrap();
            let start = Instant::now();
            let most = pace.poll + pace.quiet + Duration::from_millis(10);
            loop {
                let once = tokio::time::timeout(Duration::from_millis(again), watch.settled());
                if once.await.is_ok() {
                    break;
                }
                assert!(start.elapsed() <= most, "every {poll} ms, anew after {again} ms");
            }
            assert!(start.elapsed() <= most, "every {poll} ms: {:?}", start.elapsed());
        }
    }
}
