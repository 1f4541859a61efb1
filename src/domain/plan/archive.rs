//! When a device that is over is moved out of the way: wiped, or orphaned, for so long that nobody
//! looks for it every day. Nothing is done to the device; lists leave it out.

use super::action::{Action, Cause, Op};
use super::decision::Plan;
use super::inputs::Inputs;
use super::subject::Subject;
use crate::domain::model::{DeviceId, Place, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::Device;

/// When the device is archived, where that is configured, it is over, and not archived yet.
#[must_use]
pub(crate) fn archives_at(device: &Device, settings: &Settings) -> Option<Timestamp> {
    let after = settings.archive_after.filter(|_| device.rare.archived_since.is_none())?;
    let since =
        if device.is_wiped() { Some(device.status_since) } else { device.rare.orphaned_since };
    Some(since? + after)
}

/// Archives the device, if its time has come.
pub(super) fn archive(inputs: &Inputs<'_>, id: DeviceId, device: &Device, plan: &mut Plan) {
    let Some(at) = archives_at(device, inputs.settings) else { return };
    if at > inputs.now {
        return;
    }
    let what = if device.is_wiped() { "wiped" } else { "orphaned" };
    plan.actions.push(Action {
        subject: Subject::Device { id, spec: device.spec.clone() },
        op: Op::Archive,
        place: Some(Place { path: device.manifest.path.clone(), line: 1 }),
        cause: Cause::Clock,
        reason: format!(
            "{what} for longer than orphans.archiveAfter; nothing is done to the device"
        )
        .into(),
    });
}
