//! From the text of one JSON object to a report (docs/concepts.md).
//!
//! Each field is read by itself: what cannot be read is that fact alone, unknown, and its text
//! is kept for people. Only a report without a serial number or a date is none. `null` is not
//! given. Fields that this version does not know are passed over and named. Texts are made
//! harmless here, since they end up in the log and on terminals. Knows no files.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::command::CommandId;
use crate::domain::model::{
    AntivirusFact, EncryptionFact, Report, ReportedVersion, ScreenLockFact, SerialNumber,
    Timestamp, Unreadable,
};
use crate::domain::wording::harmless_within;

/// More is a mistake or malice: an outbox holds a handful of commands.
const COMPLETED_LIMIT: usize = 1000;
/// Bytes of an enrollment error: a sentence or two; it must fit a line of the log.
const TEXT_LIMIT: usize = 512;
/// Bytes of what is quoted of a field that cannot be read.
const QUOTE_LIMIT: usize = 100;

/// A report, and the names of fields in it that are not known.
#[derive(Debug)]
pub(super) struct Read {
    pub(crate) report: Report,
    pub(crate) unknown: Vec<String>,
}

/// Reads one report.
///
/// # Errors
/// Why it is none, in a sentence without a full stop.
pub(super) fn read(raw: &RawValue) -> Result<Read, String> {
    let fields = fields(raw).ok_or("a report is an object like {\"serialNumber\":…,\"at\":…}")?;
    let mut reader = Reader::default();
    let serial = fields.iter().find(|field| field.name == "serialNumber");
    let serial = serial.ok_or("`serialNumber` is missing")?;
    let mut date = None;
    let mut report = Report {
        mdm: None,
        serial_number: serial_number(serial.raw)?,
        at: None,
        os_version: None,
        antivirus: None,
        encryption: None,
        screen_lock: None,
        enrollment_error: None,
        wiped: false,
        completed: Vec::new(),
        unreadable: Unreadable::new(),
    };
    for Field { name, raw, twice } in fields {
        if twice && matches!(name.as_str(), "serialNumber" | "at") {
            return Err(format!("`{name}` is given twice"));
        }
        let given = Given { raw, twice };
        match name.as_str() {
            "serialNumber" => {}
            "at" => date = (!given.is_null()).then_some(given),
            "osVersion" => report.os_version = reader.fact("osVersion", given, version),
            "antivirus" => report.antivirus = reader.antivirus(given),
            "encryption" => report.encryption = reader.encryption(given),
            "screenLock" => report.screen_lock = reader.screen_lock(given),
            "enrollmentError" => report.enrollment_error = enrollment_error(raw),
            "wiped" => report.wiped = reader.fact("wiped", given, flag).unwrap_or(false),
            "completed" => report.completed = reader.completed(given),
            _ => reader.unknown.push(harmless_within(&name, QUOTE_LIMIT)),
        }
    }
    let date = date.ok_or("`at` is missing: the time at which the device made the report")?;
    report.at = reader.fact("at", date, time);
    report.unreadable = reader.unreadable;
    Ok(Read { report, unknown: reader.unknown })
}

/// What stands behind a name.
#[derive(Clone, Copy)]
struct Given<'a> {
    raw: &'a RawValue,
    /// Which of the two is meant, nobody knows.
    twice: bool,
}

impl Given<'_> {
    fn is_null(self) -> bool {
        self.raw.get() == "null" && !self.twice
    }
}

#[derive(Default)]
struct Reader {
    unreadable: Unreadable,
    unknown: Vec<String>,
}

impl Reader {
    /// A fact, or nothing where it is not given or cannot be read.
    fn fact<T>(
        &mut self,
        name: &str,
        given: Given<'_>,
        read: impl FnOnce(&RawValue) -> Option<T>,
    ) -> Option<T> {
        if given.is_null() {
            return None;
        }
        let value = if given.twice { None } else { read(given.raw) };
        if value.is_none() {
            let text = if given.twice { "given twice" } else { given.raw.get() };
            self.unreadable.insert(name.into(), harmless_within(text, QUOTE_LIMIT).into());
        }
        value
    }

