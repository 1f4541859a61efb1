//! What the tests are built of: manifests, a directory with the real binary, keys that sign,
//! daemons, and clocks that a test sets.

mod clock;
mod daemon;
mod emulator;
mod files;
mod fixture;
mod fleet;
mod keys;
mod lab;
mod mail_server;
mod page;
mod pass;
mod receiver;
mod scratch;
#[allow(dead_code, reason = "the tests inside src/ need the rest of it")]
mod service_now;
mod site;
mod tenant;

pub use self::clock::{Clock, faked_clock, start, time, with_clock};
pub use self::daemon::{Daemon, needs};
pub use self::emulator::{EVERYDAY, Emulator, START, WIPING, send};
pub use self::files::{Snapshot, copy, git, tree, write};
pub use self::fixture::{Fixture, Output, actions, healthy, text, wait_until};
pub use self::fleet::{Device, LEDGER, PLAIN_PROFILE, PROFILE, Profile, Request, device};
pub use self::keys::{VETO, WIPE, digest, key, line, public, signature, trusted};
pub use self::lab::{Lab, begin_ledger, outbox, outbox_of};
pub use self::mail_server::MailServer;
pub use self::page::{commands, page, script, tell};
pub use self::pass::{Pass, execute, execute_untrusted};
pub use self::receiver::{Answer, Received, Receiver, python};
pub use self::scratch::directory;
pub use self::service_now::{Fault, Instance};
pub use self::site::{GROUP, OTHER_GROUP, Site};
pub use self::tenant::Tenant;

/// A number from the environment: a seed to repeat a run by, or how much more it is to do.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// SplitMix64: the same seed, the same tale.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
