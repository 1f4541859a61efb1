//! Details of single devices: a call each, so only for those whose row changed.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::Deserialize;

use super::evidence::judged;
use crate::domain::model::{AntivirusFact, DeviceId, GraphId, Platform, Protection};
use crate::edges::provider::intune::connection::Connection;
use crate::edges::provider::intune::graph::{Answer, Call, Failure};
use crate::edges::provider::intune::rows::{PolicyState, ProtectionState};

/// Devices whose details one look asks for; the others follow in the next ones. A tenant lets an app
/// read a thousand things in twenty seconds, and each device costs two.
pub(super) const MOST: usize = 4_000;

/// What is known of a device beside its row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Details {
    pub(super) policies: u32,
    pub(super) judged: BTreeMap<CompactString, bool>,
    pub(super) antivirus: Option<AntivirusFact>,
    pub(super) protection: Option<Protection>,
}

#[derive(Deserialize)]
struct States {
    value: Vec<PolicyState>,
}

/// Asks for the details of these devices. A device whose answer is missing is asked again in the
/// next look; the first failure says why.
pub(super) async fn details(
    connection: &Connection,
    wanted: &[(DeviceId, GraphId, Platform)],
) -> (BTreeMap<DeviceId, Details>, Option<Failure>) {
    let path = |id: &GraphId, what| format!("/deviceManagement/managedDevices/{id}/{what}");
    let mut calls = Vec::new();
    for (_, id, platform) in wanted {
        calls.push(Call::get(path(id, "deviceCompliancePolicyStates")));
        if *platform == Platform::Windows {
            calls.push(Call::get(path(id, "windowsProtectionState")));
        }
    }
    let mut answers = connection.everyday.batch(calls).await.into_iter();
    let mut found = BTreeMap::new();
    let mut failed = None;
    for (device, _, platform) in wanted {
        let states = answers.next();
        let protection = if *platform == Platform::Windows { answers.next() } else { None };
        match states.map(|states| read(states, protection)) {
            Some(Ok(details)) => drop(found.insert(*device, details)),
            Some(Err(failure)) => drop(failed.get_or_insert(failure)),
            None => {}
        }
    }
    (found, failed)
}

fn read(
    states: Result<Answer, Failure>,
    protection: Option<Result<Answer, Failure>>,
) -> Result<Details, Failure> {
    let States { value } = states?.json()?;
    let (policies, judged) = judged(&value);
    let mut details = Details { policies, judged, ..Details::default() };
    let protection = match protection {
        None => return Ok(details),
        Some(Ok(answer)) if answer.status == 204 => return Ok(details),
        Some(Ok(answer)) => answer.json()?,
        // A device that has not reported any has none.
        Some(Err(failure)) if is_absent(&failure) => return Ok(details),
        Some(Err(failure)) => return Err(failure),
    };
    let ProtectionState {
        malware_protection_enabled,
        real_time_protection_enabled,
        signature_update_overdue,
        last_reported_date_time,
    } = protection;
    let enabled = match (malware_protection_enabled, real_time_protection_enabled) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    };
    details.antivirus = enabled
        .map(|enabled| AntivirusFact { enabled: Some(enabled), signatures_updated_at: None });
    details.protection = Some(Protection {
        reported_at: last_reported_date_time.0,
        signatures_overdue: signature_update_overdue,
    });
    Ok(details)
}

/// Whether Graph says that there is no such thing.
pub(super) fn is_absent(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| refusal.status == 404)
}
