//! What a compliance policy of Intune says, from what a profile demands.
//!
//! Every property that Fleetform ever writes is in each body, also where nothing is demanded: what a
//! profile does not demand any more goes away. Properties that are not in it belong to others.

use serde_json::{Map, Value, json};

use crate::domain::model::{MIN_PIN_LENGTH, Name, OsVersion, Platform, Profile};
use crate::domain::wording::harmless_within;
use crate::edges::provider::intune::graph::Version;

/// Bytes of a value of somebody else that are shown.
const SHOWN: usize = 80;
/// Only the beta knows it.
const ANTIVIRUS: &str = "antivirusRequired";

/// A compliance policy as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WantedPolicy {
    pub(super) platform: Platform,
    /// Where it is written.
    pub(super) version: Version,
    /// Says in its description whose it is.
    pub(super) marker: String,
    pub(super) body: Map<String, Value>,
}

impl WantedPolicy {
    pub(super) fn new(lineage: uuid::Uuid, profile: &Profile, platform: Platform) -> Self {
        let marker = marker(lineage, &profile.name, platform);
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        set("@odata.type", json!(odata_type(platform)));
        set("displayName", json!(format!("{} - {platform} (Fleetform)", profile.name)));
        set("description", json!(marker));
        for (name, value) in settings(profile, platform) {
            set(name, value);
        }
        Self { platform, version: version(platform), marker, body }
    }

    /// As v1.0 takes it: without what only the beta knows.
    pub(super) fn without_beta(&mut self) {
        self.version = Version::V1;
        self.body.remove(ANTIVIRUS);
    }

    /// Its type, as Graph names it.
    pub(super) fn odata_type(&self) -> &'static str {
        odata_type(self.platform)
    }

    /// Whether a policy is this one, by its type and the line of its description that nobody but
    /// Fleetform writes.
    pub(super) fn is_marked(&self, seen: &Value) -> bool {
        let description = seen.get("description").and_then(Value::as_str).unwrap_or_default();
        self.is_of_type(seen) && description.lines().any(|line| line.trim() == self.marker)
    }

    pub(super) fn is_of_type(&self, seen: &Value) -> bool {
        seen.get("@odata.type").and_then(Value::as_str) == Some(self.odata_type())
    }

    /// What of it is otherwise in Intune, each a clause.
    pub(super) fn differences(&self, seen: &Value) -> Vec<String> {
        let differs = |(name, wanted): (&String, &Value)| {
            let is = seen.get(name).unwrap_or(&Value::Null);
            (name != "@odata.type" && !same(wanted, is))
                .then(|| format!("{name} is {}, not {}", shown(is), shown(wanted)))
        };
        self.body.iter().filter_map(differs).collect()
    }
}

/// Where the policies of a platform are written. Only the beta knows the policies of Android
/// devices that a company owns, and whether Windows must have an antivirus.
fn version(platform: Platform) -> Version {
    match platform {
        Platform::Windows | Platform::Android => Version::Beta,
        Platform::Macos | Platform::Ios => Version::V1,
    }
}

fn marker(lineage: uuid::Uuid, profile: &Name, platform: Platform) -> String {
    format!("Managed by Fleetform: {lineage}/{profile}/{platform}")
}

/// Of the two kinds of policies for Android the one for devices that a company owns: they are what
/// is enrolled for a company unless a manifest says otherwise. Whoever has personal ones in a
/// profile maintains a policy for work profiles beside it.
fn odata_type(platform: Platform) -> &'static str {
    match platform {
        Platform::Windows => "#microsoft.graph.windows10CompliancePolicy",
        Platform::Macos => "#microsoft.graph.macOSCompliancePolicy",
        Platform::Ios => "#microsoft.graph.iosCompliancePolicy",
        Platform::Android => "#microsoft.graph.androidDeviceOwnerCompliancePolicy",
    }
}

fn settings(profile: &Profile, platform: Platform) -> Vec<(&'static str, Value)> {
    let wanted = &profile.compliance;
    let minimum = wanted.minimum_os_version.get(&platform);
    let minimum = minimum.map(|version| at_least_parts(version, parts(platform)));
    let encryption = wanted.encryption.is_some_and(|rule| rule.required);
    let antivirus = wanted.antivirus.is_some_and(|rule| rule.required);
    let pin = wanted.screen_lock.filter(|rule| rule.required);
    let pin = pin.map(|rule| rule.min_pin_length.max(MIN_PIN_LENGTH));
    // A Mac is opened with a password: that it is of digits alone would make it weaker.
    let kind =
        if pin.is_some() && platform != Platform::Macos { "numeric" } else { "deviceDefault" };
    let mut settings = vec![("osMinimumVersion", json!(minimum))];
    if platform == Platform::Ios {
        // What a passcode protects is encrypted, and there is no setting for it.
        settings.extend([
            ("passcodeRequired", json!(pin.is_some())),
            ("passcodeRequiredType", json!(kind)),
            ("passcodeMinimumLength", json!(pin)),
        ]);
        return settings;
    }
    settings.extend([
        ("passwordRequired", json!(pin.is_some())),
        ("passwordRequiredType", json!(kind)),
        ("passwordMinimumLength", json!(pin)),
        ("storageRequireEncryption", json!(encryption)),
    ]);
    if platform == Platform::Windows {
        // Of any vendor, as Windows Security has it. How old its signatures are is judged by what
        // the device reports: a policy can only ask that of Microsoft's own.
        settings.push((ANTIVIRUS, json!(antivirus)));
    }
    settings
}

