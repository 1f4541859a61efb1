//! Requests that nobody trusted has signed: whoever can write to the fleet directory can write any
//! number of them, and neither log nor state may grow with it.

use chrono::TimeDelta;

use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::Place;
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::wipe_stop::WipeStop;
use crate::domain::state::Wipe;
use crate::domain::wipe::WipeFile;

/// So many requests that nobody trusted has signed are recorded at a time: open ones, and those of
/// the last day. Those beyond are a finding. A signed request is always recorded.
const MAX_UNSIGNED: usize = 1_000;

/// Keeps count of them, for one plan.
pub(super) struct Unsigned {
    /// How many more are recorded.
    room: usize,
    /// Those that are not recorded.
    surplus: Vec<Place>,
}

impl Unsigned {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let recent =
            |wipe: &Wipe| wipe.state.is_open() || wipe.since + TimeDelta::days(1) > inputs.now;
        let unsigned = |wipe: &&Wipe| wipe.signers.is_empty() && recent(wipe);
        let known = inputs.recorded.wipes.values().filter(unsigned).count();
        Self { room: MAX_UNSIGNED.saturating_sub(known), surplus: Vec::new() }
    }

    /// Whether a request that nobody trusted has signed is recorded: when it is first seen, if
    /// there is room, and when it ends.
    pub(super) fn records(
        &mut self,
        file: &WipeFile,
        stop: WipeStop,
        known: Option<&Wipe>,
    ) -> bool {
        match known {
            Some(wipe) => !stop.state().is_open() || !wipe.signers.is_empty(),
            None if stop == WipeStop::Vetoed => true,
            // Nothing to record: an expired request is refused whenever it is read again.
            None if stop == WipeStop::Expired => false,
            None if self.room == 0 => {
                self.surplus.push(file.place.clone());
                false
            }
            None => {
                self.room -= 1;
                true
            }
        }
    }

    /// One finding for all requests that are not recorded.
    pub(super) fn finding(&self) -> Option<Finding> {
        let first = self.surplus.iter().min()?;
        Some(Finding {
            code: Code::TooManyWipeRequests,
            severity: Severity::Error,
            message: format!(
                "{} wipe requests that nobody signed are not recorded: there are {MAX_UNSIGNED} \
                 already",
                self.surplus.len()
            ),
            help: "remove the requests that nobody means to sign; one that is signed is recorded"
                .to_owned(),
            span: Span::whole(&first.path),
            related: None,
        })
    }
}
