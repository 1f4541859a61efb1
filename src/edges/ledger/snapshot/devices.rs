//! The devices of a snapshot: never more than some thousand as text in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use compact_str::CompactString;
use rayon::prelude::*;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::device::{DeviceIn, DeviceOut};
use crate::domain::model::DeviceId;
use crate::domain::state::{Device, State};
use crate::edges::ledger::intern::Interner;

/// Devices that are in memory as text at once, and those that one thread writes at a time.
const WINDOW: usize = 2048;
const CHUNK: usize = 128;

/// Each becomes what the core knows as soon as it is read.
#[derive(Default)]
pub(super) struct Devices(pub(super) BTreeMap<DeviceId, Box<Device>>);

impl Devices {
    pub(super) fn collect(mut devices: Vec<(DeviceId, Device)>) -> Result<Self, String> {
        devices.sort_unstable_by_key(|(id, _)| *id);
        if let Some(twice) = devices.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("{} is there twice", twice[0].0));
        }
        Ok(Self(devices.into_iter().map(|(id, device)| (id, Box::new(device))).collect()))
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

/// Some devices, in the place that they have in the whole.
#[derive(Serialize)]
struct Part<'a> {
    #[serde(serialize_with = "members")]
    devices: &'a [Named<'a>],
}

type Named<'a> = (CompactString, &'a Device);

fn members<S: Serializer>(devices: &&[Named<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(devices.iter().map(|(id, device)| (id, DeviceOut::from(*device))))
}

/// What stands before the devices.
pub(super) const BEFORE: &[u8] = b"\n  \"devices\": {";
/// What stands after them.
pub(super) const AFTER: &[u8] = b"\n  }";

/// `"D001": {…}` and so on, with a comma between them, as they stand within the whole.
fn members_out(devices: &[Named<'_>]) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(devices.len() * 1100);
    serde_json::to_writer_pretty(&mut text, &Part { devices })?;
    let end = text.len() - AFTER.len() - b"\n}".len();
    text.truncate(end);
    text.drain(..b"{".len() + BEFORE.len());
    Ok(text)
}

/// Writes the devices by all cores, in windows of a few megabytes.
pub(super) fn devices_out(state: &State, mut out: impl Write) -> io::Result<()> {
    let mut by_name: Vec<Named<'_>> = state
        .devices
        .iter()
        .map(|(id, device)| (compact_str::format_compact!("{id}"), &**device))
        .collect();
    by_name.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut separator: &[u8] = b"";
    for window in by_name.chunks(WINDOW) {
        let written: Vec<_> = window.par_chunks(CHUNK).map(members_out).collect();
        for members in written {
            out.write_all(separator)?;
            out.write_all(&members?)?;
            separator = b",";
        }
    }
    Ok(())
}
