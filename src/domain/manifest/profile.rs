//! `kind: Profile`.

use std::collections::BTreeMap;

use serde_json::{Map, Number, json};

use super::envelope::Envelope;
use super::fields::{self, GRAPH_ID_HELP, VERSION_HELP};
use super::reader::{Field, Reader, Spot};
use crate::domain::manifest::finding::Code;
use crate::domain::manifest::yaml::{Node, Scalar, Value};
use crate::domain::model::{
    AntivirusRequirement, Digest, EncryptionRequirement, GraphId, IntuneProfile, MIN_PIN_LENGTH,
    OsVersion, Place, Platform, PolicySource, Profile, Requirements, ScreenLockRequirement,
    check_text,
};
use crate::domain::wording::quote;

pub(super) const MAX_DESCRIPTION: usize = 1024;
pub(super) const MAX_ITEM: usize = 256;
pub(super) const MAX_KEY: usize = 256;
/// A profile is written into one line of the log (64 KiB), together with where it comes from.
pub(super) const MAX_JSON: usize = 48 * 1024;
pub(super) const MAX_AGE_DAYS: u32 = 3650;

/// A profile manifest that is valid by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProfileDraft {
    pub(crate) profile: Profile,
    /// Of the document.
    pub(crate) place: Place,
    /// Of `metadata.name`.
    pub(crate) name_at: Spot,
}

pub(super) fn read(reader: &mut Reader<'_>, envelope: Envelope<'_>) -> Option<ProfileDraft> {
    let field = envelope.spec?;
    let spec = reader.object(field, &fields::PROFILE)?;
    let description =
        reader.field(&spec, "description").and_then(|f| reader.prose(&f, MAX_DESCRIPTION));
    let platforms = reader.field(&spec, "platforms").and_then(|f| platforms(reader, f));
    let apps = reader.field(&spec, "apps").and_then(|f| texts(reader, f)).unwrap_or_default();
    let settings =
        reader.field(&spec, "settings").and_then(|f| settings(reader, f)).unwrap_or_default();
    let licenses =
        reader.field(&spec, "licenses").and_then(|f| texts(reader, f)).unwrap_or_default();
    let compliance = reader.field(&spec, "compliance").and_then(|f| compliance(reader, f));
    let intune = reader.field(&spec, "intune").map(|f| intune(reader, f));
    let (name, name_at) = envelope.name?;
    let mut profile = Profile {
        name,
        description: description.unwrap_or_default().to_owned(),
        platforms: platforms?,
        apps,
        settings: settings.into(),
        licenses,
        compliance: compliance.unwrap_or_default(),
        intune: match intune {
            Some(written) => Some(Box::new(written?)),
            None => None,
        },
        digest: Digest::ZERO,
    };
    let canonical = canonical(&profile);
    if canonical.len() > MAX_JSON {
        let message = format!(
            "the profile is {} bytes as JSON; at most {MAX_JSON} fit a line of the log",
            canonical.len()
        );
        let help = "move large values out of `settings`, or split the profile";
        reader.report(Code::ProfileTooLarge, field.key.extent, message, help);
        return None;
    }
    profile.digest = Digest::of(canonical.as_bytes());
    Some(ProfileDraft { profile, place: envelope.origin.place, name_at })
}

/// Compact JSON with sorted keys: equal profiles give equal bytes, however they are written.
fn canonical(profile: &Profile) -> String {
    let Profile {
        name,
        description,
        platforms,
        apps,
        settings,
        licenses,
        compliance,
        intune,
        digest: _,
    } = profile;
    let mut canonical = json!({
        "name": name,
        "description": description,
        "platforms": platforms,
        "apps": apps,
        "settings": settings,
        "licenses": licenses,
        "compliance": compliance,
    });
    // Left out where it is not given: profiles keep the digests of versions that did not know it.
    if let Some(intune) = intune {
        canonical["intune"] = json!(intune);
    }
    canonical.to_string()
}

