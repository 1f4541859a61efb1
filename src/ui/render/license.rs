//! Licenses of a device's user, in JSON and in words.

use serde::Serialize;

use super::out::Tone;
use crate::domain::model::{Email, Profile, Timestamp};
use crate::domain::state::event::ErrorClass;
use crate::domain::state::{Device, License, LicenseState};

/// A license of a user of a device, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct LicenseView<'a> {
    sku: &'a str,
    user: &'a Email,
    /// `intended`, `assigned`, `found` where the user had it before, or `failed`.
    state: &'static str,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> LicenseView<'a> {
    pub(super) fn all(device: &'a Device) -> Vec<Self> {
        device.licenses.iter().map(Self::of).collect()
    }

    fn of(license: &'a License) -> Self {
        let License { sku, user, intent: _, since, state } = license;
        let (state, failed) = match state {
            LicenseState::Intended => ("intended", None),
            LicenseState::Assigned => ("assigned", None),
            LicenseState::Found => ("found", None),
            LicenseState::Failed(class, error) => ("failed", Some((*class, &**error))),
        };
        let (class, error) = failed.unzip();
        Self { sku, user, state, since: *since, class, error }
    }
}

/// What an operator should see at a glance.
pub(super) fn note(device: &Device) -> Option<&'static str> {
    lacks(device).next().map(|_| "license missing")
}

/// The licenses that its user does not get, and why; nobody waits for those of a device that is wiped.
pub(super) fn lacks(device: &Device) -> impl Iterator<Item = (&str, &str)> {
    let user = &device.spec.user_email;
    device.licenses.failed(user).filter(|_| !device.is_wiped())
}

/// The licenses that its user has had only since then, or later.
pub(super) fn since(device: &Device, at: Timestamp) -> impl Iterator<Item = (&str, Timestamp)> {
    let user = &device.spec.user_email;
    let has = |license: &&License| {
        matches!(license.state, LicenseState::Assigned | LicenseState::Found)
            && license.user == *user
    };
    let late = device.licenses.iter().filter(has).filter(move |license| license.since >= at);
    late.map(|license| (&*license.sku, license.since))
}

/// A line of `show`: the licenses that its profile gives, and one for each that the user does not get.
pub(super) fn of_device(device: &Device, profile: &Profile) -> Vec<(&'static str, String, Tone)> {
    if profile.licenses.is_empty() {
        return Vec::new();
    }
    let user = &device.spec.user_email;
    let each = profile.licenses.iter().map(|sku| {
        let word = device.licenses.get(sku, user).map(|license| match license.state {
            LicenseState::Intended => " (ordered)",
            LicenseState::Assigned => " (assigned)",
            LicenseState::Found => " (was there)",
            LicenseState::Failed(..) => " (missing)",
        });
        format!("{sku}{}", word.unwrap_or_default())
    });
    let all = ("  Licenses", each.collect::<Vec<_>>().join(", "), Tone::Plain);
    let missing =
        lacks(device).map(|(sku, why)| ("  Missing", format!("{sku}: {why}"), Tone::Removed));
    [all].into_iter().chain(missing).collect()
}
