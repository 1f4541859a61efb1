//! The licenses of users: which Fleetform assigned, which of those nobody needs any more, and which
//! are missing. It only tells: a license is taken away by people.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use serde::Serialize;

use crate::domain::fleet::Desired;
use crate::domain::model::{DesiredStatus, DeviceId, Email, Status, Timestamp, words};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, LicenseState, State};

words! {
    /// How a license of a user stands.
    pub(crate) enum LicenseStanding {
        /// A device of the user calls for it, and the user does not have it, as far as is known.
        Missing = "missing",
        /// Fleetform assigned it, and no device of the user calls for it any more.
        NotNeeded = "notNeeded",
        /// Fleetform assigned it, and a device of the user calls for it.
        Assigned = "assigned",
    }
}

/// A license of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserLicense {
    pub(crate) standing: LicenseStanding,
    /// The part number of the product.
    pub(crate) sku: CompactString,
    pub(crate) user: Email,
    /// When it was assigned, or the last try failed.
    pub(crate) since: Option<Timestamp>,
    /// The devices that call for it; where none does, those that it was assigned for.
    pub(crate) devices: Vec<DeviceId>,
    /// Why it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// What is known of one license of one user.
#[derive(Debug, Default)]
struct Known<'a> {
    /// Devices that call for it, or may: of a device that is recorded, and whose manifest says
    /// otherwise or is gone, nobody knows yet.
    needed_by: BTreeSet<DeviceId>,
    /// Of these, those whose manifests call for it now.
    wanted_by: BTreeSet<DeviceId>,
    /// Whether one of these is enrolled.
    enrolled: bool,
    assigned_for: BTreeSet<DeviceId>,
    assigned: Option<Timestamp>,
    found: bool,
    missing: Option<(Timestamp, &'a str)>,
}

/// All licenses that somebody may have to do something about, and those that Fleetform assigned; what is
/// missing comes first, then by part number and user.
#[must_use]
pub(crate) fn licenses(state: &State, desired: &Desired, settings: &Settings) -> Vec<UserLicense> {
    let mut all: BTreeMap<(&str, &Email), Known<'_>> = BTreeMap::new();
    for (id, device) in state.devices.iter() {
        recorded(state, *id, device, &mut all);
    }
    // Where somebody else assigns them, nothing is missing here.
    for device in desired.devices.iter().filter(|_| settings.provider.licenses.is_some()) {
        let (spec, profile) = (&device.spec, desired.profiles.get(&device.spec.profile));
        let known = state.by_serial(&spec.serial_number).filter(|(_, device)| !device.is_wiped());
        let Some(((id, recorded), profile)) = known.zip(profile) else { continue };
        if device.status != DesiredStatus::Enrolled {
            continue;
        }
        for sku in &profile.licenses {
            let known = all.entry((sku, &spec.user_email)).or_default();
            known.needed_by.insert(id);
            known.wanted_by.insert(id);
            known.enrolled |= recorded.status == Status::Enrolled;
        }
    }
    let mut licenses: Vec<_> =
        all.into_iter().filter_map(|((sku, user), known)| known.license(sku, user)).collect();
    licenses.sort_by(|a, b| (a.standing, &a.sku, &a.user).cmp(&(b.standing, &b.sku, &b.user)));
    licenses
}

fn recorded<'a>(
    state: &'a State,
    id: DeviceId,
    device: &'a Device,
    all: &mut BTreeMap<(&'a str, &'a Email), Known<'a>>,
) {
    for license in device.licenses.iter() {
        let known = all.entry((&license.sku, &license.user)).or_default();
        match &license.state {
            LicenseState::Assigned => {
                known.assigned = known.assigned.max(Some(license.since));
                known.assigned_for.insert(id);
            }
            LicenseState::Found => known.found = true,
            LicenseState::Intended => {
                known.missing = Some((license.since, "it is not known whether it was assigned"));
            }
            LicenseState::Failed(_, why) => known.missing = Some((license.since, why)),
        }
    }
    if device.is_wiped() || device.rare.archived_since.is_some() {
        return;
    }
    let profile = state.profiles.get(&device.spec.profile);
    for sku in profile.into_iter().flat_map(|profile| &profile.licenses) {
        all.entry((sku, &device.spec.user_email)).or_default().needed_by.insert(id);
    }
}

impl Known<'_> {
    fn license(self, sku: &str, user: &Email) -> Option<UserLicense> {
        let Self { needed_by, wanted_by, enrolled, assigned_for, assigned, found, missing } = self;
        let (standing, since, devices, reason) = match assigned {
            Some(at) if needed_by.is_empty() => {
                (LicenseStanding::NotNeeded, Some(at), assigned_for, None)
            }
            Some(at) => (LicenseStanding::Assigned, Some(at), needed_by, None),
            None if found || wanted_by.is_empty() => return None,
            None => {
                let (since, why) = missing.unzip();
                let why = why.unwrap_or(match enrolled {
                    true => "the next reconciliation assigns it",
                    false => "no device that needs it has enrolled yet",
                });
                (LicenseStanding::Missing, since, wanted_by, Some(why.to_owned()))
            }
        };
        let (sku, user, devices) = (sku.into(), user.clone(), devices.into_iter().collect());
        Some(UserLicense { standing, sku, user, since, devices, reason })
    }
}
