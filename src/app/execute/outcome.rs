//! What came of a plan.

use std::collections::BTreeMap;

use crate::domain::model::{DeviceId, Name};
use crate::domain::plan::ActionKind;
use crate::domain::state::event::ErrorClass;

/// What came of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Actions that were carried out, by kind.
    pub(crate) done: BTreeMap<ActionKind, usize>,
    /// Of these, actions whose effect did not, or may not have, come about.
    pub(crate) fell_short: BTreeMap<ActionKind, usize>,
    /// Effects that did not, or may not have, come about: whose, and why.
    pub failed: Vec<(DeviceId, ErrorClass, String)>,
    /// Licenses that users did not, or may not have, got.
    pub(crate) unlicensed: Vec<Unlicensed>,
    /// Profiles whose objects in the provider are not what they should be: whose, and why.
    pub profiles_failed: Vec<(Name, ErrorClass, String)>,
    /// Wipes that somebody has to approve in the MDM first: whose, and what to do.
    pub awaiting_approval: Vec<(DeviceId, String)>,
    /// Wipes that were planned and did not hold any more when they were to be issued: whose, and
    /// why. The next plan says what becomes of them.
    pub not_issued: Vec<(DeviceId, String)>,
    /// Actions not begun, or given up half way, because of a stop.
    pub left: usize,
}

/// A license that the user of a device did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unlicensed {
    pub(crate) device: DeviceId,
    pub(crate) class: ErrorClass,
    pub(crate) why: String,
    /// Whether the provider said so: nothing is wrong with it then.
    pub(crate) answered: bool,
}

impl Outcome {
    /// All that did not, or may not have, come about for devices: whose, and why.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (DeviceId, ErrorClass, &str)> {
        let unlicensed = self.unlicensed.iter();
        let failed = self.failed.iter().map(|(device, class, why)| (*device, *class, why.as_str()));
        failed.chain(unlicensed.map(|lacks| (lacks.device, lacks.class, lacks.why.as_str())))
    }

    /// Actions that came to what they were for, by kind. An action that is nothing but its effect is
    /// not done where the provider did not take it; one that is recorded all the same is, though its
    /// effect is still to come.
    pub(crate) fn succeeded(&self) -> BTreeMap<ActionKind, usize> {
        let is_its_effect = |kind| {
            matches!(
                kind,
                ActionKind::Push
                    | ActionKind::Sync
                    | ActionKind::Restore
                    | ActionKind::License
                    | ActionKind::BlockAccess
                    | ActionKind::RestoreAccess
            )
        };
        let short = |kind| self.fell_short.get(&kind).copied().filter(|_| is_its_effect(kind));
        self.done
            .iter()
            .map(|(kind, n)| (*kind, n.saturating_sub(short(*kind).unwrap_or(0))))
            .filter(|(_, n)| *n > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_that_failed_is_not_counted_as_done_and_a_provisioned_device_is() {
        use ActionKind::{BlockAccess, Provision, Push};
        let outcome = Outcome {
            done: [(Provision, 3), (Push, 2), (BlockAccess, 1)].into(),
            fell_short: [(Provision, 1), (Push, 2), (BlockAccess, 1)].into(),
            ..Outcome::default()
        };
        assert_eq!(outcome.succeeded(), [(Provision, 3)].into());
    }
}
