//! Telling others what happened: people, ticket systems, programs.
//!
//! Each of them is a [`Sink`], and a consumer of the log of its own: it has a cursor, a queue, its own
//! patience, and a task that no pass waits for. Entries become [`crate::domain::notice::Job`]s. Of each job
//! the intent is in the log before anybody is told, and the outcome afterwards, so that the log says who was
//! told what and when; a job whose outcome a crash has cost is told again under the same id.
//!
//! What a sink has yet to tell follows from the log: its checkpoint is only where it goes on from, and one
//! that is lost is made again from the entry at which the sink began.

mod entries;
mod events;
mod ids;
mod log_writer;
pub(crate) mod mail;
mod queue;
mod recently_sent;
mod run;
mod service_now;
mod sink;
mod statuses;
mod unlogged;
mod waiting;
mod webhook;
mod worker;

pub(crate) use events::EventSink;
pub(crate) use log_writer::Request;
pub(crate) use queue::Queue;
pub(crate) use recently_sent::RecentlySent;
pub(crate) use run::{Deliveries, deliver_for};
pub(crate) use service_now::ServiceNowSink;
pub(crate) use sink::{Sink, Ticketed};
pub(crate) use statuses::{LATE, SinkStatus, SinkStatuses};
pub(crate) use waiting::Waiting;
pub(crate) use webhook::WebhookSink;
pub(crate) use worker::queues;

#[cfg(test)]
mod tests;
