//! The status machine (docs/concepts.md): one step at a time, the clock an input.
//!
//! Expected flow: Pending when provisioned, Enrolled when the device reports, Pending again
//! when it is to enroll again, Failed when it did not manage in time or an operator says so,
//! Wiped at the end. Guarantees: from one state and one stimulus there is at most one
//! transition; nothing leads out of Wiped; without a desire (the manifest is gone or cannot
//! be read) nothing moves but a wipe, so that silence never changes a status. A device that was
//! erased though nobody asked for it is Failed, whatever is desired, until `enrollment` is raised.

use chrono::TimeDelta;

use crate::domain::model::{DesiredStatus, Status, Timestamp};
use crate::domain::wording::duration;

/// Where a device stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LifeState {
    pub(crate) status: Status,
    pub(crate) since: Timestamp,
    pub(crate) enrollment: u32,
    /// It reported that it was erased, and nobody had asked for it: it stays Failed until
    /// `enrollment` is raised.
    pub(crate) erased: bool,
}

/// What a valid manifest wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Desire {
    pub(crate) status: DesiredStatus,
    pub(crate) enrollment: u32,
}

/// What may move a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stimulus<'a> {
    /// The device reported, perhaps that its enrollment went wrong.
    Report {
        enrollment_error: Option<&'a str>,
    },
    Manifest,
    /// Time has come to this.
    Clock {
        now: Timestamp,
        deadline: TimeDelta,
    },
}

/// A move from one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transition {
    pub(crate) to: Status,
    pub(crate) reason: String,
    /// The new enrollment, where it was raised: what the device reported before is void.
    pub(crate) enrollment: Option<u32>,
}

/// The one step, if any, that a stimulus causes.
#[must_use]
pub(crate) fn step(
    at: LifeState,
    desire: Option<Desire>,
    stimulus: Stimulus<'_>,
) -> Option<Transition> {
    let desire = desire?;
    match stimulus {
        Stimulus::Report { .. } if at.erased => None,
        Stimulus::Manifest if at.erased && desire.enrollment <= at.enrollment => None,
        Stimulus::Report { enrollment_error } => report(at.status, desire.status, enrollment_error),
        Stimulus::Manifest => manifest(at, desire),
        Stimulus::Clock { now, deadline } => clock(at, desire.status, now, deadline),
    }
}

fn report(from: Status, desired: DesiredStatus, error: Option<&str>) -> Option<Transition> {
    use {DesiredStatus as Want, Status as Is};
    match (from, desired, error) {
        (Is::Pending, Want::Enrolled, None) => to(Is::Enrolled, "the device reported"),
        (Is::Failed, Want::Enrolled, None) => to(Is::Enrolled, "the device reported after all"),
        // Desired Pending parks a device: neither success nor failure ends it, or the next
        // plan would set it back, report after report.
        (Is::Failed, Want::Pending, None) | (Is::Pending, Want::Pending, _) => None,
        (Is::Pending, Want::Enrolled | Want::Failed, Some(error)) => {
            to(Is::Failed, format!("enrollment error: {error}"))
        }
        (Is::Pending | Is::Failed, Want::Failed, None) => None,
        (Is::Failed, _, Some(_)) => None,
        (Is::Enrolled | Is::Wiped, _, _) => None,
    }
}

fn manifest(at: LifeState, desire: Desire) -> Option<Transition> {
    use {DesiredStatus as Want, Status as Is};
    let raised = desire.enrollment > at.enrollment;
    match (at.status, desire.status) {
        (Is::Wiped, _) | (Is::Failed, Want::Failed) => None,
        (Is::Pending | Is::Enrolled, Want::Failed) => to(Is::Failed, "the manifest says Failed"),
        (Is::Enrolled | Is::Failed, Want::Enrolled | Want::Pending) if raised => Some(Transition {
            to: Is::Pending,
            reason: format!("enrollment raised from {} to {}", at.enrollment, desire.enrollment),
            enrollment: Some(desire.enrollment),
        }),
        (Is::Enrolled | Is::Failed, Want::Pending) => to(Is::Pending, "the manifest says Pending"),
        (Is::Pending, Want::Enrolled | Want::Pending)
        | (Is::Enrolled | Is::Failed, Want::Enrolled) => None,
    }
}

fn clock(
    at: LifeState,
    desired: DesiredStatus,
    now: Timestamp,
    deadline: TimeDelta,
) -> Option<Transition> {
    match (at.status, desired) {
        (Status::Pending, DesiredStatus::Enrolled) if now - at.since >= deadline => {
            to(Status::Failed, format!("no report within {}", duration(deadline)))
        }
        (
            Status::Pending | Status::Enrolled | Status::Failed | Status::Wiped,
            DesiredStatus::Enrolled | DesiredStatus::Pending | DesiredStatus::Failed,
        ) => None,
    }
}

