//! Which device bears which serial number: ids alone, since the devices have the serial numbers.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use super::devices::Devices;
use crate::domain::model::{DeviceId, SerialNumber};

/// Ids of devices, to be found by the serial numbers of these. A copy shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct BySerial {
    ids: Arc<HashTable<DeviceId>>,
    hasher: RandomState,
}

/// It follows from the devices: wherever they are equal, it is.
impl PartialEq for BySerial {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl BySerial {
    /// Of these devices; of several with one serial number, the last.
    pub(super) fn of(devices: &Devices) -> Self {
        let mut all = Self::default();
        all.reserve(devices.len(), devices);
        for id in devices.keys() {
            all.put(*id, devices);
        }
        all
    }

    /// Makes room for so many more at once: to grow step by step looks at every device each time. Where
    /// there is room, copies go on sharing.
    pub(super) fn reserve(&mut self, more: usize, devices: &Devices) {
        if more <= self.ids.capacity() - self.ids.len() {
            return;
        }
        let hasher = &self.hasher;
        let hash = |id: &DeviceId| hasher.hash_one(&devices[id].spec.serial_number);
        Arc::make_mut(&mut self.ids).reserve(more, hash);
    }

    /// The device that bears this serial number.
    pub(super) fn get(&self, serial: &SerialNumber, devices: &Devices) -> Option<DeviceId> {
        let is = |id: &DeviceId| devices[id].spec.serial_number == *serial;
        self.ids.find(self.hasher.hash_one(serial), is).copied()
    }

    /// From now on this one bears its serial number, whoever did before.
    pub(super) fn put(&mut self, id: DeviceId, devices: &Devices) {
        let (ids, hasher) = (Arc::make_mut(&mut self.ids), &self.hasher);
        let serial = |id: &DeviceId| &devices[id].spec.serial_number;
        let hash = hasher.hash_one(serial(&id));
        match ids.find_mut(hash, |other| serial(other) == serial(&id)) {
            Some(known) => *known = id,
            None => {
                ids.insert_unique(hash, id, |other| hasher.hash_one(serial(other)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_on_sharing_where_there_is_room() {
        let (mut all, none) = (BySerial::default(), Devices::default());
        let before = all.clone();
        all.reserve(0, &none);
        assert!(Arc::ptr_eq(&all.ids, &before.ids), "nothing was expected");
        all.reserve(100, &none);
        assert!(!Arc::ptr_eq(&all.ids, &before.ids) && all.ids.capacity() >= 100);
        let before = all.clone();
        all.reserve(100, &none);
        assert!(Arc::ptr_eq(&all.ids, &before.ids), "there is room");
    }
}
