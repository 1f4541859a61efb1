//! The bytes of both files: a header in the first block, and records of one length after it.
//! Numbers are little-endian.

use std::hash::{DefaultHasher, Hasher as _};

use super::blocks::Nonce;
use crate::domain::model::Digest;
use crate::domain::packing::{Packed, Packer};
use crate::edges::ledger::chain::Chain;
use crate::edges::ledger::file::trusted::Seen;
use crate::edges::ledger::store::Key;

pub(super) const DEVICES: &str = "devices";
pub(super) const HISTORY: &str = "history";
const MAGIC: [u8; 8] = *b"FLEETDV\x02";
const HISTORY_MAGIC: [u8; 8] = *b"FLEETHI\x01";
/// Where the nonce stands in a header.
pub(super) const NONCE_AT: usize = 8;

/// Length of a record of a device, of a key, of a name, and of an entry.
pub(super) const ROW: usize = 8 + 4 + 8;
pub(super) const KEY: usize = 8 + 4;
pub(super) const NAME: usize = BEGIN + 4;
pub(super) const ENTRY: usize = 8 + 8 + 4;

/// What the index of devices is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) nonce: Nonce,
    /// The program that wrote it.
    pub(super) build: Digest,
    pub(super) snapshot: Seen,
    /// Where the snapshot was made.
    pub(super) chain: Chain,
    /// Up to where the snapshot's text goes before its devices, and from where on after them.
    pub(super) around: [u64; 2],
    pub(super) devices: u64,
    pub(super) keys: u64,
    /// Of the other file, and how many entries of it count.
    pub(super) history: Nonce,
    pub(super) entries: u64,
}

impl Header {
    pub(super) fn pack(&self) -> Vec<u8> {
        let Self { nonce, build, snapshot, chain, around, devices, keys, history, entries } = self;
        let Chain { seq, head, end } = chain;
        let mut into = Packer::default();
        into.bytes(&MAGIC);
        into.bytes(nonce);
        into.digest(build);
        snapshot.pack(&mut into);
        into.long(*seq);
        into.digest(head);
        into.long(*end);
        for number in around.iter().chain([devices, keys]) {
            into.long(*number);
        }
        into.bytes(history);
        into.long(*entries);
        into.finish()
    }

    pub(super) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut from = Packed::of(bytes);
        from.skip(&MAGIC).then_some(())?;
        Some(Self {
            nonce: nonce(&mut from)?,
            build: from.digest()?,
            snapshot: Seen::unpack(&mut from)?,
            chain: Chain { seq: from.long()?, head: from.digest()?, end: from.long()? },
            around: [from.long()?, from.long()?],
            devices: from.long()?,
            keys: from.long()?,
            history: nonce(&mut from)?,
            entries: from.long()?,
        })
    }
}

fn nonce(from: &mut Packed<'_>) -> Option<Nonce> {
    let (first, second) = (from.long()?, from.long()?);
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&first.to_le_bytes());
    nonce[8..].copy_from_slice(&second.to_le_bytes());
    Some(nonce)
}

/// The header of the history.
pub(super) fn history_header(nonce: &Nonce) -> Vec<u8> {
    let mut into = Packer::default();
    into.bytes(&HISTORY_MAGIC);
    into.bytes(nonce);
    into.finish()
}

pub(super) fn is_history(header: &[u8]) -> bool {
    header.starts_with(&HISTORY_MAGIC)
}

/// How a name or a serial number begins, in capitals, with zeros where it ends before.
pub(super) type Begin = [u8; BEGIN];
const BEGIN: usize = 16;

/// Of a name, or of what is typed of it.
pub(super) fn name_of(text: &str) -> Begin {
    let mut begin = [0; BEGIN];
    begin.iter_mut().zip(text.bytes()).for_each(|(slot, b)| *slot = b.to_ascii_uppercase());
    begin
}

/// What [`name_of`] has of a name; `None` where its last letter is cut.
pub(super) fn spelled(begin: &Begin) -> Option<&str> {
    let length = begin.iter().position(|b| *b == 0).unwrap_or(begin.len());
    std::str::from_utf8(&begin[..length]).ok()
}

/// A device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Where its lines begin in the snapshot, and how long they are.
    pub(super) at: u64,
    pub(super) length: u32,
    /// Number of the last entry about it in the history, from 1; 0 if there is none.
    pub(super) last: u64,
}

impl Row {
    pub(super) fn put(&self, into: &mut Packer) {
        let Self { at, length, last } = self;
        into.long(*at);
        into.number(*length);
        into.long(*last);
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Packed::of(bytes);
        Some(Self { at: from.long()?, length: from.number()?, last: from.long()? })
    }
}

/// An entry about a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Number of the entry before it about the same device, as in [`Row::last`].
    pub(super) previous: u64,
    /// Where its line begins in the log.
    pub(super) at: u64,
    pub(super) device: u32,
}

impl Entry {
    pub(super) fn put(&self, into: &mut Packer) {
        let Self { previous, at, device } = self;
        into.long(*previous);
        into.long(*at);
        into.number(*device);
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Packed::of(bytes);
        Some(Self { previous: from.long()?, at: from.long()?, device: from.number()? })
    }
}

/// What stands for a key: of two that are equal by chance, both devices are looked at.
pub(super) fn hash(key: &Key<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut add = |kind: u8, texts: [&str; 2], fold: bool| {
        hasher.write_u8(kind);
        for text in texts {
            text.bytes()
                .for_each(|b| hasher.write_u8(if fold { b.to_ascii_lowercase() } else { b }));
            hasher.write_u8(0xff);
        }
    };
    match key {
        Key::Serial(serial) => add(0, [serial, ""], true),
        Key::Name(name) => add(1, [name, ""], true),
        Key::User(user) => add(2, [user, ""], true),
        Key::Profile(profile) => add(3, [profile, ""], true),
        Key::Status(status) => add(4, [status.as_str(), ""], false),
        Key::Label(key, value) => add(5, [key, value], false),
    }
    hasher.finish()
}
