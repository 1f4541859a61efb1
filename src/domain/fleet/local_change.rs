//! A change that touches no rule between files can be judged by itself.
//!
//! A difference of two fleets of 100,000 manifests, one of them edited, needs only the two
//! versions of that one: who has which serial number, name, profile and platform is the same
//! before and after, so every conflict with the files that were not read is the same, too.
//! Whatever is not certain (a new device, a profile, a wipe request) is not judged here.
//!
//! One thing is told otherwise than if everything were read: what changes in the manifest of a
//! device that is in conflict with a file that differs not, before and after. It is shown as
//! changed, though what is recorded of it stays until the conflict is fixed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::assemble::assemble;
use super::desired::Desired;
use crate::domain::manifest::{Documents, ProfileDraft, Spot};
use crate::domain::model::{Digest, Name, Place, Platform, Profile, Requirements, SerialNumber};

/// Both sides of a change, of the files that differ; `None` where other files may matter.
#[must_use]
pub(crate) fn local_change(base: &Documents, head: &Documents) -> Option<(Desired, Desired)> {
    if faces(base)? != faces(head)? {
        return None;
    }
    let assumed = assumed(base)?;
    let side = |documents: &Documents| {
        let mut all = documents.clone();
        all.profiles.extend(assumed.iter().cloned());
        assemble([all])
    };
    Some((side(base), side(head)))
}

/// What other files can see of these: none of it may change.
type Faces<'d> = Vec<(&'d SerialNumber, &'d Name, &'d Name, Option<Platform>)>;

fn faces(documents: &Documents) -> Option<Faces<'_>> {
    let Documents { devices, profiles, wipes, partial_devices, unusable_profiles, .. } = documents;
    // What an unusable device clashes with is in other files.
    let plain = profiles.is_empty() && wipes.is_empty() && partial_devices.is_empty();
    if !plain || !unusable_profiles.is_empty() {
        return None;
    }
    let mut faces: Faces<'_> =
        devices.iter().map(|d| (d.serial_number(), d.name(), d.profile(), d.platform)).collect();
    faces.sort_unstable();
    Some(faces)
}

/// Profiles that stand for those in other files: their devices are as they were. `None` where
/// one would have to serve a single platform and several.
fn assumed(documents: &Documents) -> Option<Vec<ProfileDraft>> {
    let mut used: BTreeMap<&Name, BTreeSet<Option<Platform>>> = BTreeMap::new();
    for device in &documents.devices {
        used.entry(device.profile()).or_default().insert(device.platform);
    }
    used.into_iter().map(|(name, platforms)| assume(name, platforms)).collect()
}

fn assume(name: &Name, platforms: BTreeSet<Option<Platform>>) -> Option<ProfileDraft> {
    let derived = platforms.contains(&None);
    let mut platforms: Vec<Platform> = platforms.into_iter().flatten().collect();
    if derived && platforms.len() > 1 {
        return None;
    }
    if platforms.is_empty() {
        // Any platform will do: it is assumed for both sides, and so makes no difference.
        platforms.push(Platform::Windows);
    }
    Some(ProfileDraft {
        profile: Profile {
            name: name.clone(),
            description: String::new(),
            platforms,
            apps: Vec::new(),
            settings: Value::Null,
            licenses: Vec::new(),
            compliance: Requirements::default(),
            intune: None,
            digest: Digest::ZERO,
        },
        place: Place { path: Arc::from(""), line: 1 },
        name_at: Spot::Plain { line: 1, column: 1 },
    })
}
