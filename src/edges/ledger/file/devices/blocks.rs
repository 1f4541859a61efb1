//! Records of one length in blocks, each of which says by a check that it is the one that was written.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use crate::domain::model::Digest;
use crate::domain::packing::Packer;
use crate::domain::shares;

/// Of a block, with its check at the end.
pub(super) const BLOCK: usize = 4096;
const CHECK: usize = 16;
/// What a block holds.
const CONTENT: usize = BLOCK - CHECK;
/// Blocks that one thread makes at a time.
const SHARE: usize = 32;

/// Tells the blocks of one file from those of any other, and of any other version of it.
pub(super) type Nonce = [u8; 16];

/// How many records of this length a block holds.
pub(super) const fn in_block(length: usize) -> u64 {
    (CONTENT / length) as u64
}

fn check(nonce: &Nonce, number: u64, content: &[u8]) -> [u8; CHECK] {
    let mut all = Vec::with_capacity(BLOCK + 8);
    all.extend(nonce);
    all.extend(number.to_le_bytes());
    all.extend(content);
    let mut check = [0; CHECK];
    check.copy_from_slice(&Digest::of(&all).as_bytes()[..CHECK]);
    check
}

/// A block of this content: at most [`CONTENT`] bytes.
pub(super) fn seal(nonce: &Nonce, number: u64, mut content: Vec<u8>) -> Vec<u8> {
    debug_assert!(content.len() <= CONTENT, "it fits into a block");
    content.resize(CONTENT, 0);
    let check = check(nonce, number, &content);
    content.extend(check);
    content
}

/// Writes blocks of these records of one length, from block `first` on; by all cores. Gives the number of
/// the block after them.
///
/// # Errors
/// Those of `out`.
pub(super) fn write<R: Sync>(
    out: &mut impl Write,
    (nonce, first): (&Nonce, u64),
    records: &[R],
    length: usize,
    put: impl Fn(&R, &mut Packer) + Sync,
) -> io::Result<u64> {
    let block = |(records, number): &(&[R], u64)| {
        let mut content = Packer::with_capacity(BLOCK);
        records.iter().for_each(|record| put(record, &mut content));
        seal(nonce, *number, content.finish())
    };
    let rows: Vec<_> = records.chunks(in_block(length) as usize).zip(first..).collect();
    let blocks = |rows: &[_]| rows.iter().flat_map(block).collect::<Vec<u8>>();
    shares::try_in_order(&rows, SHARE, blocks, |blocks| out.write_all(&blocks))?;
    Ok(first + rows.len() as u64)
}

/// A block that was written with the nonce that it begins with at byte `nonce_at`.
pub(super) fn open_first(file: &File, nonce_at: usize) -> Option<(Nonce, Vec<u8>)> {
    let mut block = vec![0; BLOCK];
    file.read_exact_at(&mut block, 0).ok()?;
    let nonce = *block.get(nonce_at..)?.first_chunk()?;
    is_whole(&nonce, 0, &block).then_some((nonce, block))
}

fn is_whole(nonce: &Nonce, number: u64, block: &[u8]) -> bool {
    check(nonce, number, &block[..CONTENT]) == block[CONTENT..]
}

/// Records of one length, from block `first` on.
#[derive(Debug)]
pub(super) struct Table {
    nonce: Nonce,
    first: u64,
    count: u64,
    length: usize,
    /// The block that was read last: the next record is most often in it, too.
    last: Mutex<Option<(u64, Vec<u8>)>>,
}

impl Table {
    pub(super) const fn new(nonce: Nonce, first: u64, count: u64, length: usize) -> Self {
        Self { nonce, first, count, length, last: Mutex::new(None) }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The block after the last one.
    pub(super) const fn end(&self) -> u64 {
        self.first + self.count.div_ceil(in_block(self.length))
    }

    /// What is made of the record of this number, from 0; `None` if there is none, or its block is not
    /// what was written.
    pub(super) fn get<T>(
        &self,
        file: &File,
        number: u64,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        if number >= self.count {
            return None;
        }
        let in_block = in_block(self.length);
        let at = self.first + number / in_block;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(number, _)| *number != at) {
            let mut block = vec![0; BLOCK];
            file.read_exact_at(&mut block, at.checked_mul(BLOCK as u64)?).ok()?;
            if !is_whole(&self.nonce, at, &block) {
                return None;
            }
            *last = Some((at, block));
        }
        let (_, block) = last.as_ref()?;
        let start = (number % in_block) as usize * self.length;
        read(&block[start..start + self.length])
    }

    /// The first record from which on `is_before` holds no more, in a table that is sorted by that.
    pub(super) fn partition_point(
        &self,
        file: &File,
        is_before: impl Fn(&[u8]) -> Option<bool>,
    ) -> Option<u64> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(file, middle, &is_before)? { low = middle + 1 } else { high = middle }
        }
        Some(low)
    }
}
