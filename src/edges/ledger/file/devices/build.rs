//! Making the index of what was gathered, and of a snapshot that was just written or verified.

use std::io::Write as _;
use std::path::Path;

use super::blocks;
use super::format::{DEVICES, Header, KEY, NAME, ROW, Row};
use super::gather::{Gathered, nonce};
use super::index::Index;
use super::places::places;
use crate::edges::fs::{cache, durable};
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::file::layout::STATE;
use crate::edges::ledger::file::state_json;
use crate::edges::ledger::file::trusted::Seen;

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
