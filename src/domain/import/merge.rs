//! A list and a fleet, joined: which files are new, and which change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::field::Field;
use super::options::Options;
use super::problem::{Cell, Problem};
use super::record::{Record, Records, Value};
use crate::domain::fleet::Desired;
use crate::domain::manifest::edit::{Edit, To, edit};
use crate::domain::manifest::new_device::NewDevice;
use crate::domain::manifest::yaml::cut;
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::{
    DesiredDevice, DeviceSpec, HardwareHash, Name, OsVersion, SerialNumber,
};
use crate::domain::wording::{closest, quote};

/// A file that is new or changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// From the fleet directory.
    pub(crate) path: String,
    /// None where it is new.
    pub(crate) old: Option<String>,
    pub(crate) new: String,
}

/// What a list means for a fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// By path.
    pub(crate) files: Vec<FileChange>,
    /// All that is wrong, in the order of the list. Their devices are left out.
    pub(crate) problems: Vec<Problem>,
    /// Devices that get a manifest.
    pub(crate) added: u64,
    /// Devices whose manifest changes.
    pub(crate) changed: u64,
    /// Devices whose manifest says all of it already.
    pub(crate) unchanged: u64,
    /// Which record each new or changed document is of: by file, and by its number there.
    pub(crate) origins: BTreeMap<String, BTreeMap<usize, usize>>,
}

/// The text of a file of the fleet directory; nothing where there is none.
type Texts<'t> = &'t dyn Fn(&str) -> Result<Option<String>, String>;

/// Joins them. A device that has a manifest keeps it, wherever it is; its values become those of the
/// list, and what the list does not say stays.
pub(crate) fn merge(
    list: &Records,
    fleet: &Desired,
    options: &Options,
    texts: Texts<'_>,
) -> Merged {
    let mut merge = Merge {
        fleet,
        options,
        texts,
        names: names(fleet),
        unusable: unusable(fleet),
        files: BTreeMap::new(),
        edits: BTreeMap::new(),
        merged: Merged { problems: list.problems.clone(), ..Merged::default() },
    };
    for (n, record) in list.records.iter().enumerate() {
        match record.serial.as_ref().and_then(|serial| fleet.by_serial(serial)) {
            Some(device) => merge.known((n, record), device),
            None => merge.begin((n, record)),
        }
    }
    merge.finish()
}

/// A record and its number in the list.
type Numbered<'m> = (usize, &'m Record);

