//! What a change of the fleet directory means, without a ledger: `diff(base, head)`.
//!
//! Pure. Devices are matched by serial number, profiles by name, wipe requests by content, so
//! that renaming and reordering files is no change; a device whose file is another one is
//! *moved*. A device that is gone because its manifest can no longer be used is *held*, not
//! removed: a missing manifest never destroys anything, here either. Findings are matched without their line numbers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;

use crate::domain::fleet::Desired;
use crate::domain::manifest::finding::{Code, Finding};
use crate::domain::manifest::{ROOT, Unusable, UnusableKind};
use crate::domain::model::{DesiredDevice, Name, Profile, SerialNumber, words};
use crate::domain::plan::changes::{profile_changes, provision_changes, spec_changes};
use crate::domain::state::event::Change;
use crate::domain::wipe::WipeFile;

words! {
    /// How two sides differ.
    pub enum Difference {
        /// Only in the head.
        Added = "added",
        /// In both, and its fields differ.
        Changed = "changed",
        /// In both alike, in another file.
        Moved = "moved",
        /// Cannot be used any more; what is recorded stays.
        Held = "held",
        /// Could not be used, and now can.
        Mended = "mended",
        /// Only in the base.
        Removed = "removed",
    }
}

/// All differences; nothing in it where the fleet means the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FleetDiff {
    /// By serial number.
    pub devices: Vec<DeviceDiff>,
    /// By name.
    pub profiles: Vec<ProfileDiff>,
    /// By path.
    pub wipes: Vec<WipeDiff>,
    /// Findings of the head that the base does not have.
    pub new: Vec<Finding>,
    /// Findings of the base that the head does not have.
    pub mended: Vec<Finding>,
}

/// A device whose manifest differs between the two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceDiff {
    /// Moved only if nothing but the file differs.
    pub difference: Difference,
    /// As it is in the head; where it is not there, as it was.
    pub device: DesiredDevice,
    /// The file that it was in, where that is another one.
    pub moved_from: Option<Arc<str>>,
    /// Field by field; `null` stands for absent.
    pub changes: Vec<Change<&'static str>>,
}

/// A profile whose manifest differs between the two sides, and the devices that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileDiff {
    pub(crate) difference: Difference,
    /// `metadata.name`, as it is in the head or was in the base.
    pub name: Name,
    /// Field by field; `null` stands for absent.
    pub(crate) changes: Vec<Change<&'static str>>,
    /// Its devices in the head; of a profile that is gone, those in the base.
    pub reaches: Vec<DesiredDevice>,
}

/// A wipe request that differs between the two sides, or whose `.sig` files do.
#[derive(Debug, Clone, PartialEq)]
pub struct WipeDiff {
    /// Changed where other files lie beside it.
    pub difference: Difference,
    /// As it is in the head; where it is not there, as it was.
    pub file: Arc<WipeFile>,
}

impl FleetDiff {
    /// Whether the fleet means something else: moved files alone do not count.
    #[must_use]
    pub(crate) fn is_change(&self) -> bool {
        let Self { devices, profiles, wipes, new, mended } = self;
        devices.iter().any(|device| device.difference != Difference::Moved)
            || wipes.iter().any(|wipe| wipe.difference != Difference::Moved)
            || !(profiles.is_empty() && new.is_empty() && mended.is_empty())
    }

    /// Devices that become orphans by it.
    #[must_use]
    pub(crate) fn removed(&self) -> u64 {
        let is_gone = |device: &&DeviceDiff| device.difference == Difference::Removed;
        self.devices.iter().filter(is_gone).count() as u64
    }

    /// The part of it that is written where `admits` says: on either side, for what moved.
    #[must_use]
    pub(crate) fn within(
        mut self,
        base: &Desired,
        head: &Desired,
        admits: impl Fn(&str) -> bool,
    ) -> Self {
        let Self { devices, profiles, wipes, new, mended } = &mut self;
        devices.retain(|device| {
            admits(&device.device.place.path)
                || device.moved_from.as_ref().is_some_and(|from| admits(from))
        });
        profiles.retain(|profile| {
            let place = |side: &Desired| side.profile_places.get(&profile.name).cloned();
            [base, head].into_iter().filter_map(place).any(|place| admits(&place.path))
        });
        wipes.retain(|wipe| admits(&wipe.file.place.path));
        new.retain(|finding| admits(&finding.span.path));
        mended.retain(|finding| admits(&finding.span.path));
        self
    }
}

/// Compares two fleets.
#[must_use]
pub fn diff(base: &Desired, head: &Desired) -> FleetDiff {
    let (new, mended) = findings(&base.findings, &head.findings);
    FleetDiff {
        devices: devices(base, head),
        profiles: profiles(base, head),
        wipes: wipes(&base.wipes, &head.wipes),
        new,
        mended,
    }
}

