//! The log from end to end: lines in order, read on every core, in bounded memory.

use std::io::{self, Read as _};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::domain::shares;
use crate::edges::ledger::chain::Line;
use crate::edges::ledger::line::TOO_LONG;

/// How much is read at once; many times the longest line.
const BLOCK: usize = 2 << 20;
/// So many lines are worth waking another core for.
const PARALLEL: usize = 64;
/// So many are inspected in a row, if there are enough of them: what they have in common is seen once.
const ROW: usize = 256;

/// Where a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Right after the last newline.
    pub(crate) offset: u64,
    /// Bytes after that: a line that nobody finished.
    pub(crate) torn: u64,
}

/// Passes all lines of `file` to `inspect`, on any core, and its results to `take`, in order: those of
/// one block while the next one is inspected, and the one after that is read. What `inspect` keeps from one
/// line to another is kept for each core by itself.
/// `file` stands at byte `offset`, the beginning of a line.
///
/// # Errors
/// Those of reading, made into one by `failed`, and those of `take`.
pub(crate) fn scan<T: Send, E: Send, K: Default + Send>(
    mut file: impl io::Read + Send,
    offset: u64,
    failed: impl FnOnce(io::Error) -> E + Send,
    inspect: impl Fn(&mut K, Line<'_>) -> T + Sync,
    take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<End, E> {
    let mut first = Block::new();
    let read = first.read(&mut file);
    let alone = first.newlines.len() < PARALLEL || shares::start().is_err();
    let here = || scan_from((first, read), file, (offset, alone), failed, &inspect, take);
    // Otherwise among the threads that share the work: none of them has to be woken up for a block.
    if alone { here() } else { rayon::scope(|_| here()) }
}

/// Goes on where a first block was read; `alone` if it is to be done by this thread.
fn scan_from<T: Send, E: Send, K: Default + Send>(
    (mut block, mut read): (Block, io::Result<usize>),
    mut file: impl io::Read + Send,
    (mut offset, alone): (u64, bool),
    failed: impl FnOnce(io::Error) -> E,
    inspect: &(impl Fn(&mut K, Line<'_>) -> T + Sync),
    mut take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<End, E> {
    let mut next = Block::new();
    // Bytes of the first line in the block that were dropped, to stay within it.
    let mut dropped = 0;
    let mut inspected: Vec<Vec<T>> = Vec::new();
    let kept = Mutex::new(Vec::new());
    let inspect_row = |row: &[Line<'_>]| -> Vec<T> {
        let pop = || kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut keep: K = pop().unwrap_or_default();
        let seen = row.iter().map(|line| inspect(&mut keep, *line)).collect();
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(keep);
        seen
    };
    loop {
        match read {
            Ok(0) => {
                inspected.into_iter().flatten().try_for_each(&mut take)?;
                return Ok(End { offset, torn: dropped + block.bytes.len() as u64 });
            }
            Ok(_) => {}
            Err(e) => return Err(failed(e)),
        }
        let Some(last) = block.newlines.last() else {
            dropped += block.shorten();
            read = block.read(&mut file);
            continue;
        };
        next.begin(&block.bytes[last + 1..]);
        let lines = block.lines(offset, dropped);
        offset = lines.last().map_or(offset, |line| line.end);
        dropped = 0;
        let mut before = std::mem::take(&mut inspected).into_iter().flatten();
        if alone || lines.len() < PARALLEL {
            before.try_for_each(&mut take)?;
            inspect_row(&lines).into_iter().try_for_each(&mut take)?;
            read = next.read(&mut file);
        } else {
            let rows = lines.par_chunks(ROW.min(lines.len() / 2));
            let taken;
            (inspected, (read, taken)) = rayon::join(
                || rows.map(inspect_row).collect(),
                || rayon::join(|| next.read(&mut file), || before.try_for_each(&mut take)),
            );
            taken?;
        }
        std::mem::swap(&mut block, &mut next);
    }
}

/// Bytes of the file, and where in them lines end.
struct Block {
    /// At most [`BLOCK`].
    bytes: Vec<u8>,
    newlines: Vec<usize>,
}

impl Block {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(BLOCK), newlines: Vec::new() }
    }

    /// Begins with what is left of the block before: a part of a line.
    fn begin(&mut self, left: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(left);
        self.newlines.clear();
    }

    /// Reads on, and says how many bytes there were.
    fn read(&mut self, file: &mut impl io::Read) -> io::Result<usize> {
        let new = self.bytes.len();
        // Of a short log most of the block is memory that nobody touches.
        let read = file.take((BLOCK - new) as u64).read_to_end(&mut self.bytes)?;
        let ends = memchr::memchr_iter(b'\n', &self.bytes[new..]);
        self.newlines.extend(ends.map(|at| new + at));
        Ok(read)
    }

    /// Keeps no more of a line that fills the block than shows that it is too long; gives how many bytes
    /// of it are dropped.
    fn shorten(&mut self) -> u64 {
        if self.bytes.len() < BLOCK {
            return 0;
        }
        self.bytes.truncate(TOO_LONG);
        (BLOCK - TOO_LONG) as u64
    }

    fn lines(&self, mut offset: u64, mut dropped: u64) -> Vec<Line<'_>> {
        let mut start = 0;
        let line = |newline: &usize| {
            let bytes = &self.bytes[start..*newline];
            let line = Line { offset, bytes, end: offset + bytes.len() as u64 + 1 + dropped };
            (start, offset, dropped) = (newline + 1, line.end, 0);
            line
        };
        self.newlines.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use super::*;

    /// Every line as (offset, bytes kept, end), and where the scan ended.
    fn scanned(bytes: &[u8]) -> (Vec<(u64, usize, u64)>, End) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        let mut lines = Vec::new();
        let end = scan(
            &file,
            0,
            |e| e,
            |(), line| (line.offset, line.bytes.len(), line.end),
            |line| {
                lines.push(line);
                Ok::<_, io::Error>(())
            },
        )
        .unwrap();
        (lines, end)
    }

    #[test]
    fn every_line_comes_once_and_in_order() {
        let text = |i: u64| format!("{i}{}\n", "x".repeat((i % 700) as usize));
        let all: String = (0..20_000).map(text).collect();
        assert!(all.len() > 2 * BLOCK);
        let (lines, end) = scanned(all.as_bytes());
        assert_eq!(end, End { offset: all.len() as u64, torn: 0 });
        let mut offset = 0;
        for (i, line) in lines.iter().enumerate() {
            let length = text(i as u64).len();
            assert_eq!(*line, (offset, length - 1, offset + length as u64), "line {i}");
            offset = line.2;
        }
        assert_eq!(lines.len(), 20_000);
    }

    #[test]
    fn an_unfinished_line_is_counted_and_not_passed_on() {
        assert_eq!(scanned(b""), (vec![], End { offset: 0, torn: 0 }));
        assert_eq!(scanned(b"ab"), (vec![], End { offset: 0, torn: 2 }));
        assert_eq!(scanned(b"a\nbc"), (vec![(0, 1, 2)], End { offset: 2, torn: 2 }));
    }

    #[test]
    fn lines_without_end_take_no_more_memory() {
        let long = 3 * BLOCK + 5;
        let mut bytes = b"a\n".to_vec();
        bytes.resize(2 + long, 0);
        assert_eq!(scanned(&bytes).1, End { offset: 2, torn: long as u64 });
        bytes.extend(b"\nb\n");
        let (lines, end) = scanned(&bytes);
        let after = 3 + long as u64;
        assert_eq!(end, End { offset: after + 2, torn: 0 });
        assert_eq!((lines.len(), lines[2]), (3, (after, 1, after + 2)));
        assert_eq!((lines[1].0, lines[1].2), (2, after));
        assert!((TOO_LONG..=BLOCK).contains(&lines[1].1));
    }
}
