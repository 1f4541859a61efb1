//! Field by field, what two sides of a comparison differ in; `null` stands for absent.

use serde_json::{Value, json};

use crate::event::{Change, Field};
use crate::model::{DesiredDevice, DeviceSpec, Profile, Status};
use crate::state::Device;

/// Every field of a device that is new; `null` ones are left out.
#[must_use]
pub fn provision_changes(to: &DesiredDevice) -> Vec<Change<&'static str>> {
    let DeviceSpec {
        name,
        serial_number,
        user_email,
        profile,
        platform,
        os_version,
        ownership,
        labels,
        hardware,
    } = &*to.spec;
    let all = [
        ("name", json!(name)),
        ("serialNumber", json!(serial_number)),
        ("userEmail", json!(user_email)),
        ("profile", json!(profile)),
        ("platform", json!(platform)),
        ("osVersion", json!(os_version)),
        ("ownership", json!(ownership)),
        ("labels", if labels.is_empty() { Value::Null } else { json!(labels) }),
        ("hardware", json!(hardware)),
        ("status", json!(Status::Pending)),
        ("enrollment", json!(to.enrollment)),
    ];
    all.into_iter()
        .filter(|(_, to)| !to.is_null())
        .map(|(field, to)| Change { field, from: Value::Null, to })
        .collect()
}

/// The fields of a profile that differ; all of them where it is new.
#[must_use]
pub fn profile_changes(from: Option<&Profile>, to: &Profile) -> Vec<Change<&'static str>> {
    let fields = |profile: &Profile| {
        let Profile {
            name: _,
            description,
            platforms,
            apps,
            settings,
            licenses,
            compliance,
            digest: _,
        } = profile;
        [
            ("description", json!(description)),
            ("platforms", json!(platforms)),
            ("apps", json!(apps)),
            ("settings", settings.clone()),
            ("licenses", json!(licenses)),
            ("compliance", json!(compliance)),
        ]
    };
    let before = from.map(fields);
    fields(to)
        .into_iter()
        .enumerate()
        .map(|(i, (field, to))| {
            let from = before.as_ref().map_or(Value::Null, |before| before[i].1.clone());
            Change { field, from, to }
        })
        .filter(|change| change.from != change.to)
        .collect()
}

/// Fields that differ between the record and the manifest.
pub(super) fn diff(device: &Device, desired: &DesiredDevice) -> Vec<Change> {
    let (was, is) = (&*device.spec, &*desired.spec);
    if was == is && *device.manifest.path == *desired.place.path {
        return Vec::new();
    }
    let mut changes = spec_changes(was, is);
    if *device.manifest.path != *desired.place.path {
        let (from, to) = (json!(device.manifest.path), json!(desired.place.path));
        changes.push(Change { field: Field::Manifest, from, to });
    }
    changes
}

/// Fields that differ between two specifications of one device.
#[must_use]
pub fn spec_changes(was: &DeviceSpec, is: &DeviceSpec) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |field, from: Value, to: Value| {
        if from != to {
            changes.push(Change { field, from, to });
        }
    };
    note(Field::Name, json!(was.name), json!(is.name));
    note(Field::UserEmail, json!(was.user_email), json!(is.user_email));
    note(Field::Profile, json!(was.profile), json!(is.profile));
    note(Field::Platform, json!(was.platform), json!(is.platform));
    note(Field::OsVersion, json!(was.os_version), json!(is.os_version));
    note(Field::Ownership, json!(was.ownership), json!(is.ownership));
    note(Field::Labels, json!(was.labels), json!(is.labels));
    note(Field::Hardware, json!(was.hardware), json!(is.hardware));
    changes
}