/// Pairs two lists that are sorted by the same key, each key once in a list.
fn pairs<'a, T, K: Ord>(
    base: &'a [T],
    head: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut pairs = Vec::with_capacity(base.len().max(head.len()));
    let (mut base, mut head) = (base.iter().peekable(), head.iter().peekable());
    loop {
        let order = match (base.peek(), head.peek()) {
            (Some(was), Some(is)) => key(was).cmp(&key(is)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return pairs,
        };
        let was = if order.is_le() { base.next() } else { None };
        let is = if order.is_ge() { head.next() } else { None };
        pairs.push((was, is));
    }
}

fn devices(base: &Desired, head: &Desired) -> Vec<DeviceDiff> {
    let (before, after) = (Hidden::new(&base.unusable, head), Hidden::new(&head.unusable, base));
    let sides = pairs(&base.devices, &head.devices, |device| &device.spec.serial_number);
    let compare = |(was, is): (Option<&DesiredDevice>, Option<&DesiredDevice>)| {
        let only = |device: &DesiredDevice, difference, changes| DeviceDiff {
            difference,
            device: device.clone(),
            moved_from: None,
            changes,
        };
        match (was, is) {
            (Some(was), Some(is)) => changed(was, is),
            (None, Some(is)) if before.hides(is) => {
                Some(only(is, Difference::Mended, provision_changes(is)))
            }
            (None, Some(is)) => Some(only(is, Difference::Added, provision_changes(is))),
            (Some(was), None) if after.hides(was) => Some(only(was, Difference::Held, Vec::new())),
            (Some(was), None) => Some(only(was, Difference::Removed, Vec::new())),
            (None, None) => None,
        }
    };
    sides.into_iter().filter_map(compare).collect()
}

fn changed(was: &DesiredDevice, is: &DesiredDevice) -> Option<DeviceDiff> {
    if Arc::ptr_eq(&was.spec, &is.spec) && was == is {
        return None;
    }
    let mut changes: Vec<_> =
        if was.spec == is.spec { Vec::new() } else { spec_changes(&was.spec, &is.spec) }
            .into_iter()
            .map(|Change { field, from, to }| Change { field: field.as_str(), from, to })
            .collect();
    if was.status != is.status {
        changes.push(Change { field: "status", from: json!(was.status), to: json!(is.status) });
    }
    if was.enrollment != is.enrollment {
        let (from, to) = (json!(was.enrollment), json!(is.enrollment));
        changes.push(Change { field: "enrollment", from, to });
    }
    let moved = was.place.path != is.place.path;
    let difference = match (changes.is_empty(), moved) {
        (true, false) => return None,
        (true, true) => Difference::Moved,
        (false, _) => Difference::Changed,
    };
    let moved_from = moved.then(|| was.place.path.clone());
    Some(DeviceDiff { difference, device: is.clone(), moved_from, changes })
}

/// What one side cannot tell of the devices of the other.
struct Hidden<'a> {
    serials: HashSet<&'a SerialNumber>,
    names: HashSet<&'a Name>,
    files: HashSet<&'a str>,
    directories: HashSet<&'a str>,
}

impl<'a> Hidden<'a> {
    fn new(unusable: &'a [Unusable], other: &Desired) -> Self {
        let known = |serial: &SerialNumber| {
            let find = other.devices.binary_search_by(|d| d.spec.serial_number.cmp(serial));
            find.is_ok()
        };
        let mut hidden = Self {
            serials: HashSet::new(),
            names: HashSet::new(),
            files: HashSet::new(),
            directories: HashSet::new(),
        };
        for Unusable { place, what } in unusable {
            match what {
                UnusableKind::Directory | UnusableKind::Unread => {
                    hidden.directories.insert(&place.path);
                }
                UnusableKind::File => {
                    hidden.files.insert(&place.path);
                }
                UnusableKind::ProfileOf { serial, .. } => {
                    hidden.serials.insert(serial);
                }
                UnusableKind::Device { serial: Some(serial), .. } if known(serial) => {
                    hidden.serials.insert(serial);
                }
                // It may be any device of this file or name.
                UnusableKind::Device { name, .. } => {
                    hidden.files.insert(&place.path);
                    hidden.names.extend(name);
                }
            }
        }
        hidden
    }

    fn hides(&self, device: &DesiredDevice) -> bool {
        let path = &*device.place.path;
        let mut above = path.match_indices('/').map(|(at, _)| &path[..at]).chain([ROOT, path]);
        self.serials.contains(&device.spec.serial_number)
            || self.names.contains(&device.spec.name)
            || self.files.contains(path)
            || (!self.directories.is_empty() && above.any(|dir| self.directories.contains(dir)))
    }
}

