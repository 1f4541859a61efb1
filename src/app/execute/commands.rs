//! Syncs, carried out: devices are asked, and that the provider did not take it is logged.

use std::sync::Arc;

use super::calls::{Told, in_calls, one_call};
use super::outcome::Outcome;
use crate::domain::model::DeviceId;
use crate::domain::state::event::{Event, SyncFailed};
use crate::edges::ledger::{Draft, Proof};
use crate::edges::provider::{Error as ProviderError, Provider, Target};

/// One request to many devices, under one intent.
#[derive(Debug)]
pub(super) struct Sync {
    pub intent: u64,
    pub targets: Vec<Target>,
}

impl Sync {
    pub(super) async fn carry_out(&self, _: Proof, provider: &Arc<dyn Provider>) -> Vec<Told> {
        let (limits, intent) = (provider.limits(), self.intent);
        let call = |targets: Vec<Target>| {
            let provider = provider.clone();
            async move {
                let ids = targets.iter().map(|target| target.id).collect();
                one_call(ids, limits, provider.sync(targets, intent)).await
            }
        };
        in_calls(&self.targets, limits, call).await
    }

    /// What the log says of a device afterwards: nothing where the provider took it, since only the
    /// device can say that it is done.
    pub(super) fn told(
        &self,
        id: DeviceId,
        result: Result<(), ProviderError>,
        outcome: &mut Outcome,
    ) -> Option<Draft> {
        let ProviderError { class, message, .. } = result.err()?;
        outcome.failed.push((id, class, message.clone()));
        let failed = SyncFailed { intent: self.intent, class, error: message };
        Some(Draft { device: Some(id), source: None, event: Event::SyncFailed(Box::new(failed)) })
    }
}
