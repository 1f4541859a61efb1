//! What a policy's settings say of the procedure's checks.
//!
//! Intune tells no value of most settings, only whether the device passes. The names of settings
//! differ between platforms in their first part; the last part says what it is.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::edges::provider::intune::rows::{PolicyState, SettingState};

/// Settings that say whether a check passes. One of the second list must pass, and none of either may fail.
struct Rule {
    check: &'static str,
    /// Settings that count if they fail.
    also: &'static [&'static str],
    /// Settings of which one is needed.
    decide: &'static [&'static str],
}

const RULES: [Rule; 4] = [
    Rule {
        check: "antivirus",
        also: &["antispywarerequired", "signatureoutofdate"],
        decide: &["antivirusrequired", "defenderenabled", "rtpenabled"],
    },
    Rule {
        check: "encryption",
        also: &[],
        decide: &["bitlockerenabled", "storagerequireencryption", "storagerequiredeviceencryption"],
    },
    Rule { check: "osVersion", also: &[], decide: &["osminimumversion", "minandroidosversion"] },
    Rule {
        // That there is a password says nothing of its length.
        check: "screenLock",
        also: &[
            "passwordrequired",
            "passcoderequired",
            "passwordblocksimple",
            "passcodeblocksimple",
        ],
        decide: &["passwordminimumlength", "passcodeminimumlength"],
    },
];

/// The policy that each tenant has by itself: it demands nothing of the procedure.
const BUILT_IN: &str = "defaultdevicecompliancepolicy.";

/// How many policies judged the device, and which checks it passes by their settings.
pub(super) fn judged(states: &[PolicyState]) -> (u32, BTreeMap<CompactString, bool>) {
    let judging = states.iter().filter(|state| is_judged(state) && !is_built_in(state)).count();
    let settings: Vec<(String, Option<bool>)> = states
        .iter()
        .flat_map(|state| &state.setting_states)
        .filter_map(|setting| Some((last_part(setting)?, passes(setting.state.as_deref()))))
        .collect();
    let mut checks = BTreeMap::new();
    for Rule { check, also, decide } in RULES {
        let of = |names: &'static [&'static str]| {
            let settings = settings.iter().filter(|(name, _)| names.contains(&&**name));
            settings.filter_map(|(_, passes)| *passes)
        };
        let fails = of(also).chain(of(decide)).any(|passes| !passes);
        if fails || of(decide).next().is_some() {
            checks.insert(CompactString::from(check), !fails);
        }
    }
    (u32::try_from(judging).unwrap_or(u32::MAX), checks)
}

fn is_judged(state: &PolicyState) -> bool {
    !matches!(state.state.as_deref(), None | Some("unknown" | "notApplicable" | "notAssigned"))
}

fn is_built_in(state: &PolicyState) -> bool {
    let built_in = |setting: &SettingState| {
        let name = setting.setting.as_deref().unwrap_or_default();
        name.to_ascii_lowercase().starts_with(BUILT_IN)
    };
    !state.setting_states.is_empty() && state.setting_states.iter().all(built_in)
}

fn last_part(setting: &SettingState) -> Option<String> {
    let name = setting.setting.as_deref()?.rsplit('.').next()?;
    Some(name.to_ascii_lowercase())
}

/// What could not be found out is no evidence.
fn passes(word: Option<&str>) -> Option<bool> {
    match word? {
        "compliant" | "remediated" => Some(true),
        "nonCompliant" | "conflict" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(word: &str, settings: &[(&str, &str)]) -> PolicyState {
        let settings: Vec<_> =
            settings.iter().map(|(name, state)| json!({"setting": name, "state": state})).collect();
        serde_json::from_value(json!({"state": word, "settingStates": settings})).unwrap()
    }

    #[test]
    fn each_check_passes_by_the_setting_that_decides_it_and_by_no_other() {
        let cases: &[(&str, &str, &str, Option<bool>)] = &[
            ("Windows10CompliancePolicy.BitLockerEnabled", "compliant", "encryption", Some(true)),
            (
                "Windows10CompliancePolicy.StorageRequireEncryption",
                "nonCompliant",
                "encryption",
                Some(false),
            ),
            ("Windows10CompliancePolicy.OsMinimumVersion", "compliant", "osVersion", Some(true)),
            ("iOSCompliancePolicy.PasscodeMinimumLength", "compliant", "screenLock", Some(true)),
            ("iOSCompliancePolicy.PasscodeRequired", "compliant", "screenLock", None),
            ("iOSCompliancePolicy.PasscodeRequired", "nonCompliant", "screenLock", Some(false)),
            ("Windows10CompliancePolicy.RtpEnabled", "remediated", "antivirus", Some(true)),
            ("Windows10CompliancePolicy.SignatureOutOfDate", "compliant", "antivirus", None),
            (
                "Windows10CompliancePolicy.SignatureOutOfDate",
                "nonCompliant",
                "antivirus",
                Some(false),
            ),
            ("Windows10CompliancePolicy.BitLockerEnabled", "error", "encryption", None),
            ("Windows10CompliancePolicy.BitLockerEnabled", "notApplicable", "encryption", None),
        ];
        for (setting, word, check, expected) in cases {
            let (_, checks) = judged(&[state("compliant", &[(setting, word)])]);
            assert_eq!(checks.get(*check).copied(), *expected, "{setting} {word}");
            assert!(checks.len() <= 1, "{setting} decides {checks:?}");
        }
    }

    #[test]
    fn of_two_policies_the_stricter_one_counts() {
        let setting = "Windows10CompliancePolicy.BitLockerEnabled";
        let both = [
            state("compliant", &[(setting, "compliant")]),
            state("nonCompliant", &[(setting, "nonCompliant")]),
        ];
        assert_eq!(judged(&both), (2, BTreeMap::from([("encryption".into(), false)])));
    }

    #[test]
    fn the_policy_that_every_tenant_has_is_no_evidence() {
        let built_in = state(
            "compliant",
            &[("DefaultDeviceCompliancePolicy.RequireRemainContact", "compliant")],
        );
        let idle = state(
            "notApplicable",
            &[("Windows10CompliancePolicy.OsMinimumVersion", "notApplicable")],
        );
        assert_eq!(judged(&[built_in, idle]), (0, BTreeMap::new()));
    }
}
