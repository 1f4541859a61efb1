//! What the daemon shows of a pass, made once when the pass is published: numbers, holds, and the
//! plan that is left over. HTTP and metrics only render it, so no client makes anybody plan.

use std::collections::BTreeMap;
use std::io;

use crate::app::reconcile;
use crate::domain::fleet::Desired;
use crate::domain::guard::guard;
use crate::domain::model::{ComplianceState, Status as DeviceStatus, Timestamp};
use crate::domain::plan::{HoldReason, Inputs, plan};
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::config::Config;
use crate::edges::ledger;
use crate::ui::render;
use crate::ui::render::plan::Context;

/// As of one moment.
#[derive(Debug, Default)]
pub struct Status {
    /// What is left to do, as `plan -o json`.
    pub plan: Vec<u8>,
    /// How many holds the plan has, by reason.
    pub holds: BTreeMap<HoldReason, u64>,
    /// Devices, by status.
    pub devices: BTreeMap<DeviceStatus, u64>,
    /// Devices, by compliance.
    pub compliance: BTreeMap<ComplianceState, u64>,
    /// Devices whose manifest is gone.
    pub orphaned: u64,
    /// Devices that report that they were erased, though nobody here asked for it.
    pub erased: u64,
}

impl Status {
    /// Plans what is left after a pass; reports that came since are not asked for.
    ///
    /// # Errors
    /// If the plan cannot be written as JSON.
    pub fn new(
        config: &Config,
        recorded: &State,
        desired: &Desired,
        trust: Result<&Trust, &str>,
        revision: Option<&str>,
        now: Timestamp,
    ) -> io::Result<Self> {
        let settings = &config.settings;
        let clock = ledger::highest_time(&config.data);
        let heads = &reconcile::heads(&config.data, desired, recorded);
        let left =
            plan(&Inputs { now, settings, desired, recorded, heard: &[], trust, heads, clock });
        let approved = guard(left, desired, recorded, settings.limits, None);
        let root = config.fleet.display().to_string();
        let context = Context {
            root: &root,
            revision,
            seq: recorded.seq,
            head: recorded.head.0,
            lineage: recorded.lineage.map(LedgerId),
            trust: TrustState::new(config.trust.is_configured(), trust),
        };
        let mut status = Self::default();
        render::plan::json(&mut status.plan, &approved, context)?;
        for hold in &approved.plan().holds {
            *status.holds.entry(hold.reason).or_default() += 1;
        }
        for device in recorded.devices.values() {
            *status.devices.entry(device.status).or_default() += 1;
            *status.compliance.entry(device.compliance.state).or_default() += 1;
            status.orphaned += u64::from(device.orphaned_since.is_some());
            let erased = device.unrequested_wipe.is_some() && !device.is_wiped();
            status.erased += u64::from(erased);
        }
        Ok(status)
    }
}
