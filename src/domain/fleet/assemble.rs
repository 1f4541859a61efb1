//! From documents to the desired fleet: the rules that need more than one document.
//!
//! [`assemble`] is pure, and blind to the order of files: equal documents give an equal
//! [`Desired`]. What is in conflict is in conflict for all that take part; none of them wins.

mod affected_files;
mod incremental;
mod local_change;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

pub use affected_files::AffectedFiles;
pub use incremental::IncrementalFleet;
pub use local_change::local_change;

use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::{DeviceDraft, Documents, ProfileDraft, PartialDevice, WipeDraft};
use crate::domain::model::{
    DesiredDevice, Name, Ownership, Place, Platform, Profile, SerialNumber,
};
use crate::domain::wipe::Request;
use crate::domain::wording::closest;

/// The path of the fleet directory itself.
pub const ROOT: &str = ".";

/// Validated intent, and what could not be validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Desired {
    /// Valid devices, sorted by serial number, each once.
    pub devices: Vec<Arc<DesiredDevice>>,
    /// Valid profiles.
    pub profiles: BTreeMap<Name, Arc<Profile>>,
    /// Where the valid profiles are written.
    pub profile_places: BTreeMap<Name, Place>,
    /// Profiles that are there and cannot be used.
    pub unusable_profiles: BTreeSet<Name>,
    /// Valid wipe requests, each content once, with the files beside them; sorted by path.
    pub wipes: Vec<Arc<WipeFile>>,
    /// What may hide an intent; sorted by place.
    pub unusable: Vec<Unusable>,
    /// Unusable devices that say plainly that they are corporate.
    pub corporate: BTreeSet<Place>,
    /// Sorted by [`Finding::key`].
    pub findings: Vec<Finding>,
    /// Documents that are or may be devices, valid or not, each unreadable file counted once.
    pub device_documents: u64,
    /// Why the root itself could not be read.
    pub missing: Option<String>,
}

/// A wipe request and all that is said about it: read once, and judged as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeFile {
    /// As parsed from `bytes`.
    pub request: Request,
    /// Where it is written.
    pub place: Place,
    /// The whole file: what is signed.
    pub bytes: Vec<u8>,
    /// Where else the same bytes lie: what is beside a copy counts as well, above all a veto.
    pub copies: Vec<Arc<str>>,
    /// Signature files beside it, by name.
    pub signatures: BTreeMap<String, Vec<u8>>,
    /// Veto files beside it, by name.
    pub vetoes: BTreeMap<String, Vec<u8>>,
    /// Files beside it that could not be read, directories that could not be listed: and why.
    pub unreadable: BTreeMap<String, String>,
}

/// Something in the fleet directory that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub what: UnusableKind,
}

/// What could not be used, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnusableKind {
    /// A directory, and so everything below it: [`ROOT`] stands for all. Also a symlink, which
    /// may stand where a file or a directory was.
    Directory,
    /// A whole file.
    File,
    /// One document of a file, whose kind is Device or cannot be told.
    Device {
        /// Where it could be read.
        serial: Option<SerialNumber>,
        /// Where it could be read.
        name: Option<Name>,
    },
    /// A valid device whose profile is there, but itself unusable.
    ProfileOf {
        /// Of the device.
        serial: SerialNumber,
        /// Of the device.
        name: Name,
        /// Of the profile.
        profile: Name,
    },
}

impl Desired {
    /// The valid device with this serial number.
    #[must_use]
    pub fn by_serial(&self, serial: &SerialNumber) -> Option<&Arc<DesiredDevice>> {
        self.find(serial).ok().map(|at| &self.devices[at])
    }

    fn find(&self, serial: &SerialNumber) -> Result<usize, usize> {
        self.devices.binary_search_by(|device| device.spec.serial_number.cmp(serial))
    }
}

/// Unknown profiles that a correction is looked for; a fleet has few, an attack many.
const MAX_GUESSES: usize = 100;

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

/// Profiles that exist; `None` where they cannot be used.
type Known = BTreeMap<Name, Option<Arc<Profile>>>;

fn profiles_by_name(
    mut profiles: Vec<ProfileDraft>,
    unusable: Vec<Name>,
    findings: &mut Vec<Finding>,
) -> Known {
    let key = |draft: &ProfileDraft| (draft.profile.name.clone(), draft.place.clone());
    profiles.sort_by_cached_key(key);
    let mut known: Known = unusable.into_iter().map(|name| (name, None)).collect();
    for group in profiles.chunk_by(|a, b| a.profile.name == b.profile.name) {
        let usable = if let [only] = group { Some(Arc::new(only.profile.clone())) } else { None };
        known.insert(group[0].profile.name.clone(), usable);
        clash(group, findings, Code::DuplicateName, |draft| {
            let name = draft.profile.name.as_str();
            let span = draft.name_at.span(&draft.place.path, "name", name);
            (span, format!("the profile name `{name}`"), "rename one of them")
        });
    }
    known
}

