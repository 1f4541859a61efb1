//! A snapshot compared with a state as text: what is written there is what this program would write
//! of it, but for telemetry. Nothing of it is taken in; where it is anything else, it takes another look
//! to tell in what.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memchr::memmem::Finder;
use rayon::prelude::*;
use serde::Deserialize;

use super::devices::{AFTER, BEFORE, Named, Telemetry, by_name, member_out};
use super::read::{AROUND, BLOCK, read_around};
use super::write::around;
use crate::domain::model::{Facts, Timestamp};
use crate::domain::state::State;
use crate::edges::ledger::chain::Chain;

/// How much is looked at first for what stands around the devices.
const NEAR: u64 = 1 << 16;
/// What ends a device, and nothing else.
const END: &[u8] = b"\n    }";
/// What a device without much telemetry takes, in bytes; and how many are expected at most, whatever the
/// length of a file says.
const USUAL_DEVICE: u64 = 1024;
const MOST_EXPECTED: u64 = 4 << 20;
/// So many are compared in a row.
const ROW: usize = 64;

/// A snapshot with devices, of which only what stands around them was read.
pub(in crate::edges::ledger) struct Outline {
    file: File,
    before: Vec<u8>,
    after: Vec<u8>,
    /// The devices, in bytes from the beginning of the file.
    devices: std::ops::Range<u64>,
    /// Where it says that it was made.
    pub(in crate::edges::ledger) made: Chain,
}

