//! A few devices of a state, and the entries about one, found without reading the others.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::format::{name_of, spelled};
use super::history::History;
use super::index::Index;
use crate::domain::lookup::{self, Word};
use crate::domain::model::{DeviceId, Digest};
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event};
use crate::edges::ledger::file::entries::entries;
use crate::edges::ledger::file::follow::{Following, whole};
use crate::edges::ledger::file::layout::{LOG, STATE};
use crate::edges::ledger::file::log::{self, USUAL, follow_all, last_line};
use crate::edges::ledger::file::state_json;
use crate::edges::ledger::file::trusted::Seen;
use crate::edges::ledger::intern::Interner;
use crate::edges::ledger::raw::logged;
use crate::edges::ledger::snapshot::{Snapshot, read_around, read_member};
use crate::edges::ledger::store::{Entries, Key, Logged, Wanted};

/// Where more than one of so many devices are wanted, reading all of them is faster.
const FEW: u64 = 16;
/// So few are always looked up.
const ALWAYS: u64 = 64;
/// From so many devices on, only those with similar names are read to suggest one; in tests from a few on.
const MANY: u64 = if cfg!(test) { 4 } else { 10_000 };
/// So many devices with similar names are read.
const ALIKE: usize = 32;
/// No text around the devices is longer.
const AROUND: u64 = 64 << 20;

/// The state, with at least the devices that are wanted, and whatever else the log speaks of since the
/// snapshot; `None` where the index does not help.
pub(crate) fn state_of(dir: &Path, wanted: &Wanted<'_>) -> Option<State> {
    let index = Index::open(dir)?;
    let found = wanted_of(&index, wanted)?;
    let snapshot = Saved::open(dir, &index)?;
    let path = dir.join(LOG);
    let log = log::open(&path).ok()??;
    let following = Following::new(dir, snapshot.around(&index)?);
    let mut chain = following.skip(&path, &log).ok()?;
    let (until, marked) = whole(dir, &log).ok()?;
    if marked.is_some_and(|marked| log.metadata().is_ok_and(|log| marked > log.len())) {
        return None;
    }
    let mut tail: Vec<(Entry, Digest)> = Vec::new();
    let from = chain.end;
    follow_all(&mut chain, &path, &log, until, from, |chain, entry| {
        tail.extend(entry.map(|entry| (entry.clone(), chain.head)));
        Ok(())
    })
    .ok()?;
    let mut numbers = concerned(&index, &tail)?;
    numbers.extend(found);
    if numbers.len() as u64 > most(&index).saturating_mul(4) {
        return None;
    }
    let mut state = following.into_state();
    let mut share = Interner::default();
    for number in numbers {
        let (id, device) = snapshot.device(&index, number, &mut share)?;
        state.devices.insert(id, device);
    }
    let mut state = state.reindexed();
    for (entry, head) in tail {
        state.fold(&entry, head).ok()?;
    }
    Some(state)
}

const fn most(index: &Index) -> u64 {
    let share = index.header.devices / FEW;
    if share > ALWAYS { share } else { ALWAYS }
}

/// The numbers of the devices that may be wanted.
fn wanted_of(index: &Index, wanted: &Wanted<'_>) -> Option<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    match wanted {
        Wanted::Word(text) => {
            let word = Word::new(text);
            let id = word.id().map(DeviceId::number);
            numbers.extend(id.filter(|id| u64::from(*id) <= index.header.devices));
            for key in [Key::Serial(word.text()), Key::Name(word.text())] {
                numbers.extend(index.having(&key, most(index))?);
            }
            if numbers.is_empty() {
                numbers.extend(alike(index, word.text())?);
            }
        }
        Wanted::Having(keys) => {
            // All of them hold, so those of the rarest are enough.
            let rarest = keys.iter().filter_map(|key| index.having(key, most(index)));
            numbers.extend(rarest.min_by_key(Vec::len)?);
        }
        Wanted::Serials(serials) => {
            for serial in *serials {
                numbers.extend(index.having(&Key::Serial(serial.as_str()), most(index))?);
            }
        }
    }
    Some(numbers)
}

