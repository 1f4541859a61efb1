//! The emulator without its sockets: a tenant, calls to it, and time that a test moves.

mod commands;
mod devices;
mod directory;
mod odata;
mod policies;
mod random;
mod strict;
mod tokens;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::control::{act, serve_control};
use super::graph::serve_graph;
use super::start::{Start, tenant};
use super::tenant::{Answer, Bearer, Delivery, Moment, Request, Tenant};
use super::token::serve_token;
use crate::domain::model::Timestamp;

const EVERYDAY: &str = "11111111-1111-4111-8111-111111111111";
const WIPING: &str = "22222222-2222-4222-8222-222222222222";

/// A tenant in which readers see at once what was written, and a token that may do everything.
struct World {
    tenant: Tenant,
    real: Timestamp,
}

const MANAGED: &str = "/v1.0/deviceManagement/managedDevices";

impl World {
    fn new() -> Self {
        Self::seeded(1)
    }

    fn seeded(seed: u64) -> Self {
        let start: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let start =
            Start { fleet: None, speed: 0.0, seed, start, real: start, certificates: Vec::new() };
        let mut world = Self { tenant: tenant(&start).unwrap(), real: start.real };
        world.tenant.settings.throttle.enabled = false;
        let roles = [
            "Application.Read.All",
            "DeviceManagementApps.ReadWrite.All",
            "DeviceManagementConfiguration.ReadWrite.All",
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
            "DeviceManagementManagedDevices.ReadWrite.All",
            "DeviceManagementRBAC.Read.All",
            "DeviceManagementServiceConfig.ReadWrite.All",
            "Device.ReadWrite.All",
            "GroupMember.ReadWrite.All",
            "LicenseAssignment.ReadWrite.All",
            "Mail.Send",
            "Organization.Read.All",
            "User.Read.All",
        ];
        world.grant("all", EVERYDAY, &roles);
        world
    }

    /// A token with these roles.
    fn grant(&mut self, token: &str, client_id: &str, roles: &[&str]) {
        let roles: BTreeSet<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let far = Timestamp::from_millis(i64::MAX);
        let expires = Moment { now: far, real: far };
        let bearer = Bearer { client_id: client_id.to_owned(), roles, expires };
        self.tenant.apps.tokens.insert(token.to_owned(), bearer);
    }

    fn moment(&self) -> Moment {
        Moment { now: self.tenant.now, real: self.real }
    }

    fn send(&mut self, request: &Request) -> Delivery {
        let moment = self.moment();
        if request.path.ends_with("/token") {
            return serve_token(&mut self.tenant, request, moment);
        }
        serve_graph(&mut self.tenant, request, moment, act)
    }

    fn request(token: &str, method: &str, address: &str, body: Option<&Value>) -> Request {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let headers = [
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.into(),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            base: "http://localhost:1".to_owned(),
            part: None,
        }
    }

    fn call(&mut self, method: &str, address: &str, body: Option<&Value>) -> Answer {
        self.send(&Self::request("all", method, address, body)).answer
    }

    /// Expects 200 and gives the body.
    #[track_caller]
    fn get(&mut self, address: &str) -> Value {
        let answer = self.call("GET", address, None);
        assert_eq!(answer.status, 200, "{address}: {:?}", answer.body);
        answer.body.unwrap()
    }

    /// Expects a success and gives the body, if there is one.
    #[track_caller]
    fn post(&mut self, address: &str, body: &Value) -> Value {
        let answer = self.call("POST", address, Some(body));
        assert!(answer.status < 300, "{address}: {} {:?}", answer.status, answer.body);
        answer.body.unwrap_or_default()
    }

    /// What tests do, under `/emulator`.
    #[track_caller]
    fn control(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Self::request("", method, &format!("/emulator{path}"), Some(body));
        if body.is_null() {
            request.body.clear();
        }
        let answer = serve_control(&mut self.tenant, &request);
        assert!(answer.status < 300, "{method} {path}: {:?}", answer.body);
        answer.body.unwrap_or_default()
    }

    fn pass(&mut self, time: &str) {
        self.control("POST", "/clock", &json!({"advance": time}));
    }

    fn hardware(&mut self, given: Value) {
        self.control("POST", "/hardware", &given);
    }

    /// The record of a device as Graph gives it alone.
    #[track_caller]
    fn device(&mut self, serial: &str) -> Value {
        let id = self.device_id(serial);
        self.get(&format!("{MANAGED}/{id}"))
    }

    #[track_caller]
    fn device_id(&mut self, serial: &str) -> String {
        let shown = self.control("GET", &format!("/hardware/{serial}"), &Value::Null);
        shown["managedDeviceId"].as_str().expect("it is enrolled").to_owned()
    }
}

/// The status, and the message of an error as a person would read it.
fn error(answer: &Answer) -> (u16, String) {
    let body = answer.body.clone().unwrap_or_default();
    let message = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    let inside: Option<Value> = serde_json::from_str(&message).ok();
    let inside = inside.and_then(|inside| Some(inside["Message"].as_str()?.to_owned()));
    (answer.status, inside.unwrap_or(message))
}

/// Words of a list, one of a field of each entry.
fn each(list: &Value, field: &str) -> Vec<String> {
    let list = list["value"].as_array().expect("a collection");
    list.iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}
