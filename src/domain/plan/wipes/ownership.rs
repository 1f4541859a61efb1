//! Whose a device is, as far as its manifests say: what a full wipe depends on.
//!
//! A manifest that cannot be used may have said `personal`. Unless it says plainly that the device
//! is corporate, a full wipe waits until it is fixed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::domain::fleet::Desired;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::{Name, Ownership, SerialNumber};
use crate::domain::plan::inputs::Inputs;
use crate::domain::state::Device;
use crate::domain::wipe::WipeFile;

/// Unusable documents that may be a device's manifest, by what is known of it.
pub(super) struct Ownerships<'a> {
    desired: &'a Desired,
    by_serial: HashMap<&'a SerialNumber, Vec<&'a Unusable>>,
    by_name: HashMap<&'a Name, Vec<&'a Unusable>>,
    by_path: HashMap<&'a str, Vec<&'a Unusable>>,
    directories: Vec<&'a Unusable>,
    /// What may hold a copy of any request, with a veto beside it: as in `WipeFile::unreadable`.
    unread: BTreeMap<String, String>,
}

impl<'a> Ownerships<'a> {
    pub(super) fn new(inputs: &Inputs<'a>) -> Self {
        let mut found = Self {
            desired: inputs.desired,
            by_serial: HashMap::new(),
            by_name: HashMap::new(),
            by_path: HashMap::new(),
            directories: Vec::new(),
            unread: BTreeMap::new(),
        };
        for damaged in &inputs.desired.unusable {
            match &damaged.what {
                UnusableKind::Directory => found.directories.push(damaged),
                UnusableKind::File => found.at(damaged),
                UnusableKind::Unread => {
                    found.directories.push(damaged);
                    let why = "it cannot be read, and may hold a veto beside a copy of the request";
                    found.unread.insert(damaged.place.path.to_string(), why.to_owned());
                }
                UnusableKind::ProfileOf { serial, .. } => found.with(serial, damaged),
                UnusableKind::Device { serial: Some(serial), name } => {
                    found.with(serial, damaged);
                    // A serial number that nobody knows may be a misspelt one.
                    if inputs.recorded.by_serial(serial).is_none() {
                        found.at(damaged);
                        found.named(name.as_ref(), damaged);
                    }
                }
                UnusableKind::Device { serial: None, name } => {
                    found.at(damaged);
                    found.named(name.as_ref(), damaged);
                }
            }
        }
        found
    }

    fn with(&mut self, serial: &'a SerialNumber, damaged: &'a Unusable) {
        self.by_serial.entry(serial).or_default().push(damaged);
    }

    fn at(&mut self, damaged: &'a Unusable) {
        self.by_path.entry(&damaged.place.path).or_default().push(damaged);
    }

    fn named(&mut self, name: Option<&'a Name>, damaged: &'a Unusable) {
        if let Some(name) = name {
            self.by_name.entry(name).or_default().push(damaged);
        }
    }

    /// What may be a veto of this request and cannot be seen: beside it, and anywhere.
    pub(super) fn unreadable<'f>(&self, file: &'f WipeFile) -> Cow<'f, BTreeMap<String, String>> {
        if self.unread.is_empty() {
            return Cow::Borrowed(&file.unreadable);
        }
        let beside = file.unreadable.iter().chain(&self.unread);
        Cow::Owned(beside.map(|(name, why)| (name.clone(), why.clone())).collect())
    }

    /// Personal, if either the record or the manifest says so: a device that becomes personal in
    /// this very pass is not wiped whole in it.
    pub(super) fn strictest(&self, device: &Device) -> Ownership {
        let desired = self.desired.by_serial(&device.spec.serial_number);
        let desired = desired.map(|desired| desired.spec.ownership);
        if desired == Some(Ownership::Personal) {
            Ownership::Personal
        } else {
            device.spec.ownership
        }
    }

    /// Why it is not certain whose the device is, without a full stop.
    pub(super) fn unclear(&self, device: &Device) -> Option<String> {
        let serial = &device.spec.serial_number;
        let its = self.by_serial.get(serial).into_iter().flatten();
        // A device with a valid manifest has none that is damaged, but for one with its serial.
        let valid = self.desired.by_serial(serial).is_some();
        let near = || {
            let path = &*device.manifest.path;
            let here = self.by_path.get(path).into_iter().flatten();
            let named = self.by_name.get(&device.spec.name).into_iter().flatten();
            let above = self.directories.iter().filter(move |damaged| damaged.is_above(path));
            here.chain(named).chain(above)
        };
        let near = (!valid).then(near).into_iter().flatten();
        let doubtful = |damaged: &&&Unusable| !self.desired.corporate.contains(&damaged.place);
        let damaged = its.chain(near).find(doubtful)?;
        Some(format!(
            "{}:{} cannot be used, and may say that the device is personal: fix it, or ask for \
             `scope: selective`",
            damaged.place.path, damaged.place.line
        ))
    }
}
