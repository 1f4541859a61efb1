//! Field by field, what two sides of a comparison differ in; `null` stands for absent.

use serde_json::{Value, json};

use super::new_fields::new_fields;
use crate::domain::model::{DesiredDevice, DeviceSpec, Profile};
use crate::domain::state::Device;
use crate::domain::state::event::{Change, Field};

/// Every field of a device that is new; `null` ones are left out.
#[must_use]
pub(crate) fn provision_changes(to: &DesiredDevice) -> Vec<Change<&'static str>> {
    new_fields(to).map(Change::from).collect()
}

/// The fields of a profile that differ; all of them where it is new.
#[must_use]
pub(crate) fn profile_changes(from: Option<&Profile>, to: &Profile) -> Vec<Change<&'static str>> {
    let fields = |profile: &Profile| {
        let Profile {
            name: _,
            description,
            platforms,
            apps,
            settings,
            licenses,
            compliance,
            intune,
            digest: _,
        } = profile;
        [
            ("description", json!(description)),
            ("platforms", json!(platforms)),
            ("apps", json!(apps)),
            ("settings", settings.clone()),
            ("licenses", json!(licenses)),
            ("compliance", json!(compliance)),
            ("intune", json!(intune)),
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
pub(crate) fn spec_changes(was: &DeviceSpec, is: &DeviceSpec) -> Vec<Change> {
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
    note(Field::Access, json!(was.access), json!(is.access));
    changes
}
