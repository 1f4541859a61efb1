//! Handing a request in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::encode;
use super::layout::DIRECTORY;
use crate::domain::model::{Asker, DeviceId, SerialNumber, SyncRequest, Timestamp};
use crate::edges::fs::spool::{Dir, Error};

/// Asks for a sync of these devices: the request is there durably on return, under a name that
/// sorts by `now` and that nothing else ever has.
///
/// # Errors
/// If it cannot be written.
pub fn submit(
    data: &Path,
    by: &str,
    devices: &[(DeviceId, SerialNumber)],
    now: Timestamp,
) -> Result<PathBuf, Error> {
    let dir = Dir::create(&data.join(DIRECTORY), "ask")?;
    let id = uuid::Uuid::new_v4();
    let by = Asker { by: by.into(), claims: None };
    let request = SyncRequest { id, at: now, by, origin: Arc::default() };
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let name = OsString::from(format!("{time}-{}.json", id.simple()));
    let temp = OsString::from(format!(".{time}-{}.json", id.simple()));
    dir.write_new(&temp, &encode(&request, devices.iter().cloned()))?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, &name));
    if let Err(error) = named {
        dir.discard(&temp);
        return Err(error);
    }
    dir.sync()?;
    Ok(dir.path(&name))
}
