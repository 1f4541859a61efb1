//! What a shell asks when somebody presses Tab: `fleetform __complete SHELL -- WORDS…`.
//!
//! The words up to the cursor, the last of them unfinished. Answered one candidate a line, with
//! what it is after a tab where the shell shows that. Exit 0: these and no others; 1: a path is
//! wanted, which shells know better. Whatever goes wrong is silence: nothing is written, locked
//! or said, and nothing takes longer than 150 ms. A list is whole or empty, since the shell
//! inserts what all candidates begin with.

mod known;
mod question;

pub(super) use question::Question;

#[cfg(test)]
mod tests;
