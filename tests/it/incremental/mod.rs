//! An incremental pass does what a pass over everything does: random edits of a real directory, taken in
//! file by file where that may be, and beside it the same by whole passes alone. After every
//! burst the fleets are equal, the decisions are equal, and in the end so are the logs.

#![expect(clippy::print_stdout, reason = "who repeats a tale needs its seed")]

mod manifests;
mod side;
mod world;

use std::time::UNIX_EPOCH;

use self::world::World;
use crate::support::number;

const BURSTS: u64 = 40;
const TALES: u64 = 8;

#[test]
fn passes_over_what_changed_do_what_whole_passes_do() {
    let given = number("INCREMENTAL_SEED");
    let clock = UNIX_EPOCH.elapsed().expect("a time").as_millis() as u64;
    let seeds = given.map_or(clock..clock + TALES, |seed| seed..seed + 1);
    let (mut taken, mut issued) = (0, 0);
    for seed in seeds {
        println!("INCREMENTAL_SEED={seed}");
        let mut world = World::new(seed);
        (0..BURSTS).for_each(|_| world.burst());
        assert_eq!(world.log("incremental"), world.log("whole"));
        taken += world.taken;
        issued += world.log("whole").iter().filter(|e| e["kind"] == "wipe.issued").count();
    }
    println!("{taken} incremental passes, {issued} wipes");
    assert!(given.is_some() || taken > TALES, "{taken} incremental passes prove little");
}
