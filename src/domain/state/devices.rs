//! The recorded devices: a map that shares with its copies what is not changed.
//!
//! A copy of a million devices is a copy of some thousand pointers. Whoever reads beside the one who
//! writes has such a copy; a device that is changed then is copied with its neighbors.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use super::device::Device;
use crate::domain::model::DeviceId;

/// Devices that are copied together: few enough to be copied at each change, and so many that the
/// pointers to them are few.
const CHUNK: usize = 128;

type Chunk = Vec<(DeviceId, Device)>;

/// The devices by id, in its order. None is ever removed, and new ones come at the end.
#[derive(Clone, Default)]
pub struct Devices {
    /// None is empty, and all but the last are full unless an id was added between others.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

impl Devices {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The device with this id.
    #[must_use]
    pub fn get(&self, id: &DeviceId) -> Option<&Device> {
        Some(self.get_key_value(id)?.1)
    }

    /// The device with this id, and the id as it is kept here.
    pub(crate) fn get_key_value(&self, id: &DeviceId) -> Option<(&DeviceId, &Device)> {
        let chunk = &self.chunks[self.chunk_of(*id)?];
        let (id, device) = &chunk[within(chunk, *id)?];
        Some((id, device))
    }

    /// The device with this id, to change it.
    pub fn get_mut(&mut self, id: &DeviceId) -> Option<&mut Device> {
        let at = self.chunk_of(*id)?;
        let within = within(&self.chunks[at], *id)?;
        Some(&mut Arc::make_mut(&mut self.chunks[at])[within].1)
    }

    /// Whether there is one with this id.
    #[must_use]
    pub fn contains_key(&self, id: &DeviceId) -> bool {
        self.get(id).is_some()
    }

    /// Those with a higher id than this one, or all, in the order of their ids.
    pub(crate) fn after(
        &self,
        id: Option<DeviceId>,
    ) -> impl Iterator<Item = (&DeviceId, &Device)> + Clone {
        let begin = id.and_then(|id| self.chunk_of(id)).unwrap_or_default();
        let pairs = self.chunks[begin..].iter().flat_map(|chunk| chunk.iter());
        pairs.skip_while(move |(other, _)| Some(*other) <= id).map(|(id, device)| (id, device))
    }

    /// The one with the highest id.
    #[must_use]
    pub(crate) fn last(&self) -> Option<(DeviceId, &Device)> {
        let (id, device) = self.chunks.last()?.last()?;
        Some((*id, device))
    }

    /// Puts a device there, and gives the one that had its id.
    pub fn insert(&mut self, id: DeviceId, device: Device) -> Option<Device> {
        if let Some(known) = self.get_mut(&id) {
            return Some(std::mem::replace(known, device));
        }
        self.len += 1;
        // Nearly always the last chunk, at its end.
        let at = self.chunk_of(id).unwrap_or_default();
        match self.chunks.get_mut(at) {
            Some(chunk) if chunk.len() < CHUNK => {
                let chunk = Arc::make_mut(chunk);
                chunk.reserve_exact(CHUNK - chunk.len());
                let within = chunk.partition_point(|(other, _)| *other < id);
                chunk.insert(within, (id, device));
            }
            Some(chunk) if chunk.last().is_some_and(|(last, _)| *last > id) => {
                let chunk = Arc::make_mut(chunk);
                let within = chunk.partition_point(|(other, _)| *other < id);
                let after = chunk.split_off(within);
                chunk.push((id, device));
                if !after.is_empty() {
                    self.chunks.insert(at + 1, Arc::new(after));
                }
            }
            full => {
                let at = at + usize::from(full.is_some());
                let mut chunk = Chunk::with_capacity(CHUNK);
                chunk.push((id, device));
                self.chunks.insert(at, Arc::new(chunk));
            }
        }
        None
    }

    /// All, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&DeviceId, &Device)> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(id, device)| (id, device)))
    }

    /// All, to change them.
    #[cfg(test)]
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Device> {
        self.chunks
            .iter_mut()
            .flat_map(|chunk| Arc::make_mut(chunk).iter_mut().map(|(_, device)| device))
    }

    /// All without their ids, in the order of these.
    pub fn values(&self) -> impl Iterator<Item = &Device> + Clone {
        self.iter().map(|(_, device)| device)
    }

    /// All ids, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &DeviceId> + Clone {
        self.iter().map(|(id, _)| id)
    }

    /// The last chunk that begins with this id or a lower one.
    fn chunk_of(&self, id: DeviceId) -> Option<usize> {
        // As it is where no id was left out and none came between others.
        let likely = (id.number() as usize).saturating_sub(1) / CHUNK;
        if let Some(chunk) = self.chunks.get(likely)
            && let Some(((first, _), (last, _))) = chunk.first().zip(chunk.last())
            && (*first..=*last).contains(&id)
        {
            return Some(likely);
        }
        let begins = |chunk: &Arc<Chunk>| chunk.first().is_some_and(|(first, _)| *first <= id);
        self.chunks.partition_point(begins).checked_sub(1)
    }
}

