//! An emulator of Microsoft Intune: Graph and tokens over a tenant in memory, for tests and trials.
//!
//! `tenant` is the tenant as plain data, `graph` and `token` are the services over it, `control` is
//! what tests do to it, and `server` is the only part with sockets and a clock. It listens on
//! loopback only, and says on each answer that it is an emulator.

mod control;
mod fleet;
mod graph;
mod server;
mod start;
mod tenant;
mod token;
mod wire;

pub(crate) use server::Emulator;
pub(crate) use start::{Start, tenant as new_tenant};

#[cfg(test)]
mod tests;
