//! Syncs and orders about access, carried out: many devices are told the same, and what came of it is
//! logged.

use std::sync::Arc;

use super::calls::{CallResult, in_parts, one_call};
use super::control::Patience;
use super::outcome::Outcome;
use crate::domain::model::DeviceId;
use crate::domain::plan::ActionKind;
use crate::domain::state::event::{AccessFailed, AccessOrder, Event, SyncFailed};
use crate::edges::ledger::{Draft, Proof};
use crate::edges::provider::{Error as ProviderError, Provider, Target};

/// What devices are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum What {
    Sync,
    /// Access to corporate mail is blocked, or restored.
    Access {
        blocked: bool,
    },
}

impl What {
    /// The action that it is the effect of.
    pub(super) fn kind(self) -> ActionKind {
        match self {
            Self::Sync => ActionKind::Sync,
            Self::Access { blocked: true } => ActionKind::BlockAccess,
            Self::Access { blocked: false } => ActionKind::RestoreAccess,
        }
    }
}

/// One command to many devices, under one intent.
#[derive(Debug)]
pub(super) struct Command {
    pub intent: u64,
    pub what: What,
    pub targets: Vec<Target>,
}

impl Command {
    pub(super) async fn carry_out(
        &self,
        _: &Proof,
        provider: &Arc<dyn Provider>,
        patience: &Patience<'_>,
    ) -> Vec<CallResult> {
        let (limits, intent, what) = (provider.limits(), self.intent, self.what);
        let call = |targets: Vec<Target>| {
            let provider = provider.clone();
            async move {
                let ids = targets.iter().map(|target| target.id).collect();
                match what {
                    What::Sync => one_call(ids, limits, provider.sync(targets, intent)).await,
                    What::Access { blocked } => {
                        let done = provider.set_access(targets, blocked, intent);
                        one_call(ids, limits, done).await
                    }
                }
            }
        };
        in_parts(&self.targets, limits, patience, call).await
    }

    /// What the log says of a device afterwards: of a sync that the provider took nothing, since only the
    /// device can say that it is done.
    pub(super) fn told(
        &self,
        id: DeviceId,
        result: Result<(), ProviderError>,
        outcome: &mut Outcome,
    ) -> Option<Draft> {
        let intent = self.intent;
        let event = match (self.what, result) {
            (What::Sync, Ok(())) => return None,
            (What::Access { blocked }, Ok(())) => {
                let order = AccessOrder { intent, blocked };
                if blocked { Event::AccessBlocked(order) } else { Event::AccessRestored(order) }
            }
            (what, Err(ProviderError { class, message: error, .. })) => {
                outcome.failed.push((id, class, error.clone()));
                match what {
                    What::Sync => Event::SyncFailed(Box::new(SyncFailed { intent, class, error })),
                    What::Access { .. } => {
                        Event::AccessFailed(Box::new(AccessFailed { intent, class, error }))
                    }
                }
            }
        };
        Some(Draft { device: Some(id), source: None, event })
    }
}
