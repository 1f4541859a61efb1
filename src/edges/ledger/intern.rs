//! Equal values read from disk share one allocation: a hundred thousand devices have a few
//! dozen sets of labels between them, and the devices of one file have one path.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::domain::model::Labels;
use crate::domain::state::Alike;

/// Texts of labels that are remembered: where there are more, they hardly come again.
const TEXTS: usize = 1 << 14;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Interner {
    labels: HashSet<Labels>,
    /// The same, by the JSON that they were read from.
    texts: HashMap<Box<str>, Labels>,
    path: Option<Arc<str>>,
    actor: Option<Arc<str>>,
    revision: Option<Arc<str>>,
    pub(super) alike: Alike,
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

    /// The labels that this JSON stands for; `None` if it stands for none.
    pub(super) fn read_labels(&mut self, text: &str) -> Option<Labels> {
        if let Some(seen) = self.texts.get(text) {
            return Some(seen.clone());
        }
        let labels = self.labels(serde_json::from_str(text).ok()?);
        if self.texts.len() < TEXTS {
            self.texts.insert(text.into(), labels.clone());
        }
        Some(labels)
    }

    /// The path before this one, if it is the same.
    pub(super) fn path(&mut self, path: &str) -> Arc<str> {
        last(&mut self.path, path)
    }

    /// The actor before this one, if it is the same.
    pub(super) fn actor(&mut self, actor: &str) -> Arc<str> {
        last(&mut self.actor, actor)
    }

    /// The revision before this one, if it is the same.
    pub(super) fn revision(&mut self, revision: &str) -> Arc<str> {
        last(&mut self.revision, revision)
    }
}

fn last(kept: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match kept {
        Some(last) if **last == *text => last.clone(),
        _ => kept.insert(text.into()).clone(),
    }
}
