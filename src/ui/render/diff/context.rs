//! What surrounds a comparison when it is shown.

use crate::domain::model::Timestamp;
use crate::domain::state::event::PassFrozen;
use crate::domain::wipe::trust::Trust;

/// What is compared, for the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The root of the fleet directory as given, for paths that an editor can open.
    pub(crate) root: &'a str,
    /// As given, with its commit where it is one.
    pub(crate) base: Side<'a>,
    /// As given, with its commit where it is one.
    pub(crate) head: Side<'a>,
    /// Whose keys signatures are of, where anybody here can say.
    pub(crate) trust: Option<&'a Trust>,
    /// What the guard would say of it, if it would freeze everything.
    pub(crate) freeze: Option<&'a PassFrozen>,
    /// When those keys have to be valid.
    pub(crate) now: Timestamp,
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side<'a> {
    /// As given.
    pub(crate) name: &'a str,
    /// The commit, where it is a revision.
    pub(crate) commit: Option<&'a str>,
}
