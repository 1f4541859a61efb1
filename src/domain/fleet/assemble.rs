//! All documents together: each device finds its profile, or is unusable.

use std::collections::HashMap;

use super::clash::clashing;
use super::desired::Desired;
use super::exemptions::exempted;
use super::partial_devices::check_partial_devices;
use super::profiles::{Known, platform_of, profiles_by_name, unknown_profile};
use super::wipe_requests::unique_wipes;
use crate::domain::manifest::{DeviceDraft, Documents, Unusable, UnusableKind};
use crate::domain::model::Ownership;
use crate::domain::shares;

/// Validates all files together.
#[must_use]
pub fn assemble(files: impl IntoIterator<Item = Documents>) -> Desired {
    let mut all = Documents::default();
    files.into_iter().for_each(|documents| all.absorb(documents));
    let Documents {
        devices,
        profiles,
        wipes,
        unusable,
        partial_devices,
        unusable_profiles,
        corporate,
        findings,
        ..
    } = all;
    let mut desired = Desired {
        unusable,
        corporate,
        findings,
        device_documents: all.device_documents,
        ..Desired::default()
    };
    desired.profile_places =
        profiles.iter().map(|p| (p.profile.name.clone(), p.place.clone())).collect();
    let known = profiles_by_name(profiles, unusable_profiles, &mut desired.findings);
    check_partial_devices(&partial_devices, &devices, &known, &mut desired.findings);
    desired.wipes = unique_wipes(wipes, &mut desired.unusable, &mut desired.findings);
    place_devices(devices, &known, &mut desired);
    desired.unusable_profiles =
        known.iter().filter(|(_, profile)| profile.is_none()).map(|(n, _)| n.clone()).collect();
    desired.profiles = known.into_iter().filter_map(|(name, p)| Some((name, p?))).collect();
    desired.profile_places.retain(|name, _| desired.profiles.contains_key(name));
    desired.unusable.sort_unstable();
    desired.unusable.dedup();
    desired.findings.sort_by(|a, b| a.key().cmp(&b.key()));
    desired
}

fn place_devices(mut drafts: Vec<DeviceDraft>, known: &Known, desired: &mut Desired) {
    let prefixes = sort(&mut drafts);
    let clashing = clashing(&drafts, &prefixes, &mut desired.findings);
    let mut guesses = HashMap::new();
    desired.devices.reserve_exact(drafts.len());
    let place = |position: usize, draft: DeviceDraft| match known.get(draft.profile()) {
        Some(Some(profile))
            if !clashing[position]
                && let Some(platform) = platform_of(&draft, profile, &mut Vec::new()) =>
        {
            Ok((exempted(&draft), draft.finish(platform)))
        }
        _ => Err(Box::new((draft, clashing[position]))),
    };
    for placed in shares::map(drafts, place) {
        let (draft, clashes) = match placed {
            Ok((exempted, device)) => {
                desired.exemptions.extend(exempted);
                desired.devices.push(device);
                continue;
            }
            Err(other) => *other,
        };
        let profile = known.get(draft.profile());
        match profile {
            Some(Some(profile)) => {
                platform_of(&draft, profile, &mut desired.findings);
            }
            Some(None) => {}
            None => {
                let name = draft.profile();
                let span = draft.profile_at.span(&draft.place().path, "profile", name.as_str());
                desired.findings.push(unknown_profile(name, span, known, &mut guesses));
            }
        }
        let (serial, name) = (draft.serial_number().clone(), draft.name().clone());
        let what = if profile == Some(&None) && !clashes {
            UnusableKind::ProfileOf { serial, name, profile: draft.profile().clone() }
        } else {
            UnusableKind::Device { serial: Some(serial), name: Some(name) }
        };
        if draft.ownership() == Ownership::Corporate {
            desired.corporate.insert(draft.place().clone());
        }
        desired.unusable.push(Unusable { place: draft.place().clone(), what });
    }
}

/// By serial number, equal ones by place; gives the prefixes of the serial numbers. Prefixes that lie side
/// by side are compared, not serials across the heap.
fn sort(drafts: &mut [DeviceDraft]) -> Vec<u128> {
    let prefix = |draft: &DeviceDraft| draft.serial_number().prefix();
    shares::sort_by_cached_key(drafts, prefix);
    let prefixes: Vec<u128> = shares::map(drafts.iter().collect(), |_, draft| prefix(draft));
    let mut rest = drafts;
    for tied in prefixes.chunk_by(|a, b| a == b) {
        let (these, others) = rest.split_at_mut(tied.len());
        these.sort_unstable_by(|a, b| {
            (a.serial_number(), a.place()).cmp(&(b.serial_number(), b.place()))
        });
        rest = others;
    }
    prefixes
}
