//! Wipes, carried out: judged once more, logged, judged again, and only then handed over.
//!
//! What a wipe rests on is read again right before its intent is logged, and once more when the
//! intent is durable, since writing may have taken long. What does not hold any more is not
//! issued. The provider is called once for each intent. What surely did not reach it is deferred:
//! the request is accepted again, and a later pass issues it under a new intent. In doubt nothing
//! is said: the wipe stays issued, and is not repeated.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use compact_str::CompactString;

use super::control::Control;
use super::outcome::Outcome;
use crate::domain::model::{DesiredDevice, DeviceId, Digest, Timestamp};
use crate::domain::plan::effect::{Effect, issued};
use crate::domain::plan::{
    Action, IssuableWipe, NotIssued, WipeStanding, WipeView, ahead_of, issuable,
};
use crate::domain::state::event::{
    ErrorClass, Event, WipeDeferred, WipeFailed, WipeProgress, WipeStage, WipeStopped,
};
use crate::domain::wipe::WipeFile;
use crate::edges::ledger::{self, Draft, Ledger, Proof};
use crate::edges::provider::{
    Error as ProviderError, Provider, Receipt, Target, WipeOrder, Withdrawn,
};

/// Until a wipe that was deferred is tried again, where the provider does not say when.
const RETRY: Duration = Duration::from_secs(60);
/// The longest wait that a provider may ask for: beyond it a request would only expire.
const LONGEST_RETRY: Duration = Duration::from_secs(3600);

/// Requests that a plan issues or lets cool off.
pub(super) fn going_on(wipes: &[WipeView]) -> HashSet<Digest> {
    let goes_on =
        |view: &&WipeView| matches!(view.standing, WipeStanding::Issue | WipeStanding::CoolingOff);
    wipes.iter().filter(goes_on).map(|view| view.subject.request).collect()
}

/// What it takes to carry out a wipe, or to take one back.
#[derive(Clone, Copy)]
pub(super) struct Issuing<'a> {
    pub(crate) provider: &'a Arc<dyn Provider>,
    pub(crate) control: &'a Control<'a>,
    pub(crate) going_on: &'a HashSet<Digest>,
}

/// A wipe as it was planned.
#[derive(Clone, Copy)]
struct Planned<'a> {
    id: DeviceId,
    file: &'a Arc<WipeFile>,
    manifest: Option<&'a DesiredDevice>,
    /// See [`ahead_of`].
    ahead: usize,
}

