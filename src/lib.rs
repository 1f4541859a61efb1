//! Fleetform: a device fleet, declared in Git.
//!
//! Operators commit manifests; a pass compares what is **desired** (the manifests) with what
//! is **recorded** (the ledger) and what was **observed** (reports of devices), and carries
//! the difference out. No device is wiped without fresh signatures of administrators, and
//! everything that happened is in a log that cannot be quietly rewritten.
//!
//! ```text
//!   fleet/*.yaml        inbox/               audit.jsonl + state.json
//!       │                 │                            │
//!   source ──► fleet   provider.observe             ledger::read/open
//!       │  (manifest,     │                            │
//!       │   yaml)         ▼                            ▼
//!       └── Desired ──► plan(&Inputs) ◄──────────── State ◄─── fold ◄──┐
//!                          │ Plan                                      │
//!                        guard(Plan) ── ApprovedPlan                   │
//!                          │                                           │
//!            `plan` prints it, `apply` and the daemon hand it to       │
//!                          ▼                                           │
//!                       execute: log the intent ─► provider ─► log the outcome
//! ```
//!
//! - **Core** (no file, no clock, no log, no async): [`model`], [`event`], [`state`],
//!   [`yaml`], [`manifest`], [`fleet`], [`lifecycle`], [`compliance`], [`wipe`], [`plan`],
//!   [`diff`], [`edit`], [`schema`], [`guard`], [`finding`], [`settings`].
//! - **Edges**, each with one resource and one error: [`source`] (the fleet directory),
//!   [`ledger`] (the log and its snapshot), [`provider`] (the MDM), [`config`], [`clock`],
//!   [`revision`] (the commit), [`trust_file`], on [`durable`] (files that survive a crash),
//!   [`git`] (the one place that starts it) and [`work_tree`] (what a merged change can write).
//! - **Composition**: [`execute`], [`reconcile`] (one pass), [`daemon`] (pass after pass, woken
//!   by [`watch`], slowed by [`backoff`]), [`status`] and [`http`]
//!   (what the daemon shows), [`cli`] with [`render`].
//!
//! Invariants: there is one planning function and no parameter that tells `plan` from
//! `apply`; only [`guard::guard`] makes an [`guard::ApprovedPlan`], only [`wipe::verify`] a
//! verified wipe; [`state::State::fold`] is the only code that changes recorded state; the
//! log is durable before what it announces is done.

pub mod backoff;
pub mod cli;
pub mod clock;
pub mod compliance;
pub mod config;
pub mod daemon;
pub mod diff;
pub mod durable;
pub mod edit;
pub mod encoding;
pub mod event;
pub mod execute;
pub mod finding;
pub mod fleet;
pub mod git;
pub mod guard;
pub mod http;
pub mod ledger;
pub mod lifecycle;
pub mod lookup;
pub mod manifest;
pub mod model;
pub mod object;
pub mod plan;
pub mod provider;
pub mod reconcile;
pub mod render;
pub mod revision;
pub mod schema;
pub mod settings;
pub mod source;
pub mod state;
pub mod status;
pub mod trust_file;
pub mod watch;
pub mod wipe;
pub mod wording;
pub mod work_tree;
pub mod yaml;
