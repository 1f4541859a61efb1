//! What a tale writes into its fleet directory.

use std::collections::BTreeMap;

use crate::support::{Device, Profile, Request, time};

/// A manifest in the making.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub file: u64,
    pub name: String,
    pub serial: String,
    /// The lines of its `spec` but for the serial number, by key.
    pub spec: BTreeMap<&'static str, String>,
    pub comment: String,
}

impl Manifest {
    pub fn new(n: u64, file: u64) -> Self {
        let (name, serial) = (format!("dev{n}"), format!("SN{n}"));
        let spec = [("osVersion", "\"10\"".into()), ("platform", "windows".into())].into();
        Self { file, name, serial, spec, comment: "x".into() }
    }

    pub fn text(&self) -> String {
        let Self { name, serial, spec, comment, .. } = self;
        let device = Device::new(serial).named(name);
        let device = spec.iter().fold(device, |device, (key, value)| device.with(key, value));
        format!("---\n# {comment}\n{}", device.yaml())
    }
}

pub fn profile(name: &str, platforms: &str, ring: u64) -> String {
    let profile = Profile::new(name, platforms).with("settings", format_args!("{{ring: {ring}}}"));
    profile.with("compliance", "{encryption: {required: true}}").yaml()
}

pub fn request(n: u64) -> String {
    let request = Request {
        name: format!("w{n}"),
        device: format!("D{:03}", n + 1),
        serial: format!("SN{n}"),
        issued: time("2025-11-22T08:00:00Z"),
        expires: time("2025-11-23T08:00:00Z"),
        ..Request::of(1)
    };
    request.yaml()
}

/// What lies at a path that ends in `.yaml`, or at one that does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    Text(String),
    Directory,
    Symlink,
}
