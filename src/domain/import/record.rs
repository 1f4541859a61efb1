//! What one row says of a device: values that are valid by themselves, each with its place.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::damage::{HELP, damage, serial_damage, unwrapped};
use super::field::Field;
use super::imei::is_imei;
use super::problem::{Cell, Problem};
use crate::domain::model::{
    Email, HardwareHash, Invalid, Name, OsVersion, Ownership, Platform, SerialNumber, check_text,
    is_deceptive,
};
use crate::domain::wording::quote;

/// Bytes of a text for people: what manifests allow.
const MOST: usize = 256;

/// A value and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) at: Cell,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) at: Cell,
    pub(crate) serial: SerialNumber,
    /// All else that it says.
    pub(crate) values: BTreeMap<Field, Value>,
}

/// What a list says, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Records {
    pub(crate) records: Vec<Record>,
    pub(crate) problems: Vec<Problem>,
    /// Columns of which nothing is taken.
    pub(crate) unused: Vec<String>,
    /// What else whoever imports it should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Which column is which field, as somebody said: `COLUMN=FIELD`, or `COLUMN=` for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapping(pub(crate) Vec<(String, Option<Field>)>);

impl Mapping {
    /// What somebody said of a column; nothing where nobody did.
    pub(super) fn find(&self, header: &str) -> Option<Option<Field>> {
        let wanted = |(name, _): &&(String, Option<Field>)| fold(name) == fold(header);
        self.0.iter().find(wanted).map(|(_, field)| field.clone())
    }

    /// Problems of columns that are mapped and not there.
    pub(super) fn missing(&self, headers: &[String], at: &Cell) -> Vec<Problem> {
        let is_there = |name: &str| headers.iter().any(|header| fold(header) == fold(name));
        let absent = self.0.iter().filter(|(name, _)| !is_there(name));
        absent
            .map(|(name, _)| {
                let what = format!("there is no column {}", quote(name));
                Problem::new(at, what, format!("there are {}", headers.join(", ")))
            })
            .collect()
    }
}

/// A header as it is compared: letters and digits in lower case.
pub(super) fn fold(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A row in the making.
pub(super) struct Draft<'p> {
    at: Cell,
    values: BTreeMap<Field, Value>,
    problems: &'p mut Vec<Problem>,
    /// Whether a value of it cannot be used.
    is_bad: bool,
}

impl<'p> Draft<'p> {
    pub(super) fn new(line: u64, problems: &'p mut Vec<Problem>) -> Self {
        Self { at: Cell::line(line), values: BTreeMap::new(), problems, is_bad: false }
    }

    /// Something about the row as a whole.
    pub(super) fn refuse(&mut self, at: &Cell, what: impl Into<String>, help: impl Into<String>) {
        self.is_bad = true;
        self.problems.push(Problem::new(at, what, help));
    }

    /// A value; an empty one says nothing.
    pub(super) fn put(&mut self, field: Field, text: &str, at: Cell) {
        let text = unwrapped(text).trim();
        if text.is_empty() {
            return;
        }
        match checked(&field, text, &at) {
            Ok(text) => {
                self.values.insert(field, Value { text, at });
            }
            Err((what, help)) => self.refuse(&at, what, help),
        }
    }

    /// The row, if its device is known by it; else that is a problem.
    pub(super) fn finish(mut self) -> Option<Record> {
        let serial = self.values.remove(&Field::SerialNumber);
        let Some(Value { text, .. }) = serial else {
            if !self.is_bad {
                let help = "a device is known by its serial number: add it, or leave the line out";
                self.problems.push(Problem::new(&self.at, "there is no serial number", help));
            }
            return None;
        };
        // It was checked before.
        let serial = text.parse().ok().filter(|_| !self.is_bad)?;
        Some(Record { at: self.at, serial, values: self.values })
    }
}

impl Records {
    /// Adds the rows, each serial number once.
    pub(super) fn keep(&mut self, records: impl IntoIterator<Item = Record>) {
        let mut first: HashMap<SerialNumber, u64> = HashMap::new();
        for record in records {
            match first.entry(record.serial.clone()) {
                Entry::Vacant(free) => {
                    free.insert(record.at.line);
                    self.records.push(record);
                }
                Entry::Occupied(taken) => {
                    let serial = quote(record.serial.as_str());
                    let what =
                        format!("the serial number {serial} is in line {} already", taken.get());
                    self.problems.push(Problem::new(&record.at, what, "keep one of the lines"));
                }
            }
        }
    }
}

