//! Alerts to the people who run Fleetform: entries of the log, which sinks tell like any other.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::execute::Outcome;
use crate::domain::alerts::{Situation, changes, is_unreconciled};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::plan::WipeView;
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{State, WipeState};
use crate::edges::config::Config;
use crate::edges::ledger::{self, Draft, Ledger};

/// What this process has seen, and no log says.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Since when devices do not have what their manifests want.
    unreconciled: BTreeMap<DeviceId, Timestamp>,
    /// Requests of which nobody knows whether the provider has the command.
    doubtful: BTreeSet<Digest>,
    /// Why the log or the snapshot could not be written, since the last alert was.
    unwritable: Option<String>,
}

/// What is true of the moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moment<'a> {
    pub(crate) breaker_open: bool,
    pub(crate) trust_broken: Option<&'a str>,
    /// Who is not told, and why.
    pub(crate) stuck: Vec<(String, String)>,
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
    pub(crate) fn see(&mut self, recorded: &State, outcome: &Outcome, whole: bool, now: Timestamp) {
        let unknown = outcome.failed.iter().filter(|(_, class, _)| *class == ErrorClass::Unknown);
        let unknown: BTreeSet<DeviceId> = unknown.map(|(id, ..)| *id).collect();
        if !unknown.is_empty() {
            let issued = recorded.wipes.iter().filter(|(_, wipe)| {
                wipe.state == WipeState::Issued && unknown.contains(&wipe.subject.device_id)
            });
            self.doubtful.extend(issued.map(|(request, _)| *request));
        }
        if whole {
            let devices = recorded.devices.iter().filter(|(_, device)| is_unreconciled(device));
            let before = std::mem::take(&mut self.unreconciled);
            self.unreconciled = devices
                .map(|(id, _)| (*id, before.get(id).copied().unwrap_or(now).min(now)))
                .collect();
        }
    }

    /// Logs alerts that begin and end, where somebody is to hear of them.
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
    ) -> Result<(), ledger::Error> {
        let settings = &config.notify.alerts;
        if settings.mail.is_empty() && settings.webhooks.is_empty() {
            return Ok(());
        }
        let changes = changes(Situation {
            now,
            recorded: ledger.state(),
            wipes,
            breaker_open: moment.breaker_open,
            trust_broken: moment.trust_broken,
            unwritable: self.unwritable.as_deref(),
            stuck: &moment.stuck,
            doubtful: &self.doubtful,
            unreconciled: &self.unreconciled,
            unreconciled_after: settings.unreconciled_after,
        });
        if !changes.is_empty() {
            ledger.append(changes.into_iter().map(Draft::from).collect())?;
            ledger.end_pass()?;
        }
        self.unwritable = None;
        Ok(())
    }
}
