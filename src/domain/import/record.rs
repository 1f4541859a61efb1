//! What one row says of a device: values that are valid by themselves, each with its place.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::damage::{HELP, damage, serial_damage, unwrapped, version_damage};
use super::field::Field;
use super::imei::is_imei;
use super::problem::{Cell, Problem};
use crate::domain::manifest::limits::{MAX_HARDWARE, MAX_HASH, MAX_LABEL_VALUE};
use crate::domain::model::{
    Email, HardwareHash, Invalid, Name, OsVersion, Ownership, Platform, SerialNumber, check_text,
    is_deceptive,
};
use crate::domain::wording::quote;

/// A value and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) at: Cell,
}

/// Where a field is that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    at: Cell,
    /// Whether that is a problem already.
    is_told: bool,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(super) at: Cell,
    /// There unless the record is bad.
    pub(super) serial: Option<SerialNumber>,
    /// All else that it says.
    pub(crate) values: BTreeMap<Field, Value>,
    serial_at: Cell,
    gaps: BTreeMap<Field, Gap>,
    /// Whether it has a problem: the rest of it is checked all the same, and nothing of it is written.
    pub(super) is_bad: bool,
}

impl Record {
    /// Where a field is, or should be.
    pub(super) fn place(&self, field: &Field) -> &Cell {
        if *field == Field::SerialNumber {
            return &self.serial_at;
        }
        let value = self.values.get(field).map(|value| &value.at);
        value.or(self.gaps.get(field).map(|gap| &gap.at)).unwrap_or(&self.at)
    }

    /// Whether it has a value for the field, or its problem is told already.
    pub(super) fn is_settled(&self, field: &Field) -> bool {
        self.values.contains_key(field) || self.gaps.get(field).is_some_and(|gap| gap.is_told)
    }
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
    gaps: BTreeMap<Field, Gap>,
    problems: &'p mut Vec<Problem>,
    /// Whether a value of it cannot be used.
    is_bad: bool,
}

impl<'p> Draft<'p> {
    pub(super) fn new(at: Cell, problems: &'p mut Vec<Problem>) -> Self {
        let (values, gaps) = (BTreeMap::new(), BTreeMap::new());
        Self { at, values, gaps, problems, is_bad: false }
    }

    /// Something about the row as a whole.
    pub(super) fn refuse(&mut self, at: &Cell, what: impl Into<String>, help: impl Into<String>) {
        self.is_bad = true;
        self.problems.push(Problem::new(at, what, help));
    }

    /// Something about a field, which has no value then.
    pub(super) fn refuse_field(
        &mut self,
        field: Field,
        at: Cell,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.refuse(&at, what, help);
        self.gaps.insert(field, Gap { at, is_told: true });
    }

    /// A value; an empty one says nothing.
    pub(super) fn put(&mut self, field: Field, text: &str, at: Cell) {
        let text = unwrapped(text).trim();
        if text.is_empty() {
            self.gaps.insert(field, Gap { at, is_told: false });
            return;
        }
        match checked(&field, text, &at) {
            Ok(text) => {
                self.values.insert(field, Value { text, at });
            }
            Err((what, help)) => self.refuse_field(field, at, what, help),
        }
    }

    /// The row. A device is known by its serial number: that there is none is a problem.
    pub(super) fn finish(mut self) -> Record {
        let (serial, serial_at) = match self.values.remove(&Field::SerialNumber) {
            // It was checked before.
            Some(Value { text, at }) => (text.parse().ok(), at),
            None => {
                let gap = self.gaps.get(&Field::SerialNumber).cloned();
                let Gap { at, is_told } =
                    gap.unwrap_or_else(|| Gap { at: self.at.clone(), is_told: false });
                if !is_told {
                    let help =
                        "a device is known by its serial number: add it, or leave the line out";
                    self.refuse(&at, "there is no serial number", help);
                }
                (None, at)
            }
        };
        let Self { at, values, gaps, problems: _, is_bad } = self;
        let is_bad = is_bad || serial.is_none();
        Record { at, serial, values, serial_at, gaps, is_bad }
    }
}

impl Records {
    /// Adds the rows, each serial number once.
    pub(super) fn keep(&mut self, records: impl IntoIterator<Item = Record>) {
        let mut first: HashMap<SerialNumber, u64> = HashMap::new();
        for mut record in records {
            if let Some(serial) = &record.serial {
                match first.entry(serial.clone()) {
                    Entry::Vacant(free) => {
                        free.insert(record.at.line);
                    }
                    Entry::Occupied(taken) => {
                        let what = format!(
                            "the serial number {} is in line {} already",
                            quote(serial.as_str()),
                            taken.get()
                        );
                        let problem =
                            Problem::new(&record.serial_at, what, "keep one of the lines");
                        self.problems.push(problem);
                        record.is_bad = true;
                    }
                }
            }
            self.records.push(record);
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
        Field::OsVersion => version_damage(text),
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
        Field::AutopilotHash if text.len() > MAX_HASH => {
            let what = format!(
                "the hardware hash is {} bytes long; at most {MAX_HASH} are allowed",
                text.len()
            );
            Err((what, "check that the cell has one hash and nothing else".to_owned()))
        }
        Field::AutopilotHash => Ok(text.to_owned()),
        Field::Label(_) if fold(&at.header) == "imei" && !is_imei(text) => {
            let what = format!(
                "{} is not an IMEI: 15 digits of which the last one checks the others",
                quote(text)
            );
            Err((what, format!("maybe leading zeros were lost: {HELP}")))
        }
        Field::Manufacturer | Field::Model => is(check_text(text, MAX_HARDWARE), "shorten it"),
        Field::Label(_) => is(check_text(text, MAX_LABEL_VALUE), "shorten it"),
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
