//! What `audit verify` finds: everything that is wrong with a ledger, by sequence number. Pure.
//!
//! Changes nothing and takes no lock. Every line is hashed and compared with the `prev` of the
//! next, the last one with the head in the snapshot; as far as the chain holds, the log is
//! replayed and compared with the snapshot, but for telemetry. Of two lines that do not fit
//! together, their other neighbors tell which one was changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::chain::Seen;
use super::differences::differences;
use super::snapshot::Snapshot;
use crate::domain::model::Digest;
use crate::domain::state::State;

/// No more problems than this are listed.
pub(super) const MOST: usize = 20;

/// What was looked at and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Whole lines.
    pub(crate) lines: u64,
    /// Length of the log.
    pub(crate) bytes: u64,
    /// Hash of the last whole line; 64 zeros if there is none.
    pub(crate) head: Digest,
    /// The highest number of an entry; 0 if there is none.
    pub(crate) seq: u64,
    /// The entry at which the snapshot was made, where there is one that can be read.
    pub(crate) snapshot_seq: Option<u64>,
    /// By number; none if all is well.
    pub problems: Vec<Problem>,
    /// Whether there are more problems than are listed.
    pub(crate) more: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry that is changed, missing or out of place; `None` where it is the snapshot.
    pub(crate) seq: Option<u64>,
    /// A sentence without a full stop.
    pub(crate) message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}

/// The last line that stands where it should.
#[derive(Debug, Clone, Copy)]
struct Last {
    seq: u64,
    hash: Digest,
}

impl Default for Last {
    fn default() -> Self {
        Self { seq: 0, hash: Digest::ZERO }
    }
}

/// Lines whose hash is not the `prev` of the next one: so many in a row from the first on.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    count: u64,
}

/// Takes every line in order, and says in the end what is wrong.
#[derive(Default)]
pub(super) struct Checker {
    /// What people know the snapshot by: its file name, say.
    snapshot_name: &'static str,
    snapshot: Option<Snapshot>,
    problems: Vec<Problem>,
    /// Entries that a problem names already.
    blamed: BTreeSet<u64>,
    more: bool,

    lines: u64,
    head: Option<Digest>,
    highest: u64,

    last: Last,
    /// The line after `last`, to be judged when its successor is known.
    waiting: Option<Seen>,
    run: Option<Run>,
    /// Numbers not seen where they should be, and the number that was there instead.
    missing: BTreeMap<u64, u64>,
    /// Lines that stand before their place.
    early: BTreeMap<u64, Digest>,
    /// Whether the line before was unreadable.
    unreadable: bool,
    /// Whether the head in the snapshot is another than that of its line.
    other_head: bool,

    replayed: State,
}

impl Checker {
    pub(super) fn new(snapshot_name: &'static str) -> Self {
        Self { snapshot_name, ..Self::default() }
    }

    /// Compares the log with this snapshot, too.
    pub(super) fn compare_with(&mut self, snapshot: Option<Snapshot>) {
        self.snapshot = snapshot;
    }

    pub(super) fn problem(&mut self, seq: Option<u64>, message: String) {
        self.blamed.extend(seq);
        if self.problems.len() < MOST {
            self.problems.push(Problem { seq, message });
        } else {
            self.more = true;
        }
    }

    /// Whether nothing is wrong so far, so that a replay has a meaning.
    fn clean(&self) -> bool {
        self.blamed.is_empty()
            && self.run.is_none()
            && self.missing.is_empty()
            && self.early.is_empty()
    }

    pub(super) fn next(&mut self, seen: Seen) {
        self.lines += 1;
        self.head = Some(seen.hash);
        // Later problems mostly follow from the first ones, so the list ends here.
        if self.more || self.missing.len() > MOST || self.early.len() > MOST {
            self.highest = self.highest.max(seen.link.map_or(0, |link| link.seq));
            return;
        }
        if let Some(waiting) = self.waiting.take() {
            self.judge(waiting, Some(&seen));
        }
        self.waiting = Some(seen);
    }

