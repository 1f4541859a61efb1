//! What is learned of a tenant: a list of all devices, details of those whose row changed, what became
//! of wipes and of requests for approval, why devices do not enroll, who lost a license, and what somebody
//! changed.
//!
//! Only the list decides whether a device is there, and only if all of it was read. Whatever else
//! cannot be read is told, and tried again in the next look.

mod approvals;
mod details;
mod enrollment;
mod evidence;
mod licenses;
mod list;
mod look;
mod memory;
mod report;
mod wipes;

pub(super) use memory::{KnownDevice, Memory};
pub(super) use wipes::{pending, read};