struct Merge<'m> {
    fleet: &'m Desired,
    options: &'m Options,
    texts: Texts<'m>,
    names: HashSet<String>,
    unusable: HashMap<SerialNumber, &'m Unusable>,
    /// New documents by the path of their file, each with the number of its record.
    files: BTreeMap<String, Vec<(String, Numbered<'m>)>>,
    /// Edits by file and line, and who asks for them.
    edits: BTreeMap<String, BTreeMap<u32, (Vec<Edit>, Numbered<'m>)>>,
    merged: Merged,
}

fn names(fleet: &Desired) -> HashSet<String> {
    let valid = fleet.devices.iter().map(|device| &device.spec.name);
    let others = fleet.unusable.iter().filter_map(|unusable| match &unusable.what {
        UnusableKind::Device { name, .. } => name.as_ref(),
        UnusableKind::ProfileOf { name, .. } => Some(name),
        UnusableKind::Directory | UnusableKind::File | UnusableKind::Unread => None,
    });
    valid.chain(others).map(Name::to_string).collect()
}

fn unusable(fleet: &Desired) -> HashMap<SerialNumber, &Unusable> {
    let serial = |unusable: &Unusable| match &unusable.what {
        UnusableKind::Device { serial, .. } => serial.clone(),
        UnusableKind::ProfileOf { serial, .. } => Some(serial.clone()),
        UnusableKind::Directory | UnusableKind::File | UnusableKind::Unread => None,
    };
    fleet.unusable.iter().filter_map(|unusable| Some((serial(unusable)?, unusable))).collect()
}

impl<'m> Merge<'m> {
    fn problem(&mut self, at: &Cell, what: impl Into<String>, help: impl Into<String>) {
        self.merged.problems.push(Problem::new(at, what, help));
    }

    /// Whether all profiles that it names are there.
    fn has_profile(&mut self, value: &Value) -> bool {
        let is_there = |name: &Name| name.as_str() == value.text;
        let known = &self.fleet.profiles;
        if known.keys().any(is_there) || self.fleet.unusable_profiles.iter().any(is_there) {
            return true;
        }
        let help = match closest(&value.text, known.keys().map(Name::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "write its manifest first, or correct the name".to_owned(),
        };
        self.problem(&value.at, format!("there is no profile {}", quote(&value.text)), help);
        false
    }

    /// Whether the profile is for the platform, or says itself which one.
    fn has_platform(&mut self, profile: &Value, platform: Option<&Value>) -> bool {
        let of = self.fleet.profiles.iter().find(|(name, _)| name.as_str() == profile.text);
        let Some((name, found)) = of else { return true };
        let all: Vec<&str> = found.platforms.iter().map(|platform| platform.as_str()).collect();
        match platform {
            None if all.len() > 1 => {
                let what =
                    format!("it names no platform, and profile {name} is for {}", all.join(", "));
                self.problem(
                    &profile.at,
                    what,
                    "add it, or give --platform for all devices without one",
                );
                false
            }
            Some(platform) if !all.contains(&platform.text.as_str()) => {
                let what = format!(
                    "profile {name} is not for {}, but for {}",
                    platform.text,
                    all.join(", ")
                );
                let help = "import the devices of each platform with a profile of its own";
                self.problem(&profile.at, what, help);
                false
            }
            _ => true,
        }
    }

    /// A device that has a manifest.
    fn known(&mut self, (n, record): Numbered<'m>, device: &DesiredDevice) {
        let changed: Vec<Edit> = record
            .values
            .iter()
            .filter(|(field, value)| differs(field, &value.text, &device.spec))
            .map(|(field, value)| Edit { path: field.path(), to: To::Text(value.text.clone()) })
            .collect();
        if changed.is_empty() {
            self.merged.unchanged += u64::from(!record.is_bad);
            return;
        }
        let before = self.merged.problems.len();
        if let Some(profile) = record.values.get(&Field::Profile) {
            self.has_profile(profile);
        }
        if let Some(name) = record.values.get(&Field::Name)
            && name.text != device.spec.name.as_str()
            && !self.names.insert(name.text.clone())
        {
            let what = format!("another device is called {} already", quote(&name.text));
            self.problem(&name.at, what, "choose another name");
        }
        if record.is_bad || self.merged.problems.len() > before {
            return;
        }
        self.merged.changed += 1;
        let of_file = self.edits.entry(device.place.path.to_string()).or_default();
        of_file.insert(device.place.line, (changed, (n, record)));
    }

    fn begin(&mut self, (n, record): Numbered<'m>) {
        let serial = record.serial.as_ref();
        if let Some(unusable) = serial.and_then(|serial| self.unusable.get(serial)) {
            let place = &unusable.place;
            let what = format!("its manifest, {} line {}, has findings", place.path, place.line);
            return self.problem(&record.at, what, "fix them first: `fleetform check` shows them");
        }
        let defaults = self.options.defaults.iter();
        let mut values: BTreeMap<Field, Value> = defaults
            .map(|(field, text)| {
                (field.clone(), Value { text: text.clone(), at: record.at.clone() })
            })
            .collect();
        values.extend(record.values.clone());
        let before = self.merged.problems.len();
        for (field, flag) in self.options.required {
            if !values.contains_key(field) && !record.is_settled(field) {
                let help = format!("add it, or give {flag} for all devices without one");
                self.problem(record.place(field), format!("{field} is missing"), help);
            }
        }
        if let Some(profile) = values.get(&Field::Profile) {
            let platform = values.get(&Field::Platform);
            let is_told = platform.is_none() && record.is_settled(&Field::Platform);
            let _ = self.has_profile(profile) && (is_told || self.has_platform(profile, platform));
        }
        let is_right = !record.is_bad && self.merged.problems.len() == before;
        let name = self.name(record, &values, is_right);
        let own = name.clone().unwrap_or_else(|| "x".to_owned());
        values.insert(Field::Name, Value { text: own, at: record.at.clone() });
        let path = self.path(record, &values);
        let (Some(serial), Some(name), Some(path)) = (serial, name, path) else { return };
        if is_right {
            self.put((n, record), serial, path, &name, &values);
        }
    }

    /// Where its manifest goes.
    fn path(&mut self, record: &Record, values: &BTreeMap<Field, Value>) -> Option<String> {
        let hole = match self.options.layout.path(|hole| hole_of(hole, record, values)) {
            Ok(path) => return Some(path),
            Err(hole) => hole,
        };
        self.unfilled(&hole, "--layout", record, values, &format!("or give --label {hole}=VALUE"));
        None
    }

    /// That there is nothing for a hole, unless it is said of its field already.
    fn unfilled(
        &mut self,
        hole: &str,
        flag: &str,
        record: &Record,
        values: &BTreeMap<Field, Value>,
        or: &str,
    ) {
        if let Some(value) = hole_of(hole, record, values) {
            let what = format!("{} in {{{hole}}} of {flag} gives no usable name", quote(&value));
            let help = format!("write it with letters A to Z or digits, {or}");
            return self.problem(record.place(&field_of(hole)), what, help);
        }
        let is_told = match field_of(hole) {
            Field::SerialNumber => true,
            field => {
                record.is_settled(&field)
                    || self.options.required.iter().any(|(required, _)| *required == field)
            }
        };
        if !is_told {
            let what = format!("there is no value for {{{hole}}} in {flag}");
            self.problem(record.place(&field_of(hole)), what, format!("add it, {or}"));
        }
    }

    /// Adds its manifest to a file.
    fn put(
        &mut self,
        (n, record): Numbered<'m>,
        serial: &SerialNumber,
        path: String,
        name: &str,
        values: &BTreeMap<Field, Value>,
    ) {
        if self.options.layout.is_single() {
            let is_taken =
                self.files.contains_key(&path) || !matches!((self.texts)(&path), Ok(None));
            if is_taken {
                let what = format!("{path} already exists, with something else in it");
                return self.problem(&record.at, what, "choose another --layout or --name");
            }
        }
        let text = |field: &Field| values.get(field).map(|value| value.text.as_str());
        let labels = values.iter().filter_map(|(field, value)| match field {
            Field::Label(key) => Some((key.as_str(), value.text.as_str())),
            _ => None,
        });
        let up = path.matches('/').count();
        let document = NewDevice {
            name,
            labels: labels.collect(),
            serial_number: serial.as_str(),
            user_email: text(&Field::UserEmail).unwrap_or_default(),
            profile: text(&Field::Profile).unwrap_or_default(),
            platform: text(&Field::Platform),
            os_version: text(&Field::OsVersion).unwrap_or_default(),
            ownership: text(&Field::Ownership),
            manufacturer: text(&Field::Manufacturer),
            model: text(&Field::Model),
            autopilot_hash: text(&Field::AutopilotHash),
        };
        let documents = self.files.entry(path).or_default();
        let is_first = documents.is_empty();
        let text = if is_first { document.file(up) } else { document.document() };
        documents.push((text, (n, record)));
        self.merged.added += 1;
    }

    /// What a new device is called: nobody else is. One that is not written gets no name but its own.
    fn name(
        &mut self,
        record: &Record,
        values: &BTreeMap<Field, Value>,
        is_right: bool,
    ) -> Option<String> {
        if let Some(given) = record.values.get(&Field::Name) {
            if self.names.insert(given.text.clone()) {
                return Some(given.text.clone());
            }
            let what = format!("another device is called {} already", quote(&given.text));
            self.problem(&given.at, what, "choose another name");
            return None;
        }
        match self.options.name.name(|hole| hole_of(hole, record, values)) {
            Ok(name) => is_right.then(|| self.unique(name)),
            Err(hole) if hole.is_empty() => {
                let help = "add one, or choose another --name";
                self.problem(&record.at, "no name can be made of it", help);
                None
            }
            Err(hole) => {
                self.unfilled(&hole, "--name", record, values, "or choose another --name");
                None
            }
        }
    }

    /// The name, with a number where it is taken.
    fn unique(&mut self, name: String) -> String {
        let mut free = name.clone();
        let mut n = 2;
        while !self.names.insert(free.clone()) {
            let end = format!("-{n}");
            let room = 63 - end.len();
            free =
                format!("{}{end}", name[..name.len().min(room)].trim_end_matches(['-', '.', '_']));
            n += 1;
        }
        free
    }

    fn finish(mut self) -> Merged {
        let paths: BTreeSet<String> = self.files.keys().chain(self.edits.keys()).cloned().collect();
        for path in paths {
            let added = self.files.remove(&path);
            let edits = self.edits.remove(&path).unwrap_or_default();
            let old = match (self.texts)(&path) {
                Ok(old) => old,
                Err(why) => {
                    self.merged.changed -= edits.len() as u64;
                    self.merged.added -= added.as_ref().map_or(0, Vec::len) as u64;
                    let edited = edits.values().map(|(_, (_, record))| record);
                    let added = added.iter().flatten().map(|(_, (_, record))| record);
                    for record in edited.chain(added) {
                        let what = format!("{path} cannot be read: {why}");
                        self.problem(
                            &record.at,
                            what,
                            "look at the file, or choose another --layout",
                        );
                    }
                    continue;
                }
            };
            let mut text = old.clone().unwrap_or_default();
            let begins: Vec<u32> = cut(text.as_bytes()).iter().map(|piece| piece.line).collect();
            let mut origins = BTreeMap::new();
            // From the last line to the first: what is added does not move what comes before it.
            for (line, (wanted, (n, record))) in edits.iter().rev() {
                match edit(&text, *line, wanted) {
                    Ok(edited) => {
                        let before = begins.partition_point(|begin| begin <= line);
                        origins.insert(before.saturating_sub(1), *n);
                        text = edited;
                    }
                    Err(why) => {
                        let what = format!("{path} line {line} cannot be edited: {why}");
                        let at = record.at.clone();
                        self.problem(&at, what, "edit it by hand");
                        self.merged.changed -= 1;
                    }
                }
            }
            for (k, (document, (n, _))) in added.into_iter().flatten().enumerate() {
                origins.insert(begins.len() + k, n);
                if !text.is_empty() {
                    if !text.ends_with('\n') {
                        text.push('\n');
                    }
                    text.push_str("---\n");
                }
                text.push_str(&document);
            }
            if old.as_deref() != Some(&text) {
                self.merged.origins.insert(path.clone(), origins);
                self.merged.files.push(FileChange { path, old, new: text });
            }
        }
        self.merged.problems.sort();
        self.merged.problems.dedup();
        self.merged
    }
}

/// Whether a manifest says something else.
fn differs(field: &Field, text: &str, spec: &DeviceSpec) -> bool {
    let hardware = spec.hardware.as_deref();
    match field {
        Field::SerialNumber => false,
        Field::Name => spec.name.as_str() != text,
        Field::UserEmail => spec.user_email.as_str() != text,
        Field::Profile => spec.profile.as_str() != text,
        Field::Platform => spec.platform.as_str() != text,
        Field::OsVersion => text.parse::<OsVersion>().as_ref() != Ok(&spec.os_version),
        Field::Ownership => spec.ownership.as_str() != text,
        Field::Manufacturer => {
            hardware.and_then(|hardware| hardware.manufacturer.as_deref()) != Some(text)
        }
        Field::Model => hardware.and_then(|hardware| hardware.model.as_deref()) != Some(text),
        Field::AutopilotHash => {
            let own = hardware.and_then(|hardware| hardware.autopilot_hash.as_ref());
            own != Some(&HardwareHash::new(text))
        }
        Field::Label(key) => spec.labels.get(key.as_str()).is_none_or(|own| *own != text),
    }
}

/// The field that fills a hole: by its short name, or a label by its key.
fn field_of(hole: &str) -> Field {
    match hole {
        "name" => Field::Name,
        "serial" => Field::SerialNumber,
        "user" | "email" => Field::UserEmail,
        "profile" => Field::Profile,
        "platform" => Field::Platform,
        "ownership" => Field::Ownership,
        "manufacturer" => Field::Manufacturer,
        "model" => Field::Model,
        label => Field::Label(label.to_owned()),
    }
}

/// What fills a hole.
fn hole_of(hole: &str, record: &Record, values: &BTreeMap<Field, Value>) -> Option<String> {
    let field = field_of(hole);
    if field == Field::SerialNumber {
        return record.serial.as_ref().map(SerialNumber::to_string);
    }
    let text = &values.get(&field)?.text;
    Some(if hole == "user" { text.split('@').next()? } else { text }.to_owned())
}
