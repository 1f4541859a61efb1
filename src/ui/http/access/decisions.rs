//! What is remembered of decisions: how many there were, and the last one about each device of a
//! user, so that the program's log says what has changed and not what was asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::access::{Answer, Denial, Question, Reason};
use crate::domain::model::Digest;
use crate::domain::wording::quote;

/// So many of the last decisions are remembered, twice: beyond that those go that nobody has asked
/// for in the longest time, and what is said of them may be said again.
const REMEMBERED: usize = 50_000;

/// Counts and memory; copies share it.
#[derive(Debug, Clone, Default)]
pub(in crate::ui::http) struct Decisions(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    counts: Counts,
    recent: Last,
    before: Last,
}

/// By user, device and resource: why not, if it was no.
type Last = HashMap<Digest, Option<Reason>>;

/// Since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::ui::http) struct Counts {
    /// By resource, as it is configured: yes, and no.
    pub(in crate::ui::http) by_resource: BTreeMap<String, [u64; 2]>,
    /// Of those that were no.
    pub(in crate::ui::http) by_reason: BTreeMap<Reason, u64>,
    /// Requests, and questions among others, that were none.
    pub(in crate::ui::http) mistakes: u64,
}

impl Decisions {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of a request that was wrong.
    pub(super) fn count_mistake(&self) {
        self.noted().counts.mistakes += 1;
    }

    pub(in crate::ui::http) fn counts(&self) -> Counts {
        self.noted().counts.clone()
    }

    /// Counts a decision, and says it where it is another one than the last time, or a first no.
    pub(super) fn note(&self, question: &Question<'_>, answer: &Answer) {
        let reason = answer.denial.as_ref().map(|denial| denial.reason);
        let mut noted = self.noted();
        let Noted { counts, .. } = &mut *noted;
        if reason != Some(Reason::UnknownResource) {
            let resource = question.resource;
            // Names are those of the configuration, so there are few.
            let of = match counts.by_resource.get_mut(resource) {
                Some(of) => of,
                None => counts.by_resource.entry(resource.to_owned()).or_default(),
            };
            of[usize::from(reason.is_some())] += 1;
        }
        if let Some(reason) = reason {
            *counts.by_reason.entry(reason).or_default() += 1;
        }
        if !is_worth_saying(reason) {
            return;
        }
        let changed = noted.remember(key(question), reason);
        drop(noted);
        match &answer.denial {
            _ if !changed => {}
            None => {
                let user = quote(question.user);
                tracing::info!(%user, resource = question.resource, "access is allowed again");
            }
            Some(Denial { reason, admin, .. }) => {
                let user = quote(question.user);
                tracing::info!(
                    %user, resource = question.resource, reason = reason.as_str(), why = %admin,
                    "access is denied"
                );
            }
        }
    }
}

/// What strangers make up would fill the log, and what is so for everybody is said elsewhere.
fn is_worth_saying(reason: Option<Reason>) -> bool {
    match reason {
        Some(
            Reason::NotReady
            | Reason::LedgerUnreadable
            | Reason::OutOfDate
            | Reason::Frozen
            | Reason::UnknownResource
            | Reason::UnsupportedSubject
            | Reason::UnknownUser
            | Reason::UnknownDevice
            | Reason::ForeignDevice
            | Reason::AmbiguousDevice,
        ) => false,
        None
        | Some(
            Reason::NoEnrolledDevice
            | Reason::Wiped
            | Reason::WipeUnderWay
            | Reason::NotEnrolled
            | Reason::Missing
            | Reason::NonCompliant
            | Reason::ComplianceUnknown
            | Reason::Stale
            | Reason::Blocked
            | Reason::NotCorporate
            | Reason::NotDeclared,
        ) => true,
    }
}

fn key(question: &Question<'_>) -> Digest {
    let Question { user, device, resource, .. } = question;
    let parts = [Some(*user), device.id, device.serial, Some(*resource)];
    let lower = parts.map(|part| part.unwrap_or_default().to_ascii_lowercase());
    Digest::of(lower.join("\0").as_bytes())
}

impl Noted {
    /// Whether it is to be said: a no that is the first or another one, a yes after a no.
    fn remember(&mut self, key: Digest, reason: Option<Reason>) -> bool {
        let last = self.recent.get(&key).or_else(|| self.before.get(&key)).copied();
        if self.recent.len() >= REMEMBERED && !self.recent.contains_key(&key) {
            self.before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, reason);
        reason != last.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_said() {
        let mut noted = Noted::default();
        let key = |n: u64| Digest::of(&n.to_be_bytes());
        let stale = Some(Reason::Stale);
        for (reason, said) in [
            (None, false),
            (stale, true),
            (stale, false),
            (Some(Reason::Blocked), true),
            (None, true),
            (None, false),
        ] {
            assert_eq!(noted.remember(key(0), reason), said, "{reason:?}");
        }
        assert!(noted.remember(key(1), stale), "another device");
    }

    #[test]
    fn what_is_remembered_has_an_end_and_what_is_asked_often_stays() {
        let mut noted = Noted::default();
        let key = |n: usize| Digest::of(&n.to_be_bytes());
        let stale = Some(Reason::Stale);
        for n in 1..5 * REMEMBERED {
            noted.remember(key(n), stale);
            if n % 1000 == 0 {
                assert_eq!(noted.remember(key(0), stale), n == 1000, "at {n}");
            }
            assert!(noted.recent.len() <= REMEMBERED && noted.before.len() <= REMEMBERED);
        }
    }
}
