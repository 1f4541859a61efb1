//! Each edge owns one resource and has one error. Edges do not import one another, but for [`fs`] and
//! [`http_client`].

pub(crate) mod backup_file;
pub(crate) mod clock;
pub mod config;
pub(crate) mod deliveries;
pub mod fs;
pub(crate) mod http_client;
pub mod ledger;
pub(crate) mod memory;
pub(crate) mod notify;
pub mod provider;
pub mod requests;
pub mod source;
pub mod trust_files;
pub mod watch;
