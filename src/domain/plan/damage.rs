//! What could not be read, and whose intent it may hide: those devices keep what is recorded.

use std::collections::{BTreeSet, HashMap};

use super::decision::Plan;
use super::hold::{Hold, HoldReason};
use super::inputs::Inputs;
use crate::domain::manifest::{ROOT, Unusable, UnusableKind};
use crate::domain::model::{Name, Place, SerialNumber};
use crate::domain::state::Device;

/// Looks up what may hide the intent for a recorded device.
pub(super) struct DamageIndex<'a> {
    by_serial: HashMap<&'a SerialNumber, &'a Unusable>,
    by_name: HashMap<&'a Name, &'a Unusable>,
    by_path: HashMap<&'a str, &'a Unusable>,
    directories: Vec<&'a Unusable>,
    /// What may hold anything.
    unread: Vec<&'a Unusable>,
}

impl<'a> DamageIndex<'a> {
    pub(super) fn new(inputs: &Inputs<'a>) -> Self {
        let mut index = Self {
            by_serial: HashMap::new(),
            by_name: HashMap::new(),
            by_path: HashMap::new(),
            directories: Vec::new(),
            unread: Vec::new(),
        };
        for damaged in &inputs.desired.unusable {
            match &damaged.what {
                UnusableKind::Directory => index.directories.push(damaged),
                UnusableKind::Unread => {
                    index.directories.push(damaged);
                    index.unread.push(damaged);
                }
                UnusableKind::File => {
                    index.by_path.insert(&damaged.place.path, damaged);
                }
                UnusableKind::ProfileOf { serial, .. } => {
                    index.by_serial.insert(serial, damaged);
                }
                UnusableKind::Device { serial: Some(serial), .. }
                    if inputs.recorded.by_serial(serial).is_some() =>
                {
                    index.by_serial.insert(serial, damaged);
                }
                // Its serial cannot be read or is new: it may be any device of this file or name.
                UnusableKind::Device { name, .. } => {
                    index.by_path.insert(&damaged.place.path, damaged);
                    if let Some(name) = name {
                        index.by_name.insert(name, damaged);
                    }
                }
            }
        }
        index
    }

    /// What may hide the manifest of a device of which there is none.
    pub(super) fn of(&self, device: &Device) -> Option<&'a Unusable> {
        self.by_serial
            .get(&device.spec.serial_number)
            .copied()
            .or_else(|| self.at(&device.manifest.path))
            .or_else(|| self.by_name.get(&device.spec.name).copied())
            .or_else(|| self.anywhere())
    }

    /// What may hide a second manifest of a device that was found elsewhere than it is recorded.
    pub(super) fn twin(&self, device: &Device, found: &str) -> Option<&'a Unusable> {
        let was = &*device.manifest.path;
        if was == found {
            return None;
        }
        self.unread.iter().find(|unread| unread.is_above(was)).copied()
    }

    /// What may hide whatever is not there.
    pub(super) fn anywhere(&self) -> Option<&'a Unusable> {
        self.unread.first().copied()
    }

    /// What may hide whatever was written in this file.
    pub(super) fn at(&self, path: &str) -> Option<&'a Unusable> {
        let above = |directory: &&&Unusable| directory.is_above(path);
        self.by_path.get(path).or_else(|| self.directories.iter().find(above)).copied()
    }

    /// Holds for what is unusable and hides no recorded device: it may hide a new one.
    pub(super) fn hold_unrecorded(&self, inputs: &Inputs<'_>, plan: &mut Plan) {
        let held: BTreeSet<Place> = plan
            .holds
            .iter()
            .filter(|hold| {
                matches!(hold.reason, HoldReason::ManifestInvalid | HoldReason::ProfileInvalid)
            })
            .filter_map(|hold| hold.place.clone())
            .collect();
        for damaged in inputs.desired.unusable.iter().filter(|d| !held.contains(&d.place)) {
            let (serial, name) = match &damaged.what {
                UnusableKind::Directory | UnusableKind::File | UnusableKind::Unread => (None, None),
                UnusableKind::Device { serial, name } => (serial.clone(), name.clone()),
                UnusableKind::ProfileOf { serial, name, .. } => {
                    (Some(serial.clone()), Some(name.clone()))
                }
            };
            let (reason, detail) = damaged.explain();
            let place = Some(damaged.place.clone());
            let known = serial.as_ref().and_then(|serial| inputs.recorded.by_serial(serial));
            let device = known.map(|(id, _)| id);
            plan.holds.push(Hold { place, device, serial, name, reason, detail: detail.into() });
        }
    }
}

impl Unusable {
    /// Whether what is written at this path lies in the directory that cannot be read.
    pub(super) fn is_above(&self, path: &str) -> bool {
        let directory = &*self.place.path;
        let below = path.strip_prefix(directory);
        directory == ROOT || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(super) fn explain(&self) -> (HoldReason, String) {
        match &self.what {
            UnusableKind::Directory => {
                // Of a symlink nobody looks at what it leads to: its name says what it would be.
                let path = &*self.place.path;
                let is_file = path.ends_with(".yaml") || path.ends_with(".yml");
                let what = if is_file { "file" } else { "directory" };
                let detail =
                    format!("the {what} cannot be read; what is recorded from it stays as it is");
                (HoldReason::ManifestInvalid, detail)
            }
            UnusableKind::File => (
                HoldReason::ManifestInvalid,
                "the file cannot be used; what is recorded from it stays as it is".into(),
            ),
            UnusableKind::Unread => (
                HoldReason::ManifestInvalid,
                format!(
                    "{} cannot be read and may hold it; what is recorded stays as it is",
                    self.place.path
                ),
            ),
            UnusableKind::Device { .. } => {
                (HoldReason::ManifestInvalid, "the manifest is invalid; fix it to continue".into())
            }
            UnusableKind::ProfileOf { profile, .. } => (
                HoldReason::ProfileInvalid,
                format!("the manifest of profile {profile} is invalid; fix it to continue"),
            ),
        }
    }
}
