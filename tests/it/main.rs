//! End-to-end tests of the real binary, and checks of the house itself.

mod architecture;
mod daemon;
