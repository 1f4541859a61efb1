//! Writing a backup: whole and durable, or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::contents::{About, CONTENTS, Contents, MEMBERS, Measured, VERSION};
use super::error::Error;
use super::tar;
use crate::domain::model::{Digest, Hasher};
use crate::edges::fs::durable;

/// Something to be written into a backup.
pub(crate) struct Member<'a> {
    pub(crate) name: &'static str,
    /// Asked twice, and writes the same both times: first it is only measured.
    pub(crate) content: &'a dyn Fn(&mut dyn Write) -> io::Result<()>,
}

/// Counts and hashes what goes through.
pub(super) struct Gauge<W> {
    out: W,
    bytes: u64,
    hasher: Hasher,
}

impl<W: Write> Gauge<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, bytes: 0, hasher: Hasher::default() }
    }

    pub(super) fn finish(self) -> (u64, Digest) {
        (self.bytes, self.hasher.finish())
    }
}

impl<W: Write> Write for Gauge<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Replaces the file at `path` by a backup of these members, which are those of a backup, in order.
/// Only its owner may read it. Gives its length.
///
/// # Errors
/// If it cannot be written; what was there is then as it was.
pub(crate) fn write(path: &Path, about: About, members: [Member<'_>; 3]) -> Result<u64, Error> {
    let measured = members.iter().map(|member| measure(path, member));
    let contents = Contents {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        about,
        members: measured.collect::<Result<_, _>>()?,
    };
    debug_assert!(contents.members.iter().map(|member| &*member.name).eq(MEMBERS));
    let mut length = 0;
    durable::replace_file("backup.file", path, |out| {
        out.get_ref().set_permissions(Permissions::from_mode(0o600))?;
        let mut out = Gauge::new(out);
        archive(&mut out, &contents, &members)?;
        length = out.finish().0;
        Ok(())
    })?;
    Ok(length)
}

fn measure(path: &Path, member: &Member<'_>) -> Result<Measured, Error> {
    let mut gauge = Gauge::new(io::sink());
    (member.content)(&mut gauge).map_err(durable::Error::at("write", path))?;
    let (bytes, sha256) = gauge.finish();
    if bytes > tar::MOST {
        return Err(Error::TooLarge { name: member.name, bytes });
    }
    Ok(Measured { name: member.name.to_owned(), bytes, sha256 })
}

/// When it was made, as a header says it.
pub(super) fn seconds(about: &About) -> u64 {
    u64::try_from(about.made_at.millis() / 1000).unwrap_or_default()
}

fn archive(out: &mut dyn Write, contents: &Contents, members: &[Member<'_>]) -> io::Result<()> {
    let seconds = seconds(&contents.about);
    let mut first = serde_json::to_vec_pretty(contents)?;
    first.push(b'\n');
    out.write_all(&tar::header(CONTENTS, first.len() as u64, seconds))?;
    out.write_all(&first)?;
    pad(out, first.len() as u64)?;
    for (member, Measured { name, bytes, sha256 }) in members.iter().zip(&contents.members) {
        out.write_all(&tar::header(name, *bytes, seconds))?;
        let mut gauge = Gauge::new(&mut *out);
        (member.content)(&mut gauge)?;
        if gauge.finish() != (*bytes, *sha256) {
            return Err(io::Error::other(format!("{name} changed while it was read")));
        }
        pad(out, *bytes)?;
    }
    out.write_all(&tar::END)
}

fn pad(out: &mut dyn Write, size: u64) -> io::Result<()> {
    out.write_all(&[0; tar::BLOCK][..tar::padding(size)])
}
