//! Jobs that wait to be told: in the order of entries, and each found by its id.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::model::Timestamp;
use crate::domain::notice::Job;

/// The number of an entry, and which of its jobs.
pub(super) type Key = (u64, u32);

/// A job, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    pub(crate) job: Job,
    /// Tries that failed.
    #[serde(default)]
    pub(crate) tries: u32,
    /// Its last `notice.intended`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intent: Option<u64>,
    /// When it was tried for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// Whether a try may have arrived.
    #[serde(default)]
    pub(crate) doubt: bool,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Not again before: on the clock of this process.
    #[serde(skip)]
    pub(super) again: Option<Duration>,
}

impl Waiting {
    pub(super) fn new(job: Job) -> Self {
        Self { job, tries: 0, intent: None, since: None, doubt: false, why: None, again: None }
    }

    /// That it was announced under this intent, and nobody knows what came of it.
    pub(super) fn announced(&mut self, intent: u64, at: Timestamp) {
        (self.intent, self.doubt) = (Some(intent), true);
        self.since.get_or_insert(at);
    }
}

/// Jobs by entry, and then in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Jobs {
    by_key: BTreeMap<Key, Waiting>,
    by_id: HashMap<String, Key>,
}

impl Jobs {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Adds a job, after those of its entry.
    pub(super) fn add(&mut self, waiting: Waiting) {
        let entry = waiting.job.entry;
        let last = self.by_key.range((entry, 0)..=(entry, u32::MAX)).next_back();
        let key = (entry, last.map_or(0, |((_, n), _)| n.saturating_add(1)));
        self.by_id.insert(waiting.job.id.clone(), key);
        self.by_key.insert(key, waiting);
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Waiting> {
        let waiting = self.by_key.remove(&key)?;
        self.by_id.remove(&waiting.job.id);
        Some(waiting)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Waiting> {
        self.by_key.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Waiting> {
        self.by_key.get_mut(&key)
    }

    pub(super) fn key_of(&self, id: &str) -> Option<Key> {
        self.by_id.get(id).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &Waiting)> {
        self.by_key.iter().map(|(key, waiting)| (*key, waiting))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.by_key.values_mut()
    }
}

impl Serialize for Jobs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.by_key.values())
    }
}

impl<'de> Deserialize<'de> for Jobs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut jobs = Self::default();
        for waiting in Vec::<Waiting>::deserialize(deserializer)? {
            jobs.add(waiting);
        }
        Ok(jobs)
    }
}
