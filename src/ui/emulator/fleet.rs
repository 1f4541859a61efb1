//! A fleet directory as hardware that joins by itself, with the users, groups and products it names.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use serde_json::Value;

use super::control::{Given, add_given, ensure_group, ensure_policy, ensure_sku};
use super::tenant::{Facts, Kind, Tenant, WipeBehavior};
use crate::domain::model::Ownership;
use crate::edges::fs::guarded::Guarded;
use crate::edges::source;

/// Enough licenses of each product for any fleet.
const UNITS: u64 = 100_000;

/// Puts what a fleet directory declares into the tenant. Gives how many devices there are.
///
/// # Errors
/// If the directory cannot be read, or declares what the tenant cannot have.
pub(super) fn populate(tenant: &mut Tenant, root: &Path) -> Result<usize, String> {
    let desired = source::load(root);
    if let Some(missing) = desired.missing {
        return Err(format!("the fleet directory {missing}"));
    }
    for profile in loose_profiles(root) {
        take_profile(tenant, &profile);
    }
    for device in &desired.devices {
        let spec = &device.spec;
        let hardware = spec.hardware.as_deref();
        let given = Given {
            serial_number: Some(spec.serial_number.to_string()),
            count: 1,
            platform: spec.platform,
            manufacturer: hardware.and_then(|one| one.manufacturer.as_ref()).map(|m| m.to_string()),
            model: hardware.and_then(|one| one.model.as_ref()).map(|m| m.to_string()),
            personal: spec.ownership == Ownership::Personal,
            user_principal_name: Some(spec.user_email.to_string()),
            facts: Facts { os_version: spec.os_version.to_string(), ..Facts::default() },
            online: true,
            joins: true,
            waits_for: None,
            elsewhere: false,
            fate: WipeBehavior::Obeys,
            enrolled: false,
            enrolled_days_ago: 0,
            registered: false,
        };
        add_given(tenant, &given).map_err(|wrong| format!("{}: {wrong}", spec.serial_number))?;
    }
    Ok(desired.devices.len())
}

/// Groups, policies and licenses that a profile names.
fn take_profile(tenant: &mut Tenant, profile: &Value) {
    let name = profile["metadata"]["name"].as_str().unwrap_or_default();
    let spec = &profile["spec"];
    for license in words(&spec["licenses"]) {
        ensure_sku(tenant, license, UNITS, None);
    }
    if let Some(group) = spec["intune"]["group"].as_str() {
        ensure_group(tenant, group, name);
    }
    for id in words(&spec["intune"]["configurationPolicies"]) {
        ensure_policy(tenant, Kind::Catalog, id);
    }
    for id in words(&spec["intune"]["apps"]) {
        ensure_policy(tenant, Kind::App, id);
    }
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Profiles, read loosely: the emulator needs ids out of them, whether they are valid or not.
fn loose_profiles(root: &Path) -> Vec<Value> {
    let mut profiles = Vec::new();
    for path in manifests(root) {
        let Ok(bytes) = Guarded::up_to(source::MAX_BYTES).read(&path) else { continue };
        for document in serde_yaml::Deserializer::from_slice(&bytes) {
            let document = Value::deserialize(document);
            profiles.extend(document.ok().filter(|document| document["kind"] == "Profile"));
        }
    }
    profiles
}

/// So deep may directories nest.
const DEEPEST: usize = 32;

fn manifests(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            // Links are not followed, as in any reading of a fleet directory.
            let Ok(kind) = entry.file_type() else { continue };
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
            if kind.is_dir() && !hidden && depth < DEEPEST {
                open.push((path, depth + 1));
            } else if kind.is_file() && yaml {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
