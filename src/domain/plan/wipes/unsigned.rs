//! Requests that nobody trusted has signed: whoever can write to the fleet directory can write any
//! number of them, and neither log nor state may grow with it.

use chrono::TimeDelta;

use super::Deciding;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::plan::Inputs;
use crate::domain::state::{Wipe, WipeState};
use crate::domain::wipe::WipeFile;

/// Requests that nobody trusted has signed and that are recorded: open ones, and those of the last
/// day. Whoever can write to the fleet directory can write any number of them; beyond this they
/// are a finding, and neither log nor state grows. A signed request is always recorded.
const MAX_UNSIGNED: usize = 1_000;

/// How many more requests that nobody signed are recorded.
pub(super) fn room(inputs: &Inputs<'_>) -> usize {
    let recent = |wipe: &Wipe| wipe.state.is_open() || wipe.since + TimeDelta::days(1) > inputs.now;
    let unsigned = |wipe: &&Wipe| wipe.signers.is_empty() && recent(wipe);
    MAX_UNSIGNED.saturating_sub(inputs.recorded.wipes.values().filter(unsigned).count())
}

impl Deciding<'_, '_> {
    /// Whether a request that nobody trusted has signed is recorded: when it is first seen, if
    /// there is room, and when it ends.
    pub(super) fn records(
        &mut self,
        file: &WipeFile,
        state: WipeState,
        known: Option<&Wipe>,
    ) -> bool {
        match known {
            Some(wipe) => !state.is_open() || !wipe.signers.is_empty(),
            None if state == WipeState::Vetoed => true,
            // It would be refused again tomorrow: nothing is lost by saying nothing.
            None if state == WipeState::Expired => false,
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
    pub(super) fn too_many(&mut self) {
        let Some(first) = self.surplus.iter().min() else { return };
        self.plan.findings.push(Finding {
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
        });
    }
}
