//! Fleetform: a device fleet, declared in Git.
//!
//! Operators commit manifests. A pass compares what is **desired** (the manifests) with what is
//! **recorded** (the ledger) and what was **observed** (reports of devices), and carries out the
//! difference. No device is wiped without fresh signatures of administrators, and everything
//! that happened is in a log that cannot be rewritten unnoticed.
//!
//! ```text
//!  ui      cli, http, client: take a request, and show the answer by render
//!             │
//!  app     reconcile: observe ─► decide ─► carry_out ─► execute     daemon: pass after pass
//!             │ reads                                      │ writes, calls
//!  edges   source     provider    ledger                ledger      provider
//!             │ Desired  │ Observed  │ State               ▲ intent,   ▲ push, wipe,
//!             ▼          ▼           ▼                     │ outcome   │ withdraw
//!  domain  plan(Inputs) ──────────► guard ──────────► ApprovedPlan ────┘
//! ```
//!
//! The path of a file says its level, and a level imports only what is below it:
//!
//! - [`domain`]: decisions, without file, clock, log or async.
//! - [`edges`]: what is outside, each with one module and one error.
//! - [`app`]: one pass, the daemon, and what is carried out.
//! - [`ui`]: the command line, HTTP, and everything that is shown.
//!
//! What always holds:
//!
//! - `plan` and `apply` share one planning function; no parameter tells them apart.
//! - Only [`domain::guard::guard`] makes an [`domain::guard::ApprovedPlan`], and nothing else is
//!   executed. Only `domain::wipe::verify` makes a `VerifiedWipe`, only `domain::plan::issuable` an
//!   [`domain::plan::IssuableWipe`], and a provider takes no other wipe.
//! - Recorded state is a fold over the log ([`domain::state::State::fold`]), and the log is durable
//!   before the effect that it announces.
//!
//! `docs/architecture.md` gives the reasons, and follows a manifest, a report and a wipe through
//! the files.

// Here and not in Cargo.toml: in tests and benches nothing is reachable from outside.
#![warn(unreachable_pub)]
// Tests do with throw-away files what others would.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "no file of a test outlives it"))]

pub mod app;
pub mod domain;
pub mod edges;
pub mod ui;
