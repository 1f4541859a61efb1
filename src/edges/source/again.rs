//! A wipe request and the files beside it, read again: what a wipe rests on.

use std::ffi::CString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, OFlags};

use super::below::{enter, open, read_file, trouble};
use super::rules::{MAX_BYTES, Problem, not_a_file, unreadable};
use super::signatures::read_signatures;
use crate::domain::manifest::{Documents, parse_file};
use crate::domain::wipe::WipeFile;

/// The request at the place of `file`, as it is now, with what is beside it and its copies.
///
/// # Errors
/// If no request can be read there: why, without a full stop.
pub(crate) fn request(root: &Path, file: &WipeFile) -> Result<WipeFile, String> {
    let failed = |(_, message, _): Problem| message;
    let fleet = directory(root).map_err(failed)?;
    let documents = documents(&fleet, &file.place.path).map_err(failed)?;
    let draft = documents.wipes.into_iter().next();
    let mut now = draft.ok_or("it holds no wipe request that can be used")?.file;
    now.copies.clone_from(&file.copies);
    let mut wipes = [Arc::new(now)];
    read_signatures(fleet.as_fd(), &mut wipes);
    let [now] = wipes;
    Ok(Arc::unwrap_or_clone(now))
}

fn directory(root: &Path) -> Result<OwnedFd, Problem> {
    open(CWD, root, OFlags::DIRECTORY).map_err(|error| unreadable("directory", error))
}

fn documents(root: &OwnedFd, path: &str) -> Result<Documents, Problem> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = CString::new(name).map_err(|_| not_a_file())?;
    let directory = enter(root.as_fd(), parent).map_err(|error| unreadable("directory", error))?;
    let mut bytes = Vec::new();
    read_file(&directory, &name, &mut bytes, MAX_BYTES).map_err(trouble)?;
    Ok(parse_file(&path.into(), &bytes))
}
