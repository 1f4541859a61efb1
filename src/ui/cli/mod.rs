//! The command line: what it accepts, where its settings come from, what its exit means.
//!
//! The only module that reads the environment. It decides nothing about devices: a verb
//! hands loaded values to `render`. Results go to standard output, all else to
//! standard error.

mod access;
mod apply;
mod args;
mod audit;
mod author;
mod backup;
mod check;
mod checkout;
mod complete;
mod completions;
mod consent;
mod daemon;
mod deliveries;
mod diff;
mod doctor;
mod emulator;
mod environment;
mod exit;
mod explain;
mod export;
mod failure;
mod filters;
mod fix;
mod fmt;
mod format;
mod get;
mod global;
mod import;
mod init;
mod later;
mod licenses;
mod list;
mod local_plan;
mod logging;
mod man;
mod notify;
mod orphans;

mod plain_log;
mod plan;
mod process;
mod profile;
mod progress;
mod provision;
mod report;
mod reports;
mod restore;
mod rewrite;
mod run;
mod schema;
mod select;
mod server;
mod set;
mod setup;
mod shell;
mod show;
mod sync;
mod trust;
mod value;
mod why;
mod wipe;

pub use run::main;

#[cfg(test)]
mod tests;
