//! What happens as time goes by: devices contact Intune, imports complete, commands are obeyed.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::agenda::Event;
use super::core::Tenant;
use super::directory::EntraDevice;
use super::facts::{Hardware, WipeBehavior, operating_system};
use super::managed::{ActionResult, Command, ManagedDevice, Reported};
use super::message::Moment;
use super::policies::Kind;
use super::settling::Settling;
use super::staging::Registration;
use super::verdict::judge;
use crate::domain::model::{Platform, Timestamp};

/// How long until a device contacts Intune again, at this time after its enrollment.
fn interval(platform: Platform, age: TimeDelta) -> TimeDelta {
    let every_eight_hours = TimeDelta::hours(8);
    match platform {
        Platform::Windows | Platform::Android if age < TimeDelta::minutes(15) => {
            TimeDelta::minutes(3)
        }
        Platform::Windows | Platform::Android if age < TimeDelta::minutes(135) => {
            TimeDelta::minutes(15)
        }
        Platform::Ios | Platform::Macos if age < TimeDelta::hours(1) => TimeDelta::minutes(15),
        _ => every_eight_hours,
    }
}

impl Tenant {
    /// Lets time go by until then; all that happens on the way happens in its order.
    pub(crate) fn advance(&mut self, until: Timestamp) {
        while let Some((at, event)) = self.agenda.next_until(until) {
            self.now = self.now.max(at);
            self.happens(event);
        }
        self.now = self.now.max(until);
    }

