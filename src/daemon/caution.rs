//! Whether a plan may rest on a checkout that is only half there.
//!
//! A change that destroys, or that touches much at once, waits until a second look, a moment
//! later, finds the same change, and until Git has let go of the work tree. What devices
//! report goes on meanwhile.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::Digest;
use crate::plan::{Action, Cause, Op, Plan, digest};
use crate::revision;
use crate::state::State;

/// A second look is at least so much later.
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// How often to see whether Git is done.
const WHILE_BUSY: Duration = Duration::from_secs(1);
/// A change of so many devices is never large.
const FEW: usize = 10;
/// A change of more than this share of the active devices is.
const LARGE_PERCENT: usize = 10;

/// Remembers the look before.
#[derive(Debug)]
pub(super) struct Caution {
    between: Duration,
    seen: Option<(Digest, Instant)>,
    /// Whether it was said that Git is busy.
    said: bool,
}

/// Whether the fleet directory, or its absence, is behind it.
pub(super) fn is_intent(action: &Action) -> bool {
    match action.cause {
        Cause::Intent => true,
        Cause::Guard => matches!(action.op, Op::Freeze(_)),
        Cause::Fact | Cause::Clock => false,
    }
}

impl Caution {
    /// `quiet`: so long nothing has changed before a look.
    pub(super) fn new(quiet: Duration) -> Self {
        Self { between: quiet.max(BETWEEN_LOOKS), seen: None, said: false }
    }

    /// Why the plan's intents must wait, and when to look again; `None` if they need not.
    pub(super) fn judge(
        &mut self,
        plan: &Plan,
        recorded: &State,
        root: &Path,
    ) -> Option<(String, Instant)> {
        if !wants_two_looks(plan, recorded) {
            self.seen = None;
            return None;
        }
        let now = Instant::now();
        if let Some(lock) = revision::busy(root) {
            self.seen = None;
            if !std::mem::replace(&mut self.said, true) {
                tracing::warn!(
                    ?lock,
                    "large changes wait until Git is done; if no Git is running, remove the lock"
                );
            }
            let why = format!("Git is changing the work tree ({} exists)", lock.display());
            return Some((why, now + WHILE_BUSY));
        }
        self.said = false;
        let intents: Vec<Action> = plan.actions.iter().filter(|a| is_intent(a)).cloned().collect();
        let digest = digest(&intents);
        match self.seen {
            Some((seen, since)) if seen == digest && now >= since + self.between => {
                self.seen = None;
                return None;
            }
            Some((seen, _)) if seen == digest => {}
            _ => self.seen = Some((digest, now)),
        }
        let again = self.seen.map_or(now, |(_, since)| since) + self.between;
        Some(("a large change is made once a second look finds the same".to_owned(), again))
    }
}

/// Whether it destroys or touches much.
fn wants_two_looks(plan: &Plan, recorded: &State) -> bool {
    let destroys =
        |action: &Action| matches!(action.op, Op::Orphan { .. } | Op::Wipe { .. } | Op::Freeze(_));
    if plan.actions.iter().any(destroys) {
        return true;
    }
    let mut devices: Vec<_> =
        plan.actions.iter().filter(|a| is_intent(a)).filter_map(|a| a.device).collect();
    devices.dedup();
    devices.len() > FEW && devices.len() * 100 > LARGE_PERCENT * recorded.active().count()
}
