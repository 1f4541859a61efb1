mod failures;
mod programs;
mod secrets;
mod service_now;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::tls::RootCerts;

use super::events::Stream;
use super::http::Http;
use super::service_now::ServiceNow;
use super::webhook::Webhook;
use crate::domain::model::Timestamp;
use crate::domain::notice::{
    Announcement, Attempt, SecurityEvent, TicketKey, TicketOrder, for_journal, mark,
};
use crate::domain::notify_settings::{
    EventSettings, ServiceNowLogin, ServiceNowSettings, WebhookFormat, WebhookSettings, WebhookUrl,
};
use crate::edges::http_client::testing::{Reply, Seen, Server};
use crate::edges::http_client::{Addresses, Network};

const SECOND: Duration = Duration::from_secs(1);
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEXT_SECRET: &str = "whsec_HxwdGhsYGRYXFBUSExAREA8ODQwLCgkIBwYFBAMCAQA=";
const PASSWORD: &str = "p4ssw0rd-of-the-user";
const TOKEN: &str = "t0ken-of-the-stream";
const LEDGER: uuid::Uuid = uuid::Uuid::from_u128(0x4f0c_6a1e);
const ID: &str = "4f0c6a1e-1842-siem";

fn at() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

/// A directory with the files that prove who asks.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("secret", SECRET);
        place.write("user", "fleetform\n");
        place.write("password", PASSWORD);
        place.write("token", TOKEN);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A new RSA key, as the documentation says.
    fn key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let args = "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out";
        let made = Command::new("openssl").args(args.split(' ')).arg(&path).output();
        assert!(
            made.expect("openssl is needed: install Debian's package openssl").status.success()
        );
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn webhook(&self, url: &str) -> WebhookSettings {
        WebhookSettings {
            name: "siem".parse().unwrap(),
            url: WebhookUrl::Plain(url.to_owned()),
            secret_file: Some(self.path("secret")),
            previous_secret_file: None,
            ca_file: None,
            private_addresses: Vec::new(),
            kinds: Vec::new(),
            profiles: Vec::new(),
            labels: [].into(),
            format: WebhookFormat::Plain,
            source: None,
        }
    }

    fn service_now(&self, url: &str) -> ServiceNowSettings {
        let [user_file, password_file] = ["user", "password"].map(|name| self.path(name));
        ServiceNowSettings {
            url: url.to_owned(),
            login: ServiceNowLogin::Basic { user_file, password_file },
            ca_file: None,
            private_addresses: Vec::new(),
            table: "incident".into(),
            fields: [].into(),
            profiles: [].into(),
            close: false,
            close_fields: [].into(),
        }
    }

    fn stream(&self, url: &str) -> EventSettings {
        let key_file = self.path("key.pem");
        if !key_file.exists() {
            self.key("key.pem");
        }
        EventSettings {
            name: "idp".parse().unwrap(),
            url: url.to_owned(),
            audience: "https://idp.example.net/ssf".into(),
            issuer: None,
            token_file: Some(self.path("token")),
            key_file,
            other_key_file: None,
            ca_file: None,
            private_addresses: Vec::new(),
            legacy_subject: false,
        }
    }
}

fn network(largest: u64) -> Network {
    Network {
        proxy: None,
        roots: RootCerts::PlatformVerifier,
        connect: SECOND * 10,
        answer: SECOND * 30,
        largest,
        addresses: Addresses::Public(Vec::new()),
    }
}

fn http() -> Http {
    Http::over(network(64 << 10), None, at)
}

fn announcement() -> Announcement {
    Announcement {
        kind: "compliance.changed".into(),
        timestamp: at(),
        title: "compliance.changed: D007 ana-ruiz-laptop".into(),
        text: "compliant → nonCompliant; failing: encryption".into(),
        facts: vec![("User".into(), "ana.ruiz@example.com".into())],
        data: json!({"seq": 1842, "device": "D007"}),
    }
}

fn security_event() -> SecurityEvent {
    SecurityEvent {
        device: "D007".parse().unwrap(),
        user: "ana.ruiz@example.com".parse().unwrap(),
        was_compliant: true,
        is_compliant: false,
        at: at(),
        reason: "encryption is off".into(),
        cause: "4f0c6a1e-1842".into(),
    }
}

fn key() -> TicketKey {
    TicketKey::new(Some(LEDGER), "D007".parse().unwrap(), 1790)
}

fn open() -> TicketOrder {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fields =
        [field("short_description", "D007 is not compliant"), field("urgency", "2")].into();
    TicketOrder::Open { key: key(), fields }
}

fn note(close: bool) -> TicketOrder {
    let mark = mark(Some(LEDGER), 1871);
    let close = [("state".to_owned(), "6".to_owned())].into_iter().filter(|_| close).collect();
    let note = format!("{} {mark}", for_journal("Compliant again."));
    TicketOrder::Note { key: key(), note, mark, close }
}

/// What came of it, in a word.
fn word(attempt: &Attempt) -> &'static str {
    match attempt {
        Attempt::Done { .. } => "done",
        Attempt::NotNeeded { .. } => "not needed",
        Attempt::Retry { .. } => "retry",
        Attempt::InDoubt { .. } => "doubt",
        Attempt::Refused { .. } => "refused",
        Attempt::Misconfigured { .. } => "misconfigured",
    }
}

fn why(attempt: &Attempt) -> String {
    match attempt {
        Attempt::Done { reference } => format!("done: {reference:?}"),
        Attempt::NotNeeded { why }
        | Attempt::Retry { why, .. }
        | Attempt::InDoubt { why }
        | Attempt::Refused { why }
        | Attempt::Misconfigured { why } => why.clone(),
    }
}

/// Python with the libraries that `tests/run` installs.
fn python(script: &str, input: &Value) -> String {
    let here = std::env::current_exe().unwrap();
    let python = here.ancestors().nth(3).unwrap().join("tools/python/bin/python3");
    assert!(
        python.exists(),
        "{} is not there: tests/run installs it, with what tests/requirements.txt lists",
        python.display()
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("input.json");
    fs::write(&file, input.to_string()).unwrap();
    let ran = Command::new(python).args(["-c", script]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    String::from_utf8(ran.stdout).unwrap()
}