/// How many numbers Intune wants in a version: Windows compares whole builds.
fn parts(platform: Platform) -> usize {
    match platform {
        Platform::Windows => 4,
        Platform::Macos | Platform::Ios | Platform::Android => 2,
    }
}

fn at_least_parts(version: &OsVersion, parts: usize) -> String {
    let given = version.as_str().split('.').count();
    format!("{version}{}", ".0".repeat(parts.saturating_sub(given)))
}

/// Graph leaves out what is null, and writes some numbers as texts.
fn same(wanted: &Value, seen: &Value) -> bool {
    match (wanted, seen) {
        (Value::Number(number), Value::String(text)) => number.to_string() == *text,
        // Intune's own default for what is not demanded is either.
        (Value::Null, Value::Number(number)) => number.as_i64() == Some(0),
        (Value::Null, Value::String(text)) => text.is_empty(),
        (Value::Bool(false), Value::Null) => true,
        _ => wanted == seen,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => format!("{:?}", harmless_within(text, SHOWN)),
        other => harmless_within(&other.to_string(), SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::model::{
        AntivirusRequirement, Digest, EncryptionRequirement, Requirements, ScreenLockRequirement,
    };

    const LINEAGE: uuid::Uuid = uuid::Uuid::from_u128(7);

    fn profile(compliance: Requirements) -> Profile {
        Profile {
            name: "Standard".parse().unwrap(),
            description: String::new(),
            platforms: Platform::ALL.to_vec(),
            apps: Vec::new(),
            settings: Value::Null,
            licenses: Vec::new(),
            compliance,
            intune: None,
            digest: Digest::ZERO,
        }
    }

    fn strict() -> Requirements {
        let versions =
            [("windows", "10.0.26100"), ("macos", "15"), ("ios", "18.1"), ("android", "14")];
        Requirements {
            minimum_os_version: versions
                .into_iter()
                .map(|(platform, version)| (platform.parse().unwrap(), version.parse().unwrap()))
                .collect::<BTreeMap<_, _>>(),
            antivirus: Some(AntivirusRequirement {
                required: true,
                max_signature_age_days: Some(7),
            }),
            encryption: Some(EncryptionRequirement { required: true }),
            screen_lock: Some(ScreenLockRequirement { required: true, min_pin_length: 8 }),
        }
    }

    fn body(compliance: Requirements, platform: Platform) -> Value {
        let mut body = WantedPolicy::new(LINEAGE, &profile(compliance), platform).body;
        body.remove("displayName");
        body.remove("description");
        Value::Object(body)
    }

    #[test]
    fn a_policy_demands_what_the_profile_does_as_far_as_its_platform_can() {
        for (platform, strictly, freely) in [
            (
                Platform::Windows,
                json!({
                    "@odata.type": "#microsoft.graph.windows10CompliancePolicy",
                    "osMinimumVersion": "10.0.26100.0",
                    "passwordRequired": true, "passwordRequiredType": "numeric",
                    "passwordMinimumLength": 8,
                    "storageRequireEncryption": true, "antivirusRequired": true,
                }),
                json!({
                    "@odata.type": "#microsoft.graph.windows10CompliancePolicy",
                    "osMinimumVersion": null,
                    "passwordRequired": false, "passwordRequiredType": "deviceDefault",
                    "passwordMinimumLength": null,
                    "storageRequireEncryption": false, "antivirusRequired": false,
                }),
            ),
            (
                Platform::Macos,
                json!({
                    "@odata.type": "#microsoft.graph.macOSCompliancePolicy",
                    "osMinimumVersion": "15.0",
                    "passwordRequired": true, "passwordRequiredType": "deviceDefault",
                    "passwordMinimumLength": 8,
                    "storageRequireEncryption": true,
                }),
                json!({
                    "@odata.type": "#microsoft.graph.macOSCompliancePolicy",
                    "osMinimumVersion": null,
                    "passwordRequired": false, "passwordRequiredType": "deviceDefault",
                    "passwordMinimumLength": null,
                    "storageRequireEncryption": false,
                }),
            ),
            (
                Platform::Ios,
                json!({
                    "@odata.type": "#microsoft.graph.iosCompliancePolicy",
                    "osMinimumVersion": "18.1",
                    "passcodeRequired": true, "passcodeRequiredType": "numeric",
                    "passcodeMinimumLength": 8,
                }),
                json!({
                    "@odata.type": "#microsoft.graph.iosCompliancePolicy",
                    "osMinimumVersion": null,
                    "passcodeRequired": false, "passcodeRequiredType": "deviceDefault",
                    "passcodeMinimumLength": null,
                }),
            ),
            (
                Platform::Android,
                json!({
                    "@odata.type": "#microsoft.graph.androidDeviceOwnerCompliancePolicy",
                    "osMinimumVersion": "14.0",
                    "passwordRequired": true, "passwordRequiredType": "numeric",
                    "passwordMinimumLength": 8,
                    "storageRequireEncryption": true,
                }),
                json!({
                    "@odata.type": "#microsoft.graph.androidDeviceOwnerCompliancePolicy",
                    "osMinimumVersion": null,
                    "passwordRequired": false, "passwordRequiredType": "deviceDefault",
                    "passwordMinimumLength": null,
                    "storageRequireEncryption": false,
                }),
            ),
        ] {
            assert_eq!(body(strict(), platform), strictly, "{platform}");
            assert_eq!(body(Requirements::default(), platform), freely, "{platform}");
        }
    }

    #[test]
    fn a_pin_is_never_shorter_than_the_procedure_has_it() {
        let lock = |min_pin_length| Requirements {
            screen_lock: Some(ScreenLockRequirement { required: true, min_pin_length }),
            ..Requirements::default()
        };
        for (given, wanted) in [(0, 6), (4, 6), (6, 6), (12, 12)] {
            let body = body(lock(given), Platform::Windows);
            assert_eq!(body["passwordMinimumLength"], json!(wanted), "{given}");
        }
    }

    #[test]
    fn only_what_means_something_else_is_a_difference() {
        let wanted = WantedPolicy::new(LINEAGE, &profile(strict()), Platform::Windows);
        let seen = |changes: Value| {
            let mut seen = wanted.body.clone();
            seen.extend(changes.as_object().unwrap().clone());
            Value::Object(seen)
        };
        // What Graph adds, and what others set, is not compared.
        let others = json!({"id": "1", "version": 4, "lastModifiedDateTime": "2026-01-01T00:00:00Z",
            "secureBootEnabled": true, "passwordMinimumLength": "8"});
        assert_eq!(wanted.differences(&seen(others)), Vec::<String>::new());
        for (changes, expected) in [
            (json!({"passwordMinimumLength": 4}), "passwordMinimumLength is 4, not 8"),
            (json!({"passwordMinimumLength": null}), "passwordMinimumLength is not set, not 8"),
            (
                json!({"osMinimumVersion": "10.0.1"}),
                "osMinimumVersion is \"10.0.1\", not \"10.0.26100.0\"",
            ),
            (
                json!({"storageRequireEncryption": false}),
                "storageRequireEncryption is false, not true",
            ),
            (json!({"antivirusRequired": null}), "antivirusRequired is not set, not true"),
            (
                json!({"displayName": "x\u{1b}"}),
                "displayName is \"x\u{FFFD}\", not \"Standard - windows (Fleetform)\"",
            ),
        ] {
            assert_eq!(wanted.differences(&seen(changes)), [expected]);
        }
        let free = WantedPolicy::new(LINEAGE, &profile(Requirements::default()), Platform::Windows);
        // As Graph shows a policy that demands nothing.
        let mut bare = free.body.clone();
        bare.remove("osMinimumVersion");
        bare.insert("passwordMinimumLength".into(), json!(0));
        bare.insert("antivirusRequired".into(), Value::Null);
        assert_eq!(free.differences(&Value::Object(bare)), Vec::<String>::new());
    }

    #[test]
    fn a_policy_is_known_by_its_mark_and_never_by_its_name() {
        let wanted = WantedPolicy::new(LINEAGE, &profile(strict()), Platform::Windows);
        let policy = |description: &str, name: &str| {
            json!({"@odata.type": wanted.odata_type(), "description": description,
                "displayName": name})
        };
        let mark = "Managed by Fleetform: 00000000-0000-0000-0000-000000000007/Standard/windows";
        assert_eq!(wanted.marker, mark);
        assert!(wanted.is_marked(&policy(mark, "anything")));
        assert!(wanted.is_marked(&policy(&format!("do not touch\r\n{mark}\r\n"), "anything")));
        for description in ["", &format!("{mark}2"), &format!("see {mark}"), &mark.to_lowercase()] {
            let policy = policy(description, "Standard - windows (Fleetform)");
            assert!(!wanted.is_marked(&policy), "{description}");
        }
        let mut other = policy(mark, "anything");
        other["@odata.type"] = json!("#microsoft.graph.iosCompliancePolicy");
        assert!(!wanted.is_marked(&other), "of another platform");
    }
}
