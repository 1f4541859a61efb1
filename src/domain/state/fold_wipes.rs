//! How entries about wipe requests change the state.

use super::event::{Entry, Event, WipeDeferred, WipeProgress, WipeStage, WipeStopped, WipeSubject};
use super::fold::State;
use super::wipe::{Approval, DEFERRED, Progress, Wipe, WipeState, refused};
use crate::domain::model::{DeviceId, Digest, Status};

impl State {
    /// Every wipe request about a device.
    pub(crate) fn wipes_of(&self, id: DeviceId) -> impl Iterator<Item = &Wipe> {
        self.wipes.values().filter(move |wipe| wipe.subject.device_id == id)
    }

    pub(super) fn apply_wipe(&mut self, entry: &Entry) -> Result<(), String> {
        match &entry.event {
            Event::WipeAccepted(accepted) => {
                let mut wipe = self.begin(entry, &accepted.subject, WipeState::Accepted)?;
                let id = entry.device.ok_or("it names no device")?;
                let device =
                    self.devices.get(&id).ok_or_else(|| format!("there is no device {id}"))?;
                if device.status == Status::Wiped {
                    return Err("the device is wiped".into());
                }
                // One that was issued stands in the way for a time: that is the plan's to judge.
                let request = accepted.subject.request;
                let other =
                    |w: &Wipe| w.subject.request != request && w.state == WipeState::Accepted;
                if self.wipes_of(id).any(other) {
                    return Err("the device has another wipe in progress".into());
                }
                if let Some(device) = self.devices.get_mut(&id) {
                    device.rare.wipe = Some(accepted.subject.request);
                }
                wipe.signers = accepted.signers.clone();
                wipe.issue_at = Some(accepted.issue_at);
                self.wipes.insert(accepted.subject.request, wipe);
            }
            Event::WipeRefused(stopped) => {
                self.stop(entry, stopped, refused(stopped.for_good, &stopped.code))?;
            }
            Event::WipeHeld(stopped) => self.stop(entry, stopped, WipeState::Held)?,
            Event::WipeExpired(stopped) if stopped.intent.is_some() => {
                self.check_intent(stopped.subject.request, stopped.intent)?;
                let request = stopped.subject.request;
                let wipe = self.go_on(entry, request, WipeState::Issued, WipeState::Expired)?;
                wipe.code = Some(stopped.code.clone());
                wipe.detail = stopped.detail.clone();
            }
            Event::WipeExpired(stopped) => self.stop(entry, stopped, WipeState::Expired)?,
            Event::WipeVetoed(stopped) => self.stop(entry, stopped, WipeState::Vetoed)?,
            Event::WipeIssued(issued) => {
                // Never before what the log has seen: a clock set back in the middle of a pass
                // must not make the wipe leave its window early.
                let at = self.at.max(Some(entry.at));
                let wipe =
                    self.go_on(entry, issued.request, WipeState::Accepted, WipeState::Issued)?;
                wipe.issued_at = at;
                wipe.intent = Some(issued.intent);
                wipe.signers = issued.signers.clone();
                (wipe.code, wipe.detail) = (None, String::new());
                wipe.progress = None;
            }
            Event::WipeDeferred(deferred) => self.defer(entry, deferred)?,
            Event::WipeProgress(progress) => self.progress(entry, progress)?,
            Event::WipeConfirmed(confirmed) => {
                let known = self.wipes.get(&confirmed.request);
                let from = known.filter(|wipe| wipe.may_be_confirmed()).map(|wipe| wipe.state);
                let from = from.unwrap_or(WipeState::Issued);
                self.go_on(entry, confirmed.request, from, WipeState::Confirmed)?;
            }
            Event::WipeFailed(failed) => {
                let wipe =
                    self.go_on(entry, failed.request, WipeState::Issued, WipeState::Failed)?;
                wipe.code = Some(failed.class.as_str().into());
                wipe.detail = failed.error.clone();
            }
            _ => return Err("it is not about a wipe".into()),
        }
        Ok(())
    }

    /// A request that is spoken of before it is issued.
    fn begin(
        &self,
        entry: &Entry,
        subject: &WipeSubject,
        state: WipeState,
    ) -> Result<Wipe, String> {
        // Older versions forgot that a request was refused for good, and their requests named no
        // ledger: what they logged afterwards happened.
        let forgot = |known: &Wipe| {
            known.state == WipeState::RefusedForGood
                && state == WipeState::Accepted
                && subject.ledger.is_none()
        };
        if let Some(known) = self.wipes.get(&subject.request)
            && !known.state.is_open()
            && !forgot(known)
        {
            return Err(format!("the request is {} already", known.state));
        }
        let source = entry.source.as_ref().ok_or("it names no request file")?;
        Ok(Wipe {
            subject: subject.clone(),
            path: source.path.clone(),
            state,
            // Never before what the log has seen: requests are taken in the order of acceptance.
            since: self.at.map_or(entry.at, |at| at.max(entry.at)),
            code: None,
            detail: String::new(),
            signers: Vec::new(),
            issue_at: None,
            issued_at: None,
            intent: None,
            approval: None,
            progress: None,
        })
    }

