//! Which device a word means: the one place that decides it, for every command and for HTTP.
//!
//! A word is an id, a serial number or a name, without regard to case. What fits several
//! devices is refused with all of them, since the next thing may be a wipe; `id=D002`,
//! `serial=PF3XK9Q2` and `name=ana-ruiz-laptop` say how the word is to be taken, a name then
//! exactly as it is written. A serial number means the newest device that bears it.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::model::{DeviceId, Name, SerialNumber, words};
use crate::domain::state::{Device, State};

words! {
    pub(crate) enum By { Id = "id", Serial = "serial", Name = "name" }
}

/// A word, and how it is to be taken where that is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'t> {
    text: &'t str,
    only: Option<By>,
}

impl<'t> Word<'t> {
    /// As it is typed; no id, serial number or name has a `=`.
    #[must_use]
    pub(crate) fn new(text: &'t str) -> Self {
        let said = text.split_once('=').and_then(|(by, text)| Some((by.parse().ok()?, text)));
        let (only, text) = said.map_or((None, text), |(by, text)| (Some(by), text));
        Self { text, only }
    }

    /// Without how it is to be taken.
    #[must_use]
    pub(crate) const fn text(self) -> &'t str {
        self.text
    }

    /// The id that it can be.
    #[must_use]
    pub(crate) fn id(self) -> Option<DeviceId> {
        DeviceId::typed(self.text).filter(|_| self.may_be(By::Id))
    }

    /// The serial number that it can be.
    #[must_use]
    pub(crate) fn serial(self) -> Option<SerialNumber> {
        self.text.parse().ok().filter(|_| self.may_be(By::Serial))
    }

    /// Whether it is this name: in any case, since serial numbers and ids are, and a word must not
    /// mean one device in capitals and another in small letters.
    #[must_use]
    pub(crate) fn is_name(self, name: &Name) -> bool {
        match self.only {
            None => name.as_str().eq_ignore_ascii_case(self.text),
            Some(by) => by == By::Name && name.as_str() == self.text,
        }
    }

    fn may_be(self, by: By) -> bool {
        self.only.is_none_or(|only| only == by)
    }
}

/// Why a word means no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("no device has the id, serial number or name {0:?}")]
    Nobody(String),
    #[error(transparent)]
    Ambiguous(#[from] Ambiguous),
}

/// A word that fits several devices, each told in a few words, and how to name each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ambiguous {
    word: String,
    candidates: Vec<String>,
    selectors: Vec<String>,
}

impl Ambiguous {
    /// Of candidates, each with what it is and a selector that fits it alone.
    #[must_use]
    pub(crate) fn new(word: &str, candidates: impl IntoIterator<Item = (String, String)>) -> Self {
        let (candidates, selectors) = candidates.into_iter().unzip();
        Self { word: word.to_owned(), candidates, selectors }
    }

    /// How to say which one is meant.
    #[must_use]
    pub(crate) fn help(&self) -> String {
        format!("say which one: {}", few(&self.selectors, " or "))
    }
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { word, candidates, .. } = self;
        write!(f, "{word:?} fits {} devices: {}", candidates.len(), few(candidates, ", "))
    }
}

impl std::error::Error for Ambiguous {}

/// The first ten.
fn few(all: &[String], between: &str) -> String {
    let more = if all.len() > 10 { ", …" } else { "" };
    format!("{}{more}", all[..all.len().min(10)].join(between))
}

/// How similar a word that means no device is to an id, a serial number or a name, up to 1; `None` if it
/// can hardly be a typing error.
pub(crate) fn likeness(word: &str, name: &str) -> Option<f64> {
    // Comparing takes time in the product of the lengths, and no name is longer than this.
    if word.len() > 128 {
        return None;
    }
    let alike = strsim::jaro_winkler(&word.to_lowercase(), &name.to_lowercase());
    (alike > 0.85).then_some(alike)
}

