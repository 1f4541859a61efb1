//! The fields of each kind of manifest, once: the reader accepts these and no others, the schema
//! describes them, and `fleetform set` changes them.

use crate::domain::model::{Platform, words};

/// The one version of the format.
pub(super) const API_VERSION: &str = "fleetform/v1";

words! {
    /// What a manifest can be.
    pub(crate) enum Kind { Device = "Device", Profile = "Profile", WipeRequest = "WipeRequest" }
}

/// A mapping in a manifest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mapping {
    /// As findings call it; empty for the document itself.
    pub(super) path: &'static str,
    /// The names of its fields, in the order in which they are read and shown.
    pub(super) all: &'static [&'static str],
    /// Those that may be left out.
    pub(super) optional: &'static [&'static str],
    /// Those that are mappings with fields of their own.
    pub(super) nested: &'static [Mapping],
}

impl Mapping {
    /// The fields that must be there.
    pub(super) fn required(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().copied().filter(|name| !self.optional.contains(name))
    }

    /// The fields that hold a value, as paths from this mapping: `hardware.model`.
    pub(crate) fn leaves(&self) -> Vec<String> {
        let below = |name: &str| {
            let nested =
                self.nested.iter().find(|mapping| mapping.path.ends_with(&format!(".{name}")));
            match nested {
                None => vec![name.to_owned()],
                Some(mapping) => {
                    mapping.leaves().iter().map(|leaf| format!("{name}.{leaf}")).collect()
                }
            }
        };
        self.all.iter().flat_map(|name| below(name)).collect()
    }
}

pub(super) const ROOT: Mapping = Mapping {
    path: "",
    all: &["apiVersion", "kind", "metadata", "spec"],
    optional: &[],
    nested: &[],
};

/// `metadata` of a device.
pub(super) const DEVICE_METADATA: Mapping =
    Mapping { path: "metadata", all: &["name", "labels"], optional: &["labels"], nested: &[] };

/// `metadata` of everything else.
pub(super) const METADATA: Mapping =
    Mapping { path: "metadata", all: &["name"], optional: &[], nested: &[] };

/// `spec` of a Device.
pub(crate) const DEVICE: Mapping = Mapping {
    path: "spec",
    all: &[
        "serialNumber",
        "userEmail",
        "profile",
        "platform",
        "osVersion",
        "ownership",
        "status",
        "enrollment",
        "hardware",
        "access",
    ],
    optional: &["platform", "ownership", "status", "enrollment", "hardware", "access"],
    nested: &[HARDWARE, ACCESS],
};

/// `spec.access` of a Device.
pub(super) const ACCESS: Mapping =
    Mapping { path: "spec.access", all: &["exemptUntil", "reason"], optional: &[], nested: &[] };

/// `spec.hardware` of a Device.
pub(super) const HARDWARE: Mapping = Mapping {
    path: "spec.hardware",
    all: &["manufacturer", "model", "autopilotHash"],
    optional: &["manufacturer", "model", "autopilotHash"],
    nested: &[],
};

/// `spec` of a Profile.
pub(super) const PROFILE: Mapping = Mapping {
    path: "spec",
    all: &["description", "platforms", "apps", "settings", "licenses", "compliance", "intune"],
    optional: &["description", "apps", "settings", "licenses", "compliance", "intune"],
    nested: &[COMPLIANCE, INTUNE],
};

/// `spec.intune` of a Profile.
pub(super) const INTUNE: Mapping = Mapping {
    path: "spec.intune",
    all: &["group", "configurationPolicies", "apps", "compliancePolicy"],
    optional: &["configurationPolicies", "apps", "compliancePolicy"],
    nested: &[],
};

/// `spec.compliance` of a Profile.
pub(super) const COMPLIANCE: Mapping = Mapping {
    path: "spec.compliance",
    all: &["minimumOsVersion", "antivirus", "encryption", "screenLock"],
    optional: &["minimumOsVersion", "antivirus", "encryption", "screenLock"],
    nested: &[MINIMUM_OS_VERSION, ANTIVIRUS, ENCRYPTION, SCREEN_LOCK],
};

pub(super) const MINIMUM_OS_VERSION: Mapping = Mapping {
    path: "spec.compliance.minimumOsVersion",
    all: Platform::WORDS,
    optional: Platform::WORDS,
    nested: &[],
};

pub(super) const ANTIVIRUS: Mapping = Mapping {
    path: "spec.compliance.antivirus",
    all: &["required", "maxSignatureAgeDays"],
    optional: &["maxSignatureAgeDays"],
    nested: &[],
};

pub(super) const ENCRYPTION: Mapping =
    Mapping { path: "spec.compliance.encryption", all: &["required"], optional: &[], nested: &[] };

pub(super) const SCREEN_LOCK: Mapping = Mapping {
    path: "spec.compliance.screenLock",
    all: &["required", "minPinLength"],
    optional: &["minPinLength"],
    nested: &[],
};

/// `spec` of a WipeRequest.
pub(super) const WIPE_REQUEST: Mapping = Mapping {
    path: "spec",
    all: &[
        "ledger",
        "head",
        "deviceId",
        "serialNumber",
        "scope",
        "reason",
        "requestedBy",
        "confirm",
        "issuedAt",
        "expiresAt",
    ],
    optional: &["head"],
    nested: &[],
};

// How to write values of types that several fields have.
pub(super) const NAME_HELP: &str = "choose a name like ana-ruiz-laptop";
pub(super) const SERIAL_HELP: &str = "write what the device reports as its serial number; where that has other characters, \
     replace each by `-`, both here and in what the device reports";
pub(super) const EMAIL_HELP: &str = "write the user's address in full";
pub(super) const GRAPH_ID_HELP: &str = "copy the object id from the Entra or Intune admin center";
pub(super) const TIME_HELP: &str = "write it in UTC, like 2026-11-22T10:00:00Z";
pub(super) const VERSION_HELP: &str = "write it like \"10.0.26100\"";
