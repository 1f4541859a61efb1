//! Manifests that cannot be used, and may say that a device is personal.

use super::requests::*;
use crate::domain::manifest::{ROOT, Unusable, UnusableKind};
use crate::domain::model::{Name, Place, SerialNumber, WipeScope};
use crate::domain::plan::tests::World;

fn damage(what: UnusableKind, path: &str) -> Unusable {
    Unusable { place: Place { path: path.into(), line: 1 }, what }
}

fn serial(text: &str) -> Option<SerialNumber> {
    Some(text.parse().expect("a serial"))
}

fn name(text: &str) -> Option<Name> {
    Some(text.parse().expect("a name"))
}

/// Whether a full wipe of A1 waits, with and without a valid manifest of its own.
fn waits(damaged: &Unusable, corporate: bool) -> (bool, bool) {
    let [with, without] = [true, false].map(|valid| {
        let mut world = world(&["A1", "B2"]);
        if !valid {
            world.take("A1");
        }
        world.desired.unusable.push(damaged.clone());
        if corporate {
            world.desired.corporate.insert(damaged.place.clone());
        }
        ask(&mut world, "lost", "A1", &[ANA]);
        let (standing, code) = stands(&world, "lost");
        if standing == "issue" {
            return false;
        }
        assert_eq!((standing, code), told("held", "ownershipUnclear"));
        let detail = view(&world, "lost").detail;
        let path = format!("{}:1 cannot be used", damaged.place.path);
        assert!(detail.starts_with(&path) && detail.contains("scope: selective"), "{detail}");
        true
    });
    (with, without)
}

#[test]
fn a_full_wipe_waits_for_whatever_may_say_that_the_device_is_personal() {
    let device = |serial, name| UnusableKind::Device { serial, name };
    let profile_of = |text: &str| UnusableKind::ProfileOf {
        serial: text.parse().expect("a serial"),
        name: "x".parse().expect("a name"),
        profile: "Broken".parse().expect("a name"),
    };
    let table = [
        // What names its serial number counts beside a valid manifest as well.
        (device(serial("a1"), None), "x.yaml", (true, true)),
        (profile_of("A1"), "x.yaml", (true, true)),
        // What is another device's does not.
        (device(serial("B2"), name("dev-A1")), "A1.yaml", (false, false)),
        (profile_of("B2"), "A1.yaml", (false, false)),
        // What may be anybody's counts by its place and its name, where there is no valid one.
        (device(serial("A1X"), None), "A1.yaml", (false, true)),
        (device(serial("A1X"), name("dev-A1")), "x.yaml", (false, true)),
        (device(None, None), "A1.yaml", (false, true)),
        (device(None, name("dev-A1")), "x.yaml", (false, true)),
        (device(None, name("dev-B2")), "x.yaml", (false, false)),
        (device(serial("A1X"), None), "x.yaml", (false, false)),
        (UnusableKind::File, "A1.yaml", (false, true)),
        (UnusableKind::File, "x.yaml", (false, false)),
        (UnusableKind::Directory, ROOT, (false, true)),
        (UnusableKind::Directory, "A1.yaml", (false, true)),
        (UnusableKind::Directory, "x", (false, false)),
    ];
    for (what, path, expected) in table {
        let damaged = damage(what, path);
        assert_eq!(waits(&damaged, false), expected, "{damaged:?}");
        assert_eq!(waits(&damaged, true), (false, false), "{damaged:?} says: corporate");
    }
}

#[test]
fn a_selective_wipe_waits_for_none_of_that() {
    let mut world: World = world(&["A1", "B2"]);
    world.take("A1");
    world.desired.unusable.push(damage(UnusableKind::Directory, ROOT));
    ask_for(&mut world, "lost", "A1", &[ANA], |request| request.scope = WipeScope::Selective);
    assert_eq!(stands(&world, "lost"), told("issue", "issue"));
}
