//! What profiles are made of in a tenant: compliance policies that Fleetform writes, and assignments to
//! the group of the profile. Both are put right where somebody changed them.
//!
//! Objects of others are never touched: a policy is known by its mark, and assignments of others are
//! written back exactly as they were read.

mod assign;
mod assignment;
mod audit;
mod block;
mod drift;
mod members;
mod policies;
mod policy_body;
mod prepare;
mod problems;
#[cfg(test)]
mod tests;

pub(super) use assign::{assignments, configuration};
pub(super) use assignment::Assignable;
pub(super) use prepare::no_group;
