//! The whole tenant as plain data, and the few things that all its parts need.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use super::agenda::{Agenda, Event};
use super::approvals::ApprovalDesk;
use super::apps::Apps;
use super::audit::{Actor, AuditEvent, Changed};
use super::calls::Calls;
use super::dice::Dice;
use super::directory::Directory;
use super::facts::Hardware;
use super::faults::Faults;
use super::managed::{Command, ManagedDevice, Records};
use super::message::as_of;
use super::pace::Pace;
use super::policies::Policies;
use super::settings::Settings;
use super::settling::{AsOf, Collection};
use super::staging::{Identifier, Import, Registration};
use super::throttle::Lately;
use crate::domain::model::{Platform, Timestamp};

/// An enrollment that failed.
#[derive(Debug, Clone)]
pub(crate) struct EnrollmentFailure {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) user_id: String,
    pub(crate) platform: Platform,
    pub(crate) os_version: String,
    pub(crate) category: &'static str,
    pub(crate) reason: &'static str,
}

/// A command that was accepted, and what became of it: what a test counts.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accepted {
    /// `wipe`, `retire` or `delete`.
    pub(crate) command: &'static str,
    pub(crate) device_id: String,
    pub(crate) serial_number: String,
    pub(crate) at: Timestamp,
    pub(crate) app_id: String,
    pub(crate) body: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval_code: Option<String>,
    pub(crate) outcome: &'static str,
}

/// A mail that was sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    /// The mailbox.
    pub(crate) from: String,
    /// As it was handed in: MIME.
    pub(crate) message: String,
}

/// One tenant.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) now: Timestamp,
    pub(crate) pace: Pace,
    pub(crate) settings: Settings,
    pub(crate) dice: Dice,
    pub(crate) agenda: Agenda,
    pub(crate) hardware: Vec<Hardware>,
    serials: BTreeMap<String, usize>,
    pub(crate) records: Records,
    pub(crate) directory: Directory,
    pub(crate) policies: Policies,
    pub(crate) imports: Collection<Import>,
    pub(crate) registrations: Collection<Registration>,
    /// By serial number: the newest registration.
    pub(crate) registration_ids: BTreeMap<String, String>,
    pub(crate) identifiers: Collection<Identifier>,
    /// By what they say, in lower case.
    pub(crate) identifier_ids: BTreeMap<String, String>,
    pub(crate) approvals: ApprovalDesk,
    pub(crate) audit: Vec<AuditEvent>,
    /// Entra's own, beside Intune's.
    pub(crate) directory_audit: Vec<AuditEvent>,
    pub(crate) troubles: Vec<EnrollmentFailure>,
    pub(crate) apps: Apps,
    pub(crate) lately: Lately,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) sent: Vec<Sent>,
    /// How many commands were accepted on a day, by days since 1970.
    pub(crate) counted: BTreeMap<(i64, Command), u64>,
    /// When Autopilot was last told to sync.
    pub(crate) autopilot_synced: Option<Timestamp>,
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

