//! Fleetform: a device fleet, declared in Git.
//!
//! Operators commit manifests; a pass compares what is **desired** (the manifests) with what
//! is **recorded** (the ledger) and what was **observed** (reports of devices), and carries
//! the difference out. No device is wiped without fresh signatures of administrators, and
//! everything that happened is in a log that cannot be quietly rewritten.
//!
//! ```text
//!  ui      cli, http, client ──────────── render (values in, bytes out)
//!             │
//!  app     reconcile: one pass        daemon: pass after pass      execute: one plan
//!             │ reads                                                │ log the intent,
//!             ▼                                                      ▼ call the provider,
//!  edges   source (fleet directory)   provider (the MDM)           ledger (log and snapshot)
//!             │ Documents                │ Observation               ▲ log the outcome
//!             ▼                          ▼                           │ State
//!  domain  manifest ─► fleet ─► plan(Inputs) ─► guard ─► ApprovedPlan
//! ```
//!
//! Each level imports only what lies below it, and the path of a file says its level:
//!
//! - [`domain`]: pure. No file, no clock, no log, no async. The decision is made here.
//! - [`edges`]: each owns one resource of the outside and has one error.
//! - [`app`]: puts them together: one pass, the daemon, what is carried out.
//! - [`ui`]: the command line, HTTP, and everything that is shown.
//!
//! Invariants: there is one planning function and no parameter that tells `plan` from
//! `apply`; only [`domain::guard::guard`] makes an [`domain::guard::ApprovedPlan`], only
//! `domain::wipe::verify` a verified wipe, and only [`domain::plan::issuable`] one that may be
//! issued; [`domain::state::State::fold`] is the only code that changes recorded state; the log is
//! durable before what it announces is done.

// Here and not in Cargo.toml: in tests and benches nothing is reachable from outside.
#![warn(unreachable_pub)]

pub mod app;
pub mod domain;
pub mod edges;
pub mod ui;