    fn judge(&mut self, seen: Seen, next: Option<&Seen>) {
        let expected = self.last.seq.saturating_add(1);
        let Some(link) = seen.link else { return self.unreadable(seen) };
        self.unreadable = false;
        if link.prev == self.last.hash && link.seq != expected {
            self.flush();
            self.problem(
                Some(expected),
                format!("entry {expected} was changed: it says seq {}", link.seq),
            );
            return self.place(expected, seen);
        }
        self.highest = self.highest.max(link.seq);
        if link.seq < expected {
            return self.late(link.seq);
        }
        let gap = expected..link.seq;
        if next.and_then(|next| next.link).is_some_and(|next| gap.contains(&next.seq)) {
            self.problem(
                Some(link.seq),
                format!("entry {} is out of place: it follows entry {}", link.seq, self.last.seq),
            );
            self.early.insert(link.seq, seen.hash);
            return;
        }
        self.skip(gap);
        if self.last.seq.checked_add(1) == Some(link.seq) {
            if link.prev == self.last.hash { self.flush() } else { self.broken() }
        }
        self.place(link.seq, seen);
    }

    /// A line that is no entry stands for the one that should be there.
    fn unreadable(&mut self, seen: Seen) {
        let expected = self.last.seq.saturating_add(1);
        let (what, byte) = (seen.entry.as_ref().err(), seen.offset);
        let what = what.map(ToString::to_string).unwrap_or_default();
        if self.unreadable {
            // Most likely another part of the same line.
            let last = self.last.seq;
            return self.problem(
                Some(last),
                format!("the line after entry {last} (at byte {byte}) cannot be read: {what}"),
            );
        }
        self.flush();
        self.unreadable = true;
        self.highest = self.highest.max(expected);
        self.problem(
            Some(expected),
            format!("entry {expected} (at byte {byte}) cannot be read: {what}"),
        );
        self.place(expected, seen);
    }

    /// A line whose place has passed.
    fn late(&mut self, seq: u64) {
        let after = self.last.seq;
        let message = if self.missing.remove(&seq).is_some() {
            format!("entry {seq} is out of place: it follows entry {after}")
        } else {
            format!("entry {seq} is there again after entry {after}")
        };
        self.problem(Some(seq), message);
    }

    /// Steps over numbers that are not where they should be: missing, or there too early.
    fn skip(&mut self, gap: std::ops::Range<u64>) {
        let followed_by = gap.end;
        for seq in gap {
            if let Some(hash) = self.early.remove(&seq) {
                self.last = Last { seq, hash };
            } else if self.missing.len() <= MOST {
                self.flush();
                self.missing.insert(seq, followed_by);
            } else {
                break;
            }
        }
    }

    /// `last` and the line after it do not fit together.
    fn broken(&mut self) {
        let first = self.last.seq;
        if self.blamed.contains(&first) {
            return self.flush();
        }
        match &mut self.run {
            Some(run) if run.first + run.count == first => run.count += 1,
            _ => {
                self.flush();
                self.run = Some(Run { first, count: 1 });
            }
        }
    }

    /// Says which lines the broken links tell of: a line whose `prev` was changed breaks the link
    /// before it and, as its hash is another, the one after it; any other change only the latter.
    fn flush(&mut self) {
        let name = self.snapshot_name;
        let Some(Run { first, count }) = self.run.take() else { return };
        if count == 1 && first == self.last.seq {
            let message = format!(
                "entry {first} was changed: its hash is not the `head` in {name}; or all of the \
                 log up to it was rewritten"
            );
            return self.problem(Some(first), message);
        }
        if count == 1 && first > 0 {
            let next = first + 1;
            return self.problem(
                Some(first),
                format!("entry {first} was changed: its hash is not the `prev` of entry {next}"),
            );
        }
        for seq in first + 1..(first + count).max(first + 2) {
            let message = format!(
                "entry {seq} was changed: its `prev` is not the hash of {}",
                if seq == 1 { "nothing: 64 zeros".into() } else { format!("entry {}", seq - 1) }
            );
            self.problem(Some(seq), message);
            if self.more {
                break;
            }
        }
    }

