//! Which profile a device means, and which platform follows from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::clash::clash;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::{DeviceDraft, ProfileDraft};
use crate::domain::model::{Name, Platform, Profile};
use crate::domain::wording::closest;

/// Unknown profiles that a correction is looked for; a fleet has few, an attack many.
const MAX_GUESSES: usize = 100;

/// Profiles that exist; `None` where they cannot be used.
pub(super) type Known = BTreeMap<Name, Option<Arc<Profile>>>;

pub(super) fn profiles_by_name(
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

pub(super) fn platform_of(
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

pub(super) fn platform_not_allowed(profile: &Profile, platform: Platform, span: Span) -> Finding {
    Finding {
        code: Code::PlatformNotAllowed,
        severity: Severity::Error,
        message: format!(
            "the profile `{}` does not support the platform \
                          `{platform}`",
            profile.name
        ),
        help: format!("it supports {}; choose another profile or platform", served(profile)),
        span,
        related: None,
    }
}

pub(super) fn platform_ambiguous(profile: &Profile, span: Span) -> Finding {
    Finding {
        code: Code::PlatformAmbiguous,
        severity: Severity::Error,
        message: format!(
            "the profile `{}` supports several platforms, and the device names none",
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

pub(super) fn unknown_profile<'k>(
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
