//! What a compliance policy says of a device.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::facts::{Facts, Hardware};
use super::managed::PolicyState;
use super::policies::Policy;
use crate::domain::model::Platform;

/// How a policy looks at one of its properties.
enum Rule {
    /// It is demanded where the property is `true`.
    Demands(fn(&Facts) -> bool),
    /// Versions from this one on.
    AtLeast,
    /// Versions up to this one.
    AtMost,
    /// Digits of the PIN.
    Digits,
}

/// A property, the name of the setting in policy states, and the rule.
type Property = (&'static str, &'static str, Rule);

/// A platform's policies.
struct Family {
    odata_type: &'static str,
    platform: Platform,
    /// As `platformType` of a policy state says it.
    word: &'static str,
    /// Whether it is about devices of the company, of a person, or both.
    company: Option<bool>,
    properties: &'static [Property],
}

const ENCRYPTED: Rule = Rule::Demands(|facts| facts.encrypted);
const LOCKED: Rule = Rule::Demands(|facts| facts.pin_length > 0);
const ANTIVIRUS: Rule = Rule::Demands(|facts| facts.antivirus);
const SIGNATURES: Rule = Rule::Demands(|facts| facts.signatures_current);
const FIREWALL: Rule = Rule::Demands(|facts| facts.firewall);
const SOUND: Rule = Rule::Demands(|facts| !facts.jailbroken);
const SECURE_BOOT: Rule = Rule::Demands(|facts| facts.secure_boot);

const WINDOWS: [Property; 13] = [
    ("osMinimumVersion", "Windows10CompliancePolicy.OsMinimumVersion", Rule::AtLeast),
    ("osMaximumVersion", "Windows10CompliancePolicy.OsMaximumVersion", Rule::AtMost),
    ("bitLockerEnabled", "Windows10CompliancePolicy.BitLockerEnabled", ENCRYPTED),
    ("storageRequireEncryption", "Windows10CompliancePolicy.StorageRequireEncryption", ENCRYPTED),
    ("secureBootEnabled", "Windows10CompliancePolicy.SecureBootEnabled", SECURE_BOOT),
    ("passwordRequired", "Windows10CompliancePolicy.PasswordRequired", LOCKED),
    ("passwordMinimumLength", "Windows10CompliancePolicy.PasswordMinimumLength", Rule::Digits),
    ("antivirusRequired", "Windows10CompliancePolicy.AntivirusRequired", ANTIVIRUS),
    ("antiSpywareRequired", "Windows10CompliancePolicy.AntiSpywareRequired", ANTIVIRUS),
    ("defenderEnabled", "Windows10CompliancePolicy.DefenderEnabled", ANTIVIRUS),
    ("rtpEnabled", "Windows10CompliancePolicy.RtpEnabled", ANTIVIRUS),
    ("signatureOutOfDate", "Windows10CompliancePolicy.SignatureOutOfDate", SIGNATURES),
    ("activeFirewallRequired", "Windows10CompliancePolicy.ActiveFirewallRequired", FIREWALL),
];
const IOS: [Property; 5] = [
    ("osMinimumVersion", "IosCompliancePolicy.OsMinimumVersion", Rule::AtLeast),
    ("osMaximumVersion", "IosCompliancePolicy.OsMaximumVersion", Rule::AtMost),
    ("passcodeRequired", "IosCompliancePolicy.PasscodeRequired", LOCKED),
    ("passcodeMinimumLength", "IosCompliancePolicy.PasscodeMinimumLength", Rule::Digits),
    ("securityBlockJailbrokenDevices", "IosCompliancePolicy.SecurityBlockJailbrokenDevices", SOUND),
];
const MACOS: [Property; 6] = [
    ("osMinimumVersion", "MacOSCompliancePolicy.OsMinimumVersion", Rule::AtLeast),
    ("osMaximumVersion", "MacOSCompliancePolicy.OsMaximumVersion", Rule::AtMost),
    ("storageRequireEncryption", "MacOSCompliancePolicy.StorageRequireEncryption", ENCRYPTED),
    ("passwordRequired", "MacOSCompliancePolicy.PasswordRequired", LOCKED),
    ("passwordMinimumLength", "MacOSCompliancePolicy.PasswordMinimumLength", Rule::Digits),
    ("firewallEnabled", "MacOSCompliancePolicy.FirewallEnabled", FIREWALL),
];
const ANDROID: [Property; 6] = [
    ("osMinimumVersion", "AndroidCompliancePolicy.OsMinimumVersion", Rule::AtLeast),
    ("osMaximumVersion", "AndroidCompliancePolicy.OsMaximumVersion", Rule::AtMost),
    ("storageRequireEncryption", "AndroidCompliancePolicy.StorageRequireEncryption", ENCRYPTED),
    ("passwordRequired", "AndroidCompliancePolicy.PasswordRequired", LOCKED),
    ("passwordMinimumLength", "AndroidCompliancePolicy.PasswordMinimumLength", Rule::Digits),
    (
        "securityBlockJailbrokenDevices",
        "AndroidCompliancePolicy.SecurityBlockJailbrokenDevices",
        SOUND,
    ),
];