fn to(to: Status, reason: impl Into<String>) -> Option<Transition> {
    Some(Transition { to, reason: reason.into(), enrollment: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn at(status: Status) -> LifeState {
        LifeState { status, since: NOW, enrollment: 1, erased: false }
    }

    fn want(status: DesiredStatus, enrollment: u32) -> Option<Desire> {
        Some(Desire { status, enrollment })
    }

    fn later(minutes: i64) -> Stimulus<'static> {
        Stimulus::Clock { now: NOW + TimeDelta::minutes(minutes), deadline: TimeDelta::minutes(30) }
    }

    const REPORT: Stimulus<'static> = Stimulus::Report { enrollment_error: None };
    const ERROR: Stimulus<'static> = Stimulus::Report { enrollment_error: Some("no license") };

    #[test]
    fn every_row_of_the_table_and_nothing_else() {
        use {DesiredStatus as Want, Status as Is};
        type Row = (Status, DesiredStatus, u32, Stimulus<'static>, Status);
        let moves: &[Row] = &[
            (Is::Pending, Want::Enrolled, 1, REPORT, Is::Enrolled),
            (Is::Pending, Want::Enrolled, 1, ERROR, Is::Failed),
            (Is::Pending, Want::Failed, 1, ERROR, Is::Failed),
            (Is::Pending, Want::Enrolled, 1, later(30), Is::Failed),
            (Is::Failed, Want::Enrolled, 1, REPORT, Is::Enrolled),
            (Is::Failed, Want::Enrolled, 2, REPORT, Is::Enrolled),
            (Is::Pending, Want::Enrolled, 2, REPORT, Is::Enrolled),
            (Is::Pending, Want::Enrolled, 2, ERROR, Is::Failed),
            (Is::Pending, Want::Failed, 2, ERROR, Is::Failed),
            (Is::Pending, Want::Enrolled, 2, later(30), Is::Failed),
            (Is::Failed, Want::Enrolled, 2, Stimulus::Manifest, Is::Pending),
            (Is::Failed, Want::Pending, 2, Stimulus::Manifest, Is::Pending),
            (Is::Enrolled, Want::Enrolled, 2, Stimulus::Manifest, Is::Pending),
            (Is::Enrolled, Want::Pending, 2, Stimulus::Manifest, Is::Pending),
            (Is::Enrolled, Want::Pending, 1, Stimulus::Manifest, Is::Pending),
            (Is::Failed, Want::Pending, 1, Stimulus::Manifest, Is::Pending),
            (Is::Pending, Want::Failed, 1, Stimulus::Manifest, Is::Failed),
            (Is::Enrolled, Want::Failed, 1, Stimulus::Manifest, Is::Failed),
            (Is::Pending, Want::Failed, 2, Stimulus::Manifest, Is::Failed),
            (Is::Enrolled, Want::Failed, 2, Stimulus::Manifest, Is::Failed),
        ];
        for &status in Status::ALL {
            for &desired in DesiredStatus::ALL {
                for enrollment in [1, 2] {
                    for stimulus in [REPORT, ERROR, Stimulus::Manifest, later(29), later(30)] {
                        let expected = moves
                            .iter()
                            .find(|row| {
                                (row.0, row.1, row.2, row.3)
                                    == (status, desired, enrollment, stimulus)
                            })
                            .map(|row| row.4);
                        let got = step(at(status), want(desired, enrollment), stimulus);
                        assert_eq!(
                            got.map(|t| t.to),
                            expected,
                            "{status} {desired} {enrollment} {stimulus:?}"
                        );
                        assert_eq!(step(at(status), None, stimulus), None);
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_erased_stays_failed_until_the_enrollment_is_raised() {
        let erased = LifeState { erased: true, ..at(Status::Failed) };
        for &desired in DesiredStatus::ALL {
            for stimulus in [REPORT, ERROR, Stimulus::Manifest, later(30)] {
                assert_eq!(
                    step(erased, want(desired, 1), stimulus),
                    None,
                    "{desired} {stimulus:?}"
                );
            }
            assert_eq!(step(erased, want(desired, 2), REPORT), None, "{desired}");
        }
        let raised = step(erased, want(DesiredStatus::Enrolled, 2), Stimulus::Manifest);
        assert_eq!(raised.expect("a transition").to, Status::Pending);
    }

    #[test]
    fn raising_the_enrollment_starts_afresh() {
        let step = step(at(Status::Enrolled), want(DesiredStatus::Enrolled, 3), Stimulus::Manifest)
            .expect("a transition");
        assert_eq!(step.enrollment, Some(3));
        assert_eq!(step.reason, "enrollment raised from 1 to 3");
    }
}
