//! Whether a plan may rest on a checkout that is only half there.
//!
//! A change that destroys, or that touches much at once, waits until a second look, a moment
//! later, finds the same, and until Git has finished with the work tree. What devices report goes on
//! meanwhile. "The same" is asked of what the change rests on, and of nothing else: a wipe rests
//! on its request with all files beside it, on its device's manifest and on what was removed
//! from the directory. So an unrelated manifest that changes all the time puts nothing off for
//! ever.

mod settling;
#[cfg(test)]
mod tests;

pub(super) use settling::{Settling, Unsettled, WHILE_BUSY};
