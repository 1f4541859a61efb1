//! From what was observed to a decision.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::basis::{Basis, approve};
use super::decision::{Decision, RefusedReport, Unacknowledged};
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::{DeviceId, SerialNumber, Timestamp};
use crate::domain::plan::{Cause, Heard, HoldReason, Op, Plan};
use crate::domain::state::{State, SyncStanding, WipeState};
use crate::edges::provider::{
    self, Acknowledgement, Asked, Cursor, Observation, Observed, Provider, ReadProblem,
    ReportOutcome,
};
use crate::edges::requests;

/// What the provider has heard since that cursor; changes nothing anywhere. A look that saw only a
/// part makes no device vanish.
///
/// # Errors
/// If it cannot be asked. [`decide`] takes that, too: a pass goes on.
pub async fn observe(
    provider: &dyn Provider,
    cursor: Option<&Cursor>,
    recorded: &State,
) -> Result<Observed, provider::Error> {
    let mut observed = provider.observe(Asked { cursor, recorded }).await?;
    if !observed.complete {
        observed.news.missing.clear();
    }
    Ok(observed)
}

/// Plans and guards. Where the provider could not be observed, what is desired is planned against
/// what is known, and whatever would be asked of the provider waits.
#[must_use]
pub fn decide(basis: Basis<'_>, observed: Result<Observed, provider::Error>) -> Decision {
    let (observed, unobserved) = match observed {
        Ok(observed) => (observed, None),
        Err(error) => (Observed::default(), Some(error)),
    };
    let Observed {
        reports,
        unusable,
        troubles,
        news,
        unknown_fields,
        unfinished,
        complete,
        more,
        cursor,
    } = observed;
    let heard: Vec<Heard> = reports
        .into_iter()
        .map(|Observation { id, origin, report }| Heard { id, origin, report })
        .collect();
    let troubles = troubles.into_iter().chain(basis.requests.trouble().iter().map(not_read));
    let mut approved = approve(basis, (&heard, &news), troubles.map(unreadable));
    let (done, refused) = outcomes(&heard, approved.plan(), basis.recorded);
    if let Some(error) = &unobserved {
        let why = format!("the provider cannot be observed: {error}; it is asked again");
        approved = approved
            .holding(|action| action.effect().map(|_| (HoldReason::BackingOff, why.clone())));
    }
    if !complete {
        let why = "not all reports could be read: the device may have reported in time";
        approved = approved.holding(|action| {
            (action.cause == Cause::Clock).then(|| (HoldReason::AwaitingReport, why.to_owned()))
        });
    }
    let heard = cursor.map(|cursor| Unacknowledged { cursor, done });
    let requests = basis.requests.clone();
    Decision {
        approved,
        made: basis.now,
        heard,
        requests,
        unobserved,
        unusable,
        refused,
        unknown_fields,
        unfinished,
        more,
    }
}

/// Requests that could not be looked at.
fn not_read(trouble: &requests::UnreadRequest) -> ReadProblem {
    let requests::UnreadRequest { path, message } = trouble.clone();
    let help = "it is not read until that is fixed; give it the owner and the \
                mode of the data directory (chown --reference, chmod --reference)";
    ReadProblem { path, message, help: help.into() }
}

/// What could not be looked at.
fn unreadable(trouble: ReadProblem) -> Finding {
    let ReadProblem { path, message, help } = trouble;
    Finding {
        code: Code::Unreadable,
        severity: Severity::Error,
        message,
        help,
        span: Span::whole(&path.into()),
        related: None,
    }
}

/// The plan's verdict over each report.
fn outcomes(
    heard: &[Heard],
    plan: &Plan,
    recorded: &State,
) -> (Vec<Acknowledgement>, Vec<RefusedReport>) {
    let rejected: HashMap<_, _> = plan.rejected.iter().map(|(id, why)| (id, why)).collect();
    let erased = erased(plan, recorded);
    let heard_from: HashMap<_, _> = plan
        .telemetry
        .iter()
        .filter_map(|said| Some((said.device, said.last.as_ref()?.0)))
        .collect();
    let (mut done, mut refused) = (Vec::with_capacity(heard.len()), Vec::new());
    for Heard { id, origin, report } in heard {
        let serial = &report.serial_number;
        let outcome = match rejected.get(id) {
            Some(why) => {
                let (origin, serial) = (origin.clone(), serial.clone());
                refused.push(RefusedReport { origin, serial, why: (*why).clone() });
                ReportOutcome::Refused((*why).clone())
            }
            None => {
                let erased = erased.get(serial).filter(|_| report.wiped).cloned();
                let synced = synced(recorded, serial, &heard_from).into_iter().collect();
                ReportOutcome::Taken { erased: erased.unwrap_or_default(), synced }
            }
        };
        done.push(Acknowledgement { id: id.clone(), outcome });
    }
    (done, refused)
}

/// The intent of the sync that was asked for, if the device that bears this serial number was heard
/// from since, in this pass or before: also where a pass before was cut short once it had taken that in.
fn synced(
    recorded: &State,
    serial: &SerialNumber,
    heard_from: &HashMap<DeviceId, Timestamp>,
) -> Option<u64> {
    let (id, device) = recorded.by_serial(serial)?;
    let asked = device.rare.sync_requested.as_deref()?;
    let heard = heard_from.get(&id).copied().max(device.last_sync);
    matches!(asked.standing(heard), SyncStanding::Done(_)).then_some(asked.intent)
}

/// The intents of wipes that reports confirm, in this pass or, if one before it was cut short after
/// the log had it, then. A command that stayed would erase the hardware again once it enrolls anew:
/// all those of a device that is erased for good go.
fn erased<'a>(plan: &Plan, recorded: &'a State) -> BTreeMap<&'a SerialNumber, Vec<u64>> {
    let now = plan.actions.iter().filter_map(|action| match &action.op {
        Op::ConfirmWipe { .. } => action.device(),
        _ => None,
    });
    let before = recorded.wipes.values().filter(|wipe| wipe.state == WipeState::Confirmed);
    let erased: BTreeSet<_> = now.chain(before.map(|wipe| wipe.subject.device_id)).collect();
    let mut intents: BTreeMap<&SerialNumber, Vec<u64>> = BTreeMap::new();
    for wipe in recorded.wipes.values().filter(|w| erased.contains(&w.subject.device_id)) {
        if let Some(intent) = wipe.intent {
            intents.entry(&wipe.subject.serial_number).or_default().push(intent);
        }
    }
    intents
}
