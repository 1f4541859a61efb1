//! Which properties policies, configurations and applications have, by their type.

use crate::ui::emulator::tenant::Kind;

/// A type that can be created, or patched.
pub(super) struct PolicyType {
    /// Without `#microsoft.graph.`.
    pub(super) name: &'static str,
    pub(super) only_beta: bool,
    /// Beyond those of every policy.
    pub(super) properties: &'static [&'static str],
    /// Of which v1.0 knows nothing.
    pub(super) beta_properties: &'static [&'static str],
}

/// What an administrator may set on every policy of a kind.
pub(super) fn common(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Compliance | Kind::Configuration => &["description", "displayName"],
        Kind::Catalog => &[
            "description",
            "name",
            "platforms",
            "priorityMetaData",
            "roleScopeTagIds",
            "settings",
            "technologies",
            "templateReference",
        ],
        Kind::App => &[
            "description",
            "developer",
            "displayName",
            "informationUrl",
            "isFeatured",
            "largeIcon",
            "notes",
            "owner",
            "privacyInformationUrl",
            "publisher",
        ],
    }
}

const ANDROID: &[&str] = &[
    "deviceThreatProtectionEnabled",
    "deviceThreatProtectionRequiredSecurityLevel",
    "minAndroidSecurityPatchLevel",
    "osMaximumVersion",
    "osMinimumVersion",
    "passwordExpirationDays",
    "passwordMinimumLength",
    "passwordMinutesOfInactivityBeforeLock",
    "passwordPreviousPasswordBlockCount",
    "passwordRequired",
    "passwordRequiredType",
    "securityBlockJailbrokenDevices",
    "securityDisableUsbDebugging",
    "securityPreventInstallAppsFromUnknownSources",
    "securityRequireCompanyPortalAppIntegrity",
    "securityRequireGooglePlayServices",
    "securityRequireSafetyNetAttestationBasicIntegrity",
    "securityRequireSafetyNetAttestationCertifiedDevice",
    "securityRequireUpToDateSecurityProviders",
    "securityRequireVerifyApps",
    "storageRequireEncryption",
];