/// A copy of a request is that request: its content is what counts, wherever it lies. So a copy
/// placed before it does not hide the veto beside it.
fn unique_wipes(
    mut wipes: Vec<WipeDraft>,
    unusable: &mut Vec<Unusable>,
    findings: &mut Vec<Finding>,
) -> Vec<Arc<WipeFile>> {
    wipes.sort_by(|a, b| {
        let key = |w: &'_ WipeDraft| {
            (w.file.request.name.clone(), w.file.request.digest, w.file.place.clone())
        };
        key(a).cmp(&key(b))
    });
    wipes.dedup_by(|copy, first| {
        let same = copy.file.request.digest == first.file.request.digest;
        if same {
            first.file.copies.push(copy.file.place.path.clone());
        }
        same
    });
    let mut unique = Vec::new();
    for group in wipes.chunk_by(|a, b| a.file.request.name == b.file.request.name) {
        if let [only] = group {
            unique.push(Arc::new(only.file.clone()));
        } else {
            // Not deleted, and so not vetoed: what is recorded of them waits.
            let place = |draft: &WipeDraft| draft.file.place.clone();
            let lost = |draft| Unusable { place: place(draft), what: UnusableKind::File };
            unusable.extend(group.iter().map(lost));
        }
        clash(group, findings, Code::DuplicateName, |draft| {
            let name = draft.file.request.name.as_str();
            let span = draft.name_at.span(&draft.file.place.path, "name", name);
            (span, format!("the wipe request name `{name}`"), "rename one of them")
        });
    }
    unique.sort_by(|a, b| a.place.cmp(&b.place));
    unique
}

