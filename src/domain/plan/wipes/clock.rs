//! Clocks that were set back: nothing is issued by them, and no request becomes valid again.

use chrono::TimeDelta;

use crate::domain::model::Timestamp;
use crate::domain::plan::inputs::Inputs;
use crate::domain::state::{DEFERRED, Wipe, WipeState};
use crate::domain::wipe::clock::TOLERANCE;

/// The clock was set back: nothing is issued by it.
pub(in crate::domain::plan) const CLOCK_BEHIND: &str = "clockBehind";

/// The highest time that is known, where this machine's clock is behind it: it was set back.
pub(super) fn time_ahead_of(inputs: &Inputs<'_>) -> Option<Timestamp> {
    time_ahead(inputs.now, inputs.recorded.at, inputs.clock)
}

/// Likewise, of the last entry of the log and the time that was kept beside it.
pub(crate) fn time_ahead(
    now: Timestamp,
    logged: Option<Timestamp>,
    kept: Option<Timestamp>,
) -> Option<Timestamp> {
    let logged = logged.filter(|at| now < *at);
    let kept = kept.filter(|at| now + TOLERANCE < *at);
    logged.max(kept)
}

/// When an accepted request may be issued. A delay that was raised counts for those accepted
/// before as well, a lowered one does not. What was issued, or deferred after that, has cooled off
/// already; `since` then says when that was, and not when it was accepted.
pub(super) fn issue_at(wipe: &Wipe, delay: TimeDelta) -> Option<Timestamp> {
    let deferred = wipe.code.as_deref() == Some(DEFERRED);
    let cooled = deferred || wipe.state == WipeState::Issued;
    if cooled { wipe.issue_at } else { wipe.issue_at.max(Some(wipe.since + delay)) }
}

/// What is wrong, and what to do.
pub(crate) fn clock_behind(seen: Timestamp) -> String {
    format!(
        "this machine's clock is behind {}, the highest time that this ledger has seen; fix the clock",
        seen.short()
    )
}
