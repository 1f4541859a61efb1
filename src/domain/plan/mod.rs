//! `plan(&Inputs) -> Plan`: the decision, total and deterministic.
//!
//! What is desired is compared with what is recorded, device by device, and becomes actions
//! or holds, each with its reason and its place. The same function serves `plan` and
//! `apply`: it reads nothing, knows no clock but its input, and cannot fail. Actions come in
//! a fixed order: profiles by name, then devices by id, each device's in the order in which
//! they are to be done, then wipes. After they are done, planning again gives none.

mod action;
mod archive;
pub(crate) mod changes;
mod damage;
mod decision;
mod device;
mod digest;
pub mod due;
pub mod effect;
mod episodes;
mod erased;
mod hold;
mod inputs;
mod kind_words;
mod licenses;
mod mdm;
mod new_fields;
mod news;
mod planner;
mod profiles;
mod provision;
mod reports;
mod subject;
mod syncs;
mod waiting;
mod wipe_stop;
mod wipes;

pub(crate) use action::Cause;
pub use action::{Action, ActionKind, Op};
pub(crate) use archive::archives_at;
pub use decision::{Plan, Telemetry};
pub(crate) use digest::digest;
pub(crate) use hold::shared_detail;
pub use hold::{Hold, HoldReason};
pub(crate) use inputs::Heard;
pub use inputs::Inputs;
pub(crate) use news::{Drift, DriftSubject, WipeNews, WipeStep};
pub use news::{NO_NEWS, News};
pub use planner::plan;
pub(crate) use planner::plan_for;
pub(crate) use subject::Subject;
pub(crate) use waiting::Waiting;
pub use wipes::{Fresh, IssuableWipe, WipeView};
pub(crate) use wipes::{
    NotIssued, WipeStanding, ahead_of, clock_behind, issuable, left_today, time_ahead,
    verify_request,
};

#[cfg(test)]
pub(crate) mod tests;
