//! Attacks, one test each: none gets a wipe that the administrators did not sign for.

mod attack;
mod files;
mod replays;
mod requests;
mod signatures;
mod trust;
mod vetoes;