    /// The provider surely did not get it: it is as if it had not been issued.
    fn defer(&mut self, entry: &Entry, deferred: &WipeDeferred) -> Result<(), String> {
        let WipeDeferred { request, intent, reason, until, approval } = deferred;
        self.check_intent(*request, Some(*intent))?;
        let device = entry.device.ok_or("it names no device")?;
        if self.wipes_of(device).any(|other| other.state == WipeState::Accepted) {
            return Err("the device has another wipe in progress".into());
        }
        // Never before what the log has seen, as with acceptance.
        let since = self.at.map_or(entry.at, |at| at.max(entry.at));
        let wipe = self.go_on(entry, *request, WipeState::Issued, WipeState::Accepted)?;
        wipe.since = since;
        wipe.issue_at = wipe.issue_at.max(Some(*until));
        (wipe.issued_at, wipe.intent, wipe.progress) = (None, None, None);
        // One that was given stays given, whatever else kept the command from the MDM.
        if let Some(code) = approval
            && wipe.approval.as_ref().is_none_or(|known| known.code != code)
        {
            wipe.approval = Some(Approval { code: code.clone(), given: false });
        }
        (wipe.code, wipe.detail) = (Some(DEFERRED.into()), reason.clone());
        if let Some(device) = self.devices.get_mut(&device) {
            device.rare.wipe = Some(*request);
        }
        Ok(())
    }

    /// The MDM tells how far a command has come, or that an approval was given.
    fn progress(&mut self, entry: &Entry, progress: &WipeProgress) -> Result<(), String> {
        let WipeProgress { request, intent, stage, target, client_request_id: _, detail } =
            progress;
        self.check_intent(*request, *intent)?;
        let wipe = self.wipes.get_mut(request).ok_or("the request is not known")?;
        if entry.device != Some(wipe.subject.device_id) {
            return Err(format!("the request is about {}", wipe.subject.device_id));
        }
        if *stage == WipeStage::Approved {
            let approval = wipe.approval.as_mut().ok_or("it needs no approval")?;
            approval.given = true;
            return Ok(());
        }
        if !wipe.may_be_confirmed() {
            return Err(format!("the request is {}", wipe.state));
        }
        let target = target.clone().or(wipe.progress.take().and_then(|known| known.target));
        let (since, detail) = (entry.at, detail.clone());
        wipe.progress = Some(Progress { detail, since, stage: *stage, target });
        Ok(())
    }

    /// Whether the entry is about the intent under which the request was issued last.
    fn check_intent(&self, request: Digest, intent: Option<u64>) -> Result<(), String> {
        match self.wipes.get(&request) {
            Some(wipe) if wipe.intent == intent => Ok(()),
            Some(_) => Err("the request was not issued under this intent".into()),
            None => Err("the request is not known".into()),
        }
    }

    fn stop(
        &mut self,
        entry: &Entry,
        stopped: &WipeStopped,
        state: WipeState,
    ) -> Result<(), String> {
        let known = self.wipes.get(&stopped.subject.request);
        if known.is_some_and(|wipe| wipe.state == WipeState::RefusedForGood) {
            // Final: whatever an older version went on to say of it.
            return Ok(());
        }
        let mut wipe = self.begin(entry, &stopped.subject, state)?;
        wipe.code = Some(stopped.code.clone());
        wipe.detail = stopped.detail.clone();
        wipe.signers = stopped.signers.clone();
        self.wipes.insert(stopped.subject.request, wipe);
        Ok(())
    }

    fn go_on(
        &mut self,
        entry: &Entry,
        request: Digest,
        from: WipeState,
        to: WipeState,
    ) -> Result<&mut Wipe, String> {
        let wipe = self.wipes.get_mut(&request).ok_or("the request is not known")?;
        if wipe.state != from {
            return Err(format!("the request is {}, not {from}", wipe.state));
        }
        if entry.device != Some(wipe.subject.device_id) {
            return Err(format!("the request is about {}", wipe.subject.device_id));
        }
        wipe.state = to;
        wipe.since = entry.at;
        Ok(wipe)
    }
}