/// The one recorded device that the word means, and as what.
///
/// # Errors
/// If there is none, or there are several.
pub(crate) fn device<'s>(
    state: &'s State,
    text: &str,
) -> Result<(DeviceId, &'s Device, By), Error> {
    let word = Word::new(text);
    let mut found: BTreeMap<DeviceId, By> = BTreeMap::new();
    // A device that is named like its own id or serial number is meant by that.
    let mut note = |id: DeviceId, by: By| {
        found.entry(id).or_insert(by);
    };
    if let Some(id) = word.id().filter(|id| state.devices.contains_key(id)) {
        note(id, By::Id);
    }
    if let Some((id, _)) = word.serial().and_then(|serial| state.by_serial(&serial)) {
        note(id, By::Serial);
    }
    // Hardware that was provisioned again under its name is its newest device.
    let mut named = BTreeMap::new();
    for (id, device) in state.devices.iter().filter(|(_, d)| word.is_name(&d.spec.name)) {
        named.insert(&device.spec.serial_number, *id);
    }
    named.into_values().for_each(|id| note(id, By::Name));
    let mut ids = found.iter();
    match (ids.next(), ids.next()) {
        (Some((id, by)), None) => Ok((*id, &state.devices[id], *by)),
        (None, _) => Err(Error::Nobody(text.to_owned())),
        (Some(_), Some(_)) => {
            let candidate = |id: &DeviceId| {
                let device = &state.devices[id];
                let spec = &device.spec;
                let what = format!(
                    "{id} (serial {}, name {}, {})",
                    spec.serial_number, spec.name, device.status
                );
                (what, format!("id={id}"))
            };
            Err(Ambiguous::new(text, found.keys().map(candidate)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ui::render::testing::state;

    /// The sample devices, with a fifth that is like `like` but for this.
    fn with(like: &str, serial: &str, name: &str) -> State {
        let mut state = state();
        let mut device = state.devices[&like.parse().unwrap()].clone();
        let spec = Arc::make_mut(&mut device.spec);
        (spec.serial_number, spec.name) = (serial.parse().unwrap(), name.parse().unwrap());
        state.devices.insert(state.next_id(), device);
        state.reindexed()
    }

    fn means(state: &State, word: &str) -> String {
        match device(state, word) {
            Ok((id, _, by)) => format!("{id} by {by}"),
            Err(Error::Nobody(_)) => "nobody".to_owned(),
            Err(Error::Ambiguous(several)) => several.help(),
        }
    }

    #[test]
    fn a_word_that_fits_one_device_means_it() {
        let state = with("D004", "PF9", "dora-novak-laptop");
        for (word, meant) in [
            ("D001", "D001 by id"),
            ("d001", "D001 by id"),
            ("id=d001", "D001 by id"),
            ("D0001", "nobody"),
            ("D1", "nobody"),
            ("D999", "nobody"),
            ("pf3xk9q2", "D001 by serial"),
            ("serial=pf3xk9q2", "D001 by serial"),
            ("name=pf3xk9q2", "nobody"),
            ("bo-li-phone", "D002 by name"),
            ("Bo-Li-Phone", "D002 by name"),
            ("name=Bo-Li-Phone", "nobody"),
            ("name=bo-li-phone", "D002 by name"),
            ("id=bo-li-phone", "nobody"),
            // Provisioned again: its newest device.
            ("PF9", "D005 by serial"),
            ("dora-novak-laptop", "D005 by name"),
            ("D004", "D004 by id"),
            ("", "nobody"),
            ("id=", "nobody"),
            ("user=x", "nobody"),
        ] {
            assert_eq!(means(&state, word), meant, "{word}");
        }
    }

    #[test]
    fn a_word_that_fits_several_is_refused_and_each_can_be_named() {
        let both = "say which one: id=D002 or id=D005";
        for (serial, name, word) in [
            // An id, and another's name, in any case.
            ("X1", "D002", "D002"),
            ("X1", "D002", "d002"),
            ("X1", "d002", "D002"),
            ("X1", "d002", "d002"),
            // An id, and another's serial number.
            ("D002", "x", "D002"),
            ("d002", "x", "D002"),
            ("D002", "x", "d002"),
        ] {
            let state = with("D001", serial, name);
            assert_eq!(means(&state, word), both, "{serial} {name} {word}");
            assert_eq!(means(&state, "id=D002"), "D002 by id");
            assert_eq!(means(&state, "id=d005"), "D005 by id");
        }
        let state = with("D001", "D002", "x");
        assert_eq!(means(&state, "serial=d002"), "D005 by serial");
        let state = with("D001", "X1", "d002");
        assert_eq!(means(&state, "name=d002"), "D005 by name");
        assert_eq!(means(&state, "name=D002"), "nobody");
        // A name that is another's serial number, and one of two devices.
        let both = "say which one: id=D001 or id=D005";
        for word in ["PF3XK9Q2", "pf3xk9q2"] {
            assert_eq!(means(&with("D002", "X1", "PF3XK9Q2"), word), both);
            assert_eq!(means(&with("D002", "X1", "pf3xk9q2"), word), both);
        }
        // Two names that differ in case only, which `name=` tells apart.
        let state = with("D002", "X1", "Ana-Ruiz-Laptop");
        assert_eq!(means(&state, "ana-ruiz-laptop"), both);
        assert_eq!(means(&state, "name=ana-ruiz-laptop"), "D001 by name");
        assert_eq!(means(&with("D002", "X1", "ana-ruiz-laptop"), "ana-ruiz-laptop"), both);
        // A wiped device counts: its id and its name are still its own.
        let both = "say which one: id=D004 or id=D005";
        assert_eq!(means(&with("D001", "X1", "D004"), "d004"), both);
        assert_eq!(means(&with("D001", "X1", "dora-novak-laptop"), "dora-novak-laptop"), both);
    }

    #[test]
    fn a_device_that_is_named_like_itself_is_no_riddle() {
        let state = with("D001", "D005", "D005");
        assert_eq!(means(&state, "D005"), "D005 by id");
        let state = with("D001", "X1", "X1");
        assert_eq!(means(&state, "X1"), "D005 by serial");
    }
}
