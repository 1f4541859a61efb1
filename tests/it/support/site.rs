//! A fleet whose devices are in a [`Tenant`], with the real binary at the tenant's time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use chrono::TimeDelta;
use serde_json::Value;

use super::clock::faked_clock;
use super::emulator::{EVERYDAY, WIPING};
use super::fixture::{Fixture, Output, actions, text};
use super::fleet::{LEDGER, Profile, Request};
use super::keys::{WIPE, signature, trusted};
use super::lab::begin_ledger;
use super::tenant::Tenant;
use crate::invariants::Reading;

/// The group of the profile `Standard`.
pub const GROUP: &str = "0f3c9a52-0000-4000-8000-000000000001";
/// The group of another profile.
pub const OTHER_GROUP: &str = "0f3c9a52-0000-4000-8000-000000000002";

const CONFIG: &str = "etc/fleetform.yaml";

/// A fleet directory, a ledger, a configuration with two app registrations, and Bob, whose signature
/// counts.
pub struct Site<'t> {
    pub tenant: &'t Tenant,
    pub place: Fixture,
}

impl<'t> Site<'t> {
    /// No profile and no device yet; its groups are there.
    pub fn new(tenant: &'t Tenant) -> Self {
        let place = Fixture::empty();
        let site = Self { tenant, place };
        for (group, name) in [(GROUP, "Standard"), (OTHER_GROUP, "Other")] {
            tenant.post("/groups", serde_json::json!({"id": group, "displayName": name}));
        }
        site.secret("etc/app.secret", EVERYDAY.1);
        site.secret("etc/wipe.secret", WIPING.1);
        site.place.write("etc/allowed_signers", trusted("bob"));
        site.configure("");
        begin_ledger(&site.place.data(), tenant.began);
        site
    }

