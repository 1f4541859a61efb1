//! Syncs that somebody asked for by command.
//!
//! A request asks each of its devices once. What follows from it is an action on the device, or a
//! hold while a wipe of it is under way, or nothing: where an earlier request still waits for the
//! device, or the device was asked after the request was made, whoever asks gets what they want.

use std::collections::HashMap;
use std::sync::Arc;

use super::action::{Cause, Op};
use super::decision::Plan;
use super::device::DevicePlanner;
use super::hold::HoldReason;
use super::inputs::Inputs;
use crate::domain::model::{DeviceId, Status, SyncFile, SyncRequest};
use crate::domain::state::SyncStanding;

/// The requests about each device, the oldest first.
pub(super) type ByDevice<'a> = HashMap<DeviceId, Vec<&'a Arc<SyncRequest>>>;

/// Requests by device; one that names a device otherwise than the ledger does is refused whole.
pub(super) fn sort<'a>(inputs: &Inputs<'a>, plan: &mut Plan) -> ByDevice<'a> {
    let mut files: Vec<&SyncFile> = inputs.requests.iter().collect();
    files.sort_by_key(|file| (file.request.at, file.request.id));
    let mut sorted = ByDevice::new();
    for SyncFile { request, devices } in files {
        let known = |(id, serial): &&_| {
            let device = inputs.recorded.devices.get(id);
            device.is_some_and(|device| device.spec.serial_number == *serial)
        };
        if let Some((id, serial)) = devices.iter().find(|named| !known(named)) {
            let why = format!("no device {id} with serial number {serial} is recorded");
            plan.refused_requests.push((request.origin.clone(), why));
            continue;
        }
        for (id, _) in devices {
            if inputs.recorded.devices[id].is_wiped() {
                plan.notes.push(format!(
                    "{id}: {} requested a sync at {}, and the device is wiped: there is nothing \
                     to sync",
                    request.by,
                    request.at.short()
                ));
            } else {
                sorted.entry(*id).or_default().push(request);
            }
        }
    }
    sorted
}

impl DevicePlanner<'_, '_> {
    /// Asks the device to sync where somebody wants it and nobody asked it since.
    pub(super) fn sync(&mut self, requests: &[&Arc<SyncRequest>], wiping: bool) {
        if self.state.status == Status::Wiped {
            return;
        }
        for request in requests {
            if wiping {
                self.hold_sync(request);
                continue;
            }
            let Some(resume) = self.wants_sync(request) else { continue };
            let reason = match resume {
                None => format!("requested by {} at {}", request.by, request.at.short()),
                Some(_) => {
                    format!(
                        "requested by {}; it is not known whether the provider has it",
                        request.by
                    )
                }
            };
            let request = Arc::clone(request);
            let op = Op::Sync { request, resume, last_sync: self.last_sync };
            self.act(op, Cause::Request, reason);
            // One serves all who asked by now.
            return;
        }
    }

    /// Whether a request calls for something; the intent to finish, where there is one.
    fn wants_sync(&self, request: &SyncRequest) -> Option<Option<u64>> {
        let Some(last) = self.device.rare.sync_requested.as_deref() else { return Some(None) };
        let standing = last.standing(self.last_sync);
        if last.request == request.id {
            // A request goes once it is done: that it is still here means that a pass was cut
            // short, perhaps before the provider had it. To ask again under the same intent is harmless.
            return (standing == SyncStanding::Waiting).then_some(Some(last.intent));
        }
        let failed = matches!(standing, SyncStanding::Failed(..));
        let waits = standing == SyncStanding::Waiting;
        // A date in the future is none: it would make the request new for ever.
        let asked_since = !failed && request.at.min(self.inputs.now) <= last.at;
        (!waits && !asked_since).then_some(None)
    }

    fn hold_sync(&mut self, request: &SyncRequest) {
        self.plan.held_requests.insert((request.origin.clone(), self.id));
        let detail = format!(
            "the sync that {} requested at {} waits until the wipe is over",
            request.by,
            request.at.short()
        );
        self.hold(self.place(), HoldReason::WipeUnderWay, detail);
    }
}