fn profiles(base: &Desired, head: &Desired) -> Vec<ProfileDiff> {
    let names: std::collections::BTreeSet<&Name> =
        base.profiles.keys().chain(head.profiles.keys()).collect();
    let mut diffs: Vec<ProfileDiff> = Vec::new();
    for name in names {
        let (was, is) = (base.profiles.get(name), head.profiles.get(name));
        let (difference, changes) = match (was, is) {
            (Some(was), Some(is)) if was.digest == is.digest => continue,
            (was, Some(is)) => {
                let difference = match was {
                    Some(_) => Difference::Changed,
                    None if base.unusable_profiles.contains(name) => Difference::Mended,
                    None => Difference::Added,
                };
                (difference, profile_changes(was.map(|was: &Arc<Profile>| &**was), is))
            }
            (_, None) if head.unusable_profiles.contains(name) => (Difference::Held, Vec::new()),
            (_, None) => (Difference::Removed, Vec::new()),
        };
        diffs.push(ProfileDiff { difference, name: name.clone(), changes, reaches: Vec::new() });
    }
    reach(&mut diffs, base, head);
    diffs
}

/// Notes the devices of each profile.
fn reach(diffs: &mut [ProfileDiff], base: &Desired, head: &Desired) {
    if diffs.is_empty() {
        return;
    }
    let gone = |diff: &ProfileDiff| !head.profiles.contains_key(&diff.name);
    let of = |fleet: &Desired, wanted: &dyn Fn(&ProfileDiff) -> bool, diffs: &mut [ProfileDiff]| {
        let mut found: HashMap<Name, Vec<DesiredDevice>> =
            diffs.iter().filter(|diff| wanted(diff)).map(|d| (d.name.clone(), vec![])).collect();
        for device in &fleet.devices {
            if let Some(devices) = found.get_mut(&device.spec.profile) {
                devices.push(device.clone());
            }
        }
        for diff in diffs.iter_mut() {
            diff.reaches.extend(found.remove(&diff.name).unwrap_or_default());
        }
    };
    of(base, &gone, diffs);
    of(head, &|diff| !gone(diff), diffs);
}

fn wipes(base: &[Arc<WipeFile>], head: &[Arc<WipeFile>]) -> Vec<WipeDiff> {
    let known: BTreeMap<_, _> = base.iter().map(|file| (file.request.digest, file)).collect();
    let kept: HashSet<_> = head.iter().map(|file| file.request.digest).collect();
    let mut diffs: Vec<WipeDiff> = Vec::new();
    for file in head {
        let difference = match known.get(&file.request.digest) {
            None => Difference::Added,
            Some(was)
                if (&was.signatures, &was.vetoes, &was.unreadable)
                    != (&file.signatures, &file.vetoes, &file.unreadable) =>
            {
                Difference::Changed
            }
            Some(was) if was.place.path != file.place.path => Difference::Moved,
            Some(_) => continue,
        };
        diffs.push(WipeDiff { difference, file: file.clone() });
    }
    for file in base.iter().filter(|file| !kept.contains(&file.request.digest)) {
        diffs.push(WipeDiff { difference: Difference::Removed, file: file.clone() });
    }
    diffs.sort_by(|a, b| a.file.place.cmp(&b.file.place));
    diffs
}

/// Findings that only the head has, and those that only the base has. What is found at another
/// line, or in a file that was moved, is the same finding.
fn findings(base: &[Finding], head: &[Finding]) -> (Vec<Finding>, Vec<Finding>) {
    let path = |finding: &Finding| Some(finding.span.path.clone());
    let anywhere = |_: &Finding| None;
    let (base, head) = unmatched(base.iter().collect(), head.iter().collect(), &path);
    let (base, head) = unmatched(base, head, &anywhere);
    (head.into_iter().cloned().collect(), base.into_iter().cloned().collect())
}

/// Takes away what both lists have, with regard to `place`.
fn unmatched<'f>(
    base: Vec<&'f Finding>,
    head: Vec<&'f Finding>,
    place: &dyn Fn(&Finding) -> Option<Arc<str>>,
) -> (Vec<&'f Finding>, Vec<&'f Finding>) {
    type Key<'f> = (Code, &'f str, &'f str, Option<Arc<str>>);
    let key = |f: &'f Finding| -> Key<'f> { (f.code, &f.message, f.span.text.trim(), place(f)) };
    let mut left: HashMap<Key<'f>, usize> = HashMap::new();
    for finding in &base {
        *left.entry(key(finding)).or_default() += 1;
    }
    let mut take = |finding: &&'f Finding| match left.get_mut(&key(finding)) {
        Some(n @ 1..) => {
            *n -= 1;
            false
        }
        _ => true,
    };
    let head: Vec<_> = head.into_iter().filter(&mut take).collect();
    // Of equals the last ones are left over.
    let mut rest: Vec<_> = base.into_iter().rev().filter(|f| !take(f)).collect();
    rest.reverse();
    (rest, head)
}

#[cfg(test)]
mod tests;
