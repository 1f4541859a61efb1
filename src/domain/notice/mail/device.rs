//! A device as its user knows it, and the checks that it fails: facts for texts of any language.

use serde::{Deserialize, Serialize};

use crate::domain::compliance::{ComplianceCheck, Evidence, Outcome, Reported, checks};
use crate::domain::model::{
    DeviceId, Email, Facts, MIN_PIN_LENGTH, Name, Platform, Requirements, SerialNumber,
};
use crate::domain::state::event::WipeSubject;
use crate::domain::state::{Device, State};
use crate::domain::wording::harmless_within;

/// What a device reported of its version is shown up to here.
const LONGEST_VERSION: usize = 60;

/// A device, as a text speaks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceText {
    pub(crate) id: DeviceId,
    pub(crate) name: Name,
    pub(crate) serial: SerialNumber,
    /// Nothing of a device that a request names and that there is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<Name>,
    /// Who asked, where there is no such device.
    pub(crate) user: Email,
    /// Those that fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) checks: Vec<CheckText>,
}

/// A check that fails: what was seen and wanted, as far as there is a value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckText {
    pub(crate) name: String,
    /// Whether it is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on: Option<bool>,
    /// Age of the antivirus signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) age_days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) most_days: Option<u32>,
    /// Whether the antivirus itself calls its signatures out of date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outdated: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) least_digits: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum: Option<String>,
    /// Whether the MDM judged it and gave no value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) judged: bool,
    /// As `fleetform show` has it.
    pub(crate) seen: String,
    pub(crate) wanted: String,
}

impl DeviceText {
    /// Without checks.
    #[must_use]
    pub(crate) fn plain(id: DeviceId, device: &Device) -> Self {
        let spec = &device.spec;
        Self {
            id,
            name: spec.name.clone(),
            serial: spec.serial_number.clone(),
            platform: Some(spec.platform),
            profile: Some(spec.profile.clone()),
            user: spec.user_email.clone(),
            checks: Vec::new(),
        }
    }

    /// What a request to wipe names, where there is no such device.
    #[must_use]
    pub(crate) fn unknown(named: &WipeSubject) -> Self {
        Self {
            id: named.device_id,
            name: named.name.clone(),
            serial: named.serial_number.clone(),
            platform: None,
            profile: None,
            user: named.requested_by.clone(),
            checks: Vec::new(),
        }
    }

    /// With the checks that fail by what is recorded. Facts may be gone, after a replay of the log:
    /// then the checks have names only.
    #[must_use]
    pub(crate) fn failing(recorded: &State, id: DeviceId, device: &Device) -> Self {
        let profile = recorded.profiles.get(&device.spec.profile);
        let reported = device.facts.as_deref().zip(device.last_sync);
        let reported = reported.map(|(facts, at)| Reported { facts, at });
        let judged = profile.map_or_else(Vec::new, |profile| {
            checks(&profile.compliance, device.spec.platform, reported)
        });
        let texts = device.compliance.checks.failing.iter().map(|name| {
            let check =
                judged.iter().find(|check| check.name == *name && check.outcome == Outcome::Fail);
            match (check, profile) {
                (Some(check), Some(profile)) => {
                    CheckText::of(check, &profile.compliance, device.spec.platform, reported)
                }
                _ => CheckText { name: name.clone(), ..CheckText::default() },
            }
        });
        Self { checks: texts.collect(), ..Self::plain(id, device) }
    }
}

impl CheckText {
    fn of(
        check: &ComplianceCheck,
        wanted: &Requirements,
        platform: Platform,
        reported: Option<Reported<'_>>,
    ) -> Self {
        let facts: Option<&Facts> = reported.map(|reported| reported.facts);
        let base = Self {
            name: check.name.to_owned(),
            judged: check.evidence == Some(Evidence::Judged),
            seen: harmless_within(&check.seen, 2 * LONGEST_VERSION),
            wanted: check.wanted.clone(),
            ..Self::default()
        };
        match check.name {
            "antivirus" => {
                let fact = facts.and_then(|facts| facts.antivirus);
                let mdm = facts.and_then(|facts| facts.mdm.as_deref());
                let updated = fact.and_then(|fact| fact.signatures_updated_at).zip(reported);
                Self {
                    on: fact.and_then(|fact| fact.enabled),
                    age_days: updated.map(|(updated, at)| (at.at - updated).num_days().max(0)),
                    most_days: wanted.antivirus.and_then(|rule| rule.max_signature_age_days),
                    outdated: mdm.and_then(|mdm| mdm.protection.as_ref()?.signatures_overdue),
                    ..base
                }
            }
            "encryption" => Self { on: facts.and_then(|facts| facts.encryption?.enabled), ..base },
            "osVersion" => {
                let seen = facts.and_then(|facts| facts.os_version.as_ref());
                Self {
                    version: seen.map(|seen| harmless_within(&seen.to_string(), LONGEST_VERSION)),
                    minimum: wanted.minimum_os_version.get(&platform).map(ToString::to_string),
                    ..base
                }
            }
            "screenLock" => {
                let fact = facts.and_then(|facts| facts.screen_lock);
                let least = wanted.screen_lock.map(|rule| rule.min_pin_length.max(MIN_PIN_LENGTH));
                Self {
                    on: fact.and_then(|fact| fact.enabled),
                    digits: fact.and_then(|fact| fact.pin_length),
                    least_digits: least,
                    ..base
                }
            }
            _ => base,
        }
    }
}
