//! Who may come in: whether a device is blocked, and the answer for a user, a device and a
//! resource.
//!
//! Pure: a recorded state, the rules, and a time. Nothing here asks a clock or a provider. Denied
//! is whatever nobody allowed: what is not known, not recent or not readable is no permission.

mod answer;
mod block;
mod directory;
mod judge;
mod question;
mod reason;
mod rules;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod wording;

pub(crate) use answer::{Answer, Denial};
pub(crate) use block::{Blocking, block, blocks_at};
pub(crate) use directory::Directory;
pub(crate) use judge::{Judge, Knowledge, RequirementCheck};
pub(crate) use question::{Named, Question};
pub(crate) use reason::Reason;
pub(crate) use rules::{Requirement, Resource, Rules, Users};