/// Devices whose names or serial numbers begin most like this, since it may be a slip of the keyboard; `None`
/// where there are so few that all can be looked at.
fn alike(index: &Index, text: &str) -> Option<BTreeSet<u32>> {
    (index.header.devices >= MANY).then_some(())?;
    let wanted = name_of(text);
    let wanted = spelled(&wanted).unwrap_or_default();
    let mut found: Vec<(f64, u32)> = Vec::new();
    for at in 0..index.names() {
        let (name, number) = index.name(at)?;
        if let Some(alike) = spelled(&name).and_then(|name| lookup::likeness(wanted, name)) {
            found.push((alike, number));
            if found.len() == 64 * ALIKE {
                keep_best(&mut found);
            }
        }
    }
    keep_best(&mut found);
    Some(found.into_iter().map(|(_, number)| number).collect())
}

fn keep_best(found: &mut Vec<(f64, u32)>) {
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(ALIKE);
}

/// Devices without which the entries cannot be folded.
fn concerned(index: &Index, tail: &[(Entry, Digest)]) -> Option<BTreeSet<u32>> {
    let Ok(last) = u32::try_from(index.header.devices) else { return None };
    // The next id follows from the last one.
    let mut numbers: BTreeSet<u32> = (last > 0).then_some(last).into_iter().collect();
    for (entry, _) in tail {
        numbers.extend(entry.device.map(DeviceId::number).filter(|number| *number <= last));
        if let Event::DeviceProvisioned(new) = &entry.event {
            let serial = Key::Serial(new.spec.serial_number.as_str());
            numbers.extend(index.having(&serial, most(index))?);
        }
    }
    Some(numbers)
}

/// The snapshot that the index is of.
pub(super) struct Saved(File);

impl Saved {
    pub(super) fn open(dir: &Path, index: &Index) -> Option<Self> {
        let file = state_json::open(&dir.join(STATE)).ok()??;
        (Seen::of_open(&file)? == index.header.snapshot).then_some(Self(file))
    }

    fn read(&self, at: u64, length: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.0.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    }

    /// All but the devices.
    pub(super) fn around(&self, index: &Index) -> Option<Snapshot> {
        let [before, after] = index.header.around;
        let length = self.0.metadata().ok()?.len();
        let rest = length.checked_sub(after).filter(|rest| *rest <= AROUND && before <= AROUND)?;
        let text = [self.read(0, before)?, self.read(after, rest)?].concat();
        let snapshot = read_around(&text)?;
        let state = &snapshot.state;
        let chain = (state.seq, state.head.0, snapshot.log_bytes);
        let expected = index.header.chain;
        (chain == (expected.seq, expected.head, expected.end)).then_some(snapshot)
    }

    /// The lines of a device.
    pub(super) fn text(&self, index: &Index, number: u32) -> Option<Vec<u8>> {
        let row = index.row(number)?;
        self.read(row.at, u64::from(row.length).min(AROUND))
    }

    fn device(
        &self,
        index: &Index,
        number: u32,
        share: &mut Interner,
    ) -> Option<(DeviceId, crate::domain::state::Device)> {
        let (id, device) = read_member(&self.text(index, number)?, share)?;
        (id.number() == number).then_some((id, device))
    }
}

/// The entries about a device; `None` where the index does not help.
pub(crate) fn entries_of(dir: &Path, device: DeviceId) -> Option<Entries> {
    let index = Index::open(dir)?;
    let header = &index.header;
    let path = dir.join(LOG);
    let log = log::open(&path).ok()??;
    if last_line(&header.chain, &log, &path).ok()? != Some(header.chain.head) {
        return None;
    }
    let number = device.number();
    let last = if u64::from(number) > header.devices { 0 } else { index.row(number)?.last };
    let history = History::open(dir, &header.history, header.entries)?;
    let mut known = Vec::new();
    for at in history.of(number, last)? {
        let logged = logged(line_at(&log, at)?, &path).ok()?;
        if logged.entry.device != Some(device) || logged.entry.seq > header.chain.seq {
            return None;
        }
        known.push(logged);
    }
    let about = move |logged: &Result<Logged, _>| {
        logged.as_ref().map_or(true, |logged| logged.entry.device == Some(device))
    };
    let rest = entries(dir, header.chain.end).filter(about);
    Some(Box::new(known.into_iter().map(Ok).chain(rest)))
}

/// The line that begins at this byte.
fn line_at(log: &File, at: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for length in USUAL {
        bytes.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            match log.read_at(&mut bytes[filled..], at + filled as u64).ok()? {
                0 => break,
                read => filled += read,
            }
        }
        if let Some(end) = memchr::memchr(b'\n', &bytes[..filled]) {
            bytes.truncate(end);
            return Some(bytes);
        }
    }
    None
}
