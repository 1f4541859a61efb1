//! What a plan over the manifests that are here says, for commands that show what is recorded.

use super::failure::Failure;
use super::setup::Setup;
use crate::app::reconcile::{self, Basis, Holds, decide};
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::DeviceId;
use crate::domain::plan::Op;
use crate::domain::state::{Device, State};
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::provider::Observed;
use crate::edges::requests::Requests;
use crate::ui::render::hindrance::Hindrance;
use crate::ui::render::orphans::Unlisted;
use crate::ui::render::out::Out;

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
        out.note(
            "note: there is no fleet directory here, so manifests were not looked at (--fleet)",
        );
        return Ok(Hindrance::default());
    };
    let declared = desired.by_serial(&device.spec.serial_number).map(|desired| desired.status);
    Ok(Hindrance::of(&approved, id, declared))
}

/// Which devices lack a manifest and are not orphaned yet; `None` where nobody can tell.
pub(super) fn of_orphans(setup: &Setup, state: &State) -> Option<Unlisted> {
    if kept(setup).is_some_and(|kept| kept.plan().actions.is_empty()) {
        return Some(Unlisted::default());
    }
    let (approved, desired) = planned(setup, state)?;
    let orphans = || approved.plan().actions.iter().filter(|a| matches!(a.op, Op::Orphan));
    Some(match approved.refusal() {
        Some(refusal) => Unlisted { devices: refusal.removed(), frozen: true, hidden: false },
        None => Unlisted {
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
    let desired = wiring::fleet(&setup.config, false).desired;
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
