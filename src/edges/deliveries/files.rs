//! The files.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::edges::fs::durable::{self, make_inside, replace_file};
use crate::edges::fs::guarded::Guarded;
use crate::edges::fs::known_directory::KnownDirectory;

/// Below the data directory.
pub(crate) const DIRECTORY: &str = "deliveries";
/// Below that: a file for each job that is to be tried again, by its id.
const AGAIN: &str = "again";
/// A million jobs are far below it.
const LIMIT: usize = 1 << 30;

/// What could not be done with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("cannot read {}: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
}

/// `webhook:siem` in `webhook_siem.json`: names of sinks are letters, digits, `.`, `_` and `-`.
fn name(sink: &str) -> String {
    format!("{}.json", sink.replace(':', "_"))
}

/// What a sink kept last; nothing if there is nothing that can be read.
#[must_use]
pub(crate) fn load(data: &Path, sink: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened =
        Guarded::up_to(LIMIT).without_links().open(&data.join(DIRECTORY).join(name(sink))).ok()?;
    opened.read(&mut bytes).ok()?;
    Some(bytes)
}

/// Keeps it, durably.
///
/// # Errors
/// If it cannot be written, or the data directory is gone; the old one is then still there.
pub(crate) fn save(data: &KnownDirectory, sink: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = data.directory(DIRECTORY)?.join(name(sink));
    Ok(replace_file("deliveries.file", &path, |out| out.write_all(bytes))?)
}

/// Names of files that sinks kept, without their ending.
///
/// # Errors
/// If the directory cannot be read.
pub(crate) fn sinks(data: &Path) -> Result<Vec<String>, Error> {
    let names = names(&data.join(DIRECTORY))?;
    Ok(names.into_iter().filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect())
}

/// Wants a job to be tried again.
///
/// # Errors
/// If that cannot be written.
pub(crate) fn ask_again(data: &Path, id: &str) -> Result<(), Error> {
    let directory = data.join(DIRECTORY);
    make_inside(&directory)?;
    let directory = directory.join(AGAIN);
    make_inside(&directory)?;
    Ok(replace_file("deliveries.again", &directory.join(id), |_| Ok(()))?)
}

/// Ids of jobs that somebody wants to be tried again.
///
/// # Errors
/// If the directory cannot be read.
pub(crate) fn asked_again(data: &Path) -> Result<Vec<String>, Error> {
    names(&data.join(DIRECTORY).join(AGAIN))
}

/// That it is done.
///
/// # Errors
/// If it cannot be removed.
pub(crate) fn forget_asked(data: &Path, id: &str) -> Result<(), Error> {
    let path = data.join(DIRECTORY).join(AGAIN).join(id);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(durable::Error::at("remove", &path)(e).into()),
    }
}

fn names(directory: &Path) -> Result<Vec<String>, Error> {
    let failed = |cause| Error::Read { path: directory.to_owned(), cause };
    let listed = match std::fs::read_dir(directory) {
        Ok(listed) => listed,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let mut names = Vec::new();
    for entry in listed {
        let name = entry.map_err(failed)?.file_name();
        // What no id is spelled like is none of ours.
        names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}
