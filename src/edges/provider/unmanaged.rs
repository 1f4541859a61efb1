//! Devices that an MDM has and the fleet does not declare: shown, and never touched.
//!
//! They are written into the data directory beside the ledger after each look that changed them, and
//! may be deleted at any time.

use std::io;
use std::path::{Path, PathBuf};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::domain::model::{MdmOwnership, Timestamp};
use crate::edges::fs::guarded::{self, Guarded};

const FILE: &str = "unmanaged.json";
/// As many are listed; the others are only counted.
pub(crate) const MOST: usize = 10_000;
/// Of the file.
const LARGEST: usize = 64 << 20;

/// Devices that the fleet does not declare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unmanaged {
    /// How many there are.
    pub(crate) count: usize,
    /// The first of them, at most [`MOST`].
    pub(crate) devices: Vec<UnmanagedDevice>,
}

/// One of them, as the MDM tells it; texts are harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UnmanagedDevice {
    pub(crate) id: CompactString,
    pub(crate) last_sync: Option<Timestamp>,
    pub(crate) name: Option<CompactString>,
    pub(crate) os_version: Option<CompactString>,
    pub(crate) ownership: MdmOwnership,
    pub(crate) platform: Option<CompactString>,
    pub(crate) serial_number: Option<CompactString>,
    pub(crate) user: Option<CompactString>,
}

/// Those that were seen last; nothing where no look was made.
///
/// # Errors
/// If the file cannot be read or used.
pub(crate) fn read(data: &Path) -> Result<Option<Unmanaged>, String> {
    let path = path(data);
    let told = |why: guarded::Refused| format!("{} {why}", path.display());
    let Some(file) = Guarded::up_to(LARGEST).without_links().open_if_there(&path).map_err(told)?
    else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.read(&mut bytes).map_err(told)?;
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| format!("{}: {error}; delete it", path.display()))
}

/// Writes them down: whole, or not at all. What a crash loses of it, the next look has again.
///
/// # Errors
/// If the file cannot be replaced.
pub(super) fn write(data: &Path, unmanaged: &Unmanaged) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    serde_json::to_writer(&mut file, unmanaged)?;
    file.persist(path(data)).map_err(|error| error.error)?;
    Ok(())
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_is_no_answer() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(read(data.path()), Ok(None));
        let device = UnmanagedDevice {
            id: "1".into(),
            last_sync: Some(Timestamp::EPOCH),
            name: Some("printer".into()),
            os_version: None,
            ownership: MdmOwnership::Personal,
            platform: Some("Windows".into()),
            serial_number: None,
            user: Some("ana@example.com".into()),
        };
        let unmanaged = Unmanaged { count: 3, devices: vec![device] };
        write(data.path(), &unmanaged).unwrap();
        assert_eq!(read(data.path()), Ok(Some(unmanaged)));
        std::fs::write(path(data.path()), "{").unwrap();
        assert!(read(data.path()).unwrap_err().contains("delete it"));
    }
}
