//! Microsoft Intune, through Microsoft Graph.
//!
//! Devices enroll themselves: what is done before is to prepare for them (`push`), and what is
//! learned of them is read (`observe`). There are two app registrations: one for everything, and one
//! that can only wipe and retire (`wipe`). A device is never deleted in Intune, for any reason.

mod access;
mod connection;
mod directory;
mod doctor;
mod graph;
mod inventory;
mod licenses;
mod mailing;
mod observe;
mod provider;
mod push;
mod recent;
mod rows;
mod setup;
mod sync;
#[cfg(test)]
mod testing;
mod wipe;
mod wipe_target;

pub(crate) use connection::InvalidConnection;
pub(crate) use mailing::Mailing;
pub(crate) use provider::Intune;
