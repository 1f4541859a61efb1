//! What the MDM says of a device beside its reports.

use std::borrow::Cow;

use super::action::{Cause, Op};
use super::device::DevicePlanner;
use super::news::WipeStep;
use crate::domain::lifecycle::Stimulus;
use crate::domain::model::{DesiredDevice, Status};
use crate::domain::state::event::WipeConfirmed;

impl DevicePlanner<'_, '_> {
    /// Takes in what the provider says of it.
    pub(super) fn hear_from_provider(&mut self, wiping: bool) {
        let news = self.inputs.news;
        self.hear_of_erasure();
        if self.state.status == Status::Wiped {
            return;
        }
        let serial = &self.device.spec.serial_number;
        if news.missing.contains(serial) && self.device.rare.missing_since.is_none() {
            let op = Op::Missing { last_sync: self.device.last_sync };
            let reason = "the MDM no longer has it; nothing is done to it";
            self.act(op, Cause::Fact, reason);
        }
        if news.found.contains(serial) && self.device.rare.missing_since.is_some() {
            self.act(Op::Found, Cause::Fact, "the MDM has it again");
        }
        if let Some(error) = news.enrollment_errors.get(serial).filter(|_| !wiping) {
            self.step(Stimulus::Report { enrollment_error: Some(error) }, Cause::Fact);
        }
    }

    /// The MDM says that a wipe of the device is done.
    fn hear_of_erasure(&mut self) {
        if self.device.rare.wipe.is_none() || self.state.status == Status::Wiped {
            return;
        }
        let (news, recorded) = (self.inputs.news, self.inputs.recorded);
        let done = news.wipes.iter().find_map(|news| {
            let WipeStep::Done(at) = news.step else { return None };
            let wipe = recorded.wipes.get(&news.request)?;
            let ours = wipe.subject.device_id == self.id && wipe.intent == news.intent;
            let (request, intent) = (news.request, wipe.intent?);
            let confirmed = WipeConfirmed { request, intent, reported_at: at };
            (ours && wipe.may_be_confirmed()).then(|| (confirmed, news.detail.clone()))
        });
        if let Some((confirmed, detail)) = done {
            let op = Op::ConfirmWipe { confirmed: Box::new(confirmed) };
            self.act(op, Cause::Fact, detail);
            self.wiped();
        }
    }

    /// Why a device gets its profile once more, even where the last push of it was well.
    pub(super) fn reason_to_push_again(
        &self,
        desired: &DesiredDevice,
    ) -> Option<Cow<'static, str>> {
        if let Some(drift) = self.inputs.news.drift_of(&self.device.spec.serial_number) {
            let by = drift.by.as_ref().map_or_else(String::new, |by| format!(", changed by {by}"));
            return Some(format!("{}{by}", drift.what).into());
        }
        let (was, is) = (&*self.device.spec, &*desired.spec);
        if !self.inputs.settings.provider.follows_users {
            None
        } else if was.user_email != is.user_email {
            Some("the device got another user".into())
        } else if was.hardware != is.hardware || was.platform != is.platform {
            Some("the description of the hardware changed".into())
        } else {
            None
        }
    }
}