fn platforms(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<Platform>> {
    let items = reader.items(field)?;
    if items.is_empty() {
        let help = format!("list at least one of {}", Platform::WORDS.join(", "));
        reader.report(Code::InvalidValue, field.extent(), format!("{field} is empty"), help);
    }
    let mut platforms = Vec::new();
    for item in items {
        let Some(platform) = reader.word(&item, Platform::WORDS) else { continue };
        if platforms.contains(&platform) {
            let message = format!("{item} repeats `{platform}`");
            reader.report(Code::InvalidValue, item.extent(), message, "list each platform once");
        } else {
            platforms.push(platform);
        }
    }
    platforms.sort_unstable();
    Some(platforms)
}

fn texts(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<String>> {
    let items = reader.items(field)?;
    Some(items.iter().filter_map(|item| reader.prose(item, MAX_ITEM)).map(str::to_owned).collect())
}

fn settings(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Map<String, serde_json::Value>> {
    match free_form(reader, field.value) {
        serde_json::Value::Object(map) => Some(map),
        _ => reader.wrong_type(&field, "a mapping", "write `key: value` lines below it, indented"),
    }
}

/// Recursion is bounded: trees are at most `yaml::parse::MAX_DEPTH` deep.
fn free_form(reader: &mut Reader<'_>, node: &Node<'_>) -> serde_json::Value {
    match &node.value {
        Value::Seq(items) => items.iter().map(|item| free_form(reader, item)).collect(),
        Value::Map(entries) => entries
            .iter()
            .filter_map(|(key, value)| {
                let value = free_form(reader, value);
                Some((free_form_key(reader, key)?.to_owned(), value))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Broken => serde_json::Value::Null,
        Value::Scalar(text, _) => match node.scalar() {
            Some(Scalar::Null) | None => serde_json::Value::Null,
            Some(Scalar::Bool(value)) => value.into(),
            Some(Scalar::Text(value)) => value.into(),
            Some(Scalar::Int(n)) => match Number::from_i128(n) {
                Some(number) => number.into(),
                None => number_out_of_range(reader, node, text, "does not fit in 64 bits"),
            },
            Some(Scalar::Float(x)) => match Number::from_f64(x) {
                Some(number) => number.into(),
                None => number_out_of_range(reader, node, text, "is not a finite number"),
            },
        },
    }
}

fn free_form_key<'n>(reader: &mut Reader<'_>, key: &'n Node<'_>) -> Option<&'n str> {
    let text = reader.key(key)?;
    if let Err(why) = check_text(text, MAX_KEY) {
        let message = format!("a key of `spec.settings` {why}");
        reader.report(Code::InvalidValue, key.extent, message, "choose another key");
    }
    Some(text)
}

fn number_out_of_range(
    reader: &mut Reader<'_>,
    node: &Node<'_>,
    text: &str,
    why: &str,
) -> serde_json::Value {
    let message = format!("the number {} {why}", quote(text));
    reader.report(Code::InvalidValue, node.extent, message, "put it in quotes to make it a string");
    serde_json::Value::Null
}

fn compliance(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Requirements> {
    let object = reader.object(field, &fields::COMPLIANCE)?;
    let minimum =
        reader.field(&object, "minimumOsVersion").and_then(|f| minimum_versions(reader, f));
    Some(Requirements {
        minimum_os_version: minimum.unwrap_or_default(),
        antivirus: reader.field(&object, "antivirus").and_then(|f| antivirus(reader, f)),
        encryption: reader.field(&object, "encryption").and_then(|f| encryption(reader, f)),
        screen_lock: reader.field(&object, "screenLock").and_then(|f| screen_lock(reader, f)),
    })
}

fn minimum_versions(
    reader: &mut Reader<'_>,
    field: Field<'_>,
) -> Option<BTreeMap<Platform, OsVersion>> {
    let object = reader.object(field, &fields::MINIMUM_OS_VERSION)?;
    let versions = Platform::ALL.iter().filter_map(|platform| {
        let field = reader.field(&object, platform.as_str())?;
        Some((*platform, reader.parsed(&field, VERSION_HELP)?))
    });
    Some(versions.collect())
}

fn antivirus(reader: &mut Reader<'_>, field: Field<'_>) -> Option<AntivirusRequirement> {
    let object = reader.object(field, &fields::ANTIVIRUS)?;
    let required = reader.field(&object, "required").and_then(|f| reader.boolean(&f));
    let age = reader.field(&object, "maxSignatureAgeDays");
    let age = age.and_then(|f| reader.whole(&f, (0, MAX_AGE_DAYS), Code::InvalidValue));
    Some(AntivirusRequirement { required: required?, max_signature_age_days: age })
}

fn encryption(reader: &mut Reader<'_>, field: Field<'_>) -> Option<EncryptionRequirement> {
    let object = reader.object(field, &fields::ENCRYPTION)?;
    let required = reader.field(&object, "required").and_then(|f| reader.boolean(&f));
    Some(EncryptionRequirement { required: required? })
}

fn screen_lock(reader: &mut Reader<'_>, field: Field<'_>) -> Option<ScreenLockRequirement> {
    let object = reader.object(field, &fields::SCREEN_LOCK)?;
    let required = reader.field(&object, "required").and_then(|f| reader.boolean(&f));
    let pin = reader.field(&object, "minPinLength");
    let pin = pin.and_then(|f| reader.whole(&f, (MIN_PIN_LENGTH, u32::MAX), Code::PinTooShort));
    Some(ScreenLockRequirement {
        required: required?,
        min_pin_length: pin.unwrap_or(MIN_PIN_LENGTH),
    })
}

fn intune(reader: &mut Reader<'_>, field: Field<'_>) -> Option<IntuneProfile> {
    let object = reader.object(field, &fields::INTUNE)?;
    let group = reader.field(&object, "group");
    let group = group.and_then(|f| reader.parsed(&f, GRAPH_ID_HELP));
    let mut ids = |name| reader.field(&object, name).and_then(|f| graph_ids(reader, f));
    let policies = ids("configurationPolicies").unwrap_or_default();
    let apps = ids("apps").unwrap_or_default();
    let source = reader.field(&object, "compliancePolicy");
    let source = source.and_then(|f| reader.word(&f, PolicySource::WORDS));
    Some(IntuneProfile {
        apps,
        compliance_policy: source.unwrap_or(PolicySource::Managed),
        configuration_policies: policies,
        group: group?,
    })
}

/// Sorted, each once: their order means nothing.
fn graph_ids(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<GraphId>> {
    let items = reader.items(field)?;
    let mut ids: Vec<GraphId> =
        items.iter().filter_map(|item| reader.parsed(item, GRAPH_ID_HELP)).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}
