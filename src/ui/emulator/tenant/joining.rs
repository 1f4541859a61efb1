//! Hardware becomes a managed device, by itself or because a test says so.

use chrono::TimeDelta;

use super::agenda::Event;
use super::core::{EnrollmentFailure, Tenant};
use super::directory::EntraDevice;
use super::facts::{Hardware, WaitsFor, operating_system};
use super::managed::{ManagedDevice, Management};
use super::settling::Settling;
use crate::domain::model::Platform;

/// Who could not join tries again after this long.
const AGAIN: TimeDelta = TimeDelta::hours(1);

impl Tenant {
    /// Hardware that can join now is set up some minutes later.
    pub(crate) fn invite(&mut self, hardware: usize) {
        if self.can_begin(&self.hardware[hardware]) {
            let after = self.dice.seconds(180, 540);
            self.agenda.plan(self.now + after, Event::Join(hardware));
        }
    }

    /// All hardware of a user, who has got a license.
    pub(crate) fn invite_hardware_of(&mut self, upn: &str) {
        let theirs = |one: &Hardware| one.user_principal_name.eq_ignore_ascii_case(upn);
        let all: Vec<usize> =
            (0..self.hardware.len()).filter(|index| theirs(&self.hardware[*index])).collect();
        for hardware in all {
            self.invite(hardware);
        }
    }

    /// Whether somebody would begin to set it up.
    fn can_begin(&self, hardware: &Hardware) -> bool {
        let registered = || self.registration_of(&hardware.serial_number).is_some();
        let listed = || self.identifier_of(hardware).is_some();
        hardware.joins
            && hardware.managed_device_id.is_none()
            && match hardware.waits_for {
                WaitsFor::Registration => registered() || listed(),
                WaitsFor::Identifier => listed(),
                WaitsFor::Nothing => self.may_enroll(&hardware.user_principal_name),
            }
    }

    fn may_enroll(&self, upn: &str) -> bool {
        self.directory.user(upn).is_some_and(|user| self.directory.may_enroll(user))
    }

    /// Somebody sets the hardware up, and it joins or fails to.
    pub(crate) fn join(&mut self, index: usize) {
        let hardware = &self.hardware[index];
        if !self.can_begin(hardware) {
            return;
        }
        let upn = self.user_of(hardware);
        let failure = match self.directory.user(&upn) {
            None => Some((String::new(), "userValidation", "UserValidationFailure")),
            Some(user) if self.directory.may_enroll(user) => None,
            Some(user) => Some((user.id.clone(), "authorization", "UserNotLicensed")),
        };
        if !hardware.online {
            self.agenda.plan(self.now + AGAIN, Event::Join(index));
        } else if let Some((user_id, category, reason)) = failure {
            let trouble = EnrollmentFailure {
                id: self.dice.id(),
                at: self.now,
                user_id,
                platform: self.hardware[index].platform,
                os_version: self.hardware[index].facts.os_version.clone(),
                category,
                reason,
            };
            self.troubles.push(trouble);
            self.agenda.plan(self.now + AGAIN, Event::Join(index));
        } else {
            self.enroll(index, self.is_company(index));
        }
    }

    /// The user whom Autopilot assigned, or who has it in hand.
    fn user_of(&self, hardware: &Hardware) -> String {
        let registration = self.registration_of(&hardware.serial_number);
        let assigned = registration.map(|one| one.upn.clone()).filter(|upn| !upn.is_empty());
        assigned.unwrap_or_else(|| hardware.user_principal_name.clone())
    }

    /// What Intune believes: only what is registered or listed is the company's.
    fn is_company(&self, index: usize) -> bool {
        let hardware = &self.hardware[index];
        self.registration_of(&hardware.serial_number).is_some()
            || self.identifier_of(hardware).is_some()
    }

