//! What an entry of the log says, in one line for people.

mod entry;
mod rights;

pub(crate) use entry::summary;
