//! What the rules between documents say of devices that are unusable already.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use super::profiles::{Known, platform_ambiguous, platform_not_allowed, unknown_profile};
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::{DeviceDraft, PartialDevice};

/// The rules over all documents for devices that are unusable already: findings on them alone,
/// since a broken document takes no valid one down with it.
pub(super) fn check_partial_devices(
    partial_devices: &[PartialDevice],
    drafts: &[DeviceDraft],
    known: &Known,
    findings: &mut Vec<Finding>,
) {
    if partial_devices.is_empty() {
        return;
    }
    let mut guesses = HashMap::new();
    for PartialDevice { profile, platform, .. } in partial_devices {
        let Some((name, span)) = profile else { continue };
        match (known.get(name), platform) {
            (None, _) => findings.push(unknown_profile(name, span.clone(), known, &mut guesses)),
            (Some(Some(profile)), Some((platform, span)))
                if !profile.platforms.contains(platform) =>
            {
                findings.push(platform_not_allowed(profile, *platform, span.clone()));
            }
            (Some(Some(profile)), None) if profile.platforms.len() > 1 => {
                findings.push(platform_ambiguous(profile, span.clone()));
            }
            (Some(_), _) => {}
        }
    }
    let serial_of = |draft: &DeviceDraft| {
        let serial = draft.serial_number();
        let span = draft.serial_at.span(&draft.place().path, "serialNumber", serial.as_str());
        (serial.clone(), span)
    };
    let name_of = |draft: &DeviceDraft| {
        let name = draft.name();
        (name.clone(), draft.name_at.span(&draft.place().path, "name", name.as_str()))
    };
    let serials = partial_devices.iter().filter_map(|device| device.serial.as_ref());
    let code = Code::DuplicateSerial;
    findings.extend(taken(serials, drafts, serial_of, code, "the serial number"));
    let names = partial_devices.iter().filter_map(|device| device.name.as_ref());
    findings.extend(taken(names, drafts, name_of, Code::DuplicateName, "the device name"));
}

/// A finding on each unusable device's value that another device has as well.
fn taken<'s, T: Clone + Eq + Hash + Display + 's>(
    partial_devices: impl Iterator<Item = &'s (T, Span)> + Clone,
    drafts: &[DeviceDraft],
    value: impl Fn(&DeviceDraft) -> (T, Span),
    code: Code,
    what: &str,
) -> Vec<Finding> {
    let mut places: HashMap<T, Vec<Span>> = HashMap::new();
    for (value, span) in partial_devices.clone() {
        places.entry(value.clone()).or_default().push(span.clone());
    }
    for (value, span) in drafts.iter().map(value) {
        if let Some(spans) = places.get_mut(&value) {
            spans.push(span);
        }
    }
    places.values_mut().for_each(|spans| spans.sort());
    partial_devices
        .filter_map(|(value, span)| {
            let others = places.get(value)?;
            let other = others.iter().find(|other| *other != span)?;
            Some(Finding {
                code,
                severity: Severity::Error,
                message: format!("{what} `{value}` is given {} times", others.len()),
                help: "a device has one manifest: delete or correct the others".to_owned(),
                span: span.clone(),
                related: Some((other.clone(), "also given here".to_owned())),
            })
        })
        .collect()
}