impl Outline {
    /// `None` if the file is not laid out like one, or has no devices.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::edges::ledger) fn of(file: File) -> io::Result<Option<Self>> {
        let length = file.metadata()?.len();
        let after = [AFTER, b",\n  \"frozen\": "].concat();
        let mut near = NEAR;
        loop {
            let part = near.min(length);
            let before = read(&file, 0..part)?;
            let behind = read(&file, length - part..length)?;
            let begin = Finder::new(BEFORE).find(&before).map(|at| at + BEFORE.len());
            let end = Finder::new(&after).find(&behind);
            if let Some((begin, end)) = begin.zip(end) {
                let devices = begin as u64..length - part + end as u64;
                return Ok(Self::between(file, before, behind, (begin, end), devices));
            }
            if part == length || near >= AROUND as u64 {
                return Ok(None);
            }
            near *= 8;
        }
    }

    fn between(
        file: File,
        mut before: Vec<u8>,
        mut after: Vec<u8>,
        (begin, end): (usize, usize),
        devices: std::ops::Range<u64>,
    ) -> Option<Self> {
        before.truncate(begin);
        after.drain(..end);
        let around = [&*before, &*after].concat();
        let snapshot = read_around(&around).filter(|_| !devices.is_empty())?;
        let State { seq, head, .. } = snapshot.state;
        let made = Chain { seq, head: head.0, end: snapshot.log_bytes };
        Some(Self { file, before, after, devices, made })
    }

    /// About how many devices it has.
    pub(in crate::edges::ledger) fn about(&self) -> usize {
        let devices = (self.devices.end - self.devices.start) / USUAL_DEVICE;
        usize::try_from(devices.min(MOST_EXPECTED)).unwrap_or(0)
    }

    /// Whether it says what this state does, of which the log is so many bytes long, but for telemetry: that
    /// may be any that could be read.
    ///
    /// # Errors
    /// Those of reading.
    pub(in crate::edges::ledger) fn says(&self, state: &State, log_bytes: u64) -> io::Result<bool> {
        let (before, after) = around(state, log_bytes)?;
        Ok(self.before == before && self.after == after && self.says_devices(state)?)
    }

    fn says_devices(&self, state: &State) -> io::Result<bool> {
        // Among the threads that share the work: none of them has to be woken up for a block.
        rayon::scope(|_| self.says_devices_here(state))
    }

    fn says_devices_here(&self, state: &State) -> io::Result<bool> {
        let marks = Marks::new();
        let mut text = Members::default();
        let (by_name, read) = rayon::join(|| by_name(state), || text.read(self, 0, &[]));
        read?;
        let (mut expected, mut comma): (&[Named<'_>], &[u8]) = (&by_name, b"");
        let mut next = Members::default();
        while !text.bytes.is_empty() {
            let (mut members, mut used) = (Vec::with_capacity(text.ends.len()), 0);
            for end in &text.ends {
                let Some(member) = text.bytes[used..*end].strip_prefix(comma) else {
                    return Ok(false);
                };
                members.push(member);
                (used, comma) = (*end, b",");
            }
            let Some((these, others)) = expected.split_at_checked(members.len()) else {
                return Ok(false);
            };
            if members.is_empty() && text.until == self.devices.end {
                return Ok(false);
            }
            let same = |(members, these): (&[&[u8]], &[Named<'_>])| {
                let mut expected = Vec::new();
                let is =
                    |(member, named): (&&[u8], &Named<'_>)| marks.is(member, *named, &mut expected);
                members.iter().zip(these).all(is)
            };
            let rows = members.par_chunks(ROW).zip(these.par_chunks(ROW));
            let (same, read) =
                rayon::join(|| rows.all(same), || next.read(self, text.until, &text.bytes[used..]));
            read?;
            if !same {
                return Ok(false);
            }
            expected = others;
            std::mem::swap(&mut text, &mut next);
        }
        Ok(expected.is_empty())
    }
}

/// A part of the devices as text, and where in it devices end.
#[derive(Default)]
struct Members {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Up to where the file was read.
    until: u64,
}

impl Members {
    /// What is left of the part before, and the next block of the file; `from` is where that begins, or
    /// any place before the devices.
    fn read(&mut self, outline: &Outline, from: u64, left: &[u8]) -> io::Result<()> {
        let Outline { file, devices, .. } = outline;
        let from = from.max(devices.start);
        self.until = devices.end.min(from + BLOCK as u64);
        let read = usize::try_from(self.until - from).map_err(io::Error::other)?;
        self.bytes.clear();
        self.bytes.extend_from_slice(left);
        self.bytes.resize(left.len() + read, 0);
        file.read_exact_at(&mut self.bytes[left.len()..], from)?;
        self.ends.clear();
        self.ends.extend(Finder::new(END).find_iter(&self.bytes).map(|at| at + END.len()));
        Ok(())
    }
}

fn read(file: &File, range: std::ops::Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, range.start)?;
    Ok(text)
}

/// Where telemetry stands in a device, made ready once.
struct Marks {
    facts: Finder<'static>,
    last_sync: Finder<'static>,
    platform: Finder<'static>,
}

impl Marks {
    fn new() -> Self {
        Self {
            facts: Finder::new(b"\n      \"facts\": null"),
            last_sync: Finder::new(b"\n      \"lastSync\": null"),
            platform: Finder::new(b"\n      \"platform\": "),
        }
    }

    /// Whether a member of the devices is this one, whatever its telemetry; `buffer` is for its text.
    fn is(&self, member: &[u8], device: Named<'_>, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        member_out(device, Telemetry::Without, buffer).is_ok()
            && self.is_but_for_telemetry(member, buffer).is_some()
    }

    /// Whether a text is the expected one, in which there is no telemetry.
    fn is_but_for_telemetry(&self, text: &[u8], expected: &[u8]) -> Option<()> {
        let (before, rest) = split(expected, &self.facts)?;
        let text = value::<Option<Facts>>(text.strip_prefix(before)?)?;
        let (before, rest) = split(rest, &self.last_sync)?;
        let text = value::<Option<Timestamp>>(text.strip_prefix(before)?)?;
        let (before, rest) = rest.split_at(self.platform.find(rest)?);
        let mut text = text.strip_prefix(before)?;
        if let Some(passed_over) = text.strip_prefix(b"\n      \"passedOver\": ") {
            text = value::<u64>(passed_over)?.strip_prefix(b",")?;
        }
        (text == rest).then_some(())
    }
}

/// A text up to the `null` at the end of the mark, and what comes after it.
fn split<'a>(text: &'a [u8], mark: &Finder<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = text.split_at(mark.find(text)? + mark.needle().len());
    Some((before.strip_suffix(b"null")?, rest))
}

/// What comes after a value, which has to be one of this kind.
fn value<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Option<&'a [u8]> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<T>();
    values.next()?.ok()?;
    text.get(values.byte_offset()..)
}
