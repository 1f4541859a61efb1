//! The fleet directory, as it is on disk, made into [`crate::domain::fleet::Desired`].
//!
//! Only ever reads, and only regular files below the root: each component of a path is opened
//! from its parent's descriptor with `O_NOFOLLOW`, so no symlink, `..` or exchanged directory
//! leads out, and nothing blocks on a FIFO. The root itself may be a symlink; it is opened
//! once, so that a swap gives the old tree or the new one. Time and memory are bounded by
//! `rules::MAX_BYTES`, `rules::MAX_DEPTH` and the memory that there is. Never fails: what cannot be read is a
//! finding, and damage that holds whatever may be in it; a fleet that is too large for the memory, that does
//! not hold still while it is read, or for which files cannot be opened any more counts as one that
//! cannot be read at all.

pub(crate) mod again;
mod below;
mod directory;
mod few;
mod files;
pub mod git;
mod git_process;
mod index;
mod look;
pub(crate) mod revision;
mod rules;
mod signatures;
mod tree;
mod walk;

pub use self::directory::{Loaded, load, load_indexed};
pub(crate) use self::directory::{load_with, read_request};
pub use self::few::reread;
pub(crate) use self::few::{Few, touched, unchanged};
pub(crate) use self::files::{RawFile, raw_file, raw_files, text_below};
pub use self::index::Cache;
pub(crate) use self::rules::MAX_BYTES;

#[cfg(test)]
mod tests;
