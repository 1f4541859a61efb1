//! Microsoft Graph over a tenant: the operations, and what each demands of a call.
//!
//! `batch` takes a request and cuts a batch into its parts; `gate` lets each call in, or not, and
//! writes it down; `routes` finds the operation; the other files hold the operations, one file for
//! each concern. Nothing here knows sockets, clocks or tasks.

mod assignments;
mod autopilot;
mod batch;
mod call;
mod commands;
mod device_row;
mod devices;
mod directory;
mod events;
mod filter;
mod gate;
mod groups;
mod identifiers;
mod mail;
mod permissions;
mod policies;
mod policy_types;
mod query;
mod refusal;
mod routes;
mod scheduled;

pub(super) use batch::serve_graph;
