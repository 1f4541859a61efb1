//! The fleet directory as it is in Git revisions, read by asking `git`.
//!
//! Only ever reads objects: no work tree, no index, no hook and no configuration of the
//! repository has a say (`source::git_process`). A bare repository serves where `GIT_DIR` names it; a
//! directory that merely looks like one is never asked. The rules for what is a manifest are those
//! of the directory on disk. Two revisions are compared by what differs between their trees;
//! the rest is read only where a rule between files may be affected (`fleet::local_change`),
//! and of that only what may be affected is parsed (`fleet::AffectedFiles`).

mod compare;
mod error;
mod objects;
mod repository;
mod side;
mod unchanged_files;

pub(crate) use self::error::Error;
pub(crate) use self::repository::Commit;
pub use self::repository::Repository;

#[cfg(test)]
mod tests;
