//! One result of validation: where, what, and how to fix it.
//!
//! Findings are data. They hold the one line of source that they point at, so that
//! drawing them needs no second look at a file that may have changed since.

mod code;
pub(crate) mod explain;
mod record;

pub(crate) use code::{Code, Severity};
pub(crate) use record::{Finding, Span};
