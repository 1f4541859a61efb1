//! What became of wipes that were handed over, or may have been.
//!
//! Only a single device's own record tells: in lists the results of actions are empty. A record that
//! is gone after Intune took our command is the normal end; without our command it is only missing.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::domain::model::{Digest, GraphId, SerialNumber, Timestamp, WipeScope};
use crate::domain::plan::{WipeNews, WipeStep};
use crate::domain::state::event::WipeStage;
use crate::domain::state::{State, Wipe, WipeState};
use crate::edges::provider::intune::connection::Connection;
use crate::edges::provider::intune::graph::{Call, Failure};
use crate::edges::provider::intune::observe::details::is_absent;
use crate::edges::provider::intune::observe::memory::KnownDevice;
use crate::edges::provider::intune::rows::{ActionResult, DETAILED, ManagedDevice};

/// An action that began so much before our intent may still be ours: clocks differ.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);
/// How long what Graph was told may be missing from what it tells.
const SETTLED: TimeDelta = TimeDelta::minutes(15);
/// How long after its end a wipe is still asked about: a device that lies in a drawer.
const FOLLOWED: TimeDelta = TimeDelta::days(90);

/// A wipe that is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed<'a> {
    pub(super) request: Digest,
    pub(super) wipe: &'a Wipe,
    pub(super) issued_at: Timestamp,
}

/// Asks about every wipe whose end is not known.
pub(crate) async fn follow(
    connection: &Connection,
    recorded: &State,
    devices: &HashMap<SerialNumber, Vec<KnownDevice>>,
    now: Timestamp,
) -> (Vec<WipeNews>, Option<Failure>) {
    let followed = recorded.wipes.iter().filter_map(|(request, wipe)| {
        let issued_at = wipe.issued_at.filter(|at| now - *at < FOLLOWED)?;
        wipe.may_be_confirmed().then_some(Followed { request: *request, wipe, issued_at })
    });
    let mut asked = Vec::new();
    for followed in followed {
        let target = followed.wipe.progress.as_ref().and_then(|known| known.target.clone());
        let known = || {
            let devices = devices.get(&followed.wipe.subject.serial_number);
            devices.into_iter().flatten().map(|device| device.id.clone()).collect()
        };
        let ids: Vec<GraphId> = target.map_or_else(known, |target| vec![target]);
        asked.extend(ids.into_iter().map(|id| (followed, id)));
    }
    let calls = asked.iter().map(|(_, id)| read(id)).collect();
    let mut news = Vec::new();
    let mut failed = None;
    for ((followed, id), answer) in asked.iter().zip(connection.everyday.batch(calls).await) {
        let found = match answer.and_then(|answer| answer.json::<ManagedDevice>()) {
            Ok(device) => step(*followed, &device, now),
            Err(failure) if is_absent(&failure) => gone(*followed, now),
            Err(failure) => {
                failed.get_or_insert(failure);
                None
            }
        };
        news.extend(found.map(|(step, detail)| WipeNews {
            request: followed.request,
            intent: followed.wipe.intent,
            step,
            target: Some(id.clone()),
            detail,
        }));
    }
    (news, failed)
}

/// Asks for what only the record of a single device tells.
pub(crate) fn read(id: &GraphId) -> Call {
    Call::get(format!("/deviceManagement/managedDevices/{id}")).query("$select", DETAILED)
}

/// The record is gone. It is erased if Intune had taken our command.
pub(super) fn gone(followed: Followed<'_>, now: Timestamp) -> Option<(WipeStep, String)> {
    let taken = followed.wipe.progress.is_some();
    taken.then(|| (WipeStep::Done(now), "Intune removed its record after our command".to_owned()))
}

pub(super) fn step(
    followed: Followed<'_>,
    device: &ManagedDevice,
    now: Timestamp,
) -> Option<(WipeStep, String)> {
    let Followed { wipe, issued_at, .. } = followed;
    let scope = wipe.subject.scope;
    let results = device.device_action_results.as_deref().unwrap_or_default();
    let ours = results.iter().filter(|result| is_ours(result, scope));
    let ours = ours
        .filter(|result| result.start_date_time.0.is_none_or(|began| began > issued_at + -CLOCKS));
    let last = ours.max_by_key(|result| result.start_date_time.0);
    let failed = |word: &str| Some((WipeStep::Failed, format!("Intune says {word}")));
    match last.and_then(|result| result.action_state.as_deref()) {
        Some("done") => {
            let at = last.and_then(|result| result.last_updated_date_time.0).unwrap_or(now);
            return Some((WipeStep::Done(at), "Intune says that it is done".to_owned()));
        }
        Some(word @ ("failed" | "notSupported" | "canceled")) => return failed(word),
        _ => {}
    }
    let management = device.management();
    let told = last.is_some();
    // A state without an action of ours may be what an earlier one left.
    if (told || wipe.progress.is_some()) && ended(scope).contains(&management) {
        return failed(management);
    }
    if let Some(stage) = pending(management, scope) {
        return Some((WipeStep::Stage(stage), format!("Intune says {management}")));
    }
    if told {
        let stage = WipeStep::Stage(WipeStage::Delivered);
        return Some((stage, "Intune has the command".to_owned()));
    }
    // Nobody answered, and Intune knows nothing of it: though the device came by after that, and a
    // command to erase it goes before all others.
    let came_by = device.last_sync_date_time.0.is_some_and(|at| at > issued_at + CLOCKS);
    let in_doubt = wipe.progress.is_none() && wipe.state == WipeState::Issued;
    let never = in_doubt && came_by && management == "managed" && now - issued_at > SETTLED;
    never.then(|| {
        let detail = "Intune did not accept the command: the device came by since, and Intune \
                      knows nothing of it";
        (WipeStep::NotTaken, detail.to_owned())
    })
}

/// Whether it is what a wipe of this scope does.
fn is_ours(result: &ActionResult, scope: WipeScope) -> bool {
    let names = match scope {
        WipeScope::Full => ["wipe", "factoryReset"],
        WipeScope::Selective => ["retire", "removeCompanyData"],
    };
    let name = result.action_name.as_deref().unwrap_or_default();
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// How far a command of this scope has come, by the state of management.
pub(crate) fn pending(management: &str, scope: WipeScope) -> Option<WipeStage> {
    match (scope, management) {
        (WipeScope::Full, "wipePending") | (WipeScope::Selective, "retirePending") => {
            Some(WipeStage::Delivered)
        }
        (WipeScope::Full, "wipeIssued") | (WipeScope::Selective, "retireIssued") => {
            Some(WipeStage::Sent)
        }
        _ => None,
    }
}

fn ended(scope: WipeScope) -> [&'static str; 2] {
    match scope {
        WipeScope::Full => ["wipeFailed", "wipeCanceled"],
        WipeScope::Selective => ["retireFailed", "retireCanceled"],
    }
}
