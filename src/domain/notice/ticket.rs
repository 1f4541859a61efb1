//! What a ticket system is told: which ticket, and what becomes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::model::DeviceId;

/// The longest key that ServiceNow keeps.
const LONGEST_KEY: usize = 100;

/// By what a ticket is found again: the episode that it is about, and so a new one for each. Kept to
/// letters that stand for nothing in a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TicketKey(String);

impl TicketKey {
    /// Of an episode of a device in a ledger.
    #[must_use]
    pub(crate) fn new(ledger: Option<uuid::Uuid>, device: DeviceId, episode: u64) -> Self {
        let ledger = ledger.unwrap_or_default();
        Self(format!("fleetform:{ledger}:{device}:{episode}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TicketKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":._-".contains(&b);
        let fine = (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(plain);
        // An empty key, or one with `^` in it, would find the tickets of others.
        if fine { Ok(Self(text)) } else { Err(format!("{text:?} is not a key of a ticket")) }
    }
}

impl From<TicketKey> for String {
    fn from(key: TicketKey) -> Self {
        key.0
    }
}

/// What is asked of a ticket system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TicketOrder {
    /// A ticket, unless there is one under this key.
    Open { key: TicketKey, fields: BTreeMap<String, String> },
    /// A note in the ticket under this key, if there is one; and what closes it.
    Note {
        key: TicketKey,
        note: String,
        /// The end of the note, by which it is found again.
        mark: String,
        /// What to set with it; empty where people close tickets.
        close: BTreeMap<String, String>,
    },
}

/// The end of a note: which entry of which ledger it is of. No other note has it.
#[must_use]
pub(crate) fn mark(ledger: Option<uuid::Uuid>, entry: u64) -> String {
    format!("(Fleetform, entry {entry} of ledger {})", ledger.unwrap_or_default())
}

/// A text as a journal may hold it: what stands in `[code]` would be shown as HTML.
#[must_use]
pub(crate) fn for_journal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        shown.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let word = rest.trim_start_matches('/');
        if word.len() >= 5 && word.as_bytes()[..5].eq_ignore_ascii_case(b"code]") {
            shown.push(' ');
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_fits_and_finds_nothing_else() {
        let ledger = uuid::Uuid::from_u128(u128::MAX);
        let device = "D4294967295".parse().unwrap();
        let key = TicketKey::new(Some(ledger), device, u64::MAX);
        assert!(TicketKey::try_from(String::from(key.clone())).is_ok(), "{}", key.as_str());
        for bad in ["", "a^active=true", "a b", "a=b", &"x".repeat(101), "a\nb", "ä"] {
            assert!(TicketKey::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_text_of_a_stranger_is_html_in_a_journal() {
        for (text, shown) in [
            ("a [code]<b>x</b>[/code] b", "a [ code]<b>x</b>[ /code] b"),
            ("[CoDe][[code]", "[ CoDe][[ code]"),
            ("[cod] [x] [", "[cod] [x] ["),
            ("[kod\u{e9}]", "[kod\u{e9}]"),
        ] {
            assert_eq!(for_journal(text), shown);
        }
    }
}
