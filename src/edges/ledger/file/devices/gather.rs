//! What an index says that does not depend on where its snapshot has each device.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use super::blocks::Nonce;
use super::format::{Begin, Entry, Header, hash, name_of};
use super::history::Addition;
use super::index::Index;
use super::recent::Recent;
use crate::domain::model::DeviceId;
use crate::domain::state::State;
use crate::edges::fs::{cache, durable, remote};
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::error::Error;
use crate::edges::ledger::file::layout::LOG;
use crate::edges::ledger::file::{log, scan};
use crate::edges::ledger::line;
use crate::edges::ledger::store::Key;

/// Whether the history of the log is to be read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// Everything was verified: what is kept of it should be as good.
    All,
    /// What the index says of the log before its end is gone on with.
    Tail,
}

/// What is to be looked up by.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Where the log ends.
    pub(super) chain: Chain,
    /// What devices are found by, in the order of the hashes.
    pub(super) keys: Vec<(u64, u32)>,
    /// Names and serial numbers, sorted.
    pub(super) names: Vec<(Begin, u32)>,
    /// Of each device, the number of the last entry about it in the history, from 1; 0 if there is none.
    pub(super) last: Vec<u64>,
    /// What the history lacks.
    pub(super) addition: Addition,
    pub(super) entries: Vec<Entry>,
}

/// Gathers it from `state`, in which the log ends at `chain`, and from what was appended just before; `None`
/// where no index can be.
///
/// # Errors
/// If the log cannot be read; that costs time alone.
pub(crate) fn gather(
    dir: &Path,
    state: &State,
    chain: Chain,
    (fresh, recent): (Fresh, &Recent),
) -> Result<Option<Gathered>, Error> {
    let numbered = state.devices.keys().zip(1..).all(|(id, number)| id.number() == number);
    if !numbered || cache::build().is_none() || remote::of(dir).is_some() {
        return Ok(None);
    }
    let before = Index::open(dir).filter(|_| fresh == Fresh::Tail);
    let history = || {
        let gone_on = before.map(|index| go_on(dir, &index, &chain)).transpose()?.flatten();
        let begun = || (Addition::begun(nonce()), Chain::START, Vec::new());
        let (addition, from, mut last) = gone_on.unwrap_or_else(begun);
        last.resize(state.devices.len(), 0);
        let span = (from.end, chain.end);
        let entries = entries(dir, span, recent, addition.before(), &mut last)?;
        Ok::<_, Error>((last, addition, entries))
    };
    let (history, (keys, names)) =
        rayon::join(history, || rayon::join(|| keys(state), || names(state)));
    let (last, addition, entries) = history?;
    Ok(Some(Gathered { chain, keys, names, last, addition, entries }))
}

/// A value that no other file has.
pub(super) fn nonce() -> Nonce {
    *uuid::Uuid::new_v4().as_bytes()
}

/// What goes on with an index of an earlier snapshot of the same log, which ended there, and the last entry
/// about each of its devices; `None` if it is not that.
fn go_on(
    dir: &Path,
    index: &Index,
    chain: &Chain,
) -> Result<Option<(Addition, Chain, Vec<u64>)>, Error> {
    let Header { chain: from, devices, history, entries, .. } = index.header;
    let path = dir.join(LOG);
    let Some(file) = log::open(&path)? else { return Ok(None) };
    if from.end > chain.end || log::last_line(&from, &file, &path)? != Some(from.head) {
        return Ok(None);
    }
    let last = |number| Some(index.row(u32::try_from(number).ok()?)?.last);
    let last: Option<Vec<u64>> = (1..=devices).map(last).collect();
    let addition = Addition::to(dir, history, entries);
    Ok(addition.zip(last).map(|(addition, last)| (addition, from, last)))
}

/// The entries about devices between two places of the log, after `before` others.
fn entries(
    dir: &Path,
    (from, to): (u64, u64),
    recent: &Recent,
    before: u64,
    last: &mut [u64],
) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut note = |at, device: u32| {
        // An entry about a device that is not recorded: the fold has refused it, or will.
        if let Some(last) = last.get_mut(device as usize - 1) {
            entries.push(Entry { previous: *last, at, device });
            *last = before + entries.len() as u64;
        }
    };
    let noted = recent.from(to).map_or(to, |noted| noted.max(from));
    if from < noted {
        let path = dir.join(LOG);
        let failed = |e| Error::from(durable::Error::at("read", &path)(e));
        let Some(mut file) = log::open(&path)? else { return Ok(entries) };
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        scan::scan(
            file.take(noted - from),
            from,
            failed,
            |(), line| (line.offset, device(line.bytes)),
            |(at, device)| {
                device.into_iter().for_each(|device| note(at, device.number()));
                Ok(())
            },
        )?;
    }
    if noted < to {
        recent.about_devices(noted).for_each(|(at, device)| note(at, device));
    }
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
    const OWN: usize = 5;
    let labels = state.devices.values().map(|device| device.spec.labels.len());
    let mut keys = Vec::with_capacity(state.devices.len() * OWN + labels.sum::<usize>());
    for (id, device) in state.devices.iter() {
        let spec = &device.spec;
        let own: [_; OWN] = [
            Key::Serial(spec.serial_number.as_str()),
            Key::Name(spec.name.as_str()),
            Key::User(spec.user_email.as_str()),
            Key::Profile(spec.profile.as_str()),
            Key::Status(device.status),
        ];
        let labels = spec.labels.iter().map(|(key, value)| Key::Label(key, value));
        keys.extend(own.into_iter().chain(labels).map(|key| (hash(&key), id.number())));
    }
    keys.par_sort_unstable();
    keys
}

/// The names and serial numbers of all devices, sorted.
fn names(state: &State) -> Vec<(Begin, u32)> {
    let mut names = Vec::with_capacity(2 * state.devices.len());
    for (id, device) in state.devices.iter() {
        let spec = &device.spec;
        let both = [spec.name.as_str(), spec.serial_number.as_str()];
        names.extend(both.map(|name| (name_of(name), id.number())));
    }
    names.par_sort_unstable();
    names
}