/// A finding on each of a group of equals, related to another of them.
fn clash<T>(
    group: &[T],
    findings: &mut Vec<Finding>,
    code: Code,
    describe: impl Fn(&T) -> (Span, String, &'static str),
) {
    let [first, second, ..] = group else { return };
    for (n, member) in group.iter().enumerate() {
        let (span, what, help) = describe(member);
        let (other, ..) = describe(if n == 0 { second } else { first });
        findings.push(Finding {
            code,
            severity: Severity::Error,
            message: format!("{what} is given {} times", group.len()),
            help: help.to_owned(),
            span,
            related: Some((other, "also given here".to_owned())),
        });
    }
}

fn place_devices(mut drafts: Vec<DeviceDraft>, known: &Known, desired: &mut Desired) {
    sort(&mut drafts);
    let clashing = clashing(&drafts, &mut desired.findings);
    let mut guesses = HashMap::new();
    desired.devices.reserve_exact(drafts.len());
    for (draft, clashes) in drafts.into_iter().zip(clashing) {
        let profile = known.get(draft.profile());
        let platform = match profile {
            Some(Some(profile)) => platform_of(&draft, profile, &mut desired.findings),
            Some(None) => None,
            None => {
                let name = draft.profile();
                let span = draft.profile_at.span(&draft.place().path, "profile", name.as_str());
                desired.findings.push(unknown_profile(name, span, known, &mut guesses));
                None
            }
        };
        let (serial, name) = (draft.serial_number().clone(), draft.name().clone());
        let what = match platform {
            Some(platform) if !clashes => {
                desired.devices.push(draft.finish(platform));
                continue;
            }
            _ if profile == Some(&None) && !clashes => {
                UnusableKind::ProfileOf { serial, name, profile: draft.profile().clone() }
            }
            _ => UnusableKind::Device { serial: Some(serial), name: Some(name) },
        };
        if draft.ownership() == Ownership::Corporate {
            desired.corporate.insert(draft.place().clone());
        }
        desired.unusable.push(Unusable { place: draft.place().clone(), what });
    }
}

/// By serial number, equal ones by place. Prefixes that lie side by side are compared, not
/// serials across the heap.
fn sort(drafts: &mut [DeviceDraft]) {
    let prefix = |draft: &DeviceDraft| draft.serial_number().prefix();
    drafts.sort_by_cached_key(prefix);
    for tied in drafts.chunk_by_mut(|a, b| prefix(a) == prefix(b)) {
        tied.sort_unstable_by(|a, b| {
            (a.serial_number(), a.place()).cmp(&(b.serial_number(), b.place()))
        });
    }
}

/// For each draft, whether another one has its serial number or its name.
fn clashing(drafts: &[DeviceDraft], findings: &mut Vec<Finding>) -> Vec<bool> {
    // Clashes are rare, and hashing is cheaper than sorting: beside the other it takes no time.
    let names_differ = || {
        let mut seen = HashSet::with_capacity(drafts.len());
        drafts.iter().all(|draft| seen.insert(draft.name()))
    };
    let mut clashing = vec![false; drafts.len()];
    let serials = || serials_clash(drafts, &mut clashing, findings);
    let names = || (names_differ(), words::misleading(drafts));
    let ((names_differ, misleading), ()) = rayon::join(names, serials);
    findings.extend(misleading);
    if !names_differ {
        names_clash(drafts, &mut clashing, findings);
    }
    clashing
}

fn serials_clash(drafts: &[DeviceDraft], clashing: &mut [bool], findings: &mut Vec<Finding>) {
    let mut start = 0;
    for group in drafts.chunk_by(|a, b| a.serial_number() == b.serial_number()) {
        if group.len() > 1 {
            clashing[start..start + group.len()].fill(true);
            clash(group, findings, Code::DuplicateSerial, |draft| {
                let serial = draft.serial_number().as_str();
                let span = draft.serial_at.span(&draft.place().path, "serialNumber", serial);
                let what = format!("the serial number `{serial}`");
                (span, what, "a device has one manifest: delete or correct the others")
            });
        }
        start += group.len();
    }
}

fn names_clash(drafts: &[DeviceDraft], clashing: &mut [bool], findings: &mut Vec<Finding>) {
    let mut by_name: Vec<usize> = (0..drafts.len()).collect();
    by_name.sort_unstable_by_key(|n| (drafts[*n].name(), drafts[*n].place()));
    for group in by_name.chunk_by(|a, b| drafts[*a].name() == drafts[*b].name()) {
        if group.len() > 1 {
            group.iter().for_each(|n| clashing[*n] = true);
            clash(group, findings, Code::DuplicateName, |n| {
                let draft = &drafts[*n];
                let name = draft.name().as_str();
                let span = draft.name_at.span(&draft.place().path, "name", name);
                (span, format!("the device name `{name}`"), "rename one of them")
            });
        }
    }
}

fn platform_of(
    draft: &DeviceDraft,
    profile: &Profile,
    findings: &mut Vec<Finding>,
) -> Option<Platform> {
    let path = &draft.place().path;
    match (draft.platform, profile.platforms.as_slice()) {
        (Some(platform), allowed) if allowed.contains(&platform) => return Some(platform),
        (None, [only]) => return Some(*only),
        (Some(platform), _) => {
            let span = draft.platform_at.span(path, "platform", platform.as_str());
            findings.push(platform_not_allowed(profile, platform, span));
        }
        (None, _) => {
            let span = draft.profile_at.span(path, "profile", draft.profile().as_str());
            findings.push(platform_ambiguous(profile, span));
        }
    }
    None
}

fn platform_not_allowed(profile: &Profile, platform: Platform, span: Span) -> Finding {
    Finding {
        code: Code::PlatformNotAllowed,
        severity: Severity::Error,
        message: format!("the profile `{}` does not serve the platform `{platform}`", profile.name),
        help: format!("it serves {}; choose another profile or platform", served(profile)),
        span,
        related: None,
    }
}

fn platform_ambiguous(profile: &Profile, span: Span) -> Finding {
    Finding {
        code: Code::PlatformAmbiguous,
        severity: Severity::Error,
        message: format!(
            "the profile `{}` serves several platforms, and none is given",
            profile.name
        ),
        help: format!("add `platform:` with one of {}", served(profile)),
        span,
        related: None,
    }
}

fn served(profile: &Profile) -> String {
    profile.platforms.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ")
}

/// The rules over all documents for devices that are unusable already: findings on them alone,
/// since a broken document takes no valid one down with it.
fn check_partial_devices(
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

fn unknown_profile<'k>(
    name: &Name,
    span: Span,
    known: &'k Known,
    guesses: &mut HashMap<Name, Option<&'k str>>,
) -> Finding {
    let names = || known.keys().map(Name::as_str);
    let room = guesses.len() < MAX_GUESSES;
    let meant = match guesses.get(name) {
        Some(guess) => *guess,
        None if room => *guesses.entry(name.clone()).or_insert(closest(name.as_str(), names())),
        None => None,
    };
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "add a Profile of that name: there is none at all".to_owned(),
        None => {
            let some: Vec<_> = names().take(5).collect();
            let more = if known.len() > some.len() { ", …" } else { "" };
            format!("add a Profile of that name, or use one of {}{more}", some.join(", "))
        }
    };
    Finding {
        code: Code::UnknownProfile,
        severity: Severity::Error,
        message: format!("there is no profile `{name}`"),
        help,
        span,
        related: None,
    }
}

#[cfg(test)]
mod tests;