type Wrong = (String, String);

/// The value as a manifest has it.
fn checked(field: &Field, text: &str, at: &Cell) -> Result<String, Wrong> {
    if let Some(c) = text.chars().find(|c| is_deceptive(*c)) {
        let what = format!(
            "{} has the control or bidirectional character U+{:04X}",
            quote(text),
            u32::from(c)
        );
        return Err((what, "remove it".to_owned()));
    }
    let damaged = match field {
        Field::SerialNumber => serial_damage(text),
        _ => damage(text),
    };
    if let Some(why) = damaged {
        return Err((format!("{} {why}", quote(text)), HELP.to_owned()));
    }
    let is = |valid: Result<(), Invalid>, help: &str| match valid {
        Ok(()) => Ok(text.to_owned()),
        Err(why) => Err((format!("{} {why}", quote(text)), help.to_owned())),
    };
    match field {
        Field::SerialNumber => serial(text),
        Field::Name => is(text.parse::<Name>().map(drop), "leave names to --name, or correct it"),
        Field::UserEmail => is(text.parse::<Email>().map(drop), "write the address in full"),
        Field::Profile => is(text.parse::<Name>().map(drop), "write the name of a profile"),
        Field::Platform => platform(text).map(|p| p.as_str().to_owned()).ok_or_else(|| {
            let what = format!("{} is not a platform", quote(text));
            (what, format!("write one of {}", Platform::WORDS.join(", ")))
        }),
        Field::Ownership => ownership(text).map(|o| o.as_str().to_owned()).ok_or_else(|| {
            (
                format!("{} does not say who owns it", quote(text)),
                "write corporate or personal".into(),
            )
        }),
        Field::OsVersion => version(text).ok_or_else(|| {
            let what =
                format!("{} is not a version of dotted numbers like 10.0.26100", quote(text));
            (what, "correct it, or leave the cell empty and give --os".into())
        }),
        Field::AutopilotHash if !HardwareHash::is_base64(text) => {
            // Without the text: nearly a hash may be enough of one.
            let help = "copy it again as Get-WindowsAutopilotInfo prints it, on one line";
            Err(("the hardware hash is not base64".to_owned(), help.to_owned()))
        }
        Field::AutopilotHash => Ok(text.to_owned()),
        Field::Label(_) if fold(&at.header) == "imei" && !is_imei(text) => {
            let what = format!(
                "{} is not an IMEI: 15 digits of which the last one checks the others",
                quote(text)
            );
            Err((what, format!("maybe leading zeros were lost: {HELP}")))
        }
        Field::Manufacturer | Field::Model | Field::Label(_) => {
            is(check_text(text, MOST), "shorten it")
        }
    }
}

fn serial(text: &str) -> Result<String, Wrong> {
    let serial: SerialNumber = text.parse().map_err(|why: Invalid| {
        (
            format!("{} {why}", quote(text)),
            "replace other characters by `-`, here and in what the device reports".into(),
        )
    })?;
    if serial.is_placeholder() {
        let what = format!(
            "{} stands for a missing serial number; many machines have the same",
            quote(text)
        );
        return Err((what, "write a serial number of the device's own, or an asset tag".into()));
    }
    Ok(text.to_owned())
}

/// In the words of whoever wrote the list.
pub(super) fn platform(text: &str) -> Option<Platform> {
    let word = fold(text);
    if word.starts_with("windows") || word.starts_with("microsoftwindows") {
        return Some(Platform::Windows);
    }
    if word.starts_with("macos") || word == "osx" || word == "mac" {
        return Some(Platform::Macos);
    }
    if ["ios", "ipados", "iphone", "ipad"].iter().any(|name| word.starts_with(name)) {
        return Some(Platform::Ios);
    }
    word.starts_with("android").then_some(Platform::Android)
}

fn ownership(text: &str) -> Option<Ownership> {
    match fold(text).as_str() {
        "corporate" | "company" | "corp" => Some(Ownership::Corporate),
        "personal" | "byod" => Some(Ownership::Personal),
        _ => None,
    }
}

/// The dotted numbers, without what vendors write after them: `15.1 (24B83)`.
fn version(text: &str) -> Option<String> {
    let number = text.split([' ', '(']).next().unwrap_or_default();
    number.parse::<OsVersion>().ok().map(|version| version.as_str().to_owned())
}
