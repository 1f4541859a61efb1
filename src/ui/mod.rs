//! What people and programs see: the command line, HTTP, and the client of another daemon.

pub mod cli;
pub mod client;
pub mod http;
pub mod render;
pub(crate) mod wire;
