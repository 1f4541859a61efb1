//! `doctor` of the real binary: what it says of a machine, and of a tenant that the emulator plays.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::daemon::client;
use crate::support::{Fixture, Output, Profile, device, text, tree, trusted};

const EVERYDAY: &str = "11111111-1111-4111-8111-111111111111";
const WIPING: &str = "22222222-2222-4222-8222-222222222222";
const PRIVILEGED: &str = "DeviceManagementManagedDevices.PrivilegedOperations.All";
const GROUP: &str = "0f3c0000-0000-4000-8000-000000000001";
const POLICY: &str = "0f3c0000-0000-4000-8000-000000000002";
const APP: &str = "0f3c0000-0000-4000-8000-000000000003";

/// The checks of a state, as `name` or `name subject`.
fn of(done: &Output, state: &str) -> Vec<String> {
    let document = done.json();
    assert_eq!(document["version"], 1);
    let checks = document["checks"].as_array().expect("checks").iter();
    let word = |check: &Value| match check["subject"].as_str() {
        Some(subject) => format!("{} {subject}", text(&check["name"])),
        None => text(&check["name"]).to_owned(),
    };
    checks.filter(|check| check["state"] == state).map(word).collect()
}

/// What one check says.
#[track_caller]
fn detail(done: &Output, name: &str) -> String {
    let document = done.json();
    let mut checks = document["checks"].as_array().expect("checks").iter();
    let check = checks.find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("there is no check {name} in {document:#}"));
    text(&check["detail"]).to_owned()
}

fn doctor(fixture: &Fixture, args: &[&str]) -> Output {
    fixture.run(&[&["doctor", "-o", "json"], args].concat())
}

#[test]
fn of_a_fresh_clone_it_says_what_is_still_to_be_done_and_makes_nothing() {
    let fixture = Fixture::sample();
    let before = tree(&fixture.path(""));
    let done = doctor(&fixture, &[]).exits(0);
    assert_eq!(tree(&fixture.path("")), before);
    assert_eq!(of(&done, "fails"), Vec::<String>::new());
    assert_eq!(of(&done, "warning"), ["trust"]);
    assert_eq!(of(&done, "skipped"), ["trust.signers", "trust.expiry", "data.space"]);
    assert_eq!(
        of(&done, "ok"),
        [
            "configuration",
            "fleet",
            "data.directory",
            "data.lock",
            "ledger",
            "ledger.chain",
            "clock",
            "local.inbox",
            "local.outbox",
        ]
    );
    assert!(detail(&done, "fleet").contains("12 devices and 3 profiles, and no findings"));
    assert!(detail(&done, "ledger").contains("fleetform apply"));
    let text = fixture.run(&["doctor"]).exits(0).stdout;
    assert!(text.starts_with("ok       configuration"), "{text}");
    assert!(text.ends_with("13 checks: 9 ok, 1 warning, 0 fail, 3 skipped\n"), "{text}");
}

#[test]
fn a_fleet_at_work_is_well_and_nothing_of_it_is_touched() {
    let fixture = Fixture::enrolled();
    fixture.write("signers", trusted("bob") + &trusted("carol"));
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    let before = tree(&fixture.path(""));
    let done = doctor(&fixture, &[]).exits(0);
    assert_eq!(tree(&fixture.path("")), before);
    assert_eq!(of(&done, "ok").len(), done.json()["checks"].as_array().expect("checks").len());
    assert!(detail(&done, "ledger").contains("12 devices"), "{done:?}");
    assert!(detail(&done, "trust.signers").contains("2 people"), "{done:?}");
    assert!(detail(&done, "data.lock").contains("nobody"), "{done:?}");
}

#[test]
fn beside_a_daemon_it_says_who_writes_and_takes_nothing_from_it() {
    let fixture = Fixture::of(&["A"]);
    let mut daemon = fixture.daemon(&[]);
    fixture.until_recorded(&mut daemon, &["A:Pending"]);
    for _ in 0..3 {
        let done = doctor(&fixture, &[]).exits(0);
        let writer = format!("process {} is writing", daemon.pid());
        assert!(detail(&done, "data.lock").contains(&writer), "{done:?}");
    }
    // It still holds its ledger.
    fixture.write("fleet/B.yaml", device("B"));
    fixture.until_recorded(&mut daemon, &["A:Pending", "B:Pending"]);
}

