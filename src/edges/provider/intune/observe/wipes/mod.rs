//! What became of wipes.

mod follow;
#[cfg(test)]
mod tests;

pub(super) use follow::follow;
pub(crate) use follow::{pending, read};
