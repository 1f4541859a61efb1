//! A ledger by hand: entries, what they fold to, and the mails that follow.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::{Letter, jobs, obsolete};
use crate::domain::model::{DeviceId, Digest, Email, Facts, Timestamp};
use crate::domain::notice::Job;
use crate::domain::notify_settings::{Languages, MailKind, MailSettings, MailTransport};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::state::event::{Entry, Event, Source};

pub(super) struct World {
    pub(super) state: State,
    pub(super) mail: MailSettings,
    pub(super) alerts: Vec<Email>,
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
}

impl World {
    /// D001 of Ana and D002 of Bob, enrolled; the mails are in English, and IT gets a digest.
    pub(super) fn new() -> Self {
        let mail = MailSettings {
            transport: MailTransport::Graph,
            server: None,
            from: "it@example.com".parse().unwrap(),
            reply_to: None,
            cc: Vec::new(),
            it: Vec::new(),
            contact: None,
            help_url: None,
            send: MailKind::ALL.to_vec(),
            tell_user_of_wipe: false,
            reminder_before: TimeDelta::hours(4),
            gather: TimeDelta::zero(),
            per_hour: 500,
            per_user_per_hour: 5,
            digest_at: TimeDelta::hours(7),
            language: Languages {
                default: "en".into(),
                label: Some("language".into()),
                domains: [("example.es".into(), "es".into())].into(),
            },
            templates: None,
        };
        let mut world = Self {
            state: State::default(),
            mail,
            alerts: Vec::new(),
            settings: Settings::default(),
            now: "2026-11-25T09:00:00Z".parse().unwrap(),
        };
        world.log(
            None,
            "ledger.created",
            &json!({
                "version": 1, "lineage": "4f0c6a1e-0000-4000-8000-000000000001",
            }),
        );
        world.log(None, "profile.recorded", &json!({
            "name": "Standard", "description": "Windows 11", "platforms": ["windows"], "apps": [],
            "settings": {}, "licenses": [], "digest": Digest::of(b"profile"),
            "compliance": {"encryption": {"required": true},
                "screenLock": {"required": true, "minPinLength": 8}},
        }));
        for (id, name, serial, user, labels) in [
            ("D001", "ana-laptop", "PF1", "ana@example.com", json!({"language": "de"})),
            ("D002", "bob-laptop", "PF2", "bob@example.es", json!({})),
        ] {
            world.log(Some(id), "device.provisioned", &json!({
                "name": name, "serialNumber": serial, "userEmail": user, "profile": "Standard",
                "platform": "windows", "osVersion": "10.0.26100", "ownership": "corporate",
                "labels": labels, "enrollment": 1, "intent": 3, "profileDigest": Digest::of(b"profile"),
            }));
        }
        world
    }

    /// Writes an entry; gives the mails that follow from it.
    pub(super) fn log(&mut self, device: Option<&str>, kind: &str, data: &Value) -> Vec<Job> {
        let entry = Entry {
            seq: self.state.seq + 1,
            at: self.now,
            device: device.map(|id| id.parse().unwrap()),
            actor: "fleet".into(),
            source: Some(Source {
                path: "a.yaml".into(),
                digest: Digest::of(b"manifest"),
                revision: None,
            }),
            event: Event::parse(kind, &data.to_string()).unwrap(),
        };
        self.state.fold(&entry, Digest::of(b"line")).unwrap();
        jobs(&entry, &self.state, &self.settings, &self.mail, &self.alerts)
    }

    pub(super) fn wait(&mut self, minutes: i64) {
        self.now = self.now + TimeDelta::minutes(minutes);
    }

    /// A verdict, by what the device reports: whether its disk is encrypted.
    pub(super) fn judged(&mut self, device: &str, encrypted: bool) -> Vec<Job> {
        let facts: Facts = serde_json::from_value(json!({
            "encryption": {"enabled": encrypted}, "screenLock": {"enabled": true, "pinLength": 8},
        }))
        .unwrap();
        let id: DeviceId = device.parse().unwrap();
        self.state.observe(id, self.now, &facts);
        let from = self.state.devices[&id].compliance.state;
        let last = self.state.devices[&id].episode.as_deref();
        let continued = last
            .filter(|last| last.ended.is_some_and(|ended| self.now < ended + self.settings.settle))
            .map(|last| last.opened);
        let data = if encrypted {
            json!({"from": from, "to": "compliant", "failing": []})
        } else {
            let mut data = json!({"from": from, "to": "nonCompliant", "failing": ["encryption"]});
            if let Some(episode) = continued {
                data["episode"] = episode.into();
            }
            data
        };
        self.log(Some(device), "compliance.changed", &data)
    }

    /// That a mail went out, as the log tells it.
    pub(super) fn sent(&mut self, job: &Job) {
        let device = job.device.map(|id| id.to_string());
        let data = json!({
            "intent": 1, "sink": "mail", "topic": job.topic, "ids": [job.id], "to": letter(job).to,
        });
        self.log(device.as_deref(), "notice.sent", &data);
    }

    pub(super) fn obsolete(&self, job: &Job) -> Option<String> {
        obsolete(job, &letter(job), &self.state)
    }
}

pub(super) fn letter(job: &Job) -> Letter {
    serde_json::from_value(job.payload.clone()).unwrap()
}

/// `TOPIC ADDRESS`, with when it is due and whether it is a copy or for the digest.
pub(super) fn shown(jobs: &[Job]) -> Vec<String> {
    let show = |job: &Job| {
        let letter = letter(job);
        let due = job.not_before.map_or_else(String::new, |at| format!(" at {}", at.short()));
        let copy = letter.copy_of.map_or_else(String::new, |of| format!(" copy of {of}"));
        let digest = if letter.digest { " digest" } else { "" };
        format!("{} {}{copy}{digest}{due}", job.topic, letter.to)
    };
    jobs.iter().map(show).collect()
}
