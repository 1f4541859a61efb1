//! What a file says that another one may clash with, looked for in bytes instead of YAML.
//!
//! Names and the words of serial numbers are made of a few characters, and whatever else stands
//! before and after them in YAML is none of these. So a file in which a value stands has it as
//! whole words, unless it is written with a backslash; a file without either cannot have it. Words are
//! compared without regard to case, and comments are not told from values: a file that
//! touches too much is only parsed in vain.
//!
//! Files that touch nothing here are judged alike whatever the changed documents say: they
//! have neither a serial number nor a name nor a profile of theirs, and they define none of
//! the profiles that are used. Profiles and wipe requests touch always; they are few.

use std::collections::HashSet;

use crate::domain::manifest::{Documents, PartialDevice};
use crate::domain::manifest::{Unusable, UnusableKind};
use crate::domain::model::Name;

/// Longest serial number; no name is longer.
const LONGEST: usize = 64;

/// Words to look for: those that are not yet looked for, and all of them.
#[derive(Debug, Default)]
pub(crate) struct AffectedFiles {
    pending: Words,
    searched: Words,
    begun: bool,
}

#[derive(Debug, Default)]
struct Words {
    /// Serial numbers, and names of whatever changes or is affected; in capitals.
    identities: HashSet<Vec<u8>>,
    /// Profiles that devices here use, as they are written.
    profiles: HashSet<Vec<u8>>,
}

impl AffectedFiles {
    /// What a document that differs can have to do with others.
    pub(crate) fn learn_changed(&mut self, documents: &Documents) {
        let Documents { profiles, unusable_profiles, .. } = documents;
        let changed = profiles.iter().map(|draft| &draft.profile.name).chain(unusable_profiles);
        changed.for_each(|name| self.identity(name.as_str()));
        self.learn(documents);
    }

    /// What a document that is affected can have to do with others. Its profiles are as they were.
    pub(crate) fn learn(&mut self, documents: &Documents) {
        let Documents { devices, unusable, partial_devices, .. } = documents;
        for device in devices {
            self.identity(device.serial_number().as_str());
            self.identity(device.name().as_str());
            self.profile(device.profile());
        }
        for PartialDevice { serial, name, profile, platform: _ } in partial_devices {
            serial.iter().for_each(|(serial, _)| self.identity(serial.as_str()));
            name.iter().for_each(|(name, _)| self.identity(name.as_str()));
            profile.iter().for_each(|(profile, _)| self.profile(profile));
        }
        for Unusable { what, .. } in unusable {
            if let UnusableKind::Device { serial, name } = what {
                serial.iter().for_each(|serial| self.identity(serial.as_str()));
                name.iter().for_each(|name| self.identity(name.as_str()));
            }
        }
    }

    /// A serial number of several words is looked for by the longest: a file that has it has them all.
    fn identity(&mut self, text: &str) {
        let longest = words(text.as_bytes()).map(|(_, word)| word).max_by_key(|word| word.len());
        let word = longest.unwrap_or_default().to_ascii_uppercase();
        if !self.searched.identities.contains(&word) {
            self.pending.identities.insert(word);
        }
    }

    fn profile(&mut self, name: &Name) {
        let word = name.as_str().as_bytes();
        if !self.searched.profiles.contains(word) {
            self.pending.profiles.insert(word.to_vec());
        }
    }

    /// Whether there is anything that was not looked for.
    #[must_use]
    pub(crate) fn has_pending(&self) -> bool {
        !(self.begun && self.pending.identities.is_empty() && self.pending.profiles.is_empty())
    }

    /// Notes that all files were asked whether they have any of the pending words.
    pub(crate) fn mark_searched(&mut self) {
        self.begun = true;
        let Words { identities, profiles } = std::mem::take(&mut self.pending);
        self.searched.identities.extend(identities);
        self.searched.profiles.extend(profiles);
    }

    /// Whether a file may be affected by the pending words.
    #[must_use]
    pub(crate) fn includes(&self, bytes: &[u8]) -> bool {
        bytes.contains(&b'\\') || words(bytes).any(|(before, word)| self.is_pending(before, word))
    }

    fn is_pending(&self, before: &[u8], word: &[u8]) -> bool {
        if matches!(word, b"Profile" | b"WipeRequest") {
            return true;
        }
        if word.len() > LONGEST {
            return false;
        }
        let mut capitals = [0; LONGEST];
        let capitals = &mut capitals[..word.len()];
        capitals.copy_from_slice(word);
        capitals.make_ascii_uppercase();
        self.pending.identities.contains(&*capitals)
            || (self.pending.profiles.contains(word) && !is_used(before))
    }
}

/// Whether a word with this before it is the value of a key that ends in `profile`, in a line of
/// its own: and so not the name of anything, whatever its document turns out to be.
fn is_used(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b"profile: ") else { return false };
    let indent = before.iter().rev().take_while(|b| **b == b' ').count();
    matches!(before[..before.len() - indent].last(), None | Some(b'\n'))
}

/// All words, each with what stands before it.
fn words(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + bytes[at..].iter().position(|b| is_word(*b))?;
        let length = bytes[begin..].iter().position(|b| !is_word(*b));
        at = length.map_or(bytes.len(), |length| begin + length);
        Some((&bytes[..begin], &bytes[begin..at]))
    })
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

#[cfg(test)]
mod tests;
