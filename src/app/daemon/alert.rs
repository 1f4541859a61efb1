//! Alerts, after each pass.

use std::collections::BTreeSet;

use compact_str::CompactString;
use tokio::time::Instant;

use super::unattended::Daemon;
use crate::app::alerts::Moment;
use crate::app::execute::Outcome;
use crate::app::reconcile;
use crate::domain::alerts::Health;
use crate::domain::backoff::Admission;
use crate::domain::model::DeviceId;
use crate::domain::plan::WipeView;
use crate::domain::state::event::{AlertChanged, AlertKind};
use crate::edges::clock;
use crate::edges::ledger::Ledger;

impl Daemon {
    /// Logs what the people who run it have to look at, and what is over.
    pub(super) fn alert(
        &mut self,
        ledger: &mut Ledger,
        outcome: &Outcome,
        only: Option<&BTreeSet<DeviceId>>,
        (wipes, unsettled): (&[WipeView], bool),
    ) -> Result<(), reconcile::Error> {
        let now = clock::now();
        self.watched.see(ledger.state(), outcome, only);
        let late = self.config.notify.alerts.stuck_after;
        let moment = Moment {
            provider: self.provider_health(),
            unsettled,
            trust_broken: self.trust_state().broken(),
            sinks: self.deliveries.statuses().health(now, late),
        };
        let trust = moment.trust_broken.map(str::to_owned);
        let moment = Moment { trust_broken: trust.as_deref(), ..moment };
        self.watched.note(&self.config, ledger, wipes, &moment, now)?;
        Ok(())
    }

    /// Whether the provider can be observed and does what it is told, as far as this process has seen.
    fn provider_health(&self) -> Health {
        if self.backoff.admission(self.elapsed()) != Admission::All {
            let why = "the provider failed repeatedly; calls to it are paused for a while";
            return Health::Bad(why.to_owned());
        }
        match self.observing.health(Instant::now()) {
            Health::Well if self.backoff.failed_last() => Health::Unknown,
            health => health,
        }
    }

    /// Tells the people who run it, past the log, that this cannot be written.
    pub(super) fn alert_unlogged(&mut self, why: String) {
        let alerts = &self.config.notify.alerts;
        if alerts.mail.is_empty() && alerts.webhooks.is_empty() {
            return;
        }
        let (alert, about) = (AlertKind::Unwritable, CompactString::default());
        let alert = AlertChanged { alert, about, detail: why };
        self.deliveries.tell_unlogged(alert, &self.config.settings);
    }
}