    /// The fields of a group of facts.
    fn group<'a>(&mut self, name: &str, given: Given<'a>) -> Option<Vec<Field<'a>>> {
        let Given { raw, .. } = given;
        let mut read = None;
        self.fact(name, given, |_| {
            read = fields(raw);
            read.as_ref().map(|_| ())
        })?;
        read
    }

    fn not_known(&mut self, group: &str, name: &str) {
        self.unknown.push(harmless_within(&format!("{group}.{name}"), QUOTE_LIMIT));
    }

    fn antivirus(&mut self, given: Given<'_>) -> Option<AntivirusFact> {
        let mut fact = AntivirusFact::default();
        for Field { name, raw, twice } in self.group("antivirus", given)? {
            let given = Given { raw, twice };
            match name.as_str() {
                "enabled" => fact.enabled = self.fact("antivirus.enabled", given, flag),
                "signaturesUpdatedAt" => {
                    fact.signatures_updated_at =
                        self.fact("antivirus.signaturesUpdatedAt", given, time);
                }
                _ => self.not_known("antivirus", &name),
            }
        }
        Some(fact)
    }

    fn encryption(&mut self, given: Given<'_>) -> Option<EncryptionFact> {
        let mut fact = EncryptionFact::default();
        for Field { name, raw, twice } in self.group("encryption", given)? {
            match name.as_str() {
                "enabled" => {
                    fact.enabled = self.fact("encryption.enabled", Given { raw, twice }, flag);
                }
                _ => self.not_known("encryption", &name),
            }
        }
        Some(fact)
    }

    fn screen_lock(&mut self, given: Given<'_>) -> Option<ScreenLockFact> {
        let mut fact = ScreenLockFact::default();
        for Field { name, raw, twice } in self.group("screenLock", given)? {
            let given = Given { raw, twice };
            match name.as_str() {
                "enabled" => fact.enabled = self.fact("screenLock.enabled", given, flag),
                "pinLength" => fact.pin_length = self.fact("screenLock.pinLength", given, whole),
                _ => self.not_known("screenLock", &name),
            }
        }
        Some(fact)
    }

    /// The ids that can be read; one that cannot takes no other with it.
    fn completed(&mut self, given: Given<'_>) -> Vec<String> {
        let list = |raw: &RawValue| serde_json::from_str::<Vec<Value>>(raw.get()).ok();
        let listed = self.fact("completed", given, list).unwrap_or_default();
        let mut ids = Vec::new();
        for (index, value) in listed.iter().enumerate() {
            let id = value.as_str().and_then(|id| id.parse::<CommandId>().ok());
            match id.filter(|_| index < COMPLETED_LIMIT) {
                Some(id) => ids.push(id.to_string()),
                None => {
                    let text = harmless_within(&value.to_string(), QUOTE_LIMIT);
                    self.unreadable.entry("completed".into()).or_insert(text.into());
                }
            }
        }
        ids
    }
}

fn serial_number(raw: &RawValue) -> Result<SerialNumber, String> {
    let shown = || harmless_within(raw.get(), QUOTE_LIMIT);
    let text: String = serde_json::from_str(raw.get())
        .map_err(|_| format!("`serialNumber`: {} is not a string", shown()))?;
    text.parse().map_err(|why| format!("`serialNumber`: {} {why}", shown()))
}

fn flag(raw: &RawValue) -> Option<bool> {
    serde_json::from_str(raw.get()).ok()
}

fn time(raw: &RawValue) -> Option<Timestamp> {
    serde_json::from_str(raw.get()).ok()
}

/// A text; a whole number is one too (`"osVersion": 14`), but 17.10 has lost its last digit
/// before it was written, or has not.
fn version(raw: &RawValue) -> Option<ReportedVersion> {
    match serde_json::from_str(raw.get()).ok()? {
        Value::String(text) => Some(ReportedVersion::new(&text)),
        Value::Number(number) if number.is_u64() => Some(ReportedVersion::new(&number.to_string())),
        _ => None,
    }
}

/// A whole number, however it is written: 6.0 is 6.
fn whole(raw: &RawValue) -> Option<u32> {
    let number: f64 = serde_json::from_str(raw.get()).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "what is not exact is not taken")]
    #[expect(clippy::cast_sign_loss, reason = "likewise")]
    let whole = number as u32;
    (f64::from(whole) == number).then_some(whole)
}

/// An agent that fills in every field says `""`, 0 or false where there was no error; whatever
/// else it says is one, in words or not.
fn enrollment_error(raw: &RawValue) -> Option<String> {
    let text = match serde_json::from_str(raw.get()).ok()? {
        Value::Null | Value::Bool(false) => return None,
        Value::Number(number) if number.as_f64() == Some(0.0) => return None,
        Value::Array(list) if list.is_empty() => return None,
        Value::Object(object) if object.is_empty() => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    (!text.trim().is_empty()).then(|| harmless_within(&text, TEXT_LIMIT))
}

/// A name in an object and what stands behind it.
struct Field<'a> {
    name: String,
    raw: &'a RawValue,
    /// Whether the name stands there more than once.
    twice: bool,
}

/// The fields of an object, each once; `None` if the text is anything else.
fn fields(raw: &RawValue) -> Option<Vec<Field<'_>>> {
    struct Fields<'a>(Vec<Field<'a>>);
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Fields<'de>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
            let mut fields: Vec<Field<'de>> = Vec::new();
            while let Some((name, raw)) = map.next_entry::<String, &'de RawValue>()? {
                match fields.iter_mut().take(KNOWN_TWICE).find(|field| field.name == name) {
                    Some(field) => field.twice = true,
                    None => fields.push(Field { name, raw, twice: false }),
                }
            }
            Ok(Fields(fields))
        }
    }
    impl<'de> Deserialize<'de> for Fields<'de> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Members)
        }
    }
    serde_json::from_str::<Fields<'_>>(raw.get()).ok().map(|Fields(fields)| fields)
}

/// A name is looked for among so many before it: a report has ten fields, and an object of
/// thousands must not take the square of that. Beyond, the last of two counts.
const KNOWN_TWICE: usize = 64;
