//! A fleet to plan, without files.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;

use crate::domain::fleet::Desired;
use crate::domain::guard::guard;
use crate::domain::model::{
    DesiredDevice, DesiredStatus, DeviceId, Digest, Place, Platform, Profile, Status, SyncFile,
    Timestamp,
};
use crate::domain::plan::effect::{Effect, pushed};
use crate::domain::plan::{Heard, HoldReason, Inputs, News, Plan, plan};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{
    AccessFailed, AccessOrder, Entry, ErrorClass, Event, LedgerCreated, LicenseAssigned,
    LicenseFailed, ProfileFailed, Source, SyncFailed,
};
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust_state::TrustState;

/// A fleet, its record and a clock, without files.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) settings: Settings,
    pub(crate) desired: Desired,
    pub(crate) state: State,
    pub(crate) heard: Vec<Heard>,
    pub(crate) news: News,
    pub(crate) requests: Vec<SyncFile>,
    /// What the provider answers to every push.
    pub(crate) refuses: Option<ErrorClass>,
    pub(crate) trust: TrustState,
    pub(crate) heads: Vec<LoggedHead>,
    pub(crate) clock: Option<Timestamp>,
    /// The log.
    pub(crate) entries: Vec<Entry>,
}

pub(super) fn profile(name: &str, settings: serde_json::Value) -> Arc<Profile> {
    Arc::new(Profile {
        name: name.parse().expect("a name"),
        description: String::new(),
        platforms: vec![Platform::Windows],
        apps: vec![],
        intune: None,
        digest: Digest::of(settings.to_string().as_bytes()),
        settings,
        licenses: vec![],
        compliance: serde_json::from_value(json!({"encryption": {"required": true}}))
            .expect("requirements"),
    })
}

pub(super) fn device(serial: &str) -> DesiredDevice {
    DesiredDevice {
        spec: serde_json::from_value(json!({
            "name": format!("dev-{serial}"), "serialNumber": serial,
            "userEmail": "ana@example.com", "profile": "Standard", "platform": "windows",
            "osVersion": "10.0", "ownership": "corporate", "labels": {},
        }))
        .expect("a device"),
        status: DesiredStatus::Enrolled,
        enrollment: 1,
        place: Place { path: format!("{serial}.yaml").into(), line: 1 },
        digest: Digest::of(serial.as_bytes()),
    }
}

impl World {
    pub(crate) fn new(serials: &[&str]) -> Self {
        let mut desired = Desired::default();
        let standard = profile("Standard", json!({"vpn": "a"}));
        desired.profiles.insert(standard.name.clone(), standard);
        let mut world = Self {
            now: "2026-11-22T10:00:00Z".parse().expect("a time"),
            // Silence does not matter, unless a test says so.
            settings: Settings { unknown_after: TimeDelta::days(3650), ..Settings::default() },
            desired,
            state: State::default(),
            heard: vec![],
            news: News::default(),
            requests: vec![],
            refuses: None,
            trust: TrustState::NotConfigured,
            heads: vec![],
            clock: None,
            entries: vec![],
        };
        for serial in serials {
            world.put(device(serial));
        }
        world.log(
            None,
            None,
            Event::LedgerCreated(LedgerCreated { version: 1, lineage: uuid::Uuid::nil() }),
        );
        world
    }

    pub(crate) fn put(&mut self, device: DesiredDevice) {
        self.take(device.spec.serial_number.as_str());
        self.desired.devices.push(device);
        self.desired.devices.sort_by(|a, b| a.spec.serial_number.cmp(&b.spec.serial_number));
        self.desired.device_documents = self.desired.devices.len() as u64;
    }

    pub(crate) fn take(&mut self, serial: &str) {
        self.desired.devices.retain(|d| d.spec.serial_number.as_str() != serial);
        self.desired.device_documents = self.desired.devices.len() as u64;
    }

    pub(crate) fn edit(&mut self, serial: &str, change: impl FnOnce(&mut DesiredDevice)) {
        let found = self.desired.devices.iter().find(|d| d.spec.serial_number.as_str() == serial);
        let mut device = DesiredDevice::clone(found.expect("the device"));
        change(&mut device);
        self.put(device);
    }

