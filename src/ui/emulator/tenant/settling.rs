//! Values that readers see late: the directory and Intune are eventually consistent.

use std::collections::BTreeMap;
use std::ops::Bound;

use chrono::TimeDelta;

use crate::domain::model::Timestamp;

/// When somebody looks, and how long a change stays hidden from readers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf {
    pub(crate) now: Timestamp,
    pub(crate) lag: TimeDelta,
}

/// A value of which readers see the one before for a while.
#[derive(Debug, Clone)]
pub(crate) struct Settling<T> {
    current: Option<T>,
    before: Option<T>,
    changed: Timestamp,
}

impl<T: Clone> Settling<T> {
    /// A value that readers do not see yet.
    pub(crate) fn new(value: T, now: Timestamp) -> Self {
        Self { current: Some(value), before: None, changed: now }
    }

    /// A value that everybody sees.
    pub(crate) fn settled(value: T) -> Self {
        Self { current: Some(value), before: None, changed: Timestamp::from_millis(i64::MIN) }
    }

    pub(crate) fn current(&self) -> Option<&T> {
        self.current.as_ref()
    }

    /// What a reader sees.
    pub(crate) fn seen(&self, at: AsOf) -> Option<&T> {
        let settled = at.now >= self.changed + at.lag;
        if settled { self.current.as_ref() } else { self.before.as_ref() }
    }

    pub(crate) fn set(&mut self, value: Option<T>, at: AsOf) {
        self.before = self.seen(at).cloned();
        self.current = value;
        self.changed = at.now;
    }

    /// Whether neither the tenant nor any reader has it any more.
    pub(crate) fn is_gone(&self, at: AsOf) -> bool {
        self.current.is_none() && self.seen(at).is_none()
    }
}

/// Things by their id.
#[derive(Debug, Clone)]
pub(crate) struct Collection<T>(BTreeMap<String, Settling<T>>);

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> Collection<T> {
    pub(crate) fn current(&self, id: &str) -> Option<&T> {
        self.0.get(id)?.current()
    }

    pub(crate) fn seen(&self, id: &str, at: AsOf) -> Option<&T> {
        self.0.get(id)?.seen(at)
    }

    /// What readers see, by id, after this one.
    pub(crate) fn all_seen(&self, at: AsOf, after: Option<&str>) -> impl Iterator<Item = &T> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range::<str, _>((from, Bound::Unbounded)).filter_map(move |(_, v)| v.seen(at))
    }

    pub(crate) fn all_current(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(Settling::current)
    }

    /// Adds or replaces.
    pub(crate) fn put(&mut self, id: &str, value: T, at: AsOf) {
        match self.0.get_mut(id) {
            Some(there) => there.set(Some(value), at),
            None => {
                self.0.insert(id.to_owned(), Settling::new(value, at.now));
            }
        }
    }

    /// Adds what everybody sees at once.
    pub(crate) fn put_settled(&mut self, id: &str, value: T) {
        self.0.insert(id.to_owned(), Settling::settled(value));
    }

    pub(crate) fn remove(&mut self, id: &str, at: AsOf) -> Option<T> {
        let there = self.0.get_mut(id)?;
        let was = there.current().cloned()?;
        there.set(None, at);
        if there.is_gone(at) {
            self.0.remove(id);
        }
        Some(was)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> AsOf {
        AsOf { now: Timestamp::from_millis(seconds * 1000), lag: TimeDelta::seconds(5) }
    }

    #[test]
    fn readers_see_the_value_before_until_the_lag_is_over() {
        let mut all = Collection::default();
        all.put("a", 1, at(10));
        assert_eq!((all.current("a"), all.seen("a", at(14))), (Some(&1), None));
        assert_eq!(all.seen("a", at(15)), Some(&1));
        all.put("a", 2, at(20));
        assert_eq!((all.seen("a", at(24)), all.seen("a", at(25))), (Some(&1), Some(&2)));
        assert_eq!(all.remove("a", at(30)), Some(2));
        assert_eq!((all.current("a"), all.seen("a", at(34))), (None, Some(&2)));
        assert_eq!(all.seen("a", at(35)), None);
    }

    #[test]
    fn without_a_lag_everybody_sees_everything_at_once() {
        let now = AsOf { lag: TimeDelta::zero(), ..at(1) };
        let mut all = Collection::default();
        all.put("a", 1, now);
        assert_eq!(all.seen("a", now), Some(&1));
        all.remove("a", now);
        assert_eq!(all.seen("a", now), None);
        assert_eq!(all.all_seen(now, None).count(), 0);
    }
}
