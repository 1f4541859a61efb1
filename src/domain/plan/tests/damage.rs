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