#[test]
fn what_is_broken_fails_and_hides_what_depends_on_it() {
    let fixture = Fixture::enrolled();
    fixture.write("fleetform.yaml", "tust: {}\n");
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["configuration"]);
    assert_eq!(of(&done, "ok"), Vec::<String>::new());
    assert!(of(&done, "skipped").contains(&"ledger".to_owned()));
    fixture.remove("fleetform.yaml");

    let done = doctor(&fixture, &["--data", "elsewhere"]).exits(1);
    assert_eq!(of(&done, "fails"), ["data.directory"]);
    assert!(detail(&done, "ledger").contains("data.directory"), "{done:?}");
    assert!(detail(&done, "local.inbox").contains("data.directory"), "{done:?}");
    assert!(!fixture.path("elsewhere").exists());

    fs::create_dir(fixture.path("empty")).expect("a directory");
    let done = doctor(&fixture, &["--data", "empty"]).exits(1);
    assert_eq!(of(&done, "fails"), ["ledger"]);

    let done = doctor(&fixture, &["--fleet", "nowhere"]).exits(1);
    assert_eq!(of(&done, "fails"), ["fleet"]);

    fixture.write("signers", trusted("bob"));
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    let everybody = fs::Permissions::from_mode(0o666);
    fs::set_permissions(fixture.path("signers"), everybody).expect("its own file");
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["trust"]);
    assert!(detail(&done, "trust").contains("chmod go-w"), "{done:?}");
    fixture.remove("fleetform.yaml");

    fixture.write("fleet/bad.yaml", "kind: Devise");
    let done = doctor(&fixture, &[]).exits(0);
    assert!(of(&done, "warning").contains(&"fleet".to_owned()), "{done:?}");

    fixture.replace(".fleetform/audit.jsonl", "Standard", "Sgandard");
    let done = doctor(&fixture, &[]).exits(1);
    assert!(of(&done, "fails").contains(&"ledger.chain".to_owned()), "{done:?}");

    fixture.write(".fleetform/clock", "2199-01-01T00:00:00.000Z\n");
    let done = doctor(&fixture, &[]).exits(1);
    assert!(detail(&done, "clock").contains("2199-01-01"), "{done:?}");
}

#[test]
fn files_with_secrets_are_read_as_the_daemon_reads_them() {
    let fixture = Fixture::of(&["A"]);
    fixture.write(
        "fleetform.yaml",
        "http: {listen: '127.0.0.1:0', tokenFile: token}\n\
         access: {tokenFile: questions, resources: {vpn: {require: [enrolled], users: any}}}\n\
         notify: {webhooks: [{name: siem, url: 'https://siem.example.com/', secretFile: secret}]}\n",
    );
    let secrets = ["http.token", "access.token", "notify.secret"];
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), secrets, "{done:?}");
    let mode = |name: &str, mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(fixture.path(name), mode).expect("its own file");
    };
    for name in ["token", "questions", "secret"] {
        fixture.write(name, "0123456789abcdef0123456789abcdef\n");
        mode(name, 0o600);
    }
    let done = doctor(&fixture, &[]).exits(0);
    let well = of(&done, "ok");
    assert!(secrets.iter().all(|name| well.iter().any(|ok| ok == name)), "{done:?}");
    // Whatever else is wrong: that nobody can be told is said too.
    fixture.remove("token");
    fixture.replace("fleetform.yaml", "secretFile: secret", "secretFile: fleet/secret");
    fixture.write("fleet/secret", "0123456789abcdef0123456789abcdef\n");
    mode("fleet/secret", 0o600);
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["http.token", "notify"], "{done:?}");
    fixture.write("token", "0123456789abcdef0123456789abcdef\n");
    mode("token", 0o600);
    fixture.replace("fleetform.yaml", "secretFile: fleet/secret", "secretFile: secret");
    mode("secret", 0o644);
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["notify.secret"], "{done:?}");
    assert!(detail(&done, "notify.secret").contains("can be read by every user"), "{done:?}");
}

