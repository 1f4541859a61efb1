//! The JSON Schema (2020-12) of manifests, for editors and other tools.
//!
//! It accepts what [`crate::domain::manifest`] accepts, as far as a schema can tell: what YAML's own
//! rules forbid (duplicate keys, anchors), limits in bytes, and rules between fields or files
//! are not in it. Numbers and words are those of the code; a test compares on many manifests.

use serde_json::{Value, json};

pub(crate) use super::fields::Kind;

use super::fields::{self, API_VERSION, Mapping};
use super::limits::{
    MAX_EXEMPTION_REASON, MAX_HARDWARE, MAX_HASH, MAX_LABEL_KEY, MAX_LABEL_VALUE, MAX_LABELS,
};
use super::profile::{MAX_AGE_DAYS, MAX_DESCRIPTION, MAX_ITEM};
use crate::domain::model::{
    DesiredStatus, MIN_PIN_LENGTH, Ownership, Platform, PolicySource, WipeReason, WipeScope,
};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const NAME: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$";
const SERIAL: &str =
    "^(?=.{1,64}$)(?:[._-]+|(?=.*[A-Za-z0-9])[A-Za-z0-9._+/:-]+(?: [A-Za-z0-9._+/:-]+)*)$";
const VERSION: &str = r"^[0-9]{1,9}(\.[0-9]{1,9}){0,7}$";
const EMAIL: &str = r"^(?=.{1,254}$)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const ID: &str = "^D([0-9]{3}|[1-9][0-9]{3,9})$";
const LEDGER: &str = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
const GRAPH_ID: &str = "^[A-Za-z0-9_-]{1,64}$";
const HEAD: &str = "^[1-9][0-9]{0,15}:[0-9a-f]{64}$";
const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
/// No control and no bidirectional character.
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]*$";

/// The schema of one kind, or of all.
#[must_use]
pub(crate) fn of(kind: Option<Kind>) -> Value {
    let mut schema = match kind {
        Some(kind) => one(kind),
        None => json!({
            "description": "A manifest of a device fleet.",
            "type": "object",
            "required": ["apiVersion", "kind"],
            "properties": {"kind": {"enum": Kind::WORDS}},
            "oneOf": Kind::ALL.iter().map(|kind| one(*kind)).collect::<Value>(),
        }),
    };
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!(kind.map_or("Fleetform manifest", Kind::as_str));
    schema
}

fn one(kind: Kind) -> Value {
    let (description, spec) = match kind {
        Kind::Device => ("A device and its declared state.", device()),
        Kind::Profile => ("A configuration for many devices.", profile()),
        Kind::WipeRequest => {
            ("A request to wipe one device; alone in its file, signed beside it.", wipe())
        }
    };
    let name = text_of("Unique among manifests of its kind.", NAME);
    let metadata = match kind {
        Kind::Device => {
            let properties = json!({"name": name, "labels": labels()});
            object("What it is called.", &fields::DEVICE_METADATA, properties)
        }
        Kind::Profile | Kind::WipeRequest => {
            object("What it is called.", &fields::METADATA, json!({"name": name}))
        }
    };
    object(
        description,
        &fields::ROOT,
        json!({
            "apiVersion": {"const": API_VERSION, "description": "Version of the format."},
            "kind": {"const": kind, "description": "The kind of the manifest."},
            "metadata": metadata,
            "spec": spec,
        }),
    )
}

/// # Panics
/// If the properties are not the fields of the mapping.
fn object(description: &str, mapping: &Mapping, properties: Value) -> Value {
    let described = |name: &&str| properties.get(name).is_some();
    let all = mapping.all.iter().all(described);
    let count = properties.as_object().map(serde_json::Map::len);
    assert!(all && count == Some(mapping.all.len()), "the fields of {:?}", mapping.path);
    json!({
        "description": description,
        "type": "object",
        "required": mapping.required().collect::<Vec<_>>(),
        "properties": properties,
        "additionalProperties": false,
    })
}

fn text_of(description: &str, pattern: &str) -> Value {
    json!({"description": description, "type": "string", "pattern": pattern})
}

fn prose(description: &str, most: usize) -> Value {
    json!({"description": description, "type": "string", "minLength": 1, "maxLength": most,
           "pattern": PLAIN})
}

fn word(description: &str, words: &[&str]) -> Value {
    json!({"description": description, "enum": words})
}

fn with_default(mut schema: Value, default: Value) -> Value {
    schema["default"] = default;
    schema
}

fn labels() -> Value {
    json!({
        "description": "Labels to select devices by.",
        "type": "object",
        "maxProperties": MAX_LABELS,
        "propertyNames": {"minLength": 1, "maxLength": MAX_LABEL_KEY, "pattern": PLAIN},
        "additionalProperties": {"type": "string", "maxLength": MAX_LABEL_VALUE, "pattern": PLAIN},
    })
}

