//! What `audit verify` finds: everything that is wrong with a ledger, by sequence number.
//!
//! Changes nothing and takes no lock. Every line is hashed and compared with the `prev` of the
//! next, the last one with the head in `state.json`; as far as the chain holds, the log is
//! replayed and compared with the snapshot, but for telemetry. Of two lines that do not fit
//! together, their other neighbours tell which one was changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use super::audit::{self, Seen};
use super::scan::{self, End};
use super::share::Share;
use super::{Error, LOG, STATE, Snapshot, load, lock, snapshot};
use crate::domain::model::Digest;
use crate::domain::state::{State, Wipe, WipeState};
use crate::edges::fs::durable;

/// No more problems than this are listed.
pub const MOST: usize = 20;

/// What was looked at and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Whole lines.
    pub lines: u64,
    /// Length of the log.
    pub bytes: u64,
    /// Hash of the last whole line; 64 zeros if there is none.
    pub head: Digest,
    /// The highest number of an entry; 0 if there is none.
    pub seq: u64,
    /// The entry at which the snapshot was made, where there is one that can be read.
    pub snapshot_seq: Option<u64>,
    /// By number; none if all is well.
    pub problems: Vec<Problem>,
    /// Whether there are more problems than are listed.
    pub more: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry that is changed, missing or out of place; `None` where it is the snapshot.
    pub seq: Option<u64>,
    /// A sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.message)
    }
}

/// Looks at all of the ledger in `dir`; an absent one is well.
///
/// # Errors
/// Only if a file cannot be read; what is wrong in it is a [`Problem`].
pub fn verify(dir: &Path) -> Result<Verified, Error> {
    let mut judge = Judge::default();
    match load::load(dir) {
        Ok(snapshot) => judge.snapshot = snapshot,
        Err(e @ Error::Snapshot { .. }) => judge.problem(None, e.to_string()),
        Err(e) => return Err(e),
    }
    // Before the log, which only grows.
    let marked = lock::look(dir).map_or(0, |mark| mark.whole);
    let path = dir.join(LOG);
    let end = match audit::open(&path)? {
        None => End { offset: 0, torn: 0 },
        Some(log) => {
            let end = scan::scan(
                &log,
                0,
                |e| Error::from(durable::Error::at("read", &path)(e)),
                |line| audit::look(line, true),
                |seen| {
                    judge.next(seen);
                    Ok(())
                },
            )?;
            audit::still_named(&log, &path, end.offset)?;
            end
        }
    };
    let mut verified = judge.finish(end);
    // Where something else is wrong than an unfinished line, the length says nothing.
    if marked > end.offset && verified.problems.len() == usize::from(end.torn > 0) {
        let message = format!(
            "{} says that the log was whole up to byte {marked}, but it ends at byte {}: its end is missing",
            lock::NAME,
            end.offset
        );
        verified.problems.push(Problem { seq: Some(verified.seq.saturating_add(1)), message });
    }
    Ok(verified)
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

#[derive(Default)]
struct Judge {
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
    share: Share,
}

impl Judge {
    fn problem(&mut self, seq: Option<u64>, message: String) {
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

    fn next(&mut self, seen: Seen) {
        self.lines += 1;
        self.head = Some(seen.hash);
        // Enough is enough: what comes after so many problems explains itself by them.
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
        let Some(Run { first, count }) = self.run.take() else { return };
        if count == 1 && first == self.last.seq {
            let message = format!(
                "entry {first} was changed: its hash is not the `head` in {STATE}; or all of the log up to \
                 it was written anew"
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
            Ok(Some(mut entry)) if self.clean() => {
                self.share.entry(&mut entry);
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
        let Some(snapshot) = self.snapshot.take() else { return };
        self.other_head = snapshot.state.head.0 != hash;
        if !self.other_head && self.clean() {
            if snapshot.log_bytes != end {
                let message = format!(
                    "{STATE}: its `logBytes` is {}, but entry {} ends at byte {end}",
                    snapshot.log_bytes, snapshot.state.seq
                );
                self.problem(None, message);
            }
            for message in differences(&snapshot.state, &self.replayed) {
                self.problem(None, message);
            }
        }
        self.snapshot = Some(snapshot);
    }

    fn finish(mut self, end: End) -> Verified {
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
        if end.torn > 0 {
            let seq = self.highest.saturating_add(1);
            let message = format!(
                "entry {seq} (at byte {}) is unfinished: {} bytes without a newline; unless a writer is at \
                 work, the next one moves them to audit.jsonl.broken",
                end.offset, end.torn
            );
            self.problem(Some(seq), message);
        }
        self.problems.sort_by_key(|problem| problem.seq.unwrap_or(u64::MAX));
        Verified {
            lines: self.lines,
            bytes: end.offset + end.torn,
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
        if at > self.highest {
            let seq = self.highest.saturating_add(1);
            let message = format!(
                "seq {seq} is missing: the log ends with {}, but {STATE} was made at {at}",
                self.highest
            );
            self.problem(Some(seq), message);
        } else if self.other_head && !self.blamed.contains(&at) {
            let message = format!(
                "entry {at} has not the hash that stands as `head` in {STATE}: the log up to it was written \
                 anew, or {STATE} was changed"
            );
            self.problem(Some(at), message);
        }
    }
}

/// What a snapshot says otherwise than a replay, but for telemetry.
pub(super) fn differences(snapshot: &State, replayed: &State) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |what: &str, is: bool| {
        if is {
            found.push(format!("{STATE}: {what} not what the log gives"));
        }
    };
    differs("its `lineage` is", snapshot.lineage != replayed.lineage);
    differs("its `at` is", snapshot.at != replayed.at);
    differs("its `frozen` is", snapshot.frozen != replayed.frozen);
    differs("its `profiles` are", snapshot.profiles != replayed.profiles);
    differs("its `trust` is", snapshot.trust != replayed.trust);
    differs("its `config` is", snapshot.config != replayed.config);
    // A version that forgot final refusals wrote what it took for the state.
    let forgot = |digest: &Digest| {
        let of = |state: &State| state.wipes.get(digest).map(|wipe| wipe.state);
        of(replayed) == Some(WipeState::RefusedForGood)
            && of(snapshot).is_some_and(|state| state != WipeState::RefusedForGood)
            && replayed.wipes.get(digest).is_some_and(|wipe| wipe.subject.ledger.is_none())
    };
    let kept = |state: &State| -> BTreeMap<Digest, Wipe> {
        state.wipes.iter().filter(|(d, _)| !forgot(d)).map(|(d, w)| (*d, w.clone())).collect()
    };
    differs(
        "its `wipes` are",
        snapshot.wipes != replayed.wipes && kept(snapshot) != kept(replayed),
    );
    let ids: BTreeSet<_> = snapshot.devices.keys().chain(replayed.devices.keys()).collect();
    for id in ids {
        match (snapshot.devices.get(id), replayed.devices.get(id)) {
            (Some(a), Some(b)) => match snapshot::differences(a, b).join(", ") {
                keys if keys.is_empty() => {}
                keys => differs(&format!("{keys} of device {id} is"), true),
            },
            (Some(_), None) => differs(&format!("device {id}, which it has, is"), true),
            (None, _) => differs(&format!("device {id}, which it lacks, is"), true),
        }
    }
    found
}
