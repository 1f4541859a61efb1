//! Which device the user means: by id, serial number or name, in this order.

use std::collections::{BTreeMap, BTreeSet};

use super::Failure;
use crate::model::{DeviceId, SerialNumber};
use crate::state::{Device, State};

/// The one device that `text` names.
///
/// A serial number, whatever its case, means the newest device that bears it; so does a name
/// that only one serial number has.
///
/// # Errors
/// If there is none, or several serial numbers bear the name.
pub fn device<'s>(state: &'s State, text: &str) -> Result<(DeviceId, &'s Device), Failure> {
    if let Ok(id) = text.parse::<DeviceId>()
        && let Some(device) = state.devices.get(&id)
    {
        return Ok((id, device));
    }
    if let Ok(serial) = text.parse::<SerialNumber>()
        && let Some(found) = state.by_serial(&serial)
    {
        return Ok(found);
    }
    let mut named = BTreeMap::new();
    for (id, device) in &state.devices {
        if device.spec.name.as_str() == text {
            named.insert(&device.spec.serial_number, (*id, &**device));
        }
    }
    let mut found: Vec<_> = named.into_values().collect();
    match found.len() {
        0 => Err(nobody(state, text)),
        1 => Ok(found.remove(0)),
        n => Err(several(text, n, &mut found)),
    }
}

/// Every device that an id or a serial number means: for the history of hardware over several ids.
///
/// # Errors
/// If there is none.
pub fn devices(state: &State, text: &str) -> Result<BTreeSet<DeviceId>, Failure> {
    let (id, device) = device(state, text)?;
    if text.parse() == Ok(id) {
        return Ok([id].into());
    }
    let serial = &device.spec.serial_number;
    let same = |device: &Device| device.spec.serial_number == *serial;
    Ok(state.devices.iter().filter(|(_, device)| same(device)).map(|(id, _)| *id).collect())
}

fn several(name: &str, n: usize, found: &mut [(DeviceId, &Device)]) -> Failure {
    found.sort_by_key(|(id, _)| *id);
    let list: Vec<_> = found
        .iter()
        .take(10)
        .map(|(id, device)| format!("{id} ({}, {})", device.spec.serial_number, device.status))
        .collect();
    let more = if n > list.len() { ", …" } else { "" };
    Failure::new(format!("{n} devices are named {name:?}: {}{more}", list.join(", ")))
        .help("name one by its id or serial number")
}

fn nobody(state: &State, text: &str) -> Failure {
    let failure = Failure::new(format!("no device has the id, serial number or name {text:?}"));
    let close = similar(state, text);
    if state.devices.is_empty() {
        failure.help(
            "there are no devices yet: fleetform apply provisions those of the fleet directory",
        )
    } else if close.is_empty() {
        failure.help("`fleetform list` shows all devices")
    } else {
        failure.help(format!("did you mean {}?", close.join(" or ")))
    }
}

/// Up to three ids, serial numbers or names that are close enough for a slip of the keyboard.
fn similar(state: &State, text: &str) -> Vec<String> {
    // Comparing takes time in the product of the lengths, and no name is longer than this.
    if text.len() > 128 {
        return Vec::new();
    }
    let wanted = text.to_lowercase();
    let mut close = BTreeMap::new();
    for (id, device) in &state.devices {
        let spec = &device.spec;
        for word in [id.to_string(), spec.serial_number.to_string(), spec.name.to_string()] {
            let alike = strsim::jaro_winkler(&wanted, &word.to_lowercase());
            if alike > 0.85 {
                close.insert(word, alike);
            }
        }
    }
    let mut close: Vec<_> = close.into_iter().collect();
    close.sort_by(|a, b| b.1.total_cmp(&a.1));
    close.into_iter().take(3).map(|(word, _)| word).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Status;
    use crate::render::testing::state;

    /// A fifth device with the serial number or the name of another one.
    fn with(like: &str, change: impl Fn(&mut crate::model::DeviceSpec)) -> State {
        let mut state = state();
        let mut device = state.devices[&like.parse().unwrap()].clone();
        change(Arc::make_mut(&mut device.spec));
        device.status = Status::Pending;
        state.devices.insert(state.next_id(), device);
        state.reindexed()
    }

    fn id(state: &State, text: &str) -> String {
        device(state, text).unwrap().0.to_string()
    }

    fn why(state: &State, text: &str) -> String {
        device(state, text).unwrap_err().render(false)
    }

    #[test]
    fn ids_before_serials_before_names() {
        let state = with("D004", |spec| {
            spec.serial_number = "D002".parse().unwrap();
            spec.name = "PF9".parse().unwrap();
        });
        for (text, expected) in [
            ("D001", "D001"),
            ("D002", "D002"),
            ("d002", "D005"),
            ("pf3xk9q2", "D001"),
            ("PF9", "D004"),
            ("bo-li-phone", "D002"),
        ] {
            assert_eq!(id(&state, text), expected, "{text}");
        }
    }

    #[test]
    fn hardware_provisioned_again_is_its_newest_device() {
        let state = with("D004", |_| ());
        assert_eq!(id(&state, "pf9"), "D005");
        assert_eq!(id(&state, "dora-novak-laptop"), "D005");
        assert_eq!(id(&state, "D004"), "D004");
        let all = |text| devices(&state, text).unwrap().into_iter().map(|id| id.to_string());
        assert_eq!(all("PF9").collect::<Vec<_>>(), ["D004", "D005"]);
        assert_eq!(all("D005").collect::<Vec<_>>(), ["D005"]);
    }

    #[test]
    fn a_name_of_several_is_an_error_that_lists_them() {
        let state = with("D004", |spec| spec.serial_number = "PF10".parse().unwrap());
        assert_eq!(
            why(&state, "dora-novak-laptop"),
            "error: 2 devices are named \"dora-novak-laptop\": D004 (PF9, Wiped), D005 (PF10, Pending)\n\
             help: name one by its id or serial number\n"
        );
    }

    #[test]
    fn a_slip_gets_a_suggestion() {
        let state = state();
        let text = why(&state, "ana-riuz-laptop");
        assert!(text.contains("help: did you mean ana-ruiz-laptop"), "{text}");
        assert!(why(&state, "d001").contains("did you mean D001"));
        assert!(why(&state, "zzz\u{1b}").ends_with("help: `fleetform list` shows all devices\n"));
        assert!(!why(&state, "zzz\u{1b}").contains('\u{1b}'));
        assert!(why(&state, &"x".repeat(1 << 20)).contains("fleetform list"));
        assert!(why(&State::default(), "D001").contains("no devices yet"));
    }
}
