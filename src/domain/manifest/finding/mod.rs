//! One result of validation: where, what, and how to fix it.
//!
//! Findings are data. They hold the one line of source that they point at, so that
//! drawing them needs no second look at a file that may have changed since.

mod code;
pub mod explain;
mod record;

pub use code::{Code, Severity};
pub use record::{Finding, Span};
