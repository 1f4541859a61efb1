//! Manifests: one builder each of devices, profiles and wipe requests.

use std::fmt::Display;

use chrono::TimeDelta;
use fleetform::domain::model::Timestamp;

use super::clock::start;

/// The lineage of every ledger that [`super::begin_ledger`] begins: what requests name.
pub const LEDGER: &str = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c21";

/// For `apply` of a fleet that matters only by its size.
pub const PROFILE: &str = "\
apiVersion: fleetform/v1
kind: Profile
metadata: {name: Standard}
spec:
  platforms: [windows]
  settings: {vpn: {server: vpn.example.com}}
  compliance: {encryption: {required: true}}
";

/// It demands nothing.
pub const PLAIN_PROFILE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Standard}\n\
    spec: {description: x, platforms: [windows]}\n";

/// The lines of a manifest, in the order in which they were first given.
#[derive(Debug, Clone)]
struct Manifest {
    kind: &'static str,
    metadata: String,
    spec: Vec<(&'static str, String)>,
}

impl Manifest {
    fn named(kind: &'static str, name: impl Display) -> Self {
        Self { kind, metadata: format!("name: {name}"), spec: vec![] }
    }

    /// Gives a key of `spec` its value, as YAML.
    fn set(&mut self, key: &'static str, value: impl Display) {
        match self.spec.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value.to_string(),
            None => self.spec.push((key, value.to_string())),
        }
    }

    fn yaml(&self) -> String {
        let Self { kind, metadata, spec } = self;
        let head =
            format!("apiVersion: fleetform/v1\nkind: {kind}\nmetadata: {{{metadata}}}\nspec:\n");
        spec.iter().fold(head, |text, (key, value)| format!("{text}  {key}: {value}\n"))
    }
}

/// The manifest of a device.
#[derive(Debug, Clone)]
pub struct Device(Manifest);

impl Device {
    /// Of the profile `Standard`, and Ana's.
    pub fn new(serial: impl Display) -> Self {
        let device = Self(Manifest::named("Device", format_args!("dev-{serial}")));
        let device = device.with("serialNumber", serial).with("userEmail", "ana@example.com");
        device.with("profile", "Standard").with("osVersion", "\"10.0\"")
    }

    pub fn named(mut self, name: impl Display) -> Self {
        self.0.metadata = format!("name: {name}");
        self
    }

    /// More of its `metadata`, as YAML.
    pub fn labels(mut self, labels: impl Display) -> Self {
        self.0.metadata += &format!(", labels: {labels}");
        self
    }

    /// A field of its `spec`, as YAML.
    pub fn with(mut self, key: &'static str, value: impl Display) -> Self {
        self.0.set(key, value);
        self
    }

    pub fn yaml(&self) -> String {
        self.0.yaml()
    }
}

/// The manifest of a device of [`PROFILE`].
pub fn device(serial: &str) -> String {
    Device::new(serial).yaml()
}

/// The manifest of a profile.
#[derive(Debug, Clone)]
pub struct Profile(Manifest);

impl Profile {
    /// `platforms` are separated by commas.
    pub fn new(name: &str, platforms: &str) -> Self {
        let profile = Self(Manifest::named("Profile", name));
        profile.with("platforms", format_args!("[{platforms}]"))
    }

    /// A field of its `spec`, as YAML.
    pub fn with(mut self, key: &'static str, value: impl Display) -> Self {
        self.0.set(key, value);
        self
    }

    pub fn yaml(&self) -> String {
        self.0.yaml()
    }
}

/// A wipe request with every field, to be changed.
#[derive(Debug, Clone)]
pub struct Request {
    pub name: String,
    pub ledger: String,
    /// `head: …` with its line end and the indent after it, or nothing.
    pub head: String,
    pub device: String,
    pub serial: String,
    pub scope: &'static str,
    pub reason: String,
    pub by: String,
    pub issued: Timestamp,
    pub expires: Timestamp,
}

impl Request {
    /// `n` is the number of a device; its serial number is `SN` and that number.
    pub fn of(n: u32) -> Self {
        Self {
            name: format!("r{n}"),
            ledger: LEDGER.into(),
            head: String::new(),
            device: format!("D{n:03}"),
            serial: format!("SN{n:03}"),
            scope: "full",
            reason: "lost".into(),
            by: "bob@example.com".into(),
            issued: start(),
            expires: start() + TimeDelta::hours(24),
        }
    }

    pub fn yaml(&self) -> String {
        let Self { name, ledger, head, device, serial, .. } = self;
        let Self { scope, reason, by, issued, expires, .. } = self;
        format!(
            "apiVersion: fleetform/v1\nkind: WipeRequest\nmetadata: {{name: {name}}}\nspec:\n  \
             ledger: {ledger}\n  {head}deviceId: {device}\n  serialNumber: {serial}\n  \
             scope: {scope}\n  reason: {reason}\n  requestedBy: {by}\n  confirm: true\n  \
             issuedAt: {issued}\n  expiresAt: {expires}\n"
        )
    }
}
