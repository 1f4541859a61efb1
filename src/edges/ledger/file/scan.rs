//! The log from end to end: lines in order, read on every core, in bounded memory.

use std::io;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

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
/// one block while the next one is inspected. What `inspect` keeps from one line to another is kept for
/// each core by itself.
/// `file` stands at byte `offset`, the beginning of a line.
///
/// # Errors
/// Those of reading, made into one by `failed`, and those of `take`.
pub(crate) fn scan<T: Send, E: Send, K: Default + Send>(
    mut file: impl io::Read,
    mut offset: u64,
    failed: impl FnOnce(io::Error) -> E,
    inspect: impl Fn(&mut K, Line<'_>) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<End, E> {
    let mut buffer = vec![0; BLOCK];
    let mut filled = 0;
    // Bytes of the first line in the buffer that were dropped, to stay within it.
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
        let read = match file.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        if read == 0 {
            inspected.into_iter().flatten().try_for_each(&mut take)?;
            return Ok(End { offset, torn: dropped + filled as u64 });
        }
        let new = filled;
        filled += read;
        let Some(last) = buffer[new..filled].iter().rposition(|b| *b == b'\n') else {
            if filled == BLOCK {
                dropped += (filled - TOO_LONG) as u64;
                filled = TOO_LONG;
            }
            continue;
        };
        let whole = new + last + 1;
        let lines = lines(offset, dropped, &buffer[..whole]);
        offset = lines.last().map_or(offset, |line| line.end);
        dropped = 0;
        let mut before = std::mem::take(&mut inspected).into_iter().flatten();
        if lines.len() < PARALLEL {
            before.try_for_each(&mut take)?;
            inspect_row(&lines).into_iter().try_for_each(&mut take)?;
        } else {
            let rows = lines.par_chunks(ROW.min(lines.len() / 2));
            let taken;
            (inspected, taken) =
                rayon::join(|| rows.map(inspect_row).collect(), || before.try_for_each(&mut take));
            taken?;
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn lines(mut offset: u64, mut dropped: u64, bytes: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for newline in memchr::memchr_iter(b'\n', bytes) {
        let line = &bytes[start..newline];
        let end = offset + line.len() as u64 + 1 + dropped;
        lines.push(Line { offset, bytes: line, end });
        (start, offset, dropped) = (newline + 1, end, 0);
    }
    lines
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
