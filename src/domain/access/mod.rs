//! Who may come in: whether a device is blocked.
//!
//! Pure: a recorded device, the settings, and a time. Nothing here asks a clock or a provider.

mod block;
#[cfg(test)]
mod testing;

pub(crate) use block::{Block, block};
