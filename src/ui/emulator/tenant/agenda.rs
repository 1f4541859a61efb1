//! What happens by itself, and when.

use std::collections::BTreeMap;

use crate::domain::model::Timestamp;

/// Something that happens at its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A piece of hardware contacts Intune. One that was moved to another time does nothing.
    CheckIn(usize),
    /// Somebody sets a piece of hardware up.
    Join(usize),
    /// Intune has looked at an Autopilot import.
    ImportSeen(String),
    /// An Autopilot import is through.
    ImportDone(String),
    /// A device has carried out a command or failed to: by the id of its record.
    CommandDone(String),
    /// The record of a device that obeyed goes.
    RecordGone(String),
}

/// Events in the order in which they happen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    due: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at: Timestamp, event: Event) {
        self.planned += 1;
        self.due.insert((at, self.planned), event);
    }

    /// The next event that is due by then.
    pub(crate) fn next_until(&mut self, until: Timestamp) -> Option<(Timestamp, Event)> {
        let first = self.due.first_entry()?;
        let at = first.key().0;
        (at <= until).then(|| (at, first.remove()))
    }

    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }
}
