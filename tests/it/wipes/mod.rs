//! Wipes, from the files on disk to the outbox: real keys of `ssh-keygen`, a real ledger, the
//! shipped provider, and a clock that the test sets.

mod attacks;
mod commands;
mod crashes;
mod issuing;
mod requests;
mod scripted;
mod windows;
