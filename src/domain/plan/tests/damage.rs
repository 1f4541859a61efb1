//! What cannot be read holds what it may hide.

use super::world::{World, device, held};
use crate::domain::manifest::{ROOT, Unusable, UnusableKind};
use crate::domain::model::Place;
use crate::domain::plan::HoldReason;

#[test]
fn damage_holds_what_it_may_hide() {
    let damage = |what, path: &str| Unusable { place: Place { path: path.into(), line: 1 }, what };
    let serial = |s: &str| Some(s.parse().expect("a serial"));
    let cases = [
        (damage(UnusableKind::File, "A1.yaml"), true),
        (damage(UnusableKind::File, "other.yaml"), false),
        (damage(UnusableKind::Directory, ROOT), true),
        (damage(UnusableKind::Directory, "A1.yaml"), true),
        (damage(UnusableKind::Directory, "A1"), false),
        (damage(UnusableKind::Unread, "A1.yaml"), true),
        // It may have moved there.
        (damage(UnusableKind::Unread, "other"), true),
        (damage(UnusableKind::Device { serial: serial("a1"), name: None }, "moved.yaml"), true),
        (damage(UnusableKind::Device { serial: serial("B2"), name: None }, "A1.yaml"), false),
        (damage(UnusableKind::Device { serial: serial("NEW"), name: None }, "A1.yaml"), true),
        (damage(UnusableKind::Device { serial: None, name: None }, "A1.yaml"), true),
        (
            damage(
                UnusableKind::Device {
                    serial: None,
                    name: Some("dev-A1".parse().expect("a name")),
                },
                "x.yaml",
            ),
            true,
        ),
    ];
    for (damaged, holds) in cases {
        let mut world = World::enrolled(&["A1", "B2"]);
        world.take("A1");
        world.desired.unusable.push(damaged.clone());
        let expected: &[&str] = if holds { &[] } else { &["orphan D001"] };
        assert_eq!(world.settle(), expected, "{damaged:?}");
        let reasons: Vec<_> = world.holds().into_iter().map(|h| h.1).collect();
        assert_eq!(reasons, [HoldReason::ManifestInvalid], "{damaged:?} is always shown");
    }
}

#[test]
fn a_damaged_profile_holds_its_devices_and_harms_no_other() {
    let mut world = World::enrolled(&["A1", "B2"]);
    world.take("A1");
    world.put(device("C3"));
    world.desired.unusable.push(Unusable {
        place: Place { path: "A1.yaml".into(), line: 1 },
        what: UnusableKind::ProfileOf {
            serial: "A1".parse().expect("a serial"),
            name: "dev-A1".parse().expect("a name"),
            profile: "Broken".parse().expect("a name"),
        },
    });
    assert_eq!(world.settle(), ["provision D003"]);
    assert!(world.holds().contains(&held("A1", HoldReason::ProfileInvalid)));
}

#[test]
fn a_device_that_is_found_elsewhere_waits_while_its_old_place_cannot_be_read() {
    for (unread, expected) in [("old", &[][..]), ("other", &["update D001"][..])] {
        let mut world = World::enrolled(&["A1", "B2"]);
        let at = |world: &mut World, path: &str| {
            world.edit("A1", |device| device.place.path = path.into());
        };
        at(&mut world, "old/A1.yaml");
        world.settle();
        at(&mut world, "new/A1.yaml");
        let place = Place { path: unread.into(), line: 1 };
        world.desired.unusable.push(Unusable { place, what: UnusableKind::Unread });
        assert_eq!(world.settle(), expected, "{unread} cannot be read");
        world.desired.unusable.clear();
        let rest: &[&str] = if expected.is_empty() { &["update D001"] } else { &[] };
        assert_eq!(world.settle(), rest, "{unread} can be read again");
    }
}