fn device() -> Value {
    let status = with_default(
        word("The status to bring it to; a wipe needs a WipeRequest.", DesiredStatus::WORDS),
        json!(DesiredStatus::Enrolled),
    );
    let ownership = with_default(
        word(
            "Who owns the hardware; personal devices are only wiped selectively.",
            Ownership::WORDS,
        ),
        json!(Ownership::Corporate),
    );
    let hardware = object(
        "What Intune needs to know of the hardware for some platforms.",
        &fields::HARDWARE,
        json!({
            "manufacturer": prose("As the firmware spells it.", MAX_HARDWARE),
            "model": prose("As the firmware spells it.", MAX_HARDWARE),
            "autopilotHash": {
                "description": "Base64 of the Windows Autopilot hardware hash.",
                "type": "string", "minLength": 1, "maxLength": MAX_HASH,
                "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
            },
        }),
    );
    let access = object(
        "Keeps its access for a while though it is not compliant.",
        &fields::ACCESS,
        json!({
            "exemptUntil": text_of("From then on it is over; at most 30 days ahead: RFC 3339.", TIME),
            "reason": prose("Why, for whoever reviews and audits it.", MAX_EXEMPTION_REASON),
        }),
    );
    object(
        "The declared state of the device.",
        &fields::DEVICE,
        json!({
            "serialNumber": text_of("As the device itself reports it; unique, case ignored.", SERIAL),
            "userEmail": text_of("The user whom it is assigned to.", EMAIL),
            "profile": text_of("Name of a Profile.", NAME),
            "platform": word(
                "May be left out where the profile has just one.", Platform::WORDS),
            "osVersion": text_of("The OS version at provisioning: dotted numbers.", VERSION),
            "ownership": ownership,
            "status": status,
            "enrollment": {
                "description": "Raise it to enroll again after Failed or Wiped.",
                "type": "integer", "minimum": 1, "maximum": u32::MAX, "default": 1,
            },
            "hardware": hardware,
            "access": access,
        }),
    )
}

fn profile() -> Value {
    let texts = |description: &str| json!({"description": description, "type": "array", "items": prose("", MAX_ITEM)});
    let required = || json!({"description": "Whether it is demanded at all.", "type": "boolean"});
    let minimum: serde_json::Map<String, Value> = Platform::WORDS
        .iter()
        .map(|platform| ((*platform).to_owned(), text_of("The oldest acceptable one.", VERSION)))
        .collect();
    let compliance = object(
        "What its devices are judged by; what is absent is not demanded.",
        &fields::COMPLIANCE,
        json!({
            "minimumOsVersion": object("By platform.", &fields::MINIMUM_OS_VERSION, minimum.into()),
            "antivirus": object("Antivirus must be on.", &fields::ANTIVIRUS, json!({
                "required": required(),
                "maxSignatureAgeDays": {
                    "description": "How old the signatures may be, in days.",
                    "type": "integer", "minimum": 0, "maximum": MAX_AGE_DAYS,
                },
            })),
            "encryption": object(
                "The disk must be encrypted.", &fields::ENCRYPTION, json!({"required": required()})),
            "screenLock": object("The screen must lock with a PIN.", &fields::SCREEN_LOCK, json!({
                "required": required(),
                "minPinLength": {
                    "description": "Digits of the PIN.",
                    "type": "integer", "minimum": MIN_PIN_LENGTH, "maximum": u32::MAX,
                    "default": MIN_PIN_LENGTH,
                },
            })),
        }),
    );
    let ids = |description: &str| json!({"description": description, "type": "array", "items": text_of("", GRAPH_ID)});
    let source = with_default(
        word("Where the compliance policy comes from.", PolicySource::WORDS),
        json!(PolicySource::Managed),
    );
    let intune = object(
        "What the profile is in Microsoft Intune.",
        &fields::INTUNE,
        json!({
            "group": text_of("Object id of the Entra group whose members get it.", GRAPH_ID),
            "configurationPolicies": ids("Ids of existing policies, to be assigned to the group."),
            "apps": ids("Ids of apps in Intune, to be assigned to the group."),
            "compliancePolicy": source,
        }),
    );
    object(
        "What its devices get.",
        &fields::PROFILE,
        json!({
            "description": prose("For people.", MAX_DESCRIPTION),
            "platforms": {
                "description": "The platforms that it serves.",
                "type": "array", "minItems": 1, "uniqueItems": true,
                "items": {"enum": Platform::WORDS},
            },
            "apps": texts("Apps to install, in this order."),
            "settings": {"description": "Free form, pushed as it is.", "type": "object"},
            "licenses": texts("Assigned to the user at enrollment."),
            "compliance": compliance,
            "intune": intune,
        }),
    )
}

fn wipe() -> Value {
    object(
        "Which device, how, and why.",
        &fields::WIPE_REQUEST,
        json!({
            "ledger": text_of(
                "The lineage of the ledger it is meant for; fleetform wipe new writes it.", LEDGER),
            "head": text_of(
                "A recent entry of that ledger's log, SEQ:HASH, where wipes.requireHead asks for it.",
                HEAD),
            "deviceId": text_of("Its id, as fleetform show tells it.", ID),
            "serialNumber": text_of("Must match the device that bears the id.", SERIAL),
            "scope": word("How much is erased.", WipeScope::WORDS),
            "reason": word("Why.", WipeReason::WORDS),
            "requestedBy": text_of("One of the signers.", EMAIL),
            "confirm": {"const": true, "description": "A wipe cannot be undone."},
            "issuedAt": text_of("When it was written: RFC 3339.", TIME),
            "expiresAt": text_of("From when on it is void: RFC 3339.", TIME),
        }),
    )
}

#[cfg(test)]
mod tests;