const FAMILIES: [Family; 5] = [
    Family {
        odata_type: "windows10CompliancePolicy",
        platform: Platform::Windows,
        word: "windows10AndLater",
        company: None,
        properties: &WINDOWS,
    },
    Family {
        odata_type: "iosCompliancePolicy",
        platform: Platform::Ios,
        word: "iOS",
        company: None,
        properties: &IOS,
    },
    Family {
        odata_type: "macOSCompliancePolicy",
        platform: Platform::Macos,
        word: "macOS",
        company: None,
        properties: &MACOS,
    },
    Family {
        odata_type: "androidWorkProfileCompliancePolicy",
        platform: Platform::Android,
        word: "androidForWork",
        company: Some(false),
        properties: &ANDROID,
    },
    Family {
        odata_type: "androidDeviceOwnerCompliancePolicy",
        platform: Platform::Android,
        word: "androidForWork",
        company: Some(true),
        properties: &ANDROID,
    },
];

/// Compares versions number by number: 10.0.9 comes before 10.0.10.
fn compare(left: &str, right: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.').map(|part| part.trim().parse().unwrap_or_default()).collect()
    };
    let (mut left, mut right) = (numbers(left), numbers(right));
    let length = left.len().max(right.len());
    left.resize(length, 0);
    right.resize(length, 0);
    left.cmp(&right)
}

/// Whether the rule holds; `None` if the policy demands nothing of it.
fn holds(rule: &Rule, demanded: &Value, facts: &Facts) -> Option<bool> {
    match rule {
        Rule::Demands(is_so) => demanded.as_bool()?.then(|| is_so(facts)),
        Rule::AtLeast => Some(compare(&facts.os_version, demanded.as_str()?) != Ordering::Less),
        Rule::AtMost => Some(compare(&facts.os_version, demanded.as_str()?) != Ordering::Greater),
        Rule::Digits => {
            let digits = demanded.as_u64()?;
            (digits > 0).then_some(facts.pin_length >= digits)
        }
    }
}

/// What the policy says of this hardware; `None` if it is for others.
pub(crate) fn judge(policy: &Policy, hardware: &Hardware, company: bool) -> Option<PolicyState> {
    let family = FAMILIES.iter().find(|family| family.odata_type == policy.odata_type())?;
    let meant = family.platform == hardware.platform
        && family.company.is_none_or(|wanted| wanted == company);
    let demands = |body: &Map<String, Value>| {
        let settings = family.properties.iter().filter_map(|(property, setting, rule)| {
            Some((*setting, holds(rule, body.get(*property)?, &hardware.facts)?))
        });
        settings.collect()
    };
    meant.then(|| PolicyState {
        policy: policy.id.clone(),
        display_name: policy.name().to_owned(),
        platform: family.word,
        version: policy.version,
        settings: demands(&policy.body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (left, right, expected) in [
            ("10.0.9", "10.0.10", Ordering::Less),
            ("15", "15.0", Ordering::Equal),
            ("18.1.1", "18.1", Ordering::Greater),
            ("", "1", Ordering::Less),
        ] {
            assert_eq!(compare(left, right), expected, "{left} {right}");
        }
    }
}
