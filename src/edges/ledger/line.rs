//! An entry as a line of `audit.jsonl`, and back.
//!
//! Compact JSON with the keys in a fixed order; what is absent is left out. `prev` is the
//! chain's, so an entry only ever meets it here.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::event::{Entry, Event, Source};

/// Lines stay under this many bytes (docs/reference.md), so that any tool can read them whole.
pub(crate) const TOO_LONG: usize = 64 * 1024;

/// How deep the free-form data of an entry may nest: less than the 128 levels at which the JSON
/// reader gives up, with room for what is around them in a line and in the snapshot.
const MAX_DEPTH: usize = 100;

/// Why an entry is not written, or a line is no entry; the sentence is fit for an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    pub(crate) what: String,
    /// Whether it has a kind, field or word that only a later version may know.
    pub(crate) newer: bool,
}

impl Error {
    fn new(what: String) -> Self {
        Self { what, newer: false }
    }

    /// From what the JSON reader says; `around` says where.
    fn of_reader(said: &str, around: impl FnOnce(&str) -> String) -> Self {
        let newer = ["unknown field ", "unknown variant ", "unknown kind "];
        let newer = newer.iter().any(|word| said.starts_with(word));
        let asked = if newer { ": was it written by a newer fleetform?" } else { "" };
        Self { what: around(&format!("{}{asked}", unplaced(said))), newer }
    }
}

/// What follows the data.
const PREV: &[u8] = br#","prev":""#;
/// How much longer a line is for the hash in it.
const END: usize = PREV.len() + 64 + 1;

/// A line, but for the hash of the one before it, which is last.
#[derive(Serialize)]
struct Out<'a> {
    seq: u64,
    at: Timestamp,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Source>,
    data: &'a Event,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In<'a> {
    seq: u64,
    at: Timestamp,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    device: Option<DeviceId>,
    actor: Arc<str>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(borrow)]
    data: &'a RawValue,
    prev: Digest,
}

/// What a line says of its place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    /// Hash of the line before it.
    pub(crate) prev: Digest,
}

/// As [`In`], where only the shape and the place in the chain matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    seq: u64,
    #[serde(rename = "at")]
    _at: IgnoredAny,
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(default, rename = "device")]
    _device: IgnoredAny,
    #[serde(rename = "actor")]
    _actor: IgnoredAny,
    #[serde(default, rename = "source")]
    _source: IgnoredAny,
    #[serde(rename = "data")]
    _data: IgnoredAny,
    prev: Digest,
}

/// Appends the line of an entry to `buffer`, but for what follows from the line before it: see [`end`].
///
/// # Errors
/// If the line would be 64 KiB or longer, or its data nest too deep to be read back; `buffer`
/// is then as it was.
pub(crate) fn begin(entry: &Entry, buffer: &mut Vec<u8>) -> Result<(), Error> {
    let start = buffer.len();
    let refused =
        |what| Err(Error::new(format!("entry {} ({}) {what}", entry.seq, entry.event.kind())));
    if let Event::ProfileRecorded(profile) = &entry.event
        && depth(&profile.settings) > MAX_DEPTH
    {
        return refused(format!("nests deeper than {MAX_DEPTH} levels"));
    }
    let out = Out {
        seq: entry.seq,
        at: entry.at,
        kind: entry.event.kind(),
        device: entry.device,
        actor: &entry.actor,
        source: entry.source.as_ref(),
        data: &entry.event,
    };
    if let Err(e) = serde_json::to_writer(&mut *buffer, &out) {
        buffer.truncate(start);
        return refused(format!("cannot be written as JSON: {e}"));
    }
    let length = buffer.len() - start + END;
    if length >= TOO_LONG {
        buffer.truncate(start);
        return refused(format!("is {length} bytes long; a line has to stay under {TOO_LONG}"));
    }
    // The object goes on.
    buffer.pop();
    Ok(())
}

/// Ends the line that begins at byte `start` of `buffer`, with its newline, and gives its hash; `prev` is that
/// of the line before it.
pub(crate) fn end(start: usize, prev: Digest, buffer: &mut Vec<u8>) -> Digest {
    buffer.extend(PREV);
    buffer.extend(prev.hex());
    buffer.extend(b"\"}");
    let hash = Digest::of(&buffer[start..]);
    buffer.push(b'\n');
    hash
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(items) => 1 + items.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The entry of a line (without its newline), and the hash of the line before it.
///
/// # Errors
/// If it is not an entry that this program writes.
pub(crate) fn read(line: &[u8]) -> Result<(Entry, Digest), Error> {
    let raw: In<'_> = parse(line)?;
    let wrong = |what: &str| format!("the data of its {} are wrong: {what}", raw.kind);
    let event = Event::parse(&raw.kind, raw.data.get()).map_err(|e| Error::of_reader(&e, wrong))?;
    let In { seq, at, kind: _, device, actor, source, data: _, prev } = raw;
    Ok((Entry { seq, at, device, actor, source, event }, prev))
}

/// The place of a line (without its newline) in the chain; its data only have to be JSON.
///
/// # Errors
/// If it has not the shape of an entry.
pub(crate) fn link(line: &[u8]) -> Result<Link, Error> {
    let shape: Shape<'_> = parse(line)?;
    Ok(Link { seq: shape.seq, prev: shape.prev })
}

pub(super) fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Error> {
    if line.len() >= TOO_LONG {
        return Err(Error::new(format!("it is longer than {TOO_LONG} bytes")));
    }
    serde_json::from_slice(line).map_err(|e| {
        let column = e.column();
        Error::of_reader(&e.to_string(), |what| {
            format!("it is not an entry of this log: {what} (column {column})")
        })
    })
}

/// What the JSON reader says, without the line number that is always 1.
fn unplaced(text: &str) -> &str {
    text.rsplit_once(" at line 1 column ").map_or(text, |(what, _)| what)
}

#[cfg(test)]
mod tests;
