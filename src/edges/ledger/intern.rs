//! Equal values read from disk share one allocation: a hundred thousand devices have a few
//! dozen sets of labels between them, and the devices of one file have one path.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::model::Labels;
use crate::domain::state::event::{Entry, Event};

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Interner {
    labels: HashSet<Labels>,
    path: Option<Arc<str>>,
}

impl Interner {
    /// The first of all equal labels.
    pub(super) fn labels(&mut self, labels: Labels) -> Labels {
        if let Some(seen) = self.labels.get(&labels) {
            return seen.clone();
        }
        self.labels.insert(labels.clone());
        labels
    }

    /// The path before this one, if it is the same.
    pub(super) fn path(&mut self, path: Arc<str>) -> Arc<str> {
        match &self.path {
            Some(last) if *last == path => last.clone(),
            _ => self.path.insert(path).clone(),
        }
    }

    /// What a fold over the entry would keep.
    pub(super) fn entry(&mut self, entry: &mut Entry) {
        if let Some(source) = &mut entry.source {
            source.path = self.path(source.path.clone());
        }
        if let Event::DeviceProvisioned(new) = &mut entry.event
            && let Some(spec) = Arc::get_mut(&mut new.spec)
        {
            spec.labels = self.labels(std::mem::take(&mut spec.labels));
        }
    }
}
