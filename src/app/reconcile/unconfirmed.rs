//! Wipes whose intent is in the log, and of which nobody knows whether the provider has them.
//!
//! The log has the intent before the provider is called, and no outcome where all went well. So
//! whoever opens a ledger asks the provider about each wipe that is issued and not confirmed:
//! the process before may have been stopped in between. What surely is not there is deferred,
//! and issued again under a new intent; what is there, or may be, stays issued.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::model::{Digest, Timestamp};
use crate::domain::state::event::{Event, WipeDeferred};
use crate::domain::state::{PushState, State, Wipe, WipeState};
use crate::edges::ledger::{self, Draft, Ledger};
use crate::edges::provider::{Error, Presence, Provider, Target};

/// Requests that the provider has yet to be asked about.
#[derive(Debug, Default)]
pub struct Unconfirmed {
    to_ask: BTreeSet<Digest>,
    /// Of which it could not tell.
    doubtful: BTreeSet<Digest>,
}

impl Unconfirmed {
    /// All of a ledger that was just opened: no call of this process is among them, unless the
    /// provider says so.
    #[must_use]
    pub fn of(recorded: &State) -> Self {
        let issued = recorded.wipes.iter().filter(|(_, wipe)| wipe.state == WipeState::Issued);
        let to_ask = issued.map(|(digest, _)| *digest).collect();
        Self { to_ask, doubtful: BTreeSet::new() }
    }

    /// Requests of which the provider could not tell.
    pub(crate) fn doubtful(&self) -> impl Iterator<Item = Digest> + '_ {
        self.doubtful.iter().copied()
    }

    /// Asks about each, and drops those that it got an answer for.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn ask(
        &mut self,
        ledger: &mut Ledger,
        provider: &Arc<dyn Provider>,
        now: Timestamp,
    ) -> Result<(), ledger::Error> {
        for request in std::mem::take(&mut self.to_ask) {
            // A clock that was set back does not make a request valid again.
            let latest = ledger.latest(now);
            let question = Question::about(ledger.state(), request, latest);
            let Some(question) = question else { continue };
            let Question { target, intent, witness } = &question;
            let limit = provider.limits().timeout;
            let asked = provider.has(target, *intent, *witness);
            let answer = tokio::time::timeout(limit, asked).await;
            match answer.unwrap_or_else(|_| Err(Error::timed_out(limit))) {
                Ok(Presence::There) => {}
                Ok(Presence::Unknown) => {
                    self.doubtful.insert(request);
                    tracing::warn!(
                        device = %target.id, intent,
                        "it is unknown whether the provider has this wipe; it is never repeated: \
                         if the device does not confirm it, sign a new request"
                    );
                }
                Ok(Presence::NotThere) => defer(ledger, &question, request, now)?,
                Err(error) => {
                    tracing::warn!(
                        device = %target.id, intent, %error,
                        "the provider cannot say whether it has this wipe; it is asked again"
                    );
                    self.to_ask.insert(request);
                }
            }
        }
        ledger.sync()
    }
}

struct Question {
    target: Target,
    intent: u64,
    witness: Option<u64>,
}

impl Question {
    /// `None` where the answer would change nothing: the wipe is over, or expired, and then its
    /// command is taken back; or another one has taken its place.
    fn about(recorded: &State, request: Digest, now: Timestamp) -> Option<Self> {
        let wipe = recorded.wipes.get(&request).filter(|wipe| wipe.state == WipeState::Issued)?;
        // The provider said already that it has it.
        if wipe.progress.is_some() {
            return None;
        }
        let id = wipe.subject.device_id;
        let device = recorded.devices.get(&id)?;
        let accepted = |other: &Wipe| other.state == WipeState::Accepted;
        if device.is_wiped() || wipe.subject.expires_at < now || recorded.wipes_of(id).any(accepted)
        {
            return None;
        }
        // A device that was never heard from cannot have done what it was given.
        let push = &device.push;
        let pending = push.progress.state == PushState::Pushed && device.last_sync.is_none();
        Some(Self {
            target: Target { id, serial: wipe.subject.serial_number.clone() },
            intent: wipe.intent?,
            witness: pending.then_some(push.intent),
        })
    }
}

fn defer(
    ledger: &mut Ledger,
    Question { target, intent, .. }: &Question,
    request: Digest,
    now: Timestamp,
) -> Result<(), ledger::Error> {
    let reason = "fleetform was stopped before the provider had it".to_owned();
    let deferred = WipeDeferred { request, intent: *intent, reason, until: now, approval: None };
    let event = Event::WipeDeferred(Box::new(deferred));
    ledger.append(vec![Draft { device: Some(target.id), source: None, event }])
}
