//! What the log says of what is told: entries of a sink, before and after.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::queue::{Batch, BatchOutcome};
use super::sink::{Sink, Ticketed};
use crate::domain::model::DeviceId;
use crate::domain::notice::{Attempt, Job, Topic};
use crate::domain::state::event::{Event, NoticeIntended, NoticeSent, NoticeStopped, TicketTold};
use crate::edges::ledger::Draft;

/// What is to be written of one device, or of none.
pub(super) type Said = (Option<DeviceId>, Event);

/// What came of a try, for each device; nothing where it is tried again.
pub(super) fn outcomes(
    sink: &Arc<dyn Sink>,
    batch: &Batch,
    intent: u64,
    settled: BatchOutcome,
    attempt: &Attempt,
    ticketed: Option<&Ticketed>,
) -> Vec<Said> {
    if settled == BatchOutcome::Again {
        return Vec::new();
    }
    let to = sink.recipient(&batch.jobs).map(CompactString::from);
    let outcome = |jobs: &[Job]| match (settled, ticketed) {
        (BatchOutcome::GivenUp, _) => {
            Event::NoticeFailed(Box::new(stopped(sink, Some(intent), jobs, reason(attempt))))
        }
        (BatchOutcome::Dropped, _) => {
            Event::NoticeDropped(Box::new(stopped(sink, Some(intent), jobs, reason(attempt))))
        }
        (_, Some(Ticketed { id, number, others, opened })) => {
            let told = TicketTold {
                intent,
                sink: sink.name().into(),
                topic: topic(jobs),
                ids: ids(jobs),
                ticket: id.as_str().into(),
                number: number.as_str().into(),
                others: others.iter().map(|number| number.as_str().into()).collect(),
            };
            let event = if *opened { Event::TicketOpened } else { Event::TicketNoted };
            event(Box::new(told))
        }
        (_, None) => {
            let reference = match attempt {
                Attempt::Done { reference } => reference.as_deref().map(Into::into),
                _ => None,
            };
            Event::NoticeSent(Box::new(NoticeSent {
                intent,
                sink: sink.name().into(),
                topic: topic(jobs),
                ids: ids(jobs),
                to: to.clone(),
                reference,
            }))
        }
    };
    by_device(&batch.jobs).into_iter().map(|(device, jobs)| (device, outcome(&jobs))).collect()
}

/// Entries that only say what was told: telling them would never end.
pub(super) fn is_about_telling(event: &Event) -> bool {
    matches!(
        event,
        Event::NoticeBegun(_)
            | Event::NoticeIntended(_)
            | Event::NoticeSent(_)
            | Event::NoticeFailed(_)
            | Event::NoticeDropped(_)
            | Event::TicketOpened(_)
            | Event::TicketNoted(_)
    )
}

pub(super) fn by_device(jobs: &[Job]) -> BTreeMap<Option<DeviceId>, Vec<Job>> {
    let mut found: BTreeMap<Option<DeviceId>, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        found.entry(job.device).or_default().push(job.clone());
    }
    found
}

fn ids(jobs: &[Job]) -> Vec<CompactString> {
    jobs.iter().map(|job| job.id.as_str().into()).collect()
}

fn topic(jobs: &[Job]) -> CompactString {
    jobs.first().map_or(Topic::Entry, |job| job.topic).as_str().into()
}

pub(super) fn intended(sink: &Arc<dyn Sink>, intent: u64, jobs: &[Job]) -> Vec<Draft> {
    let to = sink.recipient(jobs).map(CompactString::from);
    let draft = |(device, jobs): (Option<DeviceId>, Vec<Job>)| {
        let (sink, topic) = (sink.name().into(), topic(&jobs));
        let intended = NoticeIntended { intent, sink, topic, ids: ids(&jobs), to: to.clone() };
        Draft { device, source: None, event: Event::NoticeIntended(Box::new(intended)) }
    };
    by_device(jobs).into_iter().map(draft).collect()
}

pub(super) fn stopped(
    sink: &Arc<dyn Sink>,
    intent: Option<u64>,
    jobs: &[Job],
    reason: String,
) -> NoticeStopped {
    NoticeStopped {
        intent,
        sink: sink.name().into(),
        topic: topic(jobs),
        ids: ids(jobs),
        to: sink.recipient(jobs).map(CompactString::from),
        reason,
    }
}

fn reason(attempt: &Attempt) -> String {
    match attempt {
        Attempt::NotNeeded { why } => why.clone(),
        failed => failed.why().unwrap_or_default().to_owned(),
    }
}