    /// Lets time go by until this real time. Gives emulated and real time.
    pub(crate) fn arrive(&mut self, real: Timestamp) -> Moment {
        let now = self.pace.at(real);
        self.advance(now);
        Moment { now: self.now, real }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::CheckIn(hardware) => {
                // A contact that was moved to another time is not this one.
                if self.hardware[hardware].next_check_in == Some(self.now) {
                    self.check_in(hardware);
                }
            }
            Event::Join(hardware) => self.join(hardware),
            Event::ImportSeen(id) => self.import_seen(&id),
            Event::ImportDone(id) => self.import_done(&id),
            Event::CommandDone(id) => self.command_done(&id),
            Event::RecordGone(id) => self.record_gone(&id),
        }
    }

    /// A piece of hardware contacts Intune, if it can.
    pub(crate) fn check_in(&mut self, index: usize) {
        let hardware = self.hardware[index].clone();
        let Some(id) = hardware.managed_device_id.clone() else { return };
        let Some(record) = self.records.get(&id) else { return };
        let next = interval(hardware.platform, self.now - record.enrolled);
        if !hardware.online {
            self.plan_check_in(index, next);
            return;
        }
        let now = self.now;
        if record.pending.is_some() {
            self.issue(&id);
            return;
        }
        let reported = self.report(&hardware, record);
        let mut failing = record.failing.clone();
        let failed: Vec<_> = reported.policies.iter().filter(|state| !state.holds()).collect();
        failing.retain(|policy, _| failed.iter().any(|state| state.policy == *policy));
        let mut blocked = None;
        for state in failed {
            let since = *failing.entry(state.policy.clone()).or_insert(now);
            let grace = self.policies.current(&state.policy).map_or(0, |one| one.grace_hours());
            let then = since + TimeDelta::hours(grace);
            blocked = Some(blocked.map_or(then, |first: Timestamp| first.min(then)));
        }
        if let Some(record) = self.records.get_mut(&id) {
            record.last_sync = now;
            record.reported = Some(reported);
            record.failing = failing;
            record.blocked = blocked;
        }
        self.plan_check_in(index, next);
    }

    /// What the device has and does by now.
    fn report(&self, hardware: &Hardware, record: &ManagedDevice) -> Reported {
        let (user, device) = self.objects_of(record);
        let mut applied = BTreeSet::new();
        let mut policies = Vec::new();
        for policy in self.policies.all_current() {
            if !policy.applies_to(&self.directory, &user, &device) {
                continue;
            }
            if policy.kind == Kind::Compliance {
                let state = judge(policy, hardware, record.owner == "company");
                if state.is_none() {
                    continue;
                }
                policies.extend(state);
            }
            applied.insert(policy.id.clone());
        }
        Reported { facts: hardware.facts.clone(), policies, applied }
    }

    /// The device takes its command: from now on it is carried out.
    fn issue(&mut self, id: &str) {
        let at = self.at();
        let Some(record) = self.records.get_mut(id) else { return };
        let Some(pending) = &record.pending else { return };
        let (command, entry) = (pending.command, pending.entry);
        let mut management = record.management_now();
        management.state = match command {
            Command::Wipe => "wipeIssued",
            Command::Retire => "retireIssued",
        };
        mark(&mut management.results, command, "active", at.now);
        record.last_sync = at.now;
        record.management.set(Some(management), at);
        let index = record.hardware;
        self.accepted[entry].outcome = "issued";
        self.hardware[index].next_check_in = None;
        let after = self.dice.seconds(30, 120);
        self.agenda.plan(at.now + after, Event::CommandDone(id.to_owned()));
    }

    /// The device has obeyed, or says why not.
    fn command_done(&mut self, id: &str) {
        let at = self.at();
        let Some(record) = self.records.get_mut(id) else { return };
        let Some(pending) = record.pending.take() else { return };
        let index = record.hardware;
        let hardware = &self.hardware[index];
        let fate = if is_supported(pending.command, hardware.platform, record.owner) {
            hardware.fate
        } else {
            WipeBehavior::NotSupported
        };
        let wipe = pending.command == Command::Wipe;
        let (state, action) = match fate {
            WipeBehavior::Obeys if pending.stays => ("managed", "done"),
            WipeBehavior::Obeys if wipe => ("wipeIssued", "done"),
            WipeBehavior::Obeys => ("retireIssued", "done"),
            WipeBehavior::Fails if wipe => ("wipeFailed", "failed"),
            WipeBehavior::Fails => ("retireFailed", "failed"),
            WipeBehavior::NotSupported => ("managed", "notSupported"),
            WipeBehavior::Cancels if wipe => ("wipeCanceled", "canceled"),
            WipeBehavior::Cancels => ("retireCanceled", "canceled"),
        };
        let mut management = record.management_now();
        management.state = state;
        mark(&mut management.results, pending.command, action, at.now);
        record.management.set(Some(management), at);
        let serial = record.serial.clone();
        let entra = record.entra_device_id.clone();
        self.accepted[pending.entry].outcome = action;
        if fate == WipeBehavior::Obeys && wipe {
            self.hardware[index].erased += 1;
        }
        if fate != WipeBehavior::Obeys || pending.stays {
            self.plan_check_in(index, TimeDelta::minutes(15));
            return;
        }
        self.hardware[index].joins = false;
        self.release(index, &serial, &entra);
        let after = self.dice.seconds(180, 300);
        self.agenda.plan(at.now + after, Event::RecordGone(id.to_owned()));
    }

    /// The hardware does not belong to a record any more. Its registrations stay.
    pub(crate) fn release(&mut self, index: usize, serial: &str, entra: &str) {
        let hardware = &mut self.hardware[index];
        hardware.managed_device_id = None;
        hardware.next_check_in = None;
        if let Some(device) = self.directory.device_by_id_mut(entra) {
            device.managed_device_id = None;
        }
        self.change_registration(serial, |one| {
            one.state = "notContacted";
            one.managed_device_id = None;
        });
    }

    fn record_gone(&mut self, id: &str) {
        self.records.remove(id);
    }

    fn import_seen(&mut self, id: &str) {
        let at = self.at();
        if let Some(mut import) = self.imports.current(id).cloned() {
            import.status = "pending";
            self.imports.put(id, import, at);
            let after = self.dice.seconds(60, 180);
            self.agenda.plan(at.now + after, Event::ImportDone(id.to_owned()));
        }
    }

    /// An import gives a registration, or an error.
    fn import_done(&mut self, id: &str) {
        let at = self.at();
        let Some(mut import) = self.imports.current(id).cloned() else { return };
        let known = self.by_serial(&import.serial);
        let elsewhere = known.is_some_and(|index| self.hardware[index].elsewhere);
        let error = if import.hash.is_empty() {
            Some((802, "InvalidZtdHardwareHash"))
        } else if elsewhere {
            Some((808, "ZtdDeviceAssignedToOtherTenant"))
        } else if self.registration_of(&import.serial).is_some() {
            Some((806, "ZtdDeviceAlreadyAssigned"))
        } else {
            None
        };
        import.status = if error.is_some() { "error" } else { "complete" };
        import.error = error;
        if error.is_none() {
            import.registration = self.dice.id();
            let hardware = known.map(|index| &self.hardware[index]);
            let registration = Registration {
                id: import.registration.clone(),
                serial: import.serial.clone(),
                manufacturer: hardware.map(|one| one.manufacturer.clone()).unwrap_or_default(),
                model: hardware.map(|one| one.model.clone()).unwrap_or_default(),
                product_key: import.product_key.clone(),
                group_tag: import.group_tag.clone(),
                upn: import.upn.clone(),
                addressable_name: String::new(),
                display_name: String::new(),
                entra_device_id: self.dice.id(),
                state: "notContacted",
                contacted: None,
                managed_device_id: None,
            };
            self.register(registration);
            if let Some(index) = known {
                self.invite(index);
            }
        }
        self.imports.put(id, import, at);
    }

    /// Registers a device for Autopilot: the directory then has an object of it, too.
    pub(crate) fn register(&mut self, registration: Registration) {
        let device = EntraDevice {
            object_id: self.dice.id(),
            device_id: registration.entra_device_id.clone(),
            display_name: registration.serial.clone(),
            operating_system: operating_system(Platform::Windows),
            company: true,
            registered: self.now,
            managed_device_id: None,
            attributes: Settling::settled(Default::default()),
        };
        self.directory.add_device(device);
        self.registration_ids.insert(registration.serial.clone(), registration.id.clone());
        let at = self.at();
        self.registrations.put(&registration.id.clone(), registration, at);
    }
}

/// Microsoft's pages leave these out.
fn is_supported(command: Command, platform: Platform, owner: &str) -> bool {
    match (command, platform) {
        (Command::Wipe, Platform::Android) => owner == "company",
        (Command::Retire, Platform::Android) => owner != "company",
        _ => true,
    }
}

/// Sets the state of the newest action of this name.
fn mark(results: &mut [ActionResult], command: Command, state: &'static str, now: Timestamp) {
    let newest = results.iter_mut().rev().find(|one| one.name == command.as_str());
    if let Some(action) = newest {
        action.state = state;
        action.updated = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_devices_come_often_and_old_ones_every_eight_hours() {
        for (platform, minutes, expected) in [
            (Platform::Windows, 0, 3),
            (Platform::Windows, 14, 3),
            (Platform::Android, 15, 15),
            (Platform::Windows, 134, 15),
            (Platform::Windows, 135, 480),
            (Platform::Ios, 0, 15),
            (Platform::Macos, 59, 15),
            (Platform::Ios, 60, 480),
        ] {
            let next = interval(platform, TimeDelta::minutes(minutes));
            assert_eq!(next.num_minutes(), expected, "{platform} after {minutes} min");
        }
    }
}
