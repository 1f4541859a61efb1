//! Making the index of what was gathered, and of a snapshot that was just written or verified.

use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;

use memchr::memmem::Finder;

use super::blocks;
use super::format::{DEVICES, Header, KEY, NAME, ROW, Row};
use super::gather::{Gathered, nonce};
use super::index::Index;
use crate::domain::model::DeviceId;
use crate::edges::fs::{cache, durable};
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::file::layout::STATE;
use crate::edges::ledger::file::state_json;
use crate::edges::ledger::file::trusted::Seen;

/// How much of the snapshot is looked at once.
const PIECE: usize = 4 << 20;

/// Whether there is an index of the snapshot that was `seen`, in which the log ends at `chain`.
pub(crate) fn is_built(dir: &Path, seen: Seen, chain: Chain) -> bool {
    let index = Index::open(dir);
    index.is_some_and(|index| (index.header.snapshot, index.header.chain) == (seen, chain))
}

/// Makes the index in `dir` of what was gathered, and of the snapshot of the same that was `seen`. Gives
/// whether there is one now that can be relied on.
///
/// # Errors
/// If it cannot be made; that costs time alone.
pub(crate) fn build(dir: &Path, gathered: Gathered, seen: Seen) -> Result<bool, Error> {
    let Gathered { chain, keys, names, last, addition, entries } = gathered;
    let Some(build) = cache::build() else { return Ok(false) };
    durable::make_inside(&dir.join(cache::DIRECTORY))?;
    let path = dir.join(STATE);
    let opened = state_json::open(&path).map_err(durable::Error::at("read", &path))?;
    let Some(places) = opened.and_then(|file| places(&file, last)) else { return Ok(false) };
    let (rows, around) = places;
    let header = Header {
        nonce: nonce(),
        build,
        snapshot: seen,
        chain,
        around,
        devices: rows.len() as u64,
        keys: keys.len() as u64,
        history: addition.nonce(),
        entries: addition.before() + entries.len() as u64,
    };
    addition.write(dir, entries)?;
    // Last: what was changed in the moment in which it was looked at may be changed again unseen.
    if Seen::snapshot(dir) != Some(seen) || !seen.is_settled(dir) {
        return Ok(false);
    }
    cache::replace(&cache::path(dir, DEVICES), |out| {
        let nonce = &header.nonce;
        out.write_all(&blocks::seal(nonce, 0, header.pack()))?;
        let next = blocks::write(out, (nonce, 1), &rows, ROW, Row::put)?;
        let next = blocks::write(out, (nonce, next), &keys, KEY, |(hash, device), into| {
            into.long(*hash);
            into.number(*device);
        })?;
        blocks::write(out, (nonce, next), &names, NAME, |(begin, device), into| {
            into.bytes(begin);
            into.number(*device);
        })?;
        Ok(())
    })?;
    Ok(true)
}

/// Where each device stands in a snapshot as this program lays it out, and up to where and from where
/// on the rest of it does.
fn places(file: &File, last: Vec<u64>) -> Option<(Vec<Row>, [u64; 2])> {
    let unplaced = |last| Row { last, ..Row::default() };
    let mut rows: Vec<Row> = last.into_iter().map(unplaced).collect();
    let count = rows.len();
    let (key, end) = (Finder::new(b"\n    \"D"), Finder::new(b"\n  }"));
    let opening = Finder::new(b"\n  \"devices\": {");
    let mut input = BufReader::with_capacity(PIECE, file);
    let (mut text, mut offset) = (Vec::with_capacity(2 * PIECE), 0_u64);
    let (mut around, mut found) = (None, 0);
    loop {
        let read = input.by_ref().take(PIECE as u64).read_to_end(&mut text).ok()?;
        let mut used = 0;
        if around.is_none() {
            let at = opening.find(&text);
            match at {
                Some(at) => {
                    used = at + opening.needle().len();
                    around = Some(offset + used as u64);
                }
                None if read == 0 => return None,
                None => continue,
            }
        }
        while found < count {
            let rest = &text[used..];
            if rest.len() < key.needle().len() {
                break;
            }
            if !rest.starts_with(key.needle()) {
                return None;
            }
            // A device goes to where the next one begins; the last one to where all of them end.
            let next = key.find(rest.get(1..)?).map(|at| at + 1);
            let next = match next {
                None if found + 1 == count => end.find(rest),
                next => next,
            };
            let Some(next) = next else { break };
            let number = number(&rest[..next])?;
            let row =
                rows.get_mut(number.checked_sub(1)? as usize).filter(|row| row.length == 0)?;
            row.at = offset + used as u64 + 1;
            // With the newline after them.
            row.length = u32::try_from(next).ok()?;
            used += next;
            found += 1;
        }
        if found == count {
            return Some((rows, [around?, offset + used as u64]));
        }
        if read == 0 {
            return None;
        }
        text.drain(..used);
        offset += used as u64;
    }
}

/// Of `\n    "D001": {…`.
fn number(member: &[u8]) -> Option<u32> {
    let id = member.strip_prefix(b"\n    \"")?;
    let id: DeviceId = std::str::from_utf8(&id[..memchr::memchr(b'"', id)?]).ok()?.parse().ok()?;
    Some(id.number())
}
