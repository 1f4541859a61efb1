//! An Intune tenant of a test's own: the emulator, on a clock that only the test moves.

use chrono::Utc;
use fleetform::domain::model::Timestamp;
use serde_json::{Value, json};

use super::clock::start;
use super::emulator::Emulator;

/// An emulator in which nobody is throttled.
pub struct Tenant {
    emulator: Emulator,
    /// When its time began.
    pub began: Timestamp,
}

impl Tenant {
    /// Time stands still until the test moves it.
    pub fn paused() -> Self {
        Self::began(start())
    }

    fn began(began: Timestamp) -> Self {
        let emulator = Emulator::start(&["--start", &began.to_string()]);
        let tenant = Self { emulator, began };
        tenant.set(json!({"throttle": {"enabled": false}}));
        tenant
    }

    /// Time begins now, and goes by so many times as fast as it really does.
    pub fn running(speed: u32) -> Self {
        let tenant = Self::began(Timestamp::from_millis(Utc::now().timestamp_millis()));
        tenant.post("/clock", json!({"speed": speed}));
        tenant
    }

    pub fn url(&self) -> &str {
        &self.emulator.url
    }

    #[track_caller]
    fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        self.emulator.control(method, path, body)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.control("GET", path, &Value::Null)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Value {
        self.control("POST", path, &body)
    }

    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Value {
        self.control("PUT", path, &body)
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: Value) -> Value {
        self.control("PATCH", path, &body)
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Value {
        self.control("DELETE", path, &Value::Null)
    }

    pub fn set(&self, settings: Value) {
        self.patch("/settings", settings);
    }

    pub fn now(&self) -> Timestamp {
        serde_json::from_value(self.get("/clock")["now"].clone()).expect("a time")
    }

    /// Lets so much time go by: `90m`, `8h`.
    pub fn wait(&self, time: &str) {
        self.post("/clock", json!({"advance": time}));
    }

    /// Adds a piece of hardware.
    #[track_caller]
    pub fn hardware(&self, given: Value) {
        self.post("/hardware", given);
    }

    /// A piece of hardware, with its record in Intune.
    #[track_caller]
    pub fn device(&self, serial: &str) -> Value {
        self.get(&format!("/hardware/{serial}"))
    }

    /// The id of its record in Intune.
    #[track_caller]
    pub fn record_of(&self, serial: &str) -> String {
        let device = self.device(serial);
        device["record"]["id"].as_str().unwrap_or_else(|| panic!("no record: {device}")).to_owned()
    }

    /// Its facts change, and it tells Intune at once.
    #[track_caller]
    pub fn becomes(&self, serial: &str, facts: Value) {
        self.patch(&format!("/hardware/{serial}"), json!({"facts": facts}));
        self.post(&format!("/hardware/{serial}/check-in"), Value::Null);
    }

    /// The names of the users in a group, sorted.
    #[track_caller]
    pub fn users_of(&self, group: &str) -> Vec<String> {
        let users = self.get(&format!("/groups/{group}"))["users"].take();
        let mut users: Vec<String> = serde_json::from_value(users).expect("names");
        users.sort();
        users
    }

    #[track_caller]
    pub fn fault(&self, rule: Value) {
        self.post("/faults", rule);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.delete("/faults");
    }

    /// Calls of Graph that this query selects: `writes=true&path=*/wipe`.
    pub fn calls(&self, query: &str) -> Vec<Value> {
        let calls = self.get(&format!("/calls?{query}"))["calls"].take();
        serde_json::from_value(calls).expect("a list")
    }

    /// `METHOD path`, of what was written by whoever; a batch counts by its parts.
    pub fn written(&self, since: u64) -> Vec<String> {
        let calls = self.calls(&format!("writes=true&since={since}"));
        let calls = calls.iter().filter(|call| !path(call).ends_with("/$batch"));
        calls.map(|call| format!("{} {}", word(&call["method"]), path(call))).collect()
    }

    /// The number of the last call.
    pub fn last_call(&self) -> u64 {
        self.calls("").last().map_or(0, |call| call["number"].as_u64().expect("a number"))
    }

    /// The commands that Intune took, in their order.
    pub fn accepted(&self) -> Vec<Value> {
        serde_json::from_value(self.get("/state")["accepted"].take()).expect("a list")
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn path(call: &Value) -> &str {
    word(&call["path"])
}
