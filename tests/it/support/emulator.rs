//! An emulator of Intune that dies with its test, and a client of Graph.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

/// The registration that cannot wipe, and its secret.
pub const EVERYDAY: (&str, &str) = ("11111111-1111-4111-8111-111111111111", "everyday");
/// The registration that can do nothing else.
pub const WIPING: (&str, &str) = ("22222222-2222-4222-8222-222222222222", "wiping");

/// When emulated time begins, unless a test says otherwise.
pub const START: &str = "2026-11-26T08:00:00Z";

/// What was answered.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Fails unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }
}

/// Sends one request; the error says how the connection ended without a whole answer.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply, String> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build()
        .into();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = agent.run(request.body(body.to_vec()).unwrap());
    let mut answer = answer.map_err(|error| error.to_string())?;
    let headers = answer.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let (status, headers) = (answer.status().as_u16(), headers.collect());
    let mut bytes = Vec::new();
    let read = answer.body_mut().as_reader().read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, headers, body })
}

/// Killed when dropped.
pub struct Emulator {
    child: Child,
    /// Without a slash at its end.
    pub url: String,
}

impl Emulator {
    /// Starts one whose time stands still, and waits until it answers.
    pub fn start(args: &[&str]) -> Self {
        let usual = ["emulator", "intune", "--listen", "127.0.0.1:0", "--paused", "--quiet"];
        let mut args = [&usual, args].concat();
        if !args.contains(&"--start") {
            args.extend(["--start", START]);
        }
        let program = Path::new(env!("CARGO_BIN_EXE_fleetform"));
        let mut command = Command::new(program);
        let child = command.args(&args).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("http://127.0.0.1:"), "it did not start: {line:?}");
        Self { child, url: line.trim().to_owned() }
    }

    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Waits for its end and gives its exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// What only tests do, under `/emulator`; it must succeed.
    #[track_caller]
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/emulator{path}", self.url);
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let reply = send(method, &url, &[], &bytes).unwrap();
        assert!(reply.status < 300, "{method} {path}: {reply:?}");
        reply.body
    }

    #[track_caller]
    pub fn advance(&self, time: &str) {
        self.control("POST", "/clock", &json!({"advance": time}));
    }

    /// A client with a token of this registration.
    #[track_caller]
    pub fn graph(&self, (client_id, secret): (&str, &str)) -> Graph<'_> {
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={secret}\
             &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        );
        let body = self.token(&form).expect(200);
        Graph { url: &self.url, token: body["access_token"].as_str().unwrap().to_owned() }
    }

    /// Asks for a token.
    pub fn token(&self, form: &str) -> Reply {
        let url = format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", self.url);
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        send("POST", &url, &kind, form.as_bytes()).unwrap()
    }

    /// Commands that were accepted: what, of which serial number, and what became of it.
    pub fn accepted(&self) -> Vec<String> {
        let state = self.control("GET", "/state", &Value::Null);
        let accepted = state["accepted"].as_array().unwrap().iter();
        let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        accepted
            .map(|one| ["command", "serialNumber", "outcome"].map(|key| word(one, key)).join(" "))
            .collect()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of Graph with a token.
pub struct Graph<'a> {
    url: &'a str,
    pub token: String,
}

impl Graph<'_> {
    /// One call; `path` begins with the version, or is a link that Graph gave.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Result<Reply, String> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let url =
            if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.url) };
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        if !body.is_null() {
            headers.push(("content-type", "application/json"));
        }
        send(method, &url.replace(' ', "%20"), &headers, &bytes)
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null).unwrap().expect(200)
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, body).unwrap()
    }

    /// Ids of managed devices on all pages.
    #[track_caller]
    pub fn all_devices(&self, query: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut next = Some(format!("/v1.0/deviceManagement/managedDevices?{query}"));
        while let Some(address) = next {
            let page = self.get(&address);
            let page_ids = page["value"].as_array().unwrap().iter();
            ids.extend(page_ids.map(|one| one["id"].as_str().unwrap().to_owned()));
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        ids
    }
}