/// The emulator of a tenant, which ends with its test.
struct Tenant {
    child: Child,
    address: SocketAddr,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tenant {
    /// With all that the fleet directory names, by our clock until it is told to move.
    fn of(fixture: &Fixture) -> Self {
        let args =
            ["emulator", "intune", "--speed", "1", "--listen", "127.0.0.1:0", "--fleet", "fleet"];
        let mut command = fixture.command(&args);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let address = loop {
            let read = lines.read_line(&mut said).expect("it says something");
            assert!(read > 0, "it says no address: {said}");
            if let Some((_, rest)) = said.split_once("http://") {
                let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c));
                break rest[..end.unwrap_or(rest.len())].parse().expect("an address");
            }
        };
        Self { child, address }
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let answer = client::send(
            self.address,
            &format!(
                "{method} /emulator/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        );
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.head, answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    fn roles(&self, client_id: &str) -> Vec<String> {
        let apps = self.control("GET", "apps", &json!({}));
        let mut apps = apps["apps"].as_array().expect("apps").iter();
        let app = apps.find(|app| app["clientId"] == client_id).expect("the app");
        let roles = app["roles"].as_array().expect("roles").iter();
        roles.map(|role| text(role).to_owned()).collect()
    }

    fn grant(&self, client_id: &str, roles: &[String]) {
        self.control("PUT", &format!("apps/{client_id}"), &json!({"roles": roles}));
    }
}

/// A fleet of one profile in Intune, its tenant, and a configuration with both registrations.
fn with_intune() -> (Fixture, Tenant) {
    let fixture = Fixture::bare();
    let intune = format!("{{group: {GROUP}, configurationPolicies: [{POLICY}], apps: [{APP}]}}");
    let profile = Profile::new("Standard", "windows").with("licenses", "[SPE_E3]");
    fixture.write("fleet/profile.yaml", profile.with("intune", intune).yaml());
    fixture.write("fleet/A.yaml", device("A"));
    let tenant = Tenant::of(&fixture);
    for (name, secret) in [("everyday", "everyday"), ("wiping", "wiping")] {
        fixture.write(name, secret);
        let mine = fs::Permissions::from_mode(0o600);
        fs::set_permissions(fixture.path(name), mine).expect("its own file");
    }
    configure(&fixture, &tenant, &format!("wipeApp: {{clientId: {WIPING}, secretFile: wiping}}"));
    (fixture, tenant)
}

fn configure(fixture: &Fixture, tenant: &Tenant, more: &str) {
    let address = tenant.address;
    let configuration = format!(
        "provider:\n  kind: intune\n  tenant: contoso.onmicrosoft.com\n  \
         app: {{clientId: {EVERYDAY}, secretFile: everyday}}\n  \
         loginUrl: http://{address}\n  graphUrl: http://{address}\n  {more}\n"
    );
    fixture.write("fleetform.yaml", configuration);
}

#[test]
fn a_tenant_that_has_everything_is_well_and_nothing_is_written_there() {
    let (fixture, tenant) = with_intune();
    tenant.control("DELETE", "calls", &json!({}));
    let done = doctor(&fixture, &[]).exits(0);
    assert_eq!(of(&done, "fails"), Vec::<String>::new(), "{done:#?}");
    assert_eq!(of(&done, "warning"), ["trust"], "{done:#?}");
    let well = of(&done, "ok");
    for check in ["intune.login", "intune.graph", "intune.clock", "intune.approvals", "wipes.today"]
    {
        assert!(well.contains(&check.to_owned()), "{check} is not in {well:?}");
    }
    for check in [
        format!("intune.group {GROUP}"),
        format!("intune.configurationPolicy {POLICY}"),
        format!("intune.application {APP}"),
        "intune.license SPE_E3".to_owned(),
        format!("intune.wipeApp.permission {PRIVILEGED}"),
    ] {
        assert!(well.contains(&check), "{check} is not in {well:?}");
    }
    let calls = tenant.control("GET", "calls", &json!({}));
    let calls = calls["calls"].as_array().expect("calls").clone();
    let graph = calls.iter().filter(|call| text(&call["path"]).contains("/groups/"));
    assert!(graph.count() > 0, "{calls:?}");
    for call in &calls {
        let is_token = text(&call["path"]).ends_with("/oauth2/v2.0/token");
        assert!(call["method"] == "GET" || is_token, "{call}");
        assert!(is_token || call["appId"] != WIPING, "{call}");
    }
}

#[test]
fn what_a_tenant_lacks_fails_by_its_name_and_what_is_too_much_is_a_warning() {
    let (fixture, tenant) = with_intune();
    let mut roles = tenant.roles(EVERYDAY);
    roles.retain(|role| role != "DeviceManagementRBAC.Read.All");
    roles.extend([PRIVILEGED.to_owned(), "Mail.Read".to_owned()]);
    tenant.grant(EVERYDAY, &roles);
    tenant.grant(WIPING, &["User.Read.All".to_owned()]);
    tenant.control("DELETE", &format!("groups/{GROUP}"), &json!({}));
    tenant.control("DELETE", &format!("policies/{POLICY}"), &json!({}));
    tenant.control("DELETE", &format!("policies/{APP}"), &json!({}));
    fixture
        .write("fleet/other.yaml", Profile::new("Other", "ios").with("licenses", "[GOLD]").yaml());
    tenant.control("POST", "clock", &json!({"advance": "10m"}));
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(
        of(&done, "fails"),
        [
            "intune.clock".to_owned(),
            "intune.app.permission DeviceManagementRBAC.Read.All".to_owned(),
            format!("intune.wipeApp.permission {PRIVILEGED}"),
            "intune.profile Other".to_owned(),
            format!("intune.group {GROUP}"),
            format!("intune.configurationPolicy {POLICY}"),
            format!("intune.application {APP}"),
            "intune.license GOLD".to_owned(),
        ],
        "{done:#?}"
    );
    assert_eq!(
        of(&done, "warning"),
        [
            "trust",
            &format!("intune.app.permission {PRIVILEGED}"),
            "intune.app.surplus",
            "intune.wipeApp.surplus",
        ]
    );
    assert!(detail(&done, "intune.app.surplus").contains("Mail.Read"), "{done:?}");
    assert!(of(&done, "skipped").contains(&"intune.approvals".to_owned()), "{done:?}");
}

#[test]
fn without_a_second_registration_it_is_a_warning_that_every_wipe_is_held() {
    let (fixture, tenant) = with_intune();
    configure(&fixture, &tenant, "poll: 5m");
    let done = doctor(&fixture, &[]).exits(0);
    assert_eq!(of(&done, "warning"), ["trust", "intune.wipeApp"]);
    assert!(detail(&done, "intune.wipeApp").contains("every wipe is held"), "{done:?}");
}

#[test]
fn without_a_token_or_a_host_only_what_needs_none_is_checked() {
    let (fixture, tenant) = with_intune();
    fixture.write("everyday", "another-secret");
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["intune.app.token"], "{done:#?}");
    let skipped = of(&done, "skipped");
    for check in ["intune.app.permission", "intune.approvals"] {
        assert!(skipped.contains(&check.to_owned()), "{check} is not in {skipped:?}");
    }
    assert!(detail(&done, "intune.approvals").contains("intune.app.token"), "{done:?}");
    assert!(!done.stdout.contains("another-secret"));

    let everybody = fs::Permissions::from_mode(0o644);
    fs::set_permissions(fixture.path("everyday"), everybody).expect("its own file");
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["intune.app.credential"], "{done:#?}");

    drop(tenant);
    let done = doctor(&fixture, &[]).exits(1);
    assert_eq!(of(&done, "fails"), ["intune.login", "intune.graph", "intune.app.credential"]);
    assert!(detail(&done, "intune.graph").contains("refuses the connection"), "{done:?}");
    assert!(of(&done, "skipped").contains(&"intune.clock".to_owned()), "{done:?}");
}
