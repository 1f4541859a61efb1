//! From bytes to reports: JSON Lines, or objects in any layout one after another.
//!
//! Reads line by line in bounded memory. What is wrong with one report harms no other: a line
//! that begins a report ends whatever broke off before it. Knows no files.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead};

use serde_json::value::RawValue;

use super::report;
use crate::domain::model::Report;
use crate::domain::wording::harmless_within;

/// Bytes of one report: a hundred times a large one.
const RECORD_LIMIT: usize = 256 << 10;
/// Bytes of what a problem says.
const MESSAGE_LIMIT: usize = 300;
/// Names of unknown fields that are remembered.
const UNKNOWN_LIMIT: usize = 50;

/// Why something is no report, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it begins, from 1.
    pub(crate) line: u64,
    /// What is wrong with it, every character harmless.
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Of the first byte.
    pub(crate) start: u64,
    /// Behind the last one, and behind the end of its line where nothing else is on it.
    pub(crate) end: u64,
}

/// What was read of reports.
#[derive(Debug, Default)]
pub struct Records {
    /// Where each report is.
    pub good: Vec<(Stretch, Report)>,
    /// What is no report.
    pub(crate) bad: Vec<(Stretch, Problem)>,
    /// Names of fields that are not known and were passed over.
    pub(crate) unknown: BTreeSet<String>,
    /// Where to go on, if not all of it was read.
    pub(crate) rest: Option<u64>,
}

/// Reads reports until there are `limit` of them, good or bad, or they take `bytes`.
///
/// # Errors
/// Those of `input`, and of kind [`io::ErrorKind::InvalidData`] where the whole is of another
/// encoding.
pub(crate) fn read(mut input: impl BufRead, limit: usize, bytes: u64) -> io::Result<Records> {
    let mut reader = Reader::default();
    let mut line = Vec::new();
    loop {
        let found = reader.records.good.len() + reader.records.bad.len();
        if reader.pending.is_none() && (found >= limit || reader.offset >= bytes) {
            let more = !input.fill_buf()?.is_empty();
            reader.records.rest = more.then_some(reader.offset);
            return Ok(reader.records);
        }
        let length = read_line(&mut input, &mut line)?;
        if length == 0 {
            reader.give_up("the report breaks off: was it written completely?");
            return Ok(reader.records);
        }
        if reader.offset == 0 && (line.starts_with(b"\xFF\xFE") || line.starts_with(b"\xFE\xFF")) {
            let why = "is UTF-16, as PowerShell's `>` writes it: write it as UTF-8";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        reader.line(&line, length);
    }
}

/// Reads reports that are in memory, all of them.
#[must_use]
pub fn parse(bytes: &[u8]) -> Records {
    read(bytes, usize::MAX, u64::MAX).unwrap_or_else(|error| {
        let whole = Stretch { start: 0, end: bytes.len() as u64 };
        let problem = Problem { line: 1, message: error.to_string() };
        Records { bad: vec![(whole, problem)], ..Records::default() }
    })
}

/// One line with its end, of which no more is kept than can be used; gives its full length.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let mut length = 0;
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |at| at + 1);
        let kept = used.min((RECORD_LIMIT + 1).saturating_sub(line.len()));
        line.extend_from_slice(&buffer[..kept]);
        input.consume(used);
        length += used as u64;
        if end.is_some() || used == 0 {
            return Ok(length);
        }
    }
}

/// A report that has begun and is not whole yet.
struct Pending {
    start: u64,
    line: u64,
    text: Vec<u8>,
    depth: usize,
    too_long: bool,
}

#[derive(Default)]
struct Reader {
    records: Records,
    pending: Option<Pending>,
    offset: u64,
    lines: u64,
}

