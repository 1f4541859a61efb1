//! The fields of a device that a list can give.

use std::fmt;
use std::str::FromStr;

use crate::domain::model::Invalid;
use crate::domain::wording::closest;

/// A field of a device manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Name,
    SerialNumber,
    UserEmail,
    Profile,
    Platform,
    OsVersion,
    Ownership,
    Manufacturer,
    Model,
    AutopilotHash,
    /// By its key.
    Label(String),
}

/// All but labels, as manifests spell them.
const ALL: [(Field, &str); 10] = [
    (Field::Name, "name"),
    (Field::SerialNumber, "serialNumber"),
    (Field::UserEmail, "userEmail"),
    (Field::Profile, "profile"),
    (Field::Platform, "platform"),
    (Field::OsVersion, "osVersion"),
    (Field::Ownership, "ownership"),
    (Field::Manufacturer, "hardware.manufacturer"),
    (Field::Model, "hardware.model"),
    (Field::AutopilotHash, "hardware.autopilotHash"),
];

impl Field {
    /// The keys that lead to it in a manifest.
    pub(crate) fn path(&self) -> Vec<String> {
        let owner = match self {
            Self::Name | Self::Label(_) => "metadata",
            _ => "spec",
        };
        if let Self::Label(key) = self {
            return vec![owner.to_owned(), "labels".to_owned(), key.clone()];
        }
        let name = self.to_string();
        std::iter::once(owner).chain(name.split('.')).map(str::to_owned).collect()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => write!(f, "labels.{key}"),
            known => f.write_str(ALL.iter().find(|(field, _)| field == known).map_or("", |f| f.1)),
        }
    }
}

impl FromStr for Field {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bare = text.strip_prefix("spec.").or(text.strip_prefix("metadata.")).unwrap_or(text);
        if let Some(key) = bare.strip_prefix("labels.").filter(|key| !key.is_empty()) {
            return Ok(Self::Label(key.to_owned()));
        }
        let is = |name: &str| {
            let short = name.strip_prefix("hardware.").unwrap_or(name);
            name.eq_ignore_ascii_case(bare) || short.eq_ignore_ascii_case(bare)
        };
        if let Some((field, _)) = ALL.iter().find(|(_, name)| is(name)) {
            return Ok(field.clone());
        }
        let names = || ALL.iter().map(|(_, name)| *name);
        Err(Invalid(match closest(bare, names()) {
            Some(meant) => format!("is not a field of a device; did you mean {meant}?"),
            None => {
                let all: Vec<&str> = names().collect();
                format!("is not a field of a device; there are {} and labels.KEY", all.join(", "))
            }
        }))
    }
}
