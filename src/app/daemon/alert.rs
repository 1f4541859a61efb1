//! Alerts, after each pass.

use compact_str::CompactString;

use super::unattended::Daemon;
use crate::app::alerts::Moment;
use crate::app::execute::Outcome;
use crate::app::reconcile;
use crate::domain::backoff::Admission;
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
        whole: bool,
        wipes: &[WipeView],
    ) -> Result<(), reconcile::Error> {
        let now = clock::now();
        self.watched.see(ledger.state(), outcome, whole, now);
        let late = self.config.notify.alerts.stuck_after;
        let moment = Moment {
            breaker_open: self.backoff.admission(self.elapsed()) != Admission::All,
            trust_broken: self.trust_state().broken(),
            stuck: self.deliveries.statuses().late(now, late),
        };
        let trust = moment.trust_broken.map(str::to_owned);
        let moment = Moment { trust_broken: trust.as_deref(), ..moment };
        Ok(self.watched.note(&self.config, ledger, wipes, &moment, now)?)
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