    /// Makes a record of the hardware, whatever it waits for.
    pub(crate) fn enroll(&mut self, index: usize, company: bool) -> String {
        let upn = self.user_of(&self.hardware[index]);
        let (id, object_id) = (self.dice.id(), self.dice.id());
        let registration = self.registration_of(&self.hardware[index].serial_number).cloned();
        let entra = registration.as_ref().map(|one| one.entra_device_id.clone());
        let entra_device_id = entra.unwrap_or_else(|| self.dice.id());
        let hardware = &self.hardware[index];
        let user = self.directory.user(&upn);
        let name = device_name(hardware);
        let record = ManagedDevice {
            id: id.clone(),
            hardware: index,
            serial: hardware.serial_number.clone(),
            platform: hardware.platform,
            manufacturer: hardware.manufacturer.clone(),
            model: hardware.model.clone(),
            name: name.clone(),
            managed_name: None,
            notes: None,
            user_id: user.map(|user| user.id.clone()).unwrap_or_default(),
            user_name: user.map(|user| user.display_name.clone()).unwrap_or_default(),
            upn: upn.clone(),
            entra_device_id: entra_device_id.clone(),
            owner: if company { "company" } else { "personal" },
            enrollment_type: match hardware.platform {
                Platform::Windows => "windowsAzureADJoin",
                Platform::Ios | Platform::Macos if company => "appleBulkWithUser",
                _ => "userEnrollment",
            },
            enrolled: self.now,
            last_sync: self.now,
            management: Settling::settled(Management { state: "managed", results: Vec::new() }),
            pending: None,
            reported: None,
            failing: Default::default(),
            blocked: None,
        };
        match self.directory.device_by_id_mut(&entra_device_id) {
            Some(there) => there.managed_device_id = Some(id.clone()),
            None => self.directory.add_device(EntraDevice {
                object_id,
                device_id: entra_device_id,
                display_name: name,
                operating_system: operating_system(hardware.platform),
                company,
                registered: self.now,
                managed_device_id: Some(id.clone()),
                attributes: Settling::settled(Default::default()),
            }),
        }
        let (serial, platform) = (record.serial.clone(), record.platform);
        self.records.insert(record);
        self.hardware[index].managed_device_id = Some(id.clone());
        self.tell_registrations(index, &serial, &id);
        let first = match platform {
            Platform::Windows | Platform::Android => TimeDelta::minutes(3),
            Platform::Ios | Platform::Macos => TimeDelta::minutes(15),
        };
        self.plan_check_in(index, first);
        id
    }

    /// Makes an enrollment older: the device is past the days in which it checks in often.
    pub(crate) fn age(&mut self, index: usize, days: u32) {
        let id = self.hardware[index].managed_device_id.clone().unwrap_or_default();
        let enrolled = self.now + TimeDelta::days(-i64::from(days));
        if let Some(record) = self.records.get_mut(&id) {
            record.enrolled = enrolled;
        }
        let next = self.dice.seconds(60, 8 * 3600);
        self.plan_check_in(index, next);
    }

    /// Autopilot and the corporate identifiers learn that it has come.
    fn tell_registrations(&mut self, index: usize, serial: &str, id: &str) {
        let now = self.now;
        if self.registration_of(serial).is_some() {
            self.change_registration(serial, |one| {
                one.state = "enrolled";
                one.contacted = Some(now);
                one.managed_device_id = Some(id.to_owned());
            });
        }
        let hardware = &self.hardware[index];
        let platform = match hardware.platform {
            Platform::Windows => "windows",
            Platform::Macos => "macOS",
            Platform::Ios => "ios",
            Platform::Android => "android",
        };
        if let Some(mut identifier) = self.identifier_of(hardware).cloned() {
            identifier.state = "enrolled";
            identifier.platform = platform;
            identifier.contacted = Some(now);
            let at = self.at();
            self.identifiers.put(&identifier.id.clone(), identifier, at);
        }
    }
}

fn device_name(hardware: &Hardware) -> String {
    let prefix = match hardware.platform {
        Platform::Windows => "DESKTOP",
        Platform::Macos => "Mac",
        Platform::Ios => "iPhone",
        Platform::Android => "Android",
    };
    format!("{prefix}-{}", hardware.serial_number)
}
