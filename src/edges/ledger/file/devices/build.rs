//! Making the index: of a snapshot that was just written or verified, and of the log up to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::Path;

use memchr::memmem::Finder;
use rayon::prelude::*;
use serde::Deserialize;

use super::blocks::{CONTENT, Nonce, seal};
use super::format::{Begin, DEVICES, Entry, Header, KEY, NAME, ROW, Row, hash, name_of};
use super::history::Addition;
use super::index::Index;
use crate::domain::model::DeviceId;
use crate::domain::packing::Packer;
use crate::domain::state::{Device, State};
use crate::edges::fs::{cache, durable, remote};
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::file::layout::{LOG, STATE};
use crate::edges::ledger::file::trusted::Seen;
use crate::edges::ledger::file::{log, scan, state_json};
use crate::edges::ledger::line;
use crate::edges::ledger::store::Key;

/// How much of the snapshot is looked at once.
const PIECE: usize = 4 << 20;

/// Whether the history of the log is to be read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Everything was verified: what is kept of it should be as good.
    All,
    /// What the index says of the log before its end is gone on with.
    Tail,
}

/// Makes the index in `dir` of `state`, which is in the snapshot that was `seen`, and in which the log
/// ends at `chain`. Gives whether there is one now that can be relied on.
///
/// # Errors
/// If it cannot be made; that costs time alone.
pub(crate) fn build(
    dir: &Path,
    state: &State,
    (seen, chain): (Seen, Chain),
    fresh: Fresh,
) -> Result<bool, Error> {
    let before = Index::open(dir).filter(|_| fresh == Fresh::Tail);
    if before
        .as_ref()
        .is_some_and(|index| (index.header.snapshot, index.header.chain) == (seen, chain))
    {
        return Ok(true);
    }
    let numbered = state.devices.keys().zip(1..).all(|(id, number)| id.number() == number);
    let Some(build) = cache::build().filter(|_| numbered && remote::of(dir).is_none()) else {
        return Ok(false);
    };
    durable::make_inside(&dir.join(cache::DIRECTORY))?;
    let path = dir.join(STATE);
    let opened = state_json::open(&path).map_err(durable::Error::at("read", &path))?;
    let Some(file) = opened else { return Ok(false) };
    let (places, (keys, names)) = rayon::join(
        || places(&file, state.devices.len()),
        || rayon::join(|| keys(state), || names(state)),
    );
    let Some((mut rows, around)) = places else { return Ok(false) };
    let (addition, from) = match before {
        Some(index) => go_on(dir, &index, &chain, &mut rows)?,
        None => None,
    }
    .unwrap_or_else(|| (Addition::begun(nonce()), Chain::START));
    let entries = entries(dir, from.end, chain.end, addition.before(), &mut rows)?;
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
    let text = text(&header, &rows, &keys, &names);
    addition.write(dir, &entries)?;
    // Last: what was changed in the moment in which it was looked at may be changed again unseen.
    if Seen::snapshot(dir) != Some(seen) || !seen.is_settled(dir) {
        return Ok(false);
    }
    cache::replace(&cache::path(dir, DEVICES), |out| out.write_all(&text))?;
    Ok(true)
}

fn nonce() -> Nonce {
    *uuid::Uuid::new_v4().as_bytes()
}

fn text(header: &Header, rows: &[Row], keys: &[(u64, u32)], names: &[(Begin, u32)]) -> Vec<u8> {
    let nonce = &header.nonce;
    let packed = header.pack();
    debug_assert!(packed.len() <= CONTENT, "a header fits into a block");
    let mut text = seal(nonce, 0, &packed, packed.len());
    let mut part = Packer::with_capacity(rows.len() * ROW);
    rows.iter().for_each(|row| row.put(&mut part));
    let first = (text.len() / super::blocks::BLOCK) as u64;
    text.extend(seal(nonce, first, part.packed(), ROW));
    let mut part = Packer::with_capacity(keys.len() * KEY);
    for (hash, device) in keys {
        part.long(*hash);
        part.number(*device);
    }
    let first = (text.len() / super::blocks::BLOCK) as u64;
    text.extend(seal(nonce, first, part.packed(), KEY));
    let mut part = Packer::with_capacity(names.len() * NAME);
    for (begin, device) in names {
        part.bytes(begin);
        part.number(*device);
    }
    let first = (text.len() / super::blocks::BLOCK) as u64;
    text.extend(seal(nonce, first, part.packed(), NAME));
    text
}