    /// Goes on from this line.
    fn place(&mut self, seq: u64, seen: Seen) {
        self.last = Last { seq, hash: seen.hash };
        match seen.entry {
            Err(e) if seen.link.is_some() && !self.blamed.contains(&seq) => {
                self.problem(Some(seq), format!("entry {seq} cannot be read: {e}"));
            }
            Ok(Some(entry)) if self.clean() => {
                if let Err(e) = self.replayed.fold(&entry, seen.hash) {
                    self.problem(Some(seq), e.to_string());
                }
            }
            _ => {}
        }
        if self.snapshot.as_ref().is_some_and(|s| s.state.seq == seq) {
            self.compare(seen.hash, seen.end);
        }
    }

    /// With the snapshot, at the line that it was made at.
    fn compare(&mut self, hash: Digest, end: u64) {
        let name = self.snapshot_name;
        let Some(snapshot) = self.snapshot.take() else { return };
        self.other_head = snapshot.state.head.0 != hash;
        if !self.other_head && self.clean() {
            if snapshot.log_bytes != end {
                let message = format!(
                    "{name}: its `logBytes` is {}, but entry {} ends at byte {end}",
                    snapshot.log_bytes, snapshot.state.seq
                );
                self.problem(None, message);
            }
            for what in differences(&snapshot.state, &self.replayed) {
                self.problem(None, format!("{name}: {what}"));
            }
        }
        self.snapshot = Some(snapshot);
    }

    /// After the last line: `bytes` is the length of the log, and `unfinished` says of a line that
    /// nobody finished, with this number, that it is there.
    pub(super) fn finish(
        mut self,
        bytes: u64,
        unfinished: Option<impl FnOnce(u64) -> String>,
    ) -> Verified {
        if let Some(waiting) = self.waiting.take() {
            self.judge(waiting, None);
        }
        let at = self.snapshot.as_ref().map(|s| s.state.seq);
        let last = self.last.seq;
        if at == Some(last) && self.other_head && last > 0 {
            self.broken();
        }
        self.last_run(at);
        self.report_missing();
        if let Some(seq) = at.filter(|seq| *seq > 0) {
            self.report_head(seq);
        }
        if let Some(unfinished) = unfinished {
            let seq = self.highest.saturating_add(1);
            self.problem(Some(seq), unfinished(seq));
        }
        self.problems.sort_by_key(|problem| problem.seq.unwrap_or(u64::MAX));
        Verified {
            lines: self.lines,
            bytes,
            head: self.head.unwrap_or(Digest::ZERO),
            seq: self.highest,
            snapshot_seq: at,
            problems: self.problems,
            more: self.more,
        }
    }

    /// A break before the very last line, whose own hash nothing vouches for, may be its fault.
    fn last_run(&mut self, snapshot_at: Option<u64>) {
        match self.run {
            Some(Run { first, count: 1 })
                if first > 0
                    && first + 1 == self.last.seq
                    && snapshot_at != Some(self.last.seq) =>
            {
                self.run = None;
                let last = first + 1;
                let message = format!(
                    "entry {first} was changed, or entry {last}: the hash of the one is not the `prev` of \
                     the other, and nothing comes after that could tell which"
                );
                self.blamed.insert(last);
                self.problem(Some(first), message);
            }
            _ => self.flush(),
        }
    }

    fn report_missing(&mut self) {
        for (seq, followed_by) in std::mem::take(&mut self.missing) {
            let message = match seq {
                1 => format!("seq 1 is missing: the log begins with {followed_by}"),
                _ => format!("seq {seq} is missing: {} is followed by {followed_by}", seq - 1),
            };
            self.problem(Some(seq), message);
        }
    }

    fn report_head(&mut self, at: u64) {
        let name = self.snapshot_name;
        if at > self.highest {
            let seq = self.highest.saturating_add(1);
            let message = format!(
                "seq {seq} is missing: the log ends with {}, but {name} was made at {at}",
                self.highest
            );
            self.problem(Some(seq), message);
        } else if self.other_head && !self.blamed.contains(&at) {
            let message = format!(
                "entry {at} has not the hash that stands as `head` in {name}: the log up to it \
                 was rewritten, or {name} was changed"
            );
            self.problem(Some(at), message);
        }
    }
}
