//! One pass: load, observe, plan, guard, execute. The only place that composes the rest.
//!
//! `plan` and `apply` share [`decide()`]; what differs is whether the result is printed or
//! handed to [`carry_out()`]. A report is [acknowledged](acknowledge()) only when the snapshot that holds what it
//! said is durable, and reports whose actions were not done are heard again.

mod basis;
mod carry_out;
mod decide;
mod decision;
mod error;
mod few;
mod full_read;
mod kept;
mod reread;
mod unconfirmed;

pub use basis::Basis;
pub use carry_out::{acknowledge, carry_out};
pub use decide::{decide, observe};
pub use decision::{Decision, Unacknowledged};
pub use reread::{heads, reread};
pub use unconfirmed::Unconfirmed;

pub(crate) use basis::approve;
pub(crate) use carry_out::{acknowledge_saved, note_config};
pub(crate) use decision::{RefusedReport, ReportCounts};
pub(crate) use error::Error;
pub(crate) use few::{decide_on, devices_of};
pub(crate) use full_read::{changes, is_intent, is_many, needs_full_read, removes, request};
pub(crate) use kept::{Holds, Kept, keep, kept};
pub(crate) use reread::reread_by;
