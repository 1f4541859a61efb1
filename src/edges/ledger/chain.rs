//! The hash chain: each line has the hash of the one before it.

use super::intern::Interner;
use super::line::{self, Link};
use super::written;
use crate::domain::model::Digest;
use crate::domain::state::event::Entry;

/// One line, without its newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Where it begins, in bytes from the beginning of the file.
    pub(crate) offset: u64,
    /// Its bytes; of one far longer than any entry can be only a part, still too long for one.
    pub(crate) bytes: &'a [u8],
    /// Where the next one begins.
    pub(crate) end: u64,
}

/// How far a log has been followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Of the last line; 0 before the first.
    pub(crate) seq: u64,
    /// Hash of the last line; 64 zeros before the first.
    pub(crate) head: Digest,
    /// Bytes of all lines so far, with their newlines.
    pub(crate) end: u64,
}

/// A line that does not follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// That the entry should have.
    pub(crate) seq: u64,
    /// Where its line begins, in bytes from the first one.
    pub(crate) offset: u64,
    pub(crate) what: String,
    /// As in [`line::Error`].
    pub(crate) newer: bool,
}

/// What there is to know of a line, as far as it can be read.
#[derive(Debug)]
pub(super) struct Seen {
    pub(crate) offset: u64,
    /// Where the next one begins.
    pub(crate) end: u64,
    pub(crate) hash: Digest,
    /// Its place in the chain, where it could be read.
    pub(crate) link: Option<Link>,
    /// The whole of it, where that was asked for; or why it is no entry.
    pub(crate) entry: Result<Option<Entry>, line::Error>,
}

/// Reads a line, and its data too if `whole`; `share` has what earlier ones had.
pub(super) fn inspect(line: Line<'_>, whole: bool, share: &mut Interner) -> Seen {
    let (link, entry) = if whole {
        match written::read(line.bytes, share) {
            Ok((entry, prev)) => (Some(Link { seq: entry.seq, prev }), Ok(Some(entry))),
            Err(e) => (line::link(line.bytes).ok(), Err(e)),
        }
    } else {
        match line::link(line.bytes) {
            Ok(link) => (Some(link), Ok(None)),
            Err(e) => (None, Err(e)),
        }
    };
    Seen { offset: line.offset, end: line.end, hash: Digest::of(line.bytes), link, entry }
}

impl Chain {
    /// Before the first line.
    pub(super) const START: Self = Self { seq: 0, head: Digest::ZERO, end: 0 };

    /// Goes on to the next line, and gives its entry, if it was read whole.
    ///
    /// # Errors
    /// If the line cannot be read or does not follow the last one.
    pub(super) fn follow<'a>(&mut self, seen: &'a Seen) -> Result<Option<&'a Entry>, Broken> {
        let seq = self.seq + 1;
        let broken = |what| Broken { seq, offset: seen.offset, what, newer: false };
        let entry = seen.entry.as_ref();
        let entry = entry.map_err(|e| Broken { newer: e.newer, ..broken(e.what.clone()) })?;
        match seen.link {
            Some(link) if link.seq != seq => Err(broken(format!(
                "it says seq {}: a line was removed, repeated, moved or changed",
                link.seq
            ))),
            Some(link) if link.prev == self.head => {
                *self = Self { seq, head: seen.hash, end: seen.end };
                Ok(entry.as_ref())
            }
            _ => Err(broken(format!(
                "its `prev` is not the hash of the line before it: entry {} or {seq} was changed",
                self.seq
            ))),
        }
    }
}
