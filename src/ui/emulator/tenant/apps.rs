//! Application registrations, and the tokens that they were given.

use std::collections::{BTreeMap, BTreeSet};

use super::certificate::Certificate;
use super::message::Moment;

/// What Fleetform's everyday registration needs: it cannot wipe.
const EVERYDAY: [&str; 10] = [
    "Device.Read.All",
    "DeviceManagementApps.ReadWrite.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementManagedDevices.Read.All",
    "DeviceManagementRBAC.Read.All",
    "DeviceManagementServiceConfig.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "User.Read.All",
];
/// What wipes, retires and syncs.
const PRIVILEGED: [&str; 1] = ["DeviceManagementManagedDevices.PrivilegedOperations.All"];

/// An issuer whose tokens count as an application's.
#[derive(Debug, Clone)]
pub(crate) struct Federated {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

/// An application registration.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) client_id: String,
    /// The id of its service principal.
    pub(crate) object_id: String,
    pub(crate) display_name: String,
    pub(crate) secrets: Vec<String>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) federated: Vec<Federated>,
    pub(crate) roles: BTreeSet<String>,
}

/// What a token says of who bears it.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    pub(crate) client_id: String,
    pub(crate) roles: BTreeSet<String>,
    /// In emulated and in real time: the settings say which counts.
    pub(crate) expires: Moment,
}

impl Bearer {
    pub(crate) fn holds(&self, moment: Moment, in_emulated_time: bool) -> bool {
        if in_emulated_time {
            moment.now < self.expires.now
        } else {
            moment.real < self.expires.real
        }
    }
}

/// All registrations and tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apps {
    pub(crate) all: BTreeMap<String, App>,
    pub(crate) tokens: BTreeMap<String, Bearer>,
}

impl Apps {
    /// The two registrations that are there from the beginning.
    pub(crate) fn usual() -> Self {
        let app = |digit: char, name: &str, secret: &str, roles: &[&str]| {
            let id = |variant: char| {
                let part = |length| std::iter::repeat_n(digit, length).collect::<String>();
                format!("{}-{}-4{}-{variant}{}-{}", part(8), part(4), part(3), part(3), part(12))
            };
            App {
                client_id: id('8'),
                object_id: id('9'),
                display_name: name.to_owned(),
                secrets: vec![secret.to_owned()],
                certificates: Vec::new(),
                federated: Vec::new(),
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            }
        };
        let apps = [
            app('1', "Fleetform", "everyday", &EVERYDAY),
            app('2', "Fleetform wipes", "wiping", &PRIVILEGED),
        ];
        let all = apps.into_iter().map(|app| (app.client_id.clone(), app)).collect();
        Self { all, tokens: BTreeMap::new() }
    }

    /// Forgets tokens that hold no longer.
    pub(crate) fn forget_expired(&mut self, moment: Moment, in_emulated_time: bool) {
        self.tokens.retain(|_, bearer| bearer.holds(moment, in_emulated_time));
    }

    pub(crate) fn name(&self, client_id: &str) -> String {
        self.all.get(client_id).map(|app| app.display_name.clone()).unwrap_or_default()
    }
}
