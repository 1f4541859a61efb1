//! A tenant as plain data: directory, devices, policies, and what happens to them as time goes by.
//!
//! No clock, no socket, no task: a tenant is told what time it is, and everything random comes from
//! its seed. The same seed and the same calls give the same tenant.

mod agenda;
mod approvals;
mod apps;
mod audit;
mod calls;
mod certificate;
mod core;
mod dice;
mod directory;
mod facts;
mod faults;
mod joining;
mod life;
mod managed;
mod message;
mod pace;
mod policies;
mod settings;
mod settling;
mod staging;
mod throttle;
mod verdict;

pub(super) use agenda::Event;
pub(super) use approvals::{
    Approval, ApprovalPolicy, Asked as ApprovalAsked, Protected, Ruling, Status as ApprovalStatus,
};
pub(super) use apps::{App, Bearer, Federated};
pub(super) use audit::{Actor, Changed};
pub(super) use calls::{Record, form_without_secrets, without_secrets};
pub(super) use certificate::Certificate;
pub(super) use core::{About, Accepted, EnrollmentFailure, Sent, Tenant};
pub(super) use dice::Dice;
pub(super) use directory::{Directory, EntraDevice, Group, INTUNE_PLAN, License, Sku, User};
pub(super) use facts::{Facts, Hardware, WaitsFor, WipeBehavior, operating_system};
pub(super) use faults::{Action as FaultAction, Asked as FaultAsked, When, fits};
pub(super) use managed::{
    ActionResult, Command, Compliance, ManagedDevice, Management, Pending, PolicyState,
};
pub(super) use message::{Answer, Delivery, Moment, Request, decoded, encoded, pairs};
pub(super) use pace::Pace;
pub(super) use policies::{Assignment, Kind, Policy};
pub(super) use settings::Settings;
pub(super) use settling::AsOf;
pub(super) use staging::{Identifier, Import, Registration};
