//! What each code means, with an example that is wrong and one that is right.
//!
//! `fleetform explain`, the rules of SARIF and the table in `docs/findings.md` are made from
//! these texts. They never drift from the program: a test runs every example, and the wrong
//! one gives its code and no other, the right one nothing at all.

mod examples;
mod explanation;
mod field;
mod file;
mod fleet;
mod of_code;
mod yaml;

pub(crate) use explanation::{Example, Explanation};

#[cfg(test)]
pub(crate) mod tests;