impl Issuing<'_> {
    /// Issues the wipe of this action, or takes it back; does nothing for other actions.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub(super) async fn run(
        self,
        action: &Action,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<(), ledger::Error> {
        let failed = outcome.failed.len();
        let done = match (action.effect(), action.device()) {
            (Some(Effect::Wipe { file, manifest }), Some(id)) => {
                let request = file.request.digest;
                let ahead = ahead_of(ledger.state(), request, self.going_on);
                let planned = Planned { id, file, manifest, ahead };
                self.issue(action, planned, ledger, outcome).await?
            }
            (Some(Effect::Withdraw { stopped }), Some(id)) => {
                self.withdraw(action, stopped, id, ledger, outcome).await?
            }
            (Some(_) | None, _) => false,
        };
        if done {
            *outcome.done.entry(action.kind()).or_default() += 1;
        }
        if outcome.failed.len() > failed {
            *outcome.fell_short.entry(action.kind()).or_default() += 1;
        }
        Ok(())
    }

    /// Whether its intent came to be.
    async fn issue(
        self,
        action: &Action,
        planned: Planned<'_>,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<bool, ledger::Error> {
        let (id, request) = (planned.id, planned.file.request.digest);
        let (_, judged) = self.judge(planned, ledger);
        let before = match judged {
            Ok(wipe) => wipe,
            Err(why) => {
                outcome.not_issued.push((id, why.detail));
                return Ok(false);
            }
        };
        let intent = ledger.next_seq();
        let event = Event::WipeIssued(Box::new(issued(before.wipe(), before.needed(), intent)));
        let source = action.source(self.control.revision.as_ref());
        ledger.append(vec![Draft { device: Some(id), source, event }])?;
        ledger.sync()?;
        let (now, judged) = self.judge(planned, ledger);
        // A clock that was set back makes no wait shorter.
        let now = ledger.latest(now);
        let event = match judged {
            Err(NotIssued { detail, .. }) => {
                outcome.not_issued.push((id, detail.clone()));
                // Not at once: whatever it is, each try leaves two entries in the log.
                Some(deferred(request, intent, detail, now + wait(RETRY), None))
            }
            Ok(wipe) => {
                let proof = ledger.prove()?;
                let known = ledger.state().wipes.get(&request);
                let approval = known.and_then(|wipe| Some(wipe.approval.as_ref()?.code.clone()));
                let order = WipeOrder { intent, approval: approval.as_deref() };
                match self.hand_over(&wipe, order, proof).await {
                    Ok(receipt) => taken(request, intent, receipt),
                    Err(error) => {
                        // That somebody has to approve it first is no failure of the provider.
                        match error.approval {
                            None => outcome.failed.push((id, error.class, error.message.clone())),
                            Some(_) => outcome.awaiting_approval.push((id, error.message.clone())),
                        }
                        not_taken(request, intent, error, now)
                    }
                }
            }
        };
        let outcomes = event.map(|event| Draft { device: Some(id), source: None, event });
        ledger.append(outcomes.into_iter().collect())?;
        Ok(true)
    }

    /// Reads again what a wipe rests on, and judges it by that; also gives the time.
    fn judge(
        self,
        planned: Planned<'_>,
        ledger: &Ledger,
    ) -> (Timestamp, Result<IssuableWipe, NotIssued>) {
        let recorded = ledger.state();
        let Planned { id: _, file, manifest, ahead } = planned;
        let fresh = (self.control.reread)(file);
        (fresh.now, issuable(recorded, (file, manifest), &fresh, ahead))
    }

    async fn hand_over(
        self,
        wipe: &IssuableWipe,
        order: WipeOrder<'_>,
        _: Proof,
    ) -> Result<Receipt, ProviderError> {
        let limit = self.provider.limits().timeout;
        let called = tokio::time::timeout(limit, self.provider.wipe(wipe, order)).await;
        called.unwrap_or_else(|_| Err(ProviderError::timed_out(limit)))
    }

    async fn take_back(
        self,
        target: &Target,
        intent: u64,
        _: Proof,
    ) -> Result<Withdrawn, ProviderError> {
        let limit = self.provider.limits().timeout;
        let called = tokio::time::timeout(limit, self.provider.withdraw(target, intent)).await;
        called.unwrap_or_else(|_| Err(ProviderError::timed_out(limit)))
    }

    /// Whether the log has it as expired by now; where the provider failed, a later pass tries again.
    async fn withdraw(
        self,
        action: &Action,
        stopped: &WipeStopped,
        id: DeviceId,
        ledger: &mut Ledger,
        outcome: &mut Outcome,
    ) -> Result<bool, ledger::Error> {
        let Some(intent) = stopped.intent else { return Ok(false) };
        let target = Target { id, serial: stopped.subject.serial_number.clone() };
        let proof = ledger.prove()?;
        let mut stopped = stopped.clone();
        match self.take_back(&target, intent, proof).await {
            Ok(Withdrawn::Gone) => {}
            Ok(Withdrawn::NotPossible(why)) => {
                stopped.code = "notWithdrawn".into();
                stopped.detail = format!(
                    "expired unconfirmed; the command could not be taken back ({why}), so that the \
                     device may still obey it"
                );
            }
            Err(ProviderError { class, message, .. }) => {
                outcome.failed.push((id, class, message));
                return Ok(false);
            }
        }
        let source = action.source(self.control.revision.as_ref());
        let event = Event::WipeExpired(Box::new(stopped));
        ledger.append(vec![Draft { device: Some(id), source, event }])?;
        Ok(true)
    }
}

/// What the log says of a command that the provider did not take; nothing where that is in doubt.
fn not_taken(request: Digest, intent: u64, error: ProviderError, now: Timestamp) -> Option<Event> {
    let ProviderError { class, message, retry_after, approval } = error;
    match class {
        ErrorClass::Unknown => None,
        ErrorClass::Permanent => {
            Some(Event::WipeFailed(WipeFailed { request, intent, class, error: message }))
        }
        ErrorClass::Transient => {
            // An approval has no date: whether it was given is asked, not waited for.
            let at_once = approval.as_ref().map(|_| Duration::ZERO);
            let after = retry_after.or(at_once).unwrap_or(RETRY).min(LONGEST_RETRY);
            Some(deferred(request, intent, message, now + wait(after), approval))
        }
    }
}

fn wait(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or_default()
}

fn deferred(
    request: Digest,
    intent: u64,
    reason: String,
    until: Timestamp,
    approval: Option<CompactString>,
) -> Event {
    Event::WipeDeferred(Box::new(WipeDeferred { request, intent, reason, until, approval }))
}

/// What the log says of a command that the provider took; nothing where it has nothing to say, and the
/// intent says it all.
fn taken(request: Digest, intent: u64, receipt: Receipt) -> Option<Event> {
    let Receipt { target, client_request_id } = receipt;
    target.as_ref()?;
    Some(Event::WipeProgress(Box::new(WipeProgress {
        request,
        intent: Some(intent),
        stage: WipeStage::Delivered,
        target,
        client_request_id,
        detail: "the MDM took the command".to_owned(),
    })))
}
