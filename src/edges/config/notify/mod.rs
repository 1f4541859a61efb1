//! `notify` of the configuration file: who is told what follows from the log, and how to reach them.
//!
//! Everything of it gives rights: it says where facts about people and devices are sent.

mod events;
mod mail;
mod service_now;
mod values;
mod webhook;
mod written;

pub(super) use written::Notify;

#[cfg(test)]
mod tests;
