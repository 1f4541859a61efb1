//! Reading a backup that others may have changed, cut or made up.

use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::contents::{CONTENTS, Contents, LIMIT, MEMBERS, Measured, VERSION};
use super::error::Error;
use super::tar::{self, BLOCK};
use super::write::{Gauge, seconds};
use crate::edges::fs::durable;
use crate::edges::fs::guarded::Guarded;

/// A backup whose first member was read.
#[derive(Debug)]
pub(crate) struct BackupFile {
    path: PathBuf,
    file: BufReader<File>,
    contents: Contents,
}

/// Opens a backup, and reads what it is said to hold.
///
/// # Errors
/// If it is none, or not as long as it says.
pub(crate) fn open(path: &Path) -> Result<BackupFile, Error> {
    let opened = Guarded::stream().open(path);
    let opened = opened.map_err(|why| Error::Refused { path: path.to_owned(), why })?;
    let length = u64::try_from(opened.stat().st_size).unwrap_or_default();
    let mut file = BufReader::with_capacity(1 << 16, opened.into_file());
    let contents = contents(path, &mut file)?;
    let sizes = contents.members.iter().map(|member| member.bytes);
    // Whatever else is in the first member, its own length is that which was read.
    let first = position(path, &mut file)?;
    let whole = sizes.fold(first + tar::END.len() as u64, |sum, size| {
        sum.saturating_add(BLOCK as u64).saturating_add(size + tar::padding(size) as u64)
    });
    if whole != length {
        let what = format!("it has {length} bytes, and should have {whole}");
        return Err(Error::Damaged { path: path.to_owned(), what });
    }
    Ok(BackupFile { path: path.to_owned(), file, contents })
}

fn position(path: &Path, file: &mut BufReader<File>) -> Result<u64, Error> {
    use io::Seek as _;
    file.stream_position().map_err(|cause| Error::Unreadable { path: path.to_owned(), cause })
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

fn contents(path: &Path, file: &mut impl Read) -> Result<Contents, Error> {
    let none = |what: &str| Error::NotABackup { path: path.to_owned(), what: what.to_owned() };
    let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
    let header = block(path, file)?;
    if !header.starts_with(CONTENTS.as_bytes()) || header[CONTENTS.len()] != 0 {
        return Err(none(&format!("it does not begin with {CONTENTS}")));
    }
    let size = tar::size(&header).filter(|size| *size <= LIMIT);
    let size = size.ok_or_else(|| damaged(&format!("{CONTENTS} has an impossible size")))?;
    let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
    exact(path, file, &mut bytes)?;
    padding(path, file, size)?;
    match serde_json::from_slice::<Versioned>(&bytes) {
        Ok(Versioned { version }) if version == u64::from(VERSION) => {}
        Ok(Versioned { version }) => return Err(Error::Newer { path: path.to_owned(), version }),
        Err(error) => return Err(damaged(&format!("{CONTENTS}: {error}"))),
    }
    let contents: Contents =
        serde_json::from_slice(&bytes).map_err(|error| damaged(&format!("{CONTENTS}: {error}")))?;
    if header != tar::header(CONTENTS, size, seconds(&contents.about)) {
        return Err(damaged(&format!("the header of {CONTENTS}")));
    }
    let names = contents.members.iter().map(|member| &*member.name);
    if !names.eq(MEMBERS) || contents.members.iter().any(|member| member.bytes > tar::MOST) {
        return Err(damaged(&format!("{CONTENTS} does not name what a backup holds")));
    }
    Ok(contents)
}

impl BackupFile {
    pub(crate) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Writes every member, durably and under its own name, into this directory.
    ///
    /// # Errors
    /// If something is not what the first member says, or cannot be written. What was written
    /// by then is of no use.
    pub(crate) fn unpack(mut self, directory: &Path) -> Result<(), Error> {
        let seconds = seconds(&self.contents.about);
        let Self { path, file, contents } = &mut self;
        for (name, Measured { bytes, sha256, .. }) in MEMBERS.iter().zip(&contents.members) {
            let damaged = |what: String| Error::Damaged { path: path.clone(), what };
            if block(path, file)? != tar::header(name, *bytes, seconds) {
                return Err(damaged(format!("the header of {name}")));
            }
            let mut found = None;
            durable::replace_file("restore.file", &directory.join(name), |out| {
                let mut gauge = Gauge::new(out);
                io::copy(&mut file.take(*bytes), &mut gauge)?;
                gauge.flush()?;
                found = Some(gauge.finish());
                Ok(())
            })?;
            if found != Some((*bytes, *sha256)) {
                return Err(damaged(format!("{name} is not what was put in")));
            }
            padding(path, file, *bytes)?;
        }
        let mut end = tar::END;
        exact(path, file, &mut end)?;
        zeros(path, &end)
    }
}

fn block(path: &Path, file: &mut impl Read) -> Result<[u8; BLOCK], Error> {
    let mut block = [0; BLOCK];
    exact(path, file, &mut block)?;
    Ok(block)
}

fn padding(path: &Path, file: &mut impl Read, size: u64) -> Result<(), Error> {
    let mut bytes = vec![0; tar::padding(size)];
    exact(path, file, &mut bytes)?;
    zeros(path, &bytes)
}

fn zeros(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    Err(Error::Damaged { path: path.to_owned(), what: "there is something between files".into() })
}

fn exact(path: &Path, file: &mut impl Read, bytes: &mut [u8]) -> Result<(), Error> {
    file.read_exact(bytes).map_err(|cause| {
        let path = path.to_owned();
        match cause.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::Damaged { path, what: "it ends too early".to_owned() }
            }
            _ => Error::Unreadable { path, cause },
        }
    })
}
