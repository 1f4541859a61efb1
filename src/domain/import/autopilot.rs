//! The list of hardware hashes that is uploaded to Windows Autopilot, however its vendor spells it.

use super::field::Field;
use super::generic::{known, read_by};
use super::problem::Cell;
use super::record::{Mapping, Records, fold};
use crate::domain::model::Name;

/// Reads it. A group tag that is the name of a profile is the device's profile, as Fleetform itself
/// writes it; any other is a label.
pub(crate) fn read(bytes: &[u8], mapping: &Mapping, profiles: &[Name]) -> Records {
    let column = |header: &str| match fold(header).as_str() {
        "windowsproductid" | "productkey" => None,
        "hardwareidentifier" => Some(Field::AutopilotHash),
        "grouptag" | "ordertag" => Some(Field::Label(TAG.to_owned())),
        _ => known(header),
    };
    let mut read = read_by(bytes, mapping, column, |draft| {
        draft.put(Field::Platform, "windows", Cell::default());
    });
    for record in &mut read.records {
        let tag = record.values.get(&Field::Label(TAG.to_owned()));
        let is_profile = tag.is_some_and(|tag| {
            fold(&tag.at.header).ends_with("tag") && profiles.iter().any(|p| p.as_str() == tag.text)
        });
        if is_profile && !record.values.contains_key(&Field::Profile) {
            let tag = record.values.remove(&Field::Label(TAG.to_owned()));
            record.values.extend(tag.map(|tag| (Field::Profile, tag)));
        }
    }
    // It is there in every list, and means nothing here.
    read.unused
        .retain(|header| !matches!(fold(header).as_str(), "windowsproductid" | "productkey"));
    read
}

/// The label that a group tag becomes.
const TAG: &str = "groupTag";
