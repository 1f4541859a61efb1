//! A file of the cache: a head that is read at once, and a body of which a reader may take only parts.
//!
//! It begins with which program wrote it, and a digest says of the head, and through it of each block
//! of the body, that they are what was written.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rayon::prelude::*;

use super::cache::{build, replace};
use super::durable;
use super::guarded::Guarded;
use super::memory;
use crate::domain::model::Digest;
use crate::domain::packing::{Packed, Packer};
use crate::domain::shares;

/// Bytes of the body that are read and hashed at once.
const BLOCK: usize = 1 << 16;
/// Bytes of the head that are hashed at once, on any core. Up to so many are hashed on one core alone.
const HEAD_BLOCK: usize = 1 << 20;
/// The program, and the lengths of head and body.
const PRELUDE: usize = 32 + 8 + 8;

/// A file of the cache that was opened.
#[derive(Debug)]
pub(crate) struct Kept {
    file: File,
    /// All before the body.
    bytes: Vec<u8>,
    /// One after the other: of each block of the body.
    sums: Range<usize>,
    head: Range<usize>,
    digest: Digest,
    /// Length of the body.
    body: u64,
}

impl Kept {
    /// What this program kept last; `None` if there is nothing, or not the very same.
    pub(crate) fn open(path: &Path) -> Option<Self> {
        let opened = Guarded::stream().without_links().open(path).ok()?;
        let length = u64::try_from(opened.stat().st_size).ok()?;
        let file = opened.into_file();
        let mut prelude = [0; PRELUDE];
        file.read_exact_at(&mut prelude, 0).ok()?;
        let mut from = Packed::of(&prelude);
        (from.digest()? == build()?).then_some(())?;
        let (head, body) = (from.long()?, from.long()?);
        let sums = body.div_ceil(BLOCK as u64).checked_mul(32)?;
        let before = sums.checked_add(head)?.checked_add(PRELUDE as u64 + 32)?;
        (before.checked_add(body)? == length).then_some(())?;
        memory::expect(before);
        let mut bytes = Vec::with_capacity(usize::try_from(before).ok()?);
        (&file).take(before).read_to_end(&mut bytes).ok()?;
        let (rest, digest) = bytes.split_last_chunk::<32>()?;
        let digest = Digest::from_bytes(*digest);
        (bytes.len() as u64 == before && sum(rest) == digest).then_some(())?;
        let sums = PRELUDE..PRELUDE + usize::try_from(sums).ok()?;
        let head = sums.end..bytes.len() - 32;
        Some(Self { file, bytes, sums, head, digest, body })
    }

    /// What is read at once.
    pub(crate) fn head(&self) -> &[u8] {
        &self.bytes[self.head.clone()]
    }

    /// Of all that it says.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// All of the body; `None` if it is not what was written.
    pub(crate) fn body(&self) -> Option<Vec<u8>> {
        self.part(0..self.body)
    }

    /// These bytes of the body; `None` if there are no such, or their blocks are not what was written.
    pub(crate) fn part(&self, of: Range<u64>) -> Option<Vec<u8>> {
        let (from, to) = (of.start / BLOCK as u64, of.end.div_ceil(BLOCK as u64));
        (of.start <= of.end && of.end <= self.body).then_some(())?;
        let start = from * BLOCK as u64;
        let end = to.saturating_mul(BLOCK as u64).min(self.body).max(start);
        let mut bytes = vec![0; usize::try_from(end - start).ok()?];
        self.file.read_exact_at(&mut bytes, self.bytes.len() as u64 + start).ok()?;
        let said = &self.bytes[self.sums.clone()];
        let said = said.get(usize::try_from(from).ok()? * 32..)?;
        let whole =
            said.get(..bytes.len().div_ceil(BLOCK) * 32)? == sums(&bytes, BLOCK).as_flattened();
        let (skip, length) = (of.start - start, of.end - of.start);
        bytes.drain(..usize::try_from(skip).ok()?);
        bytes.truncate(usize::try_from(length).ok()?);
        whole.then_some(bytes)
    }
}

/// Keeps this, and gives the digest of it; `None` where this program cannot be told from others.
///
/// # Errors
/// If it cannot be written; that costs time alone.
pub(crate) fn keep(
    path: &Path,
    head: &[u8],
    body: &[u8],
) -> Result<Option<Digest>, durable::Error> {
    let Some(build) = build() else { return Ok(None) };
    let mut before = Packer::with_capacity(head.len() + body.len() / BLOCK * 32 + 128);
    before.digest(&build);
    before.long(head.len() as u64);
    before.long(body.len() as u64);
    sums(body, BLOCK).iter().for_each(|sum| before.bytes(sum));
    before.bytes(head);
    let digest = sum(before.packed());
    before.digest(&digest);
    replace(path, |out| {
        out.write_all(before.packed())?;
        out.write_all(body)
    })?;
    Ok(Some(digest))
}

/// A digest of each block; of many on every core at once.
fn sums(bytes: &[u8], block: usize) -> Vec<[u8; 32]> {
    let sum = |block: &[u8]| *Digest::of(block).as_bytes();
    if bytes.len() <= HEAD_BLOCK || shares::start().is_err() {
        return bytes.chunks(block).map(sum).collect();
    }
    bytes.par_chunks(block).map(sum).collect()
}

/// Of a digest of each block.
fn sum(bytes: &[u8]) -> Digest {
    Digest::of(sums(bytes, HEAD_BLOCK).as_flattened())
}

/// The same file with this byte of its head changed, as somebody would write it who knows how.
#[cfg(test)]
pub(crate) fn forged(path: &Path, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let kept = Kept::open(path).expect("it is kept");
    let mut bytes = std::fs::read(path).expect("it can be read");
    change(&mut bytes[kept.head.clone()]);
    let digest = sum(&bytes[..kept.head.end]);
    bytes[kept.head.end..kept.head.end + 32].copy_from_slice(digest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_body_and_parts_are_what_was_kept_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let body: Vec<u8> = (0..3 * BLOCK + 5).map(|n| (n % 251) as u8).collect();
        let digest = keep(&path, b"head", &body).unwrap().unwrap();
        let kept = Kept::open(&path).unwrap();
        assert_eq!((kept.head(), kept.digest()), (&b"head"[..], digest));
        assert_eq!(kept.body().as_deref(), Some(&body[..]));
        let ends = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, body.len()];
        for from in ends {
            for to in ends {
                let part = kept.part(from as u64..to as u64);
                assert_eq!(part.as_deref(), body.get(from..to), "{from}..{to}");
            }
        }
        assert_eq!(kept.part(0..body.len() as u64 + 1), None);
        // A block that is not what was written, and no other, is as if it were not there.
        let whole = std::fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() - body.len() + BLOCK + 9] ^= 1;
        std::fs::write(&path, &flipped).unwrap();
        let kept = Kept::open(&path).unwrap();
        assert_eq!((kept.body(), kept.part(BLOCK as u64..BLOCK as u64 + 1)), (None, None));
        assert_eq!(kept.part(0..5).as_deref(), Some(&body[..5]));
        for length in (0..whole.len() - body.len()).chain([whole.len() - 1]) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(Kept::open(&path).is_none(), "{length}");
        }
        for at in 0..whole.len() - body.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            assert!(Kept::open(&path).is_none(), "{at}");
        }
    }

    #[test]
    fn nothing_at_all_can_be_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        keep(&path, b"", b"").unwrap();
        let kept = Kept::open(&path).unwrap();
        assert_eq!((kept.head(), kept.body()), (&b""[..], Some(Vec::new())));
    }
}