    fn secret(&self, path: &str, text: &str) {
        self.place.write(path, text);
        let own = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.place.path(path), own).expect("its own file");
    }

    /// The configuration, with more lines below `provider`.
    pub fn configure(&self, more: &str) {
        let (url, (everyday, _), (wiping, _)) = (self.tenant.url(), EVERYDAY, WIPING);
        let text = format!(
            "fleet: ../fleet\ndata: ../.fleetform\nprovider:\n  kind: intune\n  \
             tenant: contoso.onmicrosoft.com\n  \
             app: {{clientId: {everyday}, secretFile: app.secret}}\n  \
             wipeApp: {{clientId: {wiping}, secretFile: wipe.secret}}\n  \
             loginUrl: {url}\n  graphUrl: {url}\n{more}\
             enrollment: {{deadline: 7d}}\ntrust: {{allowedSigners: allowed_signers}}\n"
        );
        self.place.write(CONFIG, text);
    }

    /// The profile `Standard` for all platforms, with a license and a managed policy.
    pub fn standard(&self) -> Profile {
        let profile = Profile::new("Standard", "windows, ios, macos, android");
        let profile = profile.with("licenses", "[SPE_E3]");
        let rules = "{encryption: {required: true}, screenLock: {required: true, minPinLength: 6}}";
        profile.with("compliance", rules).with("intune", format_args!("{{group: {GROUP}}}"))
    }

    /// Writes a manifest.
    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        self.place.write(&format!("fleet/{name}"), text);
    }

    /// The binary at the tenant's time, which stands still meanwhile.
    pub fn command(&self, args: &[&str]) -> Command {
        let args = [args, &["--config", CONFIG]].concat();
        let mut command = self.place.command(&args);
        command.envs(faked_clock(self.tenant.now()));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = self.command(args);
        let done = command.envs(variables.iter().copied()).output().expect("it runs");
        let output = Output::of(done);
        assert!(!output.stderr.contains("panicked"), "{output:#?}");
        output
    }

    /// Starts a pass that does not end by itself.
    pub fn begin(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs")
    }

    /// One pass, however it ends; what it said as JSON.
    #[track_caller]
    pub fn pass(&self) -> (i32, Value) {
        let output = self.run(&["apply", "--yes", "-o", "json"]);
        let code = output.code.expect("no signal");
        (code, if output.stdout.is_empty() { Value::Null } else { output.json() })
    }

    /// One pass that ends well.
    #[track_caller]
    pub fn apply(&self) -> Value {
        self.run(&["apply", "--yes", "-o", "json"]).exits(0).json()
    }

    /// The plan, and that making it wrote nothing in the tenant.
    #[track_caller]
    pub fn plan(&self) -> Value {
        let before = self.tenant.last_call();
        let output = self.run(&["plan", "-o", "json"]);
        assert_eq!(self.tenant.written(before), [""; 0], "a plan writes nothing");
        output.json()
    }

    /// Nothing is left to do, and finding that out wrote nothing.
    #[track_caller]
    pub fn is_settled(&self) {
        let plan = self.plan();
        assert_eq!(actions(&plan), [""; 0], "{plan:#}");
        assert_eq!(plan["findings"], serde_json::json!([]));
    }

    /// One pass that ends well, after which nothing is left to do.
    #[track_caller]
    pub fn settles(&self) {
        self.apply();
        self.is_settled();
    }

    /// What is recorded of a device.
    #[track_caller]
    pub fn device(&self, serial: &str) -> Value {
        let list = self.run(&["list", "-o", "json"]).exits(0).json();
        let mut devices = list["devices"].as_array().expect("devices").iter();
        let device = devices.rfind(|device| device["serialNumber"] == serial);
        device.unwrap_or_else(|| panic!("no {serial} in {list}")).clone()
    }

    /// Status and verdict of a device.
    #[track_caller]
    pub fn stands(&self, serial: &str) -> String {
        let device = self.device(serial);
        format!("{} {}", text(&device["status"]), text(&device["compliance"]["state"]))
    }

    /// Writes a wipe request for a device and signs it; gives the name of its file.
    #[track_caller]
    pub fn request(&self, serial: &str, scope: &'static str) -> String {
        let device = self.device(serial);
        let issued = self.tenant.now();
        let request = Request {
            name: format!("wipe-{}", serial.to_lowercase()),
            ledger: LEDGER.into(),
            device: text(&device["id"]).to_owned(),
            serial: serial.into(),
            scope,
            issued,
            expires: issued + TimeDelta::hours(48),
            ..Request::of(1)
        };
        let yaml = request.yaml();
        let file = format!("wipes/{serial}.yaml");
        self.put(&format!("{file}.sig"), signature("bob", WIPE, yaml.as_bytes()));
        self.put(&file, yaml);
        file
    }

    /// How the one request stands in a plan, its code and why.
    #[track_caller]
    pub fn wipe(&self) -> (String, String, String) {
        let plan = self.plan();
        let wipe = &plan["wipes"][0];
        let word = |key: &str| text(&wipe[key]).to_owned();
        (word("standing"), word("code"), word("detail"))
    }

    /// The kinds of the log's entries about wipes, without `wipe.`.
    pub fn wipe_log(&self) -> Vec<String> {
        let log = self.place.log();
        let kinds = log.iter().map(|entry| text(&entry["kind"]));
        kinds.filter_map(|kind| kind.strip_prefix("wipe.")).map(str::to_owned).collect()
    }

    /// The log and its snapshot are whole, by a second reading.
    #[track_caller]
    pub fn log_is_sound(&self) {
        Reading::check(&self.place.data());
    }

    /// What holds whatever happened, also right after a crash: each command that Intune took is announced by a line of the log
    /// of its own, no request was taken twice, no managed device was ever deleted, and each
    /// registration made its own calls only.
    #[track_caller]
    pub fn keeps_its_promises(&self) {
        let log = self.place.log();
        let mut announced: Vec<(String, String)> = Vec::new();
        let mut serials = std::collections::BTreeMap::new();
        for entry in &log {
            let data = &entry["data"];
            match text(&entry["kind"]) {
                "wipe.accepted" => {
                    serials.insert(text(&data["request"]), text(&data["serialNumber"]));
                }
                "wipe.issued" => {
                    let serial = serials[text(&data["request"])];
                    announced.push((serial.to_owned(), text(&entry["at"]).to_owned()));
                }
                _ => {}
            }
        }
        let accepted = self.tenant.accepted();
        for command in &accepted {
            let serial = text(&command["serialNumber"]);
            if !serials.values().any(|ours| *ours == serial) {
                continue;
            }
            let at: fleetform::domain::model::Timestamp =
                text(&command["at"]).parse().expect("a time");
            let before = announced.iter().any(|(ours, issued)| {
                *ours == serial && issued.parse().is_ok_and(|issued| at >= issued)
            });
            assert!(before, "not announced: {command}");
        }
        for (request, serial) in &serials {
            let taken =
                accepted.iter().filter(|command| command["serialNumber"] == **serial).count();
            let requests = serials.values().filter(|other| *other == serial).count();
            assert!(taken <= requests, "{request} was taken {taken} times: {accepted:#?}");
        }
        for call in self.tenant.calls("method=DELETE") {
            let path = text(&call["path"]);
            assert!(!path.to_lowercase().contains("manageddevices"), "{call}");
        }
        for call in self.tenant.calls("") {
            let path = text(&call["path"]);
            let destroys = path.ends_with("/wipe") || path.ends_with("/retire");
            let app = call["appId"].as_str().unwrap_or_default();
            if path.ends_with("/token") || app.is_empty() {
                continue;
            }
            assert_eq!(app == WIPING.0, destroys, "{call}");
        }
    }
}
