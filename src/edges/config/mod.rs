//! `fleetform.yaml`: every setting, with a default that works (docs/reference.md).
//!
//! Read strictly: what is misspelt, given twice or out of range is an error that says
//! where and what is allowed, never a default. Reads one file and no environment.
//!
//! A file that a merged change can write gives no rights: of one in the Git work tree that holds
//! the fleet directory only `fleet` counts, whatever symbolic links lead there.

mod access;
mod checkout;
mod error;
mod file_format;
mod load;
mod notify;
mod provider;
mod settings;
mod url;
mod values;

#[cfg(test)]
pub(crate) use self::access::Access;
pub(crate) use self::error::{Error, Ignored};
pub(crate) use self::load::{FILE_NAME, Loaded};
pub use self::settings::Config;
pub(crate) use self::settings::TrustPaths;

#[cfg(test)]
mod tests;
