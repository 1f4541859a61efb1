//! What an entry of the log says, in one line for people.

mod consequence;
mod entry;
mod rights;

pub(crate) use entry::summary;
