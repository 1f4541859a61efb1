//! An Intune tenant of a test's own: `fleetform emulator intune` on a clock that only the test moves.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fleetform::domain::model::Timestamp;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

use super::clock::start;

/// The registration that does everything but wipe.
pub const EVERYDAY: &str = "11111111-1111-4111-8111-111111111111";
/// The one that only wipes.
pub const WIPING: &str = "22222222-2222-4222-8222-222222222222";

/// An emulator that ends with its test.
pub struct Tenant {
    child: Child,
    url: String,
    agent: Agent,
}

impl Tenant {
    /// Time stands still until the test moves it, and nobody is throttled.
    pub fn paused() -> Self {
        let tenant = Self::with(&["--paused", "--start", &start().to_string()]);
        tenant.set(json!({"throttle": {"enabled": false}}));
        tenant
    }

    pub fn with(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleetform"))
            .args(["emulator", "intune", "--listen", "127.0.0.1:0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "it says where it answers: {url:?}");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)));
        Self { child, url, agent: config.build().into() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the control API says below `/emulator`.
    #[track_caller]
    fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let uri = format!("{}/emulator{path}", self.url);
        let request = Request::builder().method(method).uri(uri);
        let answer = if body.is_null() {
            self.agent.run(request.body(()).expect("a request"))
        } else {
            self.agent.run(request.body(body.to_string()).expect("a request"))
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let reading = answer.body_mut().with_config().limit(1 << 30).read_to_string();
        let text = reading.expect("text");
        assert!(answer.status().is_success(), "{method} {path} with {body}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
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

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