/// Where the device with this id is in its chunk.
fn within(chunk: &Chunk, id: DeviceId) -> Option<usize> {
    let likely = id.number().checked_sub(chunk.first()?.0.number())? as usize;
    match chunk.get(likely) {
        Some((there, _)) if *there == id => Some(likely),
        _ => chunk.binary_search_by_key(&id, |(id, _)| *id).ok(),
    }
}

impl Index<&DeviceId> for Devices {
    type Output = Device;
    fn index(&self, id: &DeviceId) -> &Device {
        self.get(id).expect("a recorded device")
    }
}

impl FromIterator<(DeviceId, Device)> for Devices {
    fn from_iter<I: IntoIterator<Item = (DeviceId, Device)>>(devices: I) -> Self {
        let mut all = Self::default();
        for (id, device) in devices {
            all.insert(id, device);
        }
        all
    }
}

impl PartialEq for Devices {
    fn eq(&self, other: &Self) -> bool {
        let shared = self.chunks.len() == other.chunks.len();
        let same = |(a, b): (&Arc<Chunk>, &Arc<Chunk>)| Arc::ptr_eq(a, b) || a == b;
        if shared && self.chunks.iter().zip(&other.chunks).all(same) {
            return true;
        }
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::plan::tests::World;

    fn id(number: u32) -> DeviceId {
        format!("D{number:03}").parse().expect("an id")
    }

    /// What a fleet of a million is made of: each of these bytes is a megabyte there.
    #[test]
    fn a_device_takes_so_much_room_and_no_more() {
        assert_eq!(size_of::<(DeviceId, Device)>(), 184);
        assert_eq!(size_of::<crate::domain::model::DeviceSpec>(), 152);
        assert_eq!(size_of::<crate::domain::model::DesiredDevice>(), 72);
    }

    fn device(reports: u64) -> Device {
        let mut device = World::enrolled(&["A"]).state.devices[&DeviceId::FIRST].clone();
        device.rare.passed_over = reports;
        device
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever the order of ids: nearly always they rise.
        #[test]
        fn it_is_a_map_and_a_copy_keeps_what_it_had(
            ids in prop_oneof![
                (1..600_u32).prop_map(|last| (1..=last).collect::<Vec<_>>()),
                prop::collection::vec(1..700_u32, 0..600),
            ],
            changed in prop::collection::vec(1..700_u32, 0..20),
        ) {
            let plain = device(0);
            let (mut map, mut devices) = (BTreeMap::new(), Devices::default());
            for (number, of) in ids.iter().zip(0..) {
                let mut device = plain.clone();
                device.rare.passed_over = of;
                prop_assert_eq!(devices.insert(id(*number), device), map.insert(*number, of).map(|of| {
                    let mut device = plain.clone();
                    device.rare.passed_over = of;
                    device
                }));
            }
            let told = |devices: &Devices| {
                devices.iter().map(|(id, d)| (id.number(), d.rare.passed_over)).collect::<Vec<_>>()
            };
            let before: Vec<_> = map.clone().into_iter().collect();
            prop_assert_eq!((told(&devices), devices.len()), (before.clone(), map.len()));
            prop_assert_eq!(devices.last().map(|(id, _)| id.number()), map.keys().last().copied());
            let copy = devices.clone();
            for number in changed {
                let known = devices.get_mut(&id(number)).map(|device| device.rare.passed_over += 1000);
                prop_assert_eq!(known, map.get_mut(&number).map(|of| *of += 1000));
                prop_assert_eq!(devices.contains_key(&id(number)), map.contains_key(&number));
                let after = devices.after(Some(id(number))).map(|(id, _)| id.number());
                prop_assert!(after.eq(map.range(number + 1..).map(|(number, _)| *number)));
            }
            prop_assert_eq!(told(&devices), map.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(devices == copy, map.into_iter().eq(before.clone()));
            prop_assert_eq!(told(&copy), before);
        }
    }

    #[test]
    fn equal_devices_are_equal_however_they_were_put_there() {
        let all: Vec<_> = (1..=300).map(|number| (id(number), device(0))).collect();
        let rising: Devices = all.iter().cloned().collect();
        let falling: Devices = all.iter().rev().cloned().collect();
        assert_eq!(rising, falling);
        assert_eq!(rising.after(None).count(), 300);
    }
}
