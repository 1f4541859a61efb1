//! Which record of Intune a wipe is for, and whether that record may be wiped. Nothing is asked here.

use super::observe;
use super::rows::ManagedDevice;
use crate::domain::model::{GraphId, MdmOwnership, SerialNumber, WipeScope};

/// What a record that was read right before says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fitness {
    /// It may be wiped.
    Fit,
    /// Intune has our command for it already: nothing is to be sent.
    HasTheCommand,
}

/// The one record of a serial number, of those that a filter found and those that a list had before.
///
/// # Errors
/// If there is none, or more than one, or nobody knows: then nothing may be wiped.
pub(super) fn the_one(
    serial: &SerialNumber,
    found: &[ManagedDevice],
    known: impl IntoIterator<Item = GraphId>,
    is_all: bool,
) -> Result<GraphId, String> {
    let found = found.iter().filter(|row| row.serial().as_ref() == Some(serial));
    let mut ids: Vec<GraphId> = found.filter_map(ManagedDevice::graph_id).chain(known).collect();
    ids.sort();
    ids.dedup();
    match (ids.as_slice(), is_all) {
        ([id], true) => Ok(id.clone()),
        ([], true) => Err(format!("Intune has no device with serial number {serial}")),
        ([] | [_], false) => Err(format!(
            "Intune told only a part of its records of serial number {serial}: whether there is exactly one is \
             not known, and it is asked again"
        )),
        (ids, _) => {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            Err(format!(
                "Intune has several records of serial number {serial} ({}); delete those that are not \
                 this device in the Intune admin center, and it continues",
                ids.join(", ")
            ))
        }
    }
}

/// Whether the record that was read just now may be wiped.
///
/// # Errors
/// If it is another device, or may not be wiped so: never, whatever is tried.
pub(super) fn fitness(
    serial: &SerialNumber,
    scope: WipeScope,
    device: &ManagedDevice,
    id: &GraphId,
) -> Result<Fitness, String> {
    if device.serial().as_ref() != Some(serial) || device.graph_id().as_ref() != Some(id) {
        let other = device.serial_number.as_deref().unwrap_or("none");
        let is = device.id.as_str();
        return Err(format!(
            "Intune answered for record {id} with record {is} of serial number {other}, and not of {serial}"
        ));
    }
    let ownership = device.ownership();
    if scope == WipeScope::Full && ownership != MdmOwnership::Company {
        return Err(format!(
            "Intune has the owner of the device as {ownership}: a full wipe is for company devices only. \
             Sign a selective wipe, or correct the ownership in the Intune admin center and sign a new \
             request"
        ));
    }
    let has = observe::pending(device.management(), scope).is_some();
    Ok(if has { Fitness::HasTheCommand } else { Fitness::Fit })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(id: &str, serial: &str, owner: &str, management: &str) -> ManagedDevice {
        serde_json::from_value(json!({"id": id, "serialNumber": serial,
            "managedDeviceOwnerType": owner, "managementState": management}))
        .unwrap()
    }

    fn id(text: &str) -> GraphId {
        text.parse().unwrap()
    }

    #[test]
    fn a_serial_number_leads_to_one_record_or_to_none() {
        let serial = "PF3".parse().unwrap();
        let found = |ids: &[&str]| -> Vec<_> {
            ids.iter().map(|id| row(id, "PF3", "company", "managed")).collect()
        };
        let (none, several) = ("has no device", "several records of serial number PF3 (a-1, b-2)");
        let part = "told only a part";
        for (rows, known, is_all, expected) in [
            (&["a-1"][..], &[][..], true, Ok("a-1")),
            (&["a-1"], &["a-1"], true, Ok("a-1")),
            (&[], &["a-1"], true, Ok("a-1")),
            (&[], &[], true, Err(none)),
            (&["a-1", "b-2"], &[], true, Err(several)),
            // The filter lags behind, and the list had another one.
            (&["a-1"], &["b-2"], true, Err(several)),
            (&[], &["a-1", "b-2"], true, Err(several)),
            (&["a-1"], &[], false, Err(part)),
            (&[], &[], false, Err(part)),
            (&[], &["a-1"], false, Err(part)),
            (&["a-1", "b-2"], &[], false, Err(several)),
        ] {
            let known = known.iter().map(|text| id(text));
            let one = the_one(&serial, &found(rows), known, is_all);
            match (one, expected) {
                (Ok(one), Ok(expected)) => assert_eq!(one, id(expected)),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{rows:?}: {why}"),
                (one, expected) => panic!("{rows:?}: {one:?}, not {expected:?}"),
            }
        }
        let other =
            [row("c-3", "PF33", "company", "managed"), row("d-4", "", "company", "managed")];
        assert!(the_one(&serial, &other, [], true).unwrap_err().contains(none));
    }

    #[test]
    fn only_the_device_itself_is_wiped_and_in_full_only_if_it_is_the_companys() {
        use Fitness::{Fit, HasTheCommand};
        use WipeScope::{Full, Selective};
        let another = "and not of PF3";
        for (device, scope, expected) in [
            (row("a-1", "PF3", "company", "managed"), Full, Ok(Fit)),
            (row("a-1", "PF3", "company", "managed"), Selective, Ok(Fit)),
            (row("a-1", "PF3", "personal", "managed"), Selective, Ok(Fit)),
            (row("a-1", "PF3", "unknown", "managed"), Selective, Ok(Fit)),
            (
                row("a-1", "PF3", "personal", "managed"),
                Full,
                Err("owner of the device as personal"),
            ),
            (row("a-1", "PF3", "unknown", "managed"), Full, Err("owner of the device as unknown")),
            (row("a-1", "PF3", "", "managed"), Full, Err("owner of the device as unknown")),
            // A word of tomorrow is no company.
            (row("a-1", "PF3", "companyShared", "managed"), Full, Err("as unknown")),
            (row("a-1", "PF4", "company", "managed"), Full, Err(another)),
            (row("a-1", "", "company", "managed"), Full, Err(another)),
            (row("a-1", "PF4", "company", "managed"), Selective, Err(another)),
            (row("b-2", "PF3", "company", "managed"), Full, Err(another)),
            // Another device, though it has a command: that is none of ours.
            (row("a-1", "PF4", "company", "wipePending"), Full, Err(another)),
            (row("a-1", "PF3", "company", "wipePending"), Full, Ok(HasTheCommand)),
            (row("a-1", "PF3", "company", "retirePending"), Selective, Ok(HasTheCommand)),
        ] {
            let serial = "PF3".parse().unwrap();
            let is = fitness(&serial, scope, &device, &id("a-1"));
            match (is, expected) {
                (Ok(is), Ok(expected)) => assert_eq!(is, expected, "{device:?}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{device:?}: {why}"),
                (is, expected) => panic!("{device:?} {scope:?}: {is:?}, not {expected:?}"),
            }
        }
    }
}
