//! The planner: what is desired is compared with what is recorded, device by device.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::damage::DamageIndex;
use super::decision::Plan;
use super::inputs::Inputs;
use super::profiles::{record_profiles, restore_profiles};
use super::provision::provision;
use super::{device, reports, syncs, wipes};
use crate::domain::model::{DesiredDevice, DeviceId};
use crate::domain::state::{Device, State};

/// Decides on the whole fleet.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let Inputs { recorded, desired, .. } = inputs;
    let mut planner = Planner::begin(inputs, &desired.devices);
    planner.devices(recorded.devices.iter(), desired.devices.iter());
    let Planner { damage, plan, .. } = &mut planner;
    damage.hold_unrecorded(inputs, plan);
    planner.end()
}

/// The part of [`plan`] that is about these recorded devices and those that were heard from,
/// their profiles, and wipes: as fast for one device of a large fleet as of a small one. Where
/// nothing else is left to do, its actions are those of the whole plan, in the same order.
#[must_use]
pub(crate) fn plan_for(inputs: &Inputs<'_>, only: &BTreeSet<DeviceId>) -> Plan {
    let Inputs { recorded, desired, heard, requests, .. } = inputs;
    let heard = heard.iter().filter_map(|h| Some(recorded.by_serial(&h.report.serial_number)?.0));
    let told = inputs.news.devices(recorded);
    let asked = requests.iter().flat_map(|file| &file.devices).map(|(id, _)| *id);
    let ids: BTreeSet<DeviceId> =
        only.iter().copied().chain(heard).chain(told).chain(asked).collect();
    let devices = || ids.iter().filter_map(|id| recorded.devices.get_key_value(id));
    // In order of serial number, each once: hardware that was wiped may have several ids.
    let theirs: BTreeMap<_, _> = devices()
        .filter_map(|(_, device)| desired.by_serial(&device.spec.serial_number))
        .map(|desired| (&desired.spec.serial_number, desired))
        .collect();
    let mut planner = Planner::begin(inputs, theirs.values().copied());
    planner.devices(devices(), theirs.values().copied());
    planner.end()
}

/// A plan under way.
struct Planner<'a> {
    inputs: &'a Inputs<'a>,
    heard: HashMap<DeviceId, Vec<reports::Dated<'a>>>,
    requested: syncs::ByDevice<'a>,
    damage: DamageIndex<'a>,
    wipes: wipes::WipePlan,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// With what goes before devices: the profiles of `users`, and the trust files.
    fn begin(inputs: &'a Inputs<'a>, users: impl IntoIterator<Item = &'a DesiredDevice>) -> Self {
        let mut findings = inputs.desired.findings.clone();
        findings.extend(inputs.desired.long_exemptions(inputs.now));
        let mut plan = Plan { findings, ..Plan::default() };
        let heard = reports::sort(inputs, &mut plan);
        let requested = syncs::sort(inputs, &mut plan);
        record_profiles(inputs, users, &mut plan);
        restore_profiles(inputs, &mut plan);
        let damage = DamageIndex::new(inputs);
        let wipes = wipes::decide(inputs, &damage, &mut plan);
        Self { inputs, heard, requested, damage, wipes, plan }
    }

    /// Recorded devices, in order of ids, and what is new among these manifests.
    fn devices<'d>(
        &mut self,
        recorded: impl IntoIterator<Item = (&'d DeviceId, &'d Device)>,
        desired: impl ExactSizeIterator<Item = &'a DesiredDevice>,
    ) {
        let (known, new) = match_serials(self.inputs.recorded, desired);
        // At once: growing by doubling would hold up to three times as much for a moment. What is not needed
        // is never touched, and given back.
        self.plan.holds.reserve_exact(known.len());
        for (id, device) in recorded {
            self.device(*id, device, known.get(id).copied());
        }
        let mut id = self.inputs.recorded.next_id();
        self.plan.actions.reserve_exact(new.len());
        for desired in new {
            if provision(self.inputs, id, desired, &mut self.plan) {
                id = id.next();
            }
        }
    }

    fn device(&mut self, id: DeviceId, device: &Device, desired: Option<&'a DesiredDevice>) {
        let Self { inputs, heard, requested, damage, wipes, plan } = self;
        let reports = heard.get(&id).map_or(&[][..], Vec::as_slice);
        let requests = requested.get(&id).map_or(&[][..], Vec::as_slice);
        let known =
            device::Known { id, device, desired, wiping: wipes.busy.contains(&id), requests };
        device::decide(inputs, damage, known, reports, plan);
    }

    fn end(self) -> Plan {
        let Self { mut plan, wipes, inputs, .. } = self;
        plan.actions.extend(wipes::news(inputs));
        let withdrawn = wipes::withdraw(inputs, &plan.actions);
        plan.actions.extend(withdrawn);
        plan.actions.extend(wipes.actions);
        plan.holds.sort();
        plan.holds.shrink_to_fit();
        plan.findings.sort_by(|a, b| a.key().cmp(&b.key()));
        plan
    }
}

type Matches<'a> = (HashMap<DeviceId, &'a DesiredDevice>, Vec<&'a DesiredDevice>);

/// Which of these manifests belongs to which recorded device, and which are new, in their order.
fn match_serials<'a>(
    recorded: &State,
    desired: impl ExactSizeIterator<Item = &'a DesiredDevice>,
) -> Matches<'a> {
    let mut known = HashMap::with_capacity(desired.len());
    let mut new = Vec::new();
    for desired in desired {
        match recorded.by_serial(&desired.spec.serial_number) {
            Some((_, device)) if device.is_wiped() && desired.enrollment > device.enrollment => {
                new.push(desired);
            }
            Some((id, _)) => {
                known.insert(id, desired);
            }
            None => new.push(desired),
        }
    }
    (known, new)
}