    pub(crate) fn hear(&mut self, serial: &str, more: serde_json::Value) {
        let mut report = json!({"serialNumber": serial, "at": self.now});
        report.as_object_mut().expect("an object").extend(more.as_object().expect("more").clone());
        self.heard.push(Heard {
            id: crate::domain::model::ReportId::new(format!("r{}", self.heard.len())),
            origin: "inbox/r.json".into(),
            report: serde_json::from_value(report).expect("a report"),
        });
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            now: self.now,
            settings: &self.settings,
            desired: &self.desired,
            recorded: &self.state,
            heard: &self.heard,
            news: &self.news,
            requests: &self.requests,
            trust: &self.trust,
            heads: &self.heads,
            clock: self.clock,
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&self.inputs())
    }

    pub(crate) fn log(&mut self, device: Option<DeviceId>, source: Option<Source>, event: Event) {
        let entry = Entry {
            seq: self.state.seq + 1,
            at: self.now,
            device,
            actor: "test".into(),
            source,
            event,
        };
        self.state.fold(&entry, Digest::ZERO).expect("an entry that follows");
        self.entries.push(entry);
    }

    /// A restart without the snapshot: what devices reported is not in the log.
    pub(super) fn forget_telemetry(&mut self) {
        for device in self.state.devices.values_mut() {
            (device.last_sync, device.facts) = (None, None);
        }
    }

    /// One pass as `execute` does it, without files; gives the actions as `kind device`.
    pub(crate) fn pass(&mut self) -> Vec<String> {
        self.pass_accepting(None)
    }

    pub(super) fn pass_accepting(&mut self, accepted: Option<u64>) -> Vec<String> {
        let approved =
            guard(self.plan(), &self.desired, &self.state, self.settings.limits, accepted);
        let plan = approved.into_plan();
        let mut done = vec![];
        for action in &plan.actions {
            let resume = match action.effect() {
                Some(
                    Effect::Push { resume, .. }
                    | Effect::Sync { resume }
                    | Effect::License { resume, .. }
                    | Effect::Access { resume, .. },
                ) => resume,
                Some(Effect::Wipe { .. } | Effect::Withdraw { .. } | Effect::Restore { .. })
                | None => None,
            };
            let intent = resume.unwrap_or(self.state.seq + 1);
            if let Some(event) = action.event(intent) {
                self.log(action.device(), action.source(None), event);
            }
            let outcome = action.effect().and_then(|effect| self.outcome(effect, intent));
            if let Some(outcome) = outcome {
                self.log(action.device(), None, outcome);
            }
            let id = action.device().map(|id| format!(" {id}")).unwrap_or_default();
            done.push(format!("{}{id}", action.kind()));
        }
        // Last, as where a pass ends: whatever it did to a device by then.
        for t in &plan.telemetry {
            if let Some((at, facts)) = &t.last {
                self.state.observe(t.device, *at, facts);
            }
            self.state.pass_over(t.device, t.passed_over);
        }
        self.let_go(&plan);
        self.heard.clear();
        self.news = News::default();
        done
    }

    /// What the log says after an effect.
    fn outcome(&self, effect: Effect<'_>, intent: u64) -> Option<Event> {
        let error = "no".to_owned();
        match (effect, self.refuses) {
            (Effect::Push { profile, .. }, None) => {
                Some(Event::ProfilePushed(pushed(profile, intent)))
            }
            (Effect::Push { .. }, Some(class)) => {
                Some(Event::ProfileFailed(ProfileFailed { intent, class, error }))
            }
            (Effect::Sync { .. }, Some(class)) => {
                Some(Event::SyncFailed(Box::new(SyncFailed { intent, class, error })))
            }
            (Effect::License { sku, user, .. }, refuses) => {
                let (sku, user) = (sku.clone(), user.clone());
                Some(match refuses {
                    None => {
                        let assigned = LicenseAssigned { intent, sku, user, had: false };
                        Event::LicenseAssigned(Box::new(assigned))
                    }
                    Some(class) => {
                        let failed = LicenseFailed { intent, sku, user, class, error };
                        Event::LicenseFailed(Box::new(failed))
                    }
                })
            }
            (Effect::Access { blocked, .. }, None) => {
                let order = AccessOrder { intent, blocked };
                let event = if blocked { Event::AccessBlocked } else { Event::AccessRestored };
                Some(event(order))
            }
            (Effect::Access { .. }, Some(class)) => {
                Some(Event::AccessFailed(Box::new(AccessFailed { intent, class, error })))
            }
            _ => None,
        }
    }

    /// Leaves of each request what has to wait.
    fn let_go(&mut self, plan: &Plan) {
        for SyncFile { request, devices } in &mut self.requests {
            devices.retain(|(id, _)| plan.held_requests.contains(&(request.origin.clone(), *id)));
        }
        self.requests.retain(|file| !file.devices.is_empty());
    }

    /// A pass after which nothing is left to do.
    pub(crate) fn settle(&mut self) -> Vec<String> {
        let done = self.pass();
        let again = guard(self.plan(), &self.desired, &self.state, self.settings.limits, None);
        assert_eq!(again.plan().actions, vec![], "a second plan has nothing to do");
        done
    }

    pub(crate) fn enrolled(serials: &[&str]) -> Self {
        let mut world = Self::new(serials);
        world.settle();
        for serial in serials {
            world.hear(serial, json!({"encryption": {"enabled": true}}));
        }
        world.settle();
        world.now = world.now + TimeDelta::hours(1);
        world
    }

    pub(crate) fn status(&self, serial: &str) -> Status {
        self.state.by_serial(&serial.parse().expect("a serial")).expect("a device").1.status
    }

    pub(crate) fn holds(&self) -> Vec<(Option<String>, HoldReason)> {
        let plan = guard(self.plan(), &self.desired, &self.state, self.settings.limits, None);
        let holds = plan.plan().holds.iter();
        holds.map(|h| (h.serial.as_ref().map(ToString::to_string), h.reason)).collect()
    }
}

pub(crate) fn held(serial: &str, reason: HoldReason) -> (Option<String>, HoldReason) {
    (Some(serial.to_owned()), reason)
}
