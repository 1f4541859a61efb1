//! The device that the user means, or a failure that helps to name it.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::Failure;
use crate::domain::lookup::{self, By, Error, Word};
use crate::domain::model::DeviceId;
use crate::domain::state::{Device, State};

/// The one device that `text` names: see [`crate::domain::lookup`].
///
/// # Errors
/// If there is none, or there are several.
pub(crate) fn device<'s>(state: &'s State, text: &str) -> Result<(DeviceId, &'s Device), Failure> {
    find(state, text).map(|(id, device, _)| (id, device))
}

/// Every device that an id or a serial number means: for the history of hardware over several ids.
///
/// # Errors
/// If there is none, or there are several.
pub(crate) fn devices(state: &State, text: &str) -> Result<BTreeSet<DeviceId>, Failure> {
    let (id, device, by) = find(state, text)?;
    if by == By::Id {
        return Ok([id].into());
    }
    let serial = &device.spec.serial_number;
    let same = |device: &Device| device.spec.serial_number == *serial;
    Ok(state.devices.iter().filter(|(_, device)| same(device)).map(|(id, _)| *id).collect())
}

fn find<'s>(state: &'s State, text: &str) -> Result<(DeviceId, &'s Device, By), Failure> {
    lookup::device(state, text).map_err(|why| match &why {
        Error::Nobody(_) => nobody(state, text),
        Error::Ambiguous(several) => Failure::new(several.to_string()).help(several.help()),
    })
}

fn nobody(state: &State, text: &str) -> Failure {
    let failure = Failure::new(format!("no device has the id, serial number or name {text:?}"));
    let close = similar(state, text);
    if state.devices.is_empty() {
        failure.help(
            "there are no devices yet: `fleetform apply` provisions the devices of the fleet \
             directory",
        )
    } else if close.is_empty() {
        failure.help("`fleetform list` shows all devices")
    } else {
        failure.help(format!("did you mean {}?", close.join(" or ")))
    }
}

/// Up to three ids, serial numbers or names that are close enough for a slip of the keyboard.
fn similar(state: &State, text: &str) -> Vec<String> {
    let text = Word::new(text).text();
    let mut close = BTreeMap::new();
    for (id, device) in state.devices.iter() {
        let spec = &device.spec;
        for word in [id.to_string(), spec.serial_number.to_string(), spec.name.to_string()] {
            if let Some(alike) = lookup::likeness(text, &word) {
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
    use crate::domain::model::Status;
    use crate::ui::render::testing::state;

    /// A fifth device with the serial number or the name of another one.
    fn with(like: &str, change: impl Fn(&mut crate::domain::model::DeviceSpec)) -> State {
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
    fn a_word_of_two_devices_is_refused_with_both() {
        let state = with("D004", |spec| {
            spec.serial_number = "D002".parse().unwrap();
            spec.name = "PF9".parse().unwrap();
        });
        assert_eq!(
            why(&state, "d002"),
            "error: \"d002\" fits 2 devices: D002 (serial C39ZZ1, name bo-li-phone, Enrolled), \
             D005 (serial D002, name PF9, Pending)\n\
             help: say which one: id=D002 or id=D005\n"
        );
        let all = devices(&state, "D002").unwrap_err().render(false);
        assert!(all.contains("fits 2 devices"), "{all}");
        for (text, expected) in [
            ("D001", "D001"),
            ("d001", "D001"),
            ("id=D002", "D002"),
            ("serial=D002", "D005"),
            ("name=PF9", "D005"),
            ("serial=pf9", "D004"),
            ("pf3xk9q2", "D001"),
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
            "error: \"dora-novak-laptop\" fits 2 devices: D004 (serial PF9, name dora-novak-laptop, \
             Wiped), D005 (serial PF10, name dora-novak-laptop, Pending)\n\
             help: say which one: id=D004 or id=D005\n"
        );
    }

    #[test]
    fn a_slip_gets_a_suggestion() {
        let state = state();
        let text = why(&state, "ana-riuz-laptop");
        assert!(text.contains("help: did you mean ana-ruiz-laptop"), "{text}");
        assert!(why(&state, "d01").contains("did you mean D001"));
        assert!(why(&state, "name=ana-riuz-laptop").contains("did you mean ana-ruiz-laptop"));
        assert!(why(&state, "zzz\u{1b}").ends_with("help: `fleetform list` shows all devices\n"));
        assert!(!why(&state, "zzz\u{1b}").contains('\u{1b}'));
        assert!(why(&state, &"x".repeat(1 << 20)).contains("fleetform list"));
        assert!(why(&State::default(), "D001").contains("no devices yet"));
    }
}
