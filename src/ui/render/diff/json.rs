//! A difference as JSON, version 1.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::context::{Context, Side};
use super::text::seen;
use crate::domain::diff::{DeviceDiff, Difference, FleetDiff, ProfileDiff, WipeDiff};
use crate::domain::model::{
    DesiredDevice, DeviceId, Digest, Email, Name, SerialNumber, Timestamp, WipeReason, WipeScope,
};
use crate::domain::state::event::{Change, PassFrozen};
use crate::domain::wipe::verify::{Discounted, SignedFile};
use crate::ui::render::check::FindingView;
use crate::ui::render::json as harmless;
use crate::ui::render::out::Out;

/// `{"version": 1, "base": …, "head": …, "devices": […], "profiles": […], "wipes": […],
/// "findings": {"new": […], "mended": […]}, "summary": {…}}`
pub(crate) fn json(out: &mut Out, diff: &FleetDiff, context: Context<'_>) -> io::Result<()> {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff;
    let document = Document {
        version: 1,
        base: context.base.into(),
        head: context.head.into(),
        devices: devices.iter().map(DeviceView::from).collect(),
        profiles: profiles.iter().map(ProfileView::from).collect(),
        wipes: wipes.iter().map(|wipe| WipeView::new(wipe, context)).collect(),
        findings: Findings {
            new: new.iter().map(FindingView::from).collect(),
            mended: mended.iter().map(FindingView::from).collect(),
        },
        freeze: context.freeze,
        summary: summary(diff),
    };
    harmless::pretty(out, &document)
}

/// `devicesAdded`, `profilesChanged`, …: all of them, also those that are 0.
fn summary(diff: &FleetDiff) -> BTreeMap<String, usize> {
    let FleetDiff { devices, profiles, wipes, new, mended } = diff;
    let mut summary = BTreeMap::new();
    let mut note = |what: &str, of: &mut dyn Iterator<Item = Difference>| {
        for difference in Difference::ALL {
            let word = difference.as_str();
            summary.insert(format!("{what}{}{}", word[..1].to_ascii_uppercase(), &word[1..]), 0);
        }
        for difference in of {
            let word = difference.as_str();
            let key = format!("{what}{}{}", word[..1].to_ascii_uppercase(), &word[1..]);
            *summary.entry(key).or_default() += 1;
        }
    };
    note("devices", &mut devices.iter().map(|d| d.difference));
    note("profiles", &mut profiles.iter().map(|d| d.difference));
    note("wipes", &mut wipes.iter().map(|d| d.difference));
    summary.insert("findingsNew".to_owned(), new.len());
    summary.insert("findingsMended".to_owned(), mended.len());
    summary
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    base: SideView<'a>,
    head: SideView<'a>,
    devices: Vec<DeviceView<'a>>,
    profiles: Vec<ProfileView<'a>>,
    wipes: Vec<WipeView<'a>>,
    findings: Findings<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze: Option<&'a PassFrozen>,
    summary: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Findings<'a> {
    new: Vec<FindingView<'a>>,
    mended: Vec<FindingView<'a>>,
}

#[derive(Serialize)]
struct SideView<'a> {
    name: &'a str,
    revision: Option<&'a str>,
}

impl<'a> From<Side<'a>> for SideView<'a> {
    fn from(Side { name, commit }: Side<'a>) -> Self {
        Self { name, revision: commit }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceView<'a> {
    difference: Difference,
    #[serde(flatten)]
    who: Who<'a>,
    path: &'a str,
    line: u32,
    moved_from: Option<&'a str>,
    changes: &'a [Change<&'static str>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Who<'a> {
    serial_number: &'a SerialNumber,
    name: &'a Name,
}

impl<'a> From<&'a DesiredDevice> for Who<'a> {
    fn from(device: &'a DesiredDevice) -> Self {
        Self { serial_number: &device.spec.serial_number, name: &device.spec.name }
    }
}

impl<'a> From<&'a DeviceDiff> for DeviceView<'a> {
    fn from(diff: &'a DeviceDiff) -> Self {
        let DeviceDiff { difference, device, moved_from, changes } = diff;
        Self {
            difference: *difference,
            who: device.into(),
            path: &device.place.path,
            line: device.place.line,
            moved_from: moved_from.as_deref(),
            changes,
        }
    }
}

#[derive(Serialize)]
struct ProfileView<'a> {
    difference: Difference,
    name: &'a Name,
    changes: &'a [Change<&'static str>],
    reaches: usize,
    devices: Vec<Who<'a>>,
}

impl<'a> From<&'a ProfileDiff> for ProfileView<'a> {
    fn from(diff: &'a ProfileDiff) -> Self {
        let ProfileDiff { difference, name, changes, reaches } = diff;
        let devices: Vec<Who<'a>> = reaches.iter().map(|device| device.into()).collect();
        Self { difference: *difference, name, changes, reaches: devices.len(), devices }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WipeView<'a> {
    difference: Difference,
    request: Digest,
    name: &'a Name,
    path: &'a str,
    line: u32,
    device: DeviceId,
    serial_number: &'a SerialNumber,
    scope: WipeScope,
    reason: WipeReason,
    requested_by: &'a Email,
    expires_at: Timestamp,
    signatures: Vec<&'a str>,
    vetoes: Vec<&'a str>,
    signed_by: Vec<SignedFileView>,
    vetoed_by: Vec<SignedFileView>,
}

/// `key` is a fingerprint; `person` is absent, too, where there is no trust file to ask.
#[derive(Serialize)]
struct SignedFileView {
    file: String,
    key: Option<String>,
    person: Option<Email>,
    code: Option<&'static str>,
    detail: Option<String>,
}

impl From<SignedFile> for SignedFileView {
    fn from(SignedFile { name, purpose: _, key, person }: SignedFile) -> Self {
        let (key, fault) = key.map_or_else(|why| (None, Some(why)), |key| (Some(key), None));
        let (person, no_right) = match person {
            Some(Ok(person)) => (Some(person), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, None),
        };
        let why = fault.or(no_right);
        let (code, detail) = why.map(|Discounted { code, detail, .. }| (code, detail)).unzip();
        Self { file: name, key, person, code, detail }
    }
}

impl<'a> WipeView<'a> {
    fn new(diff: &'a WipeDiff, context: Context<'_>) -> Self {
        let [signed_by, vetoed_by] =
            seen(diff, context).map(|files| files.into_iter().map(SignedFileView::from).collect());
        let WipeDiff { difference, file } = diff;
        let request = &file.request;
        Self {
            difference: *difference,
            request: request.digest,
            name: &request.name,
            path: &file.place.path,
            line: file.place.line,
            device: request.device_id,
            serial_number: &request.serial,
            scope: request.scope,
            reason: request.reason,
            requested_by: &request.requested_by,
            expires_at: request.expires_at,
            signatures: file.signatures.keys().map(String::as_str).collect(),
            vetoes: file.vetoes.keys().map(String::as_str).collect(),
            signed_by,
            vetoed_by,
        }
    }
}
