//! Values that many devices have alike, kept once.

use std::sync::Arc;

use crate::domain::model::Digest;

/// So many are remembered: where there are more, they hardly come again.
const MOST: usize = 64;

/// The values that came last.
#[derive(Debug)]
struct Shared<T: ?Sized>(Vec<Arc<T>>);

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Shared<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// It is only how a state is held: wherever the rest is equal, it is.
impl<T: ?Sized> PartialEq for Shared<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: ?Sized + PartialEq> Shared<T> {
    /// The first of all that are equal to this one.
    fn of(&mut self, value: &T, make: impl FnOnce(&T) -> Arc<T>) -> Arc<T> {
        if let Some(at) = self.0.iter().position(|known| **known == *value) {
            return self.0[at].clone();
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        let made = make(value);
        self.0.push(made.clone());
        made
    }
}

/// What many devices have alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Alike {
    reasons: Shared<str>,
    digests: Shared<Digest>,
}

impl Alike {
    /// Why a status is what it is.
    pub(crate) fn reason(&mut self, reason: &str) -> Arc<str> {
        self.reasons.of(reason, |reason| reason.into())
    }

    /// The digest of a profile.
    pub(crate) fn digest(&mut self, digest: Digest) -> Arc<Digest> {
        self.digests.of(&digest, |digest| Arc::new(*digest))
    }
}