pub(super) const COMPLIANCE: &[PolicyType] = &[
    PolicyType {
        name: "windows10CompliancePolicy",
        only_beta: false,
        properties: &[
            "bitLockerEnabled",
            "codeIntegrityEnabled",
            "earlyLaunchAntiMalwareDriverEnabled",
            "mobileOsMaximumVersion",
            "mobileOsMinimumVersion",
            "osMaximumVersion",
            "osMinimumVersion",
            "passwordBlockSimple",
            "passwordExpirationDays",
            "passwordMinimumCharacterSetCount",
            "passwordMinimumLength",
            "passwordMinutesOfInactivityBeforeLock",
            "passwordPreviousPasswordBlockCount",
            "passwordRequired",
            "passwordRequiredToUnlockFromIdle",
            "passwordRequiredType",
            "requireHealthyDeviceReport",
            "secureBootEnabled",
            "storageRequireEncryption",
        ],
        beta_properties: &[
            "activeFirewallRequired",
            "antiSpywareRequired",
            "antivirusRequired",
            "configurationManagerComplianceRequired",
            "defenderEnabled",
            "defenderVersion",
            "deviceCompliancePolicyScript",
            "deviceThreatProtectionEnabled",
            "deviceThreatProtectionRequiredSecurityLevel",
            "firmwareProtectionEnabled",
            "kernelDmaProtectionEnabled",
            "memoryIntegrityEnabled",
            "roleScopeTagIds",
            "rtpEnabled",
            "signatureOutOfDate",
            "tpmRequired",
            "validOperatingSystemBuildRanges",
            "virtualizationBasedSecurityEnabled",
            "wslDistributions",
        ],
    },
    PolicyType {
        name: "iosCompliancePolicy",
        only_beta: false,
        properties: &[
            "deviceThreatProtectionEnabled",
            "deviceThreatProtectionRequiredSecurityLevel",
            "managedEmailProfileRequired",
            "osMaximumVersion",
            "osMinimumVersion",
            "passcodeBlockSimple",
            "passcodeExpirationDays",
            "passcodeMinimumCharacterSetCount",
            "passcodeMinimumLength",
            "passcodeMinutesOfInactivityBeforeLock",
            "passcodePreviousPasscodeBlockCount",
            "passcodeRequired",
            "passcodeRequiredType",
            "securityBlockJailbrokenDevices",
        ],
        beta_properties: &[
            "advancedThreatProtectionRequiredSecurityLevel",
            "osMaximumBuildVersion",
            "osMinimumBuildVersion",
            "passcodeMinutesOfInactivityBeforeScreenTimeout",
            "restrictedApps",
            "roleScopeTagIds",
        ],
    },
    PolicyType {
        name: "macOSCompliancePolicy",
        only_beta: false,
        properties: &[
            "deviceThreatProtectionEnabled",
            "deviceThreatProtectionRequiredSecurityLevel",
            "firewallBlockAllIncoming",
            "firewallEnableStealthMode",
            "firewallEnabled",
            "osMaximumVersion",
            "osMinimumVersion",
            "passwordBlockSimple",
            "passwordExpirationDays",
            "passwordMinimumCharacterSetCount",
            "passwordMinimumLength",
            "passwordMinutesOfInactivityBeforeLock",
            "passwordPreviousPasswordBlockCount",
            "passwordRequired",
            "passwordRequiredType",
            "storageRequireEncryption",
            "systemIntegrityProtectionEnabled",
        ],
        beta_properties: &[
            "advancedThreatProtectionRequiredSecurityLevel",
            "gatekeeperAllowedAppSource",
            "osMaximumBuildVersion",
            "osMinimumBuildVersion",
            "roleScopeTagIds",
        ],
    },
    PolicyType {
        name: "androidWorkProfileCompliancePolicy",
        only_beta: false,
        properties: ANDROID,
        beta_properties: &[
            "advancedThreatProtectionRequiredSecurityLevel",
            "requiredPasswordComplexity",
            "roleScopeTagIds",
            "securityRequiredAndroidSafetyNetEvaluationType",
            "workProfilePasswordRequiredType",
        ],
    },
    PolicyType {
        name: "androidCompliancePolicy",
        only_beta: false,
        properties: ANDROID,
        beta_properties: &["roleScopeTagIds"],
    },
    PolicyType {
        name: "androidDeviceOwnerCompliancePolicy",
        only_beta: true,
        properties: &[
            "advancedThreatProtectionRequiredSecurityLevel",
            "deviceThreatProtectionEnabled",
            "deviceThreatProtectionRequiredSecurityLevel",
            "minAndroidSecurityPatchLevel",
            "osMaximumVersion",
            "osMinimumVersion",
            "passwordExpirationDays",
            "passwordMinimumLength",
            "passwordMinimumLetterCharacters",
            "passwordMinimumLowerCaseCharacters",
            "passwordMinimumNonLetterCharacters",
            "passwordMinimumNumericCharacters",
            "passwordMinimumSymbolCharacters",
            "passwordMinimumUpperCaseCharacters",
            "passwordMinutesOfInactivityBeforeLock",
            "passwordPreviousPasswordCountToBlock",
            "passwordRequired",
            "passwordRequiredType",
            "requireNoPendingSystemUpdates",
            "roleScopeTagIds",
            "securityRequireIntuneAppIntegrity",
            "securityRequireSafetyNetAttestationBasicIntegrity",
            "securityRequireSafetyNetAttestationCertifiedDevice",
            "securityRequiredAndroidSafetyNetEvaluationType",
            "storageRequireEncryption",
        ],
        beta_properties: &[],
    },
    PolicyType {
        name: "aospDeviceOwnerCompliancePolicy",
        only_beta: true,
        properties: &[
            "minAndroidSecurityPatchLevel",
            "osMaximumVersion",
            "osMinimumVersion",
            "passwordMinimumLength",
            "passwordMinutesOfInactivityBeforeLock",
            "passwordRequired",
            "passwordRequiredType",
            "requireNoPendingSystemUpdates",
            "roleScopeTagIds",
            "securityBlockJailbrokenDevices",
            "storageRequireEncryption",
        ],
        beta_properties: &[],
    },
];

/// What must be a number, what a text, and what `true` or `false`.
pub(super) fn expects(property: &str) -> Option<&'static str> {
    let whole = [
        "passwordExpirationDays",
        "passwordMinimumLength",
        "passwordMinimumCharacterSetCount",
        "passwordMinutesOfInactivityBeforeLock",
        "passwordPreviousPasswordBlockCount",
        "passcodeExpirationDays",
        "passcodeMinimumLength",
        "passcodeMinimumCharacterSetCount",
        "passcodeMinutesOfInactivityBeforeLock",
        "passcodePreviousPasscodeBlockCount",
    ];
    let text = ["description", "displayName", "name", "osMinimumVersion", "osMaximumVersion"];
    let types = ["passwordRequiredType", "passcodeRequiredType"];
    let flag = ["Enabled", "Required", "RequireEncryption", "BlockSimple", "JailbrokenDevices"];
    if whole.contains(&property) {
        Some("Edm.Int32")
    } else if text.contains(&property) || types.contains(&property) {
        Some("Edm.String")
    } else if flag.iter().any(|end| property.ends_with(end)) {
        Some("Edm.Boolean")
    } else {
        None
    }
}