/// Where each device stands in a snapshot as this program lays it out, and up to where and from where
/// on the rest of it does.
fn places(file: &File, count: usize) -> Option<(Vec<Row>, [u64; 2])> {
    let mut rows = vec![Row::default(); count];
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

/// What goes on with an index of an earlier snapshot of the same log; `None` if it is not that.
fn go_on(
    dir: &Path,
    index: &Index,
    chain: &Chain,
    rows: &mut [Row],
) -> Result<Option<(Addition, Chain)>, Error> {
    let Header { chain: from, devices, history, entries, .. } = index.header;
    let path = dir.join(LOG);
    let Some(file) = log::open(&path)? else { return Ok(None) };
    let grown = from.end <= chain.end && devices <= rows.len() as u64;
    if !grown || log::last_line(&from, &file, &path)? != Some(from.head) {
        return Ok(None);
    }
    for (row, number) in rows.iter_mut().zip(1..).take(devices as usize) {
        match index.row(number) {
            Some(before) => row.last = before.last,
            None => {
                rows.iter_mut().for_each(|row| row.last = 0);
                return Ok(None);
            }
        }
    }
    let addition = Addition::to(dir, history, entries);
    if addition.is_none() {
        rows.iter_mut().for_each(|row| row.last = 0);
    }
    Ok(addition.map(|addition| (addition, from)))
}

/// The entries about devices between two places of the log, after `before` others.
fn entries(
    dir: &Path,
    from: u64,
    to: u64,
    before: u64,
    rows: &mut [Row],
) -> Result<Vec<Entry>, Error> {
    let path = dir.join(LOG);
    let failed = |e| Error::from(durable::Error::at("read", &path)(e));
    let mut entries = Vec::new();
    let Some(mut file) = log::open(&path)? else { return Ok(entries) };
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(from)).map_err(failed)?;
    scan::scan(
        file.take(to.saturating_sub(from)),
        from,
        failed,
        |(), line| (line.offset, device(line.bytes)),
        |(at, device)| {
            let Some(device) = device.map(DeviceId::number) else { return Ok(()) };
            // An entry about a device that is not recorded: the fold has refused it, or will.
            if let Some(row) = rows.get_mut(device as usize - 1) {
                entries.push(Entry { previous: row.last, at, device });
                row.last = before + entries.len() as u64;
            }
            Ok(())
        },
    )?;
    Ok(entries)
}

/// The device that a line (without its newline) is about; `None` if it is about none, or no entry.
fn device(line: &[u8]) -> Option<DeviceId> {
    #[derive(Deserialize)]
    struct About {
        #[serde(default)]
        device: Option<DeviceId>,
    }
    line::parse::<About>(line).ok()?.device
}

/// What each device is found by, in the order of the hashes.
fn keys(state: &State) -> Vec<(u64, u32)> {
    let devices: Vec<(u32, &Device)> =
        state.devices.iter().map(|(id, device)| (id.number(), device)).collect();
    let of = |(number, device): &(u32, &Device)| {
        let spec = &device.spec;
        let own = [
            Key::Serial(spec.serial_number.as_str()),
            Key::Name(spec.name.as_str()),
            Key::User(spec.user_email.as_str()),
            Key::Profile(spec.profile.as_str()),
            Key::Status(device.status),
        ];
        let labels: &BTreeMap<_, _> = &spec.labels;
        let labels = labels.iter().map(|(key, value)| Key::Label(key, value));
        let number = *number;
        let all: Vec<_> = own.into_iter().chain(labels).map(|key| (hash(&key), number)).collect();
        all
    };
    let mut keys: Vec<_> = devices.par_iter().flat_map_iter(of).collect();
    keys.par_sort_unstable();
    keys
}

/// The names and serial numbers of all devices, sorted.
fn names(state: &State) -> Vec<(Begin, u32)> {
    let names = state.devices.iter().flat_map(|(id, device)| {
        let (spec, number) = (&device.spec, id.number());
        [spec.name.as_str(), spec.serial_number.as_str()].map(|name| (name_of(name), number))
    });
    let mut names: Vec<_> = names.collect();
    names.par_sort_unstable();
    names
}
