//! Alerts to the people who run Fleetform: entries of the log, which sinks tell like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::app::deliveries::{Sink, SinkStatuses, deliver_for};
use crate::app::execute::Outcome;
use crate::domain::alerts::{Health, Situation, changes, unreconciled_since};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::plan::WipeView;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{State, WipeState};
use crate::edges::clock;
use crate::edges::config::Config;
use crate::edges::ledger::{self, Draft, Ledger};

/// What this process has seen, and no log says.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Since when devices do not have what their manifests want, kept up with passes: nobody looks at every
    /// device after a pass over one.
    unreconciled: BTreeMap<DeviceId, Timestamp>,
    /// Requests of which nobody knows whether the provider has the command.
    doubtful: BTreeSet<Digest>,
    /// Why the log or the snapshot could not be written, since the last alert was.
    unwritable: Option<String>,
}

/// What is true of the moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moment<'a> {
    pub(crate) provider: Health,
    /// Whether the fleet directory has yet to be looked at again.
    pub(crate) unsettled: bool,
    pub(crate) trust_broken: Option<&'a str>,
    /// Whether those who are told things can be told, by name.
    pub(crate) sinks: BTreeMap<String, Health>,
}

impl Watched {
    /// That the log or the snapshot could not be written: told by the log once it can be.
    pub(crate) fn could_not_write(&mut self, why: String) {
        self.unwritable = Some(why);
    }

    /// Requests that the provider was asked about, and could not tell.
    pub(crate) fn doubt(&mut self, requests: impl IntoIterator<Item = Digest>) {
        self.doubtful.extend(requests);
    }

    /// What came of a pass, over all devices or over some.
    pub(crate) fn see(
        &mut self,
        recorded: &State,
        outcome: &Outcome,
        only: Option<&BTreeSet<DeviceId>>,
    ) {
        let unknown = outcome.failed.iter().filter(|(_, class, _)| *class == ErrorClass::Unknown);
        let unknown: BTreeSet<DeviceId> = unknown.map(|(id, ..)| *id).collect();
        if !unknown.is_empty() {
            let issued = recorded.wipes.iter().filter(|(_, wipe)| {
                wipe.state == WipeState::Issued && unknown.contains(&wipe.subject.device_id)
            });
            self.doubtful.extend(issued.map(|(request, _)| *request));
        }
        let since = |id| unreconciled_since(recorded.devices.get(id)?);
        match only {
            None => {
                let all = recorded.devices.keys();
                self.unreconciled = all.filter_map(|id| Some((*id, since(id)?))).collect();
            }
            Some(only) => {
                self.unreconciled.retain(|id, _| !only.contains(id));
                self.unreconciled.extend(only.iter().filter_map(|id| Some((*id, since(id)?))));
            }
        }
    }

    /// Logs alerts that begin and end, where somebody is to hear of them; gives whether there were any.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(crate) fn note(
        &mut self,
        config: &Config,
        ledger: &mut Ledger,
        wipes: &[WipeView],
        moment: &Moment<'_>,
        now: Timestamp,
    ) -> Result<bool, ledger::Error> {
        let settings = &config.notify.alerts;
        if settings.mail.is_empty() && settings.webhooks.is_empty() {
            return Ok(false);
        }
        let changes = changes(Situation {
            now,
            recorded: ledger.state(),
            wipes,
            unsettled: moment.unsettled,
            provider: &moment.provider,
            trust_broken: moment.trust_broken,
            unwritable: self.unwritable.as_deref(),
            sinks: &moment.sinks,
            doubtful: &self.doubtful,
            unreconciled: &self.unreconciled,
            unreconciled_after: settings.unreconciled_after,
        });
        let any = !changes.is_empty();
        if any {
            ledger.append(changes.into_iter().map(Draft::from).collect())?;
            ledger.end_pass()?;
        }
        self.unwritable = None;
        Ok(any)
    }
}

/// After a pass by itself: logs alerts, tells what can be told, for so long at most, and judges by that who cannot
/// be told. Gives what somebody has to look at.
///
/// # Errors
/// If the log cannot be written.
pub(crate) async fn tell_for(
    limit: Duration,
    sinks: Vec<Arc<dyn Sink>>,
    config: &Config,
    ledger: &mut Ledger,
    (watched, wipes, mut moment): (&mut Watched, &[WipeView], Moment<'_>),
) -> Result<Vec<String>, ledger::Error> {
    let (began, after) = (Instant::now(), config.notify.alerts.stuck_after);
    let statuses = Arc::new(SinkStatuses::of(&sinks));
    moment.sinks = statuses.health(clock::now(), after);
    watched.note(config, ledger, wipes, &moment, clock::now())?;
    deliver_for(limit, sinks.clone(), config, ledger, &statuses).await?;
    moment.sinks = statuses.health(clock::now(), after);
    let mut untold = statuses.left(clock::now());
    if watched.note(config, ledger, wipes, &moment, clock::now())? {
        // Those who cannot be told were just tried.
        let bad = |name: &str| matches!(moment.sinks.get(name), Some(Health::Bad(_)));
        let others = sinks.into_iter().filter(|sink| !bad(sink.name())).collect::<Vec<_>>();
        let statuses = Arc::new(SinkStatuses::of(&others));
        let left = limit.saturating_sub(began.elapsed());
        deliver_for(left, others, config, ledger, &statuses).await?;
        untold.extend(statuses.left(clock::now()));
        untold.sort();
        untold.dedup();
    }
    Ok(untold)
}

#[cfg(test)]
mod tests;
