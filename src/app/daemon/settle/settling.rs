//! Pass after pass: what has to stay the same, and since when it does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::reconcile::{changes, is_intent, is_many, removes, request};
use crate::domain::fleet::Desired;
use crate::domain::model::{Digest, Hasher};
use crate::domain::plan::{Action, Op, Plan, digest};
use crate::domain::state::State;
use crate::domain::wipe::WipeFile;
use crate::edges::source::revision;

/// A second look is at least so much later.
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// How often to see whether Git is done.
pub(in crate::app::daemon) const WHILE_BUSY: Duration = Duration::from_secs(1);
/// A large change that never stays the same is made after so long: each of its manifests is
/// valid by itself, and nothing of it is a wipe.
const PATIENCE: Duration = Duration::from_secs(10);
/// What has to stay the same by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// Manifests that are gone, or a freeze because of them.
    Removals,
    /// Many devices at once.
    Many,
    /// The wipe that the request of this digest asks for.
    Wipe(Digest),
}

/// How a concern looked before.
#[derive(Debug, Clone, Copy)]
struct Seen {
    digest: Digest,
    /// Since when it looks like that.
    since: Instant,
    /// Since when it waits, whatever it looked like.
    first: Instant,
    /// Whether it need wait no longer as it looks now.
    settled: bool,
}

/// Remembers the passes before.
#[derive(Debug)]
pub(in crate::app::daemon) struct Settling {
    between: Duration,
    seen: BTreeMap<Concern, Seen>,
    /// Whether it was said that Git is busy.
    said: bool,
}

/// What has to wait for another look.
#[derive(Debug)]
pub(in crate::app::daemon) struct Unsettled {
    pub(crate) why: String,
    /// When to look again.
    pub(crate) again: Instant,
    /// Whether that is only to see whether Git is done.
    pub(crate) for_git: bool,
    pub(super) concerns: BTreeSet<Concern>,
}

impl Unsettled {
    /// Whether this action has to wait.
    pub(in crate::app::daemon) fn holds(&self, action: &Action) -> bool {
        is_intent(action)
            && (self.holds_all()
                || request(action).is_some_and(|file| {
                    self.concerns.contains(&Concern::Wipe(file.request.digest))
                }))
    }

    /// Whether all intents have to wait: they may be part of the same half checkout.
    pub(in crate::app::daemon) fn holds_all(&self) -> bool {
        self.concerns.contains(&Concern::Removals) || self.concerns.contains(&Concern::Many)
    }
}

impl Settling {
    /// `quiet`: for how long nothing has changed when a look begins.
    pub(in crate::app::daemon) fn new(quiet: Duration) -> Self {
        Self { between: quiet.max(BETWEEN_LOOKS), seen: BTreeMap::new(), said: false }
    }

    /// What of the plan must wait; `None` if nothing need.
    pub(in crate::app::daemon) fn judge(
        &mut self,
        plan: &Plan,
        desired: &Desired,
        recorded: &State,
        root: &Path,
    ) -> Option<Unsettled> {
        let concerns = concerns(plan, desired, recorded);
        if concerns.is_empty() {
            self.seen.clear();
            return None;
        }
        let now = Instant::now();
        if let Some(lock) = revision::busy(root) {
            self.seen.clear();
            if !std::mem::replace(&mut self.said, true) {
                tracing::warn!(
                    ?lock,
                    "large changes wait until Git is done; if no Git is running, remove the lock"
                );
            }
            let why = format!("Git is changing the work tree ({} exists)", lock.display());
            let concerns = concerns.into_keys().collect();
            let again = now + WHILE_BUSY;
            return Some(Unsettled { why, again, for_git: true, concerns });
        }
        self.said = false;
        self.settle(concerns, now)
    }

    pub(super) fn settle(
        &mut self,
        concerns: BTreeMap<Concern, Digest>,
        now: Instant,
    ) -> Option<Unsettled> {
        let before = std::mem::take(&mut self.seen);
        let mut unsettled: Option<Unsettled> = None;
        for (concern, digest) in concerns {
            let fresh = Seen { digest, since: now, first: now, settled: false };
            let mut seen = match before.get(&concern) {
                Some(seen) if seen.digest == digest => *seen,
                Some(seen) if !seen.settled => Seen { first: seen.first, ..fresh },
                // The one before went through; this is another change, and waits anew.
                Some(_) | None => fresh,
            };
            let ready = match concern {
                Concern::Removals | Concern::Many => {
                    (seen.since + self.between).min(seen.first + self.between.max(PATIENCE))
                }
                Concern::Wipe(_) => seen.since + self.between,
            };
            seen.settled |= ready <= now;
            // Kept until it is no longer in the plan: others may still hold it back.
            self.seen.insert(concern, seen);
            if seen.settled {
                continue;
            }
            let why = "a large change is made once a second look finds the same".to_owned();
            let concerns = BTreeSet::new();
            let first = Unsettled { why, again: ready, for_git: false, concerns };
            let unsettled = unsettled.get_or_insert(first);
            unsettled.again = unsettled.again.min(ready);
            unsettled.concerns.insert(concern);
        }
        unsettled
    }
}

/// What destroys or touches much, each with a digest of what it rests on.
fn concerns(plan: &Plan, desired: &Desired, recorded: &State) -> BTreeMap<Concern, Digest> {
    let mut concerns = BTreeMap::new();
    let removals: Vec<Action> = plan.actions.iter().filter(removes).cloned().collect();
    let removed = digest(&removals);
    if !removals.is_empty() {
        concerns.insert(Concern::Removals, removed);
    }
    if is_many(plan, recorded) {
        let others: Vec<Action> = changes(plan).cloned().collect();
        concerns.insert(Concern::Many, digest(&others));
    }
    for action in &plan.actions {
        if let Op::Wipe { file, .. } = &action.op {
            let digest = wipe(action, file, desired, removed);
            concerns.insert(Concern::Wipe(file.request.digest), digest);
        }
    }
    concerns
}

/// All that a wipe rests on.
fn wipe(action: &Action, file: &WipeFile, desired: &Desired, removed: Digest) -> Digest {
    let WipeFile { request, place, bytes, copies, signatures, vetoes, unreadable } = file;
    let mut hash = Hasher::default();
    // Each with its length before it, so that nothing can pass for the beginning of the next.
    let mut add = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(digest(std::slice::from_ref(action)).to_string().as_bytes());
    add(removed.to_string().as_bytes());
    add(place.path.as_bytes());
    add(bytes);
    copies.iter().for_each(|path| add(path.as_bytes()));
    for (name, bytes) in signatures.iter().chain(vetoes) {
        add(name.as_bytes());
        add(bytes);
    }
    for (name, why) in unreadable {
        add(name.as_bytes());
        add(why.as_bytes());
    }
    let manifests = desired.devices.iter().filter(|d| d.spec.serial_number == request.serial);
    for device in manifests {
        add(device.place.path.as_bytes());
        add(device.digest.to_string().as_bytes());
    }
    hash.finish()
}
