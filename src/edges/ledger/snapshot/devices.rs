//! The devices of a snapshot: never more than some thousand as text in memory.

use std::fmt;
use std::io::{self, Write};

use rayon::prelude::*;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::device::{DeviceIn, DeviceOut};
use super::layout;
use crate::domain::model::DeviceId;
use crate::domain::shares;
use crate::domain::state::{self, Device, State};
use crate::edges::ledger::intern::Interner;

/// Devices that one thread writes at a time.
const SHARE: usize = 128;

/// Each becomes what the core knows as soon as it is read.
#[derive(Default)]
pub(super) struct Devices(pub(super) state::Devices);

impl Devices {
    pub(super) fn collect(mut devices: Vec<(DeviceId, Device)>) -> Result<Self, String> {
        devices.sort_unstable_by_key(|(id, _)| *id);
        if let Some(twice) = devices.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("{} is there twice", twice[0].0));
        }
        Ok(Self(devices.into_iter().collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Devices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ById;
        impl<'de> Visitor<'de> for ById {
            type Value = Devices;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("devices by id")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Devices, A::Error> {
                let mut share = Interner::default();
                let mut devices = Vec::new();
                while let Some((id, device)) = map.next_entry::<DeviceId, DeviceIn>()? {
                    devices.push((id, device.device(&mut share).map_err(A::Error::custom)?));
                }
                Devices::collect(devices).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_map(ById)
    }
}

/// A device, and its name in the snapshot.
pub(super) type Named<'a> = (DeviceId, &'a Device);

/// Whether what no line of the log says is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telemetry {
    With,
    Without,
}

/// What stands before the devices.
pub(super) const BEFORE: &[u8] = b"\n  \"devices\": {";
/// What stands after them.
pub(super) const AFTER: &[u8] = b"\n  }";

/// All devices in the order of their names as texts: `D1000` comes before `D200`.
pub(super) fn by_name(state: &State) -> Vec<Named<'_>> {
    let devices = state.devices.iter();
    let mut by_name: Vec<((u64, u32), Named<'_>)> =
        devices.map(|(id, device)| (order(id.number()), (*id, device))).collect();
    by_name.par_sort_unstable_by_key(|(order, _)| *order);
    by_name.into_iter().map(|(_, named)| named).collect()
}

/// What sorts names as texts: their digits with zeros after them, and of equal ones the shorter first.
fn order(number: u32) -> (u64, u32) {
    let digits = number.max(1).ilog10().max(2) + 1;
    (u64::from(number) * 10_u64.pow(10 - digits), digits)
}

/// `"D001": {…}` as it stands within the whole, with its newline before it and no comma after it.
pub(super) fn member_out(
    (id, device): Named<'_>,
    telemetry: Telemetry,
    text: &mut Vec<u8>,
) -> io::Result<()> {
    let out = match telemetry {
        Telemetry::With => DeviceOut::from(device),
        Telemetry::Without => DeviceOut::of_log(device),
    };
    write!(text, "\n    \"{id}\": ")?;
    Ok(layout::write(&out, 2, text)?)
}

/// `"D001": {…}` and so on, with a comma between them, as they stand within the whole.
fn members_out(devices: &[Named<'_>]) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(devices.len() * 1100);
    for device in devices {
        if !text.is_empty() {
            text.push(b',');
        }
        member_out(*device, Telemetry::With, &mut text)?;
    }
    Ok(text)
}

/// Writes the devices, by all cores.
pub(super) fn devices_out(state: &State, mut out: impl Write) -> io::Result<()> {
    let mut separator: &[u8] = b"";
    shares::try_in_order(&by_name(state), SHARE, members_out, |members| {
        out.write_all(std::mem::replace(&mut separator, b","))?;
        out.write_all(&members?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_as_texts() {
        let powers = (0..10).flat_map(|power| {
            let power = 10_u32.pow(power);
            [power.saturating_sub(1), power, power + 1, power.saturating_mul(3)]
        });
        let mut numbers: Vec<u32> =
            (1..2000).chain(powers).chain([u32::MAX]).filter(|n| *n > 0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut as_texts = numbers.clone();
        as_texts.sort_by_key(|number| format!("D{number:03}"));
        numbers.sort_by_key(|number| order(*number));
        assert_eq!(numbers, as_texts);
    }
}
