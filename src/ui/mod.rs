//! What people and programs see: the command line, HTTP, and the client of another daemon.

pub mod cli;
pub(crate) mod client;
pub(crate) mod emulator;
pub(crate) mod http;
pub(crate) mod render;
pub(crate) mod wire;
