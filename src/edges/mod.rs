//! Each edge owns one resource and has one error. Edges do not import one another, but for [`fs`].

pub(crate) mod clock;
pub mod config;
pub(crate) mod deliveries;
pub mod fs;
pub mod ledger;
pub mod provider;
pub mod requests;
pub mod source;
pub mod trust_files;
pub mod watch;
