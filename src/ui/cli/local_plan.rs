//! What a plan over the manifests that are here says, for commands that show what is recorded.

use std::path::Path;

use super::author;
use super::failure::Failure;
use super::setup::Setup;
use crate::app::reconcile::{self, Basis, Holds, decide};
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::guard::ApprovedPlan;
use crate::domain::manifest::parse_file;
use crate::domain::model::{DesiredStatus, DeviceId};
use crate::domain::plan::{HoldReason, Op};
use crate::domain::state::{Device, State};
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::provider::Observed;
use crate::edges::requests::Requests;
use crate::ui::render::hindrance::{Held, Hindrance};
use crate::ui::render::orphans::NotYetOrphaned;
use crate::ui::render::out::Out;

/// A log of so few entries is of so few devices that nobody notices how long a plan over all takes.
const FEW_ENTRIES: u64 = 20_000;

/// What stands between this device and its manifest; nothing where there is no fleet directory.
///
/// # Errors
/// If the ledger cannot be read.
pub(super) fn of_device(
    setup: &Setup,
    (id, device): (DeviceId, &Device),
    out: &mut Out,
) -> Result<Hindrance, Failure> {
    if let Some(hindrance) = kept(setup).and_then(|kept| Hindrance::of_kept(&kept, id, device)) {
        return Ok(hindrance);
    }
    let Some((approved, desired)) = planned(setup, &setup.recorded()?) else {
        return Ok(nothing_here(out));
    };
    let declared = desired.by_serial(&device.spec.serial_number).map(|desired| desired.status);
    Ok(Hindrance::of(&approved, id, declared))
}

fn nothing_here(out: &mut Out) -> Hindrance {
    out.note("note: there is no fleet directory here, so manifests were not looked at (--fleet)");
    Hindrance::default()
}

/// The same for `show`, which takes as long in a large fleet as in a small one: of a large one it looks
/// at the manifest of this device alone, as long as that says enough.
///
/// # Errors
/// As [`of_device`].
pub(super) fn of_manifest(
    setup: &Setup,
    state: &State,
    (id, device): (DeviceId, &Device),
    out: &mut Out,
) -> Result<Hindrance, Failure> {
    let fleet = &setup.config.fleet;
    // As [`planned`] has it, without reading all that is recorded.
    if state.frozen.is_none() && fleet.try_exists().is_ok_and(|here| !here) {
        return Ok(nothing_here(out));
    }
    let alone = (state.seq > FEW_ENTRIES).then(|| by_itself(fleet, state, device)).flatten();
    alone.map_or_else(|| of_device(setup, (id, device), out), Ok)
}

/// What the manifest of a device says by itself; `None` where others matter.
fn by_itself(fleet: &Path, state: &State, device: &Device) -> Option<Hindrance> {
    let (path, serial) = (&device.manifest.path, &device.spec.serial_number);
    let invalid = |line: u32| {
        let detail = "the manifest is invalid; fix it to continue".into();
        let place = Some(format!("{path}:{line}"));
        let held = vec![Held { reason: HoldReason::ManifestInvalid, detail, place }];
        Hindrance { held, ..Hindrance::default() }
    };
    let Ok(text) = author::read(&fleet.join(&**path)) else { return Some(invalid(1)) };
    let documents = parse_file(path, text?.as_bytes());
    match documents.devices.iter().find(|draft| draft.serial_number() == serial) {
        Some(draft) if state.profiles.contains_key(draft.profile()) => {
            let declared = Some(draft.status()).filter(|is| *is != DesiredStatus::Enrolled);
            Some(Hindrance { declared, ..Hindrance::default() })
        }
        Some(_) => None,
        None => documents.findings.iter().map(|finding| finding.span.line).min().map(invalid),
    }
}

/// Which devices lack a manifest and are not orphaned yet; `None` where nobody can tell.
pub(super) fn of_orphans(setup: &Setup, state: &State) -> Option<NotYetOrphaned> {
    if kept(setup).is_some_and(|kept| kept.plan().actions.is_empty()) {
        return Some(NotYetOrphaned::default());
    }
    let (approved, desired) = planned(setup, state)?;
    let orphans = || approved.plan().actions.iter().filter(|a| matches!(a.op, Op::Orphan));
    Some(match approved.refusal() {
        Some(refusal) => NotYetOrphaned { devices: refusal.removed(), frozen: true, hidden: false },
        None => NotYetOrphaned {
            devices: orphans().count() as u64,
            frozen: false,
            hidden: !desired.unusable.is_empty(),
        },
    })
}

/// The decision that was kept, where nothing changed since: no manifest is read for it.
fn kept(setup: &Setup) -> Option<ApprovedPlan> {
    let (provider, trust) = (setup.provider().ok()?, setup.trust());
    let of = (&setup.config, &trust);
    let kept = reconcile::kept(of, provider.as_ref(), setup.now(), Holds::All)?;
    Some(kept.approved)
}

/// A copy of the ledger is looked at where there are no manifests: that freezes nothing.
fn planned(setup: &Setup, state: &State) -> Option<(ApprovedPlan, Desired)> {
    let desired = wiring::fleet(&setup.config, false, None).desired;
    if desired.missing.is_some() && state.frozen.is_none() {
        return None;
    }
    let basis = Basis {
        now: setup.now(),
        settings: &setup.config.settings,
        desired: &desired,
        recorded: state,
        requests: &Requests::default(),
        // Nothing that is said of it depends on a signature.
        trust: &TrustState::NotConfigured,
        accept_removals: None,
        heads: &[],
        clock: None,
        // All of them: a freeze follows from how many devices are gone.
        only: None,
    };
    let approved = decide(basis, Ok(Observed::default())).approved;
    Some((approved, desired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::state;

    #[test]
    fn one_manifest_says_what_it_can_by_itself() {
        let (dir, state) = (tempfile::tempdir().unwrap(), state());
        let device = &state.devices[&"D001".parse().unwrap()];
        let (serial, profile) = (&device.spec.serial_number, &device.spec.profile);
        let path = dir.path().join(&*device.manifest.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let said = |text: &str| {
            std::fs::write(&path, text).unwrap();
            by_itself(dir.path(), &state, device)
        };
        let manifest = |serial: &str, profile: &str, status: &str| {
            format!(
                "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: a}}\nspec: \
                 {{serialNumber: {serial}, userEmail: a@example.com, osVersion: \"10\", platform: \
                 windows, profile: {profile}{status}}}\n"
            )
        };
        let (serial, profile) = (serial.as_str(), profile.as_str());
        let whole = manifest(serial, profile, "");
        assert_eq!(said(&whole), Some(Hindrance::default()));
        let declared = said(&manifest(serial, profile, ", status: Pending")).unwrap().declared;
        assert_eq!(declared, Some(DesiredStatus::Pending));
        let invalid = said(&whole.replace("spec: {", "spec: [")).unwrap();
        assert_eq!(invalid.held[0].reason, HoldReason::ManifestInvalid);
        assert!(said(&manifest(serial, "Nope", "")).is_none(), "a profile may be in another file");
        assert!(said(&manifest("OTHER1", profile, "")).is_none(), "and so may the device");
        std::fs::remove_file(&path).unwrap();
        assert!(by_itself(dir.path(), &state, device).is_none());
    }
}
