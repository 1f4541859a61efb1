//! Which file or directory it is, whatever its name.

use rustix::fs::Stat;

use crate::edges::ledger::store::StorePlace;

/// Device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    pub(super) inode: u64,
}

impl From<&Stat> for Identity {
    fn from(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

impl From<Identity> for StorePlace {
    fn from(Identity { device, inode }: Identity) -> Self {
        Self([device, inode])
    }
}
