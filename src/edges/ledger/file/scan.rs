//! The log from end to end: lines in order, read on every core, in bounded memory.

use std::io::{self, BufRead as _};

use rayon::prelude::*;

use crate::edges::ledger::chain::Line;
use crate::edges::ledger::line::TOO_LONG;

/// How much is read at once; many times the longest line.
const BLOCK: usize = 2 << 20;
/// So many lines are worth waking another core for.
const PARALLEL: usize = 64;

/// Where a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Right after the last newline.
    pub(crate) offset: u64,
    /// Bytes after that: a line that nobody finished.
    pub(crate) torn: u64,
}

/// Passes all lines of `file` to `inspect`, on any core, and its results to `take`, in order: those of
/// one block while the next one is inspected.
/// `file` stands at byte `offset`, the beginning of a line.
///
/// # Errors
/// Those of reading, made into one by `failed`, and those of `take`.
pub(crate) fn scan<T: Send, E: Send>(
    mut file: impl io::Read,
    mut offset: u64,
    failed: impl FnOnce(io::Error) -> E,
    inspect: impl Fn(Line<'_>) -> T + Sync,
    mut take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<End, E> {
    let mut buffer = vec![0; BLOCK];
    let mut filled = 0;
    // Bytes of the first line in the buffer that were dropped, to stay within it.
    let mut dropped = 0;
    let mut inspected: Vec<T> = Vec::new();
    loop {
        let read = match file.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        if read == 0 {
            inspected.into_iter().try_for_each(&mut take)?;
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
        let before = std::mem::take(&mut inspected);
        if lines.len() < PARALLEL {
            before.into_iter().try_for_each(&mut take)?;
            lines.into_iter().try_for_each(|line| take(inspect(line)))?;
        } else {
            let lines = lines.into_par_iter().with_min_len(PARALLEL / 2);
            let taken;
            (inspected, taken) = rayon::join(
                || lines.map(&inspect).collect(),
                || before.into_iter().try_for_each(&mut take),
            );
            taken?;
        }
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

fn lines(mut offset: u64, mut dropped: u64, bytes: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = bytes;
    // The standard library's search by words, which slices only show as readers.
    while let Ok(length @ 1..) = rest.skip_until(b'\n') {
        let start = bytes.len() - rest.len() - length;
        let end = offset + length as u64 + dropped;
        lines.push(Line { offset, bytes: &bytes[start..start + length - 1], end });
        offset = end;
        dropped = 0;
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
            |line| (line.offset, line.bytes.len(), line.end),
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
