//! Whether all that Fleetform needs is there: the configuration, the fleet directory, the trust files,
//! the ledger, the files with secrets, and what the provider says of itself.
//!
//! It takes no lock, writes no file and makes no call that changes anything. What was found is judged
//! by pure functions. The order of the checks never changes; one that cannot be made since an earlier
//! one failed names that one.

mod configuration;
mod data;
mod examine;
mod fleet;
mod ledger;
mod secrets;
mod trust;

pub(crate) use examine::examine;