impl Reader {
    fn line(&mut self, line: &[u8], length: u64) {
        if self.pending.as_ref().is_some_and(|pending| begins_anew(&pending.text, line)) {
            self.give_up("the report breaks off: was it written completely?");
        }
        let start = self.offset;
        self.lines += 1;
        self.offset += length;
        // Windows writes a byte order mark where nobody asked for one.
        let text = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| start == 0).unwrap_or(line);
        if self.pending.is_none() && text.trim_ascii().is_empty() {
            return;
        }
        let number = self.lines;
        let pending = self.pending.get_or_insert_with(|| Pending {
            start,
            line: number,
            text: Vec::new(),
            depth: 0,
            too_long: false,
        });
        let fits = pending.text.len() + text.len() <= RECORD_LIMIT && text.len() as u64 <= length;
        if !fits || pending.too_long || (line.len() as u64) < length {
            pending.too_long = true;
            pending.text.clear();
            // Nobody knows where it ends but for the next line that begins a report.
            return if line.starts_with(b"{") || number == pending.line {
                self.give_up(&format!("a report has at most {RECORD_LIMIT} bytes"));
            };
        }
        pending.text.extend_from_slice(text);
        match depth_after(pending.depth, text) {
            Some(0) => self.whole(),
            Some(depth) => pending.depth = depth,
            None => self.give_up("is not JSON: a string does not end on its line"),
        }
    }

    /// What has begun is no report, up to here.
    fn give_up(&mut self, why: &str) {
        let Some(Pending { start, line, .. }) = self.pending.take() else { return };
        self.bad(Stretch { start, end: self.offset }, line, why);
    }

    fn bad(&mut self, stretch: Stretch, line: u64, why: &str) {
        let message = harmless_within(why, MESSAGE_LIMIT);
        self.records.bad.push((stretch, Problem { line, message }));
    }

    /// One or several values, all of them whole.
    fn whole(&mut self) {
        let Some(Pending { start, line, text, .. }) = self.pending.take() else { return };
        let all = Stretch { start, end: self.offset };
        let skipped = (self.offset - start) - text.len() as u64;
        let text = match std::str::from_utf8(&text) {
            Ok(text) => text,
            Err(_) => return self.bad(all, line, "is not UTF-8"),
        };
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let mut from = 0;
        loop {
            let value = values.next();
            let to = values.byte_offset();
            let last = text[to..].trim().is_empty();
            let stretch = Stretch {
                start: if from == 0 { start } else { start + skipped + from as u64 },
                end: if last { self.offset } else { start + skipped + to as u64 },
            };
            match value {
                None => return,
                Some(Ok(raw)) => self.value(stretch, line, raw),
                Some(Err(error)) => {
                    let rest = Stretch { start: stretch.start, end: self.offset };
                    let why = match error.is_eof() {
                        true => "the report breaks off: was it written completely?".to_owned(),
                        false => format!("is not JSON (column {})", error.column()),
                    };
                    return self.bad(rest, line + error.line() as u64 - 1, &why);
                }
            }
            if last {
                return;
            }
            from = to;
        }
    }

    fn value(&mut self, stretch: Stretch, line: u64, raw: &RawValue) {
        match report::read(raw) {
            Err(why) => self.bad(stretch, line, &why),
            Ok(report::Read { report, unknown }) => {
                let room = UNKNOWN_LIMIT.saturating_sub(self.records.unknown.len());
                self.records.unknown.extend(unknown.into_iter().take(room));
                self.records.good.push((stretch, report));
            }
        }
    }
}

/// How many objects and lists are open at the end of a line that `depth` were open before;
/// `None` if a text is: no text goes over the end of a line.
fn depth_after(mut depth: usize, line: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (!quoted).then_some(depth)
}

/// Whether a line begins a report, though the one before it is not at its end: it is one as
/// a whole, or the one before it cannot go on with an object.
fn begins_anew(before: &[u8], line: &[u8]) -> bool {
    let text = line.trim_ascii_end();
    if !text.starts_with(b"{") {
        return false;
    }
    let whole = text.ends_with(b"}") && depth_after(0, text) == Some(0);
    let names_a_device = memchr::memmem::find(text, b"\"serialNumber\"").is_some();
    let cannot_go_on = !before.trim_ascii_end().ends_with(b":")
        && !before.trim_ascii_end().ends_with(b",")
        && !before.trim_ascii_end().ends_with(b"[");
    names_a_device && (whole || cannot_go_on) || text == b"{" && cannot_go_on
}