impl Tenant {
    pub(crate) fn new(seed: u64, now: Timestamp, pace: Pace, settings: Settings) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            id: dice.id(),
            now,
            pace,
            settings,
            dice,
            agenda: Agenda::default(),
            hardware: Vec::new(),
            serials: BTreeMap::new(),
            records: Records::default(),
            directory: Directory::default(),
            policies: Policies::default(),
            imports: Collection::default(),
            registrations: Collection::default(),
            registration_ids: BTreeMap::new(),
            identifiers: Collection::default(),
            identifier_ids: BTreeMap::new(),
            approvals: ApprovalDesk::default(),
            audit: Vec::new(),
            directory_audit: Vec::new(),
            troubles: Vec::new(),
            apps: Apps::usual(),
            lately: Lately::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            accepted: Vec::new(),
            sent: Vec::new(),
            counted: BTreeMap::new(),
            autopilot_synced: None,
        }
    }

    /// Now, for readers and writers.
    pub(crate) fn at(&self) -> AsOf {
        as_of(self.now, &self.settings)
    }

    /// The day of the caps.
    pub(crate) fn day(&self) -> i64 {
        self.now.millis().div_euclid(DAY)
    }

    /// Hardware by its serial number.
    pub(crate) fn by_serial(&self, serial: &str) -> Option<usize> {
        self.serials.get(serial).copied()
    }

    pub(crate) fn add_hardware(&mut self, hardware: Hardware) -> usize {
        let index = self.hardware.len();
        self.serials.insert(hardware.serial_number.clone(), index);
        self.hardware.push(hardware);
        index
    }

    /// Plans the next contact of a piece of hardware, in place of an earlier plan.
    pub(crate) fn plan_check_in(&mut self, hardware: usize, after: TimeDelta) {
        let at = self.now + after;
        self.hardware[hardware].next_check_in = Some(at);
        self.agenda.plan(at, Event::CheckIn(hardware));
    }

    /// Plans a contact soon, unless one is due before that.
    pub(crate) fn hurry_check_in(&mut self, hardware: usize, least: u64, most: u64) {
        let after = self.dice.seconds(least, most);
        let at = self.now + after;
        let device = &self.hardware[hardware];
        let sooner = device.next_check_in.is_some_and(|next| next > self.now && next <= at);
        if device.managed_device_id.is_some() && device.online && !sooner {
            self.plan_check_in(hardware, after);
        }
    }

    /// The registration for Autopilot of this serial number.
    pub(crate) fn registration_of(&self, serial: &str) -> Option<&Registration> {
        self.registrations.current(self.registration_ids.get(serial)?)
    }

    /// Changes the registration of this serial number, if there is one.
    pub(crate) fn change_registration(
        &mut self,
        serial: &str,
        change: impl FnOnce(&mut Registration),
    ) {
        if let Some(mut registration) = self.registration_of(serial).cloned() {
            change(&mut registration);
            let at = self.at();
            self.registrations.put(&registration.id.clone(), registration, at);
        }
    }

    /// The corporate identifier that lists this hardware.
    pub(crate) fn identifier_of(&self, hardware: &Hardware) -> Option<&Identifier> {
        let find = |kind: &str, value: &str| {
            let id = self.identifier_ids.get(&value.to_lowercase())?;
            self.identifiers.current(id).filter(|one| one.kind == kind)
        };
        let serial = &hardware.serial_number;
        find("serialNumber", serial).or_else(|| {
            let windows = hardware.platform == Platform::Windows;
            let (maker, model) = (&hardware.manufacturer, &hardware.model);
            let all = format!("{maker},{model},{}", serial.replace('.', ""));
            windows.then(|| find("manufacturerModelSerial", &all))?
        })
    }

    /// The id of the user and of the directory's object of the device.
    pub(crate) fn objects_of(&self, device: &ManagedDevice) -> (String, String) {
        let entra = self.directory.device_by_id(&device.entra_device_id);
        (device.user_id.clone(), entra.map(|one| one.object_id.clone()).unwrap_or_default())
    }

    /// Writes down who did what.
    pub(crate) fn note(&mut self, actor: Actor, about: About<'_>, changed: Vec<Changed>) {
        let event = self.event(actor, about, changed);
        self.audit.push(event);
    }

    /// Sets extension attributes of a device in the directory, and writes down who did; whether there is
    /// such a device.
    pub(crate) fn set_attributes(
        &mut self,
        object_id: &str,
        values: &[(String, Option<String>)],
        actor: Actor,
    ) -> bool {
        let at = self.at();
        let Some(device) = self.directory.devices.get_mut(object_id) else { return false };
        let mut all = device.attributes.current().cloned().unwrap_or_default();
        let mut changed = Vec::new();
        for (name, value) in values {
            let old = match value {
                Some(value) => all.insert(name.clone(), value.clone()),
                None => all.remove(name),
            };
            let (old, new) = (old.into(), value.clone().into());
            changed.push(Changed { name: name.clone(), old, new });
        }
        device.attributes.set(Some(all), at);
        let (id, name) = (device.object_id.clone(), device.display_name.clone());
        let about = About {
            operation: "Update",
            category: "Device",
            resource_type: "Device",
            id: &id,
            name: &name,
        };
        let event = self.event(actor, about, changed);
        self.directory_audit.push(event);
        true
    }

    fn event(&mut self, actor: Actor, about: About<'_>, changed: Vec<Changed>) -> AuditEvent {
        AuditEvent {
            id: self.dice.id(),
            at: self.now,
            actor,
            operation: about.operation,
            category: about.category,
            activity: format!("{} {}", about.operation, about.resource_type),
            resource: about.name.to_owned(),
            resource_id: about.id.to_owned(),
            resource_type: about.resource_type,
            changed,
            correlation: self.dice.id(),
        }
    }
}

/// What an audit event is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) operation: &'static str,
    pub(crate) category: &'static str,
    pub(crate) resource_type: &'static str,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}
