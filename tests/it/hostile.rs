//! A fleet in which every free text attacks its reader, through every command and format of the
//! real binary: nothing that a stranger wrote moves a cursor, begins a line or runs in a sheet.

use std::fs::File;
use std::sync::LazyLock;

use fleetform::domain::model::is_deceptive;
use serde_json::json;

use crate::daemon::client;
use crate::support::{Device, Fixture, Output, Profile, Request, Snapshot, git, wait_until};

/// What YAML and reports let in: markup, workflow commands, formulas, fences.
const PLAIN: &str = "=cmd() ``` </details><script>x</script> @all | [x](javascript:x) ::error::y";
/// What no text may hold: escapes, a new line of its own, reading from right to left.
const EVIL: &str = "EVIL\u{1b}[2J\r\n::error::forged\n\u{202e}desrever\u{9b}31m\u{7}";

fn fleet() -> Fixture {
    static FLEET: LazyLock<Snapshot> = LazyLock::new(|| fleet_with(PLAIN, EVIL).snapshot());
    Fixture::from(&FLEET)
}

/// Such a fleet, with what may stand in its texts and what may not; some is recorded already.
pub fn fleet_with(plain_text: &str, evil: &str) -> Fixture {
    let fixture = Fixture::empty();
    let quoted = |text: &str| serde_json::to_string(text).expect("JSON");
    let plain = quoted(plain_text);
    let device = |name: &str| {
        let wide = "端末👩‍💻e\u{301}".repeat(12);
        let device = Device::new(format_args!("SN-{name}")).named(name);
        let device = device.labels(format_args!("{{l: {plain}, m: \"{wide}\"}}"));
        device.with("userEmail", "'=cmd|`x@example.com'").with("osVersion", "\"1\"")
    };
    let profile = Profile::new("Standard", "windows").with("description", &plain);
    let profile = profile.with("apps", format_args!("[{plain}]"));
    let profile = profile.with("settings", format_args!("{{{plain}: {plain}}}"));
    let profile = profile.with("licenses", format_args!("[{plain}]"));
    let profile = profile.with("compliance", "{encryption: {required: true}}");
    fixture.write("fleet/profile.yaml", profile.yaml());
    let a = device("a").with("hardware", format_args!("{{model: {plain}}}"));
    fixture.write("fleet/a.yaml", a.yaml());
    fixture.write("fleet/b.yaml", device("b").yaml());
    fixture.run(&["apply", "--yes"]).exits(0);
    // What comes later is refused, held or rejected, and said everywhere.
    fixture.write("fleet/long.yaml", device(&"n".repeat(300)).yaml());
    fixture.write("fleet/evil.yaml", device("c").with("ownership", quoted(evil)).yaml());
    fixture.write("fleet/raw.yaml", format!("{evil}: x"));
    fixture.write(&format!("fleet/{evil}.yaml").replace("[2J", "").replace('/', "_"), "x");
    fixture.write("fleet/::error file=x::y.yaml", "x");
    let failed = device("a").with("status", "Failed").yaml();
    fixture.write("fleet/a.yaml", failed.replace("=cmd()", "=other()"));
    let wipe = |reason: &str, by: &str| {
        let (name, serial) = ("w".to_owned(), "SN-a".to_owned());
        let (reason, by) = (reason.to_owned(), by.to_owned());
        Request { name, serial, reason, by, ..Request::of(1) }.yaml()
    };
    fixture.write("fleet/wipe.yaml", wipe("lost", "'=cmd|`x@example.com'"));
    fixture.write("fleet/wipe.yaml.sig", evil);
    fixture.write(&format!("fleet/wipe.yaml.{evil}.sig"), "x");
    fixture.write("fleet/wipe-evil.yaml", wipe(&quoted(evil), &quoted(evil)));
    fixture.write("signers", format!("{evil}@x namespaces=\"wipe@fleetform\" ssh-ed25519 AAAA\n"));
    let access = "access: {resources: {SAP: {require: [enrolled, compliant]}}}";
    fixture.write("fleetform.yaml", format!("trust: {{allowedSigners: signers}}\n{access}\n"));
    let report = |serial: &str, day: u32| {
        json!({
            "serialNumber": serial, "at": format!("2026-11-{day:02}T10:00:00Z"),
            "enrollmentError": plain_text, "encryption": {"enabled": false},
        })
    };
    let rejected = json!({"serialNumber": evil, "at": evil, "enrollmentError": evil, evil: evil});
    for (n, text) in [report("SN-a", 20), report("SN-b", 20), report("SN-z", 20), rejected]
        .map(|report| report.to_string())
        .into_iter()
        .enumerate()
    {
        fixture.write(&format!(".fleetform/inbox/{n}.json"), text);
    }
    fixture.write(&format!(".fleetform/inbox/{evil}.json").replace("::", "_"), evil);
    let asked = json!({
        "version": 1, "request": "sync", "id": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3e", "by": plain_text,
        "at": "2026-11-20T10:00:00Z", "devices": [{"id": "D001", "serialNumber": "SN-a"}],
    });
    fixture.write(".fleetform/requests/1.json", asked.to_string());
    fixture.write(&format!(".fleetform/requests/{evil}.json").replace("::", "_"), evil);
    fixture
}

#[track_caller]
pub fn harmless(what: &str, text: &str) {
    let bad: Vec<char> = text.chars().filter(|c| *c != '\n' && is_deceptive(*c)).collect();
    assert!(bad.is_empty(), "{what}: {bad:?} in\n{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::error::")), "{what}: {text}");
}

#[track_caller]
fn looked_at(fixture: &Fixture, args: &[&str]) -> Output {
    let done = fixture.run(args);
    assert!(done.code.is_some_and(|code| code <= 3), "{args:?}: {done:?}");
    harmless(&format!("{args:?}"), &done.stdout);
    harmless(&format!("{args:?} on standard error"), &done.stderr);
    done
}

#[test]
fn every_command_in_every_format_is_harmless() {
    let fixture = fleet();
    // Its settings give rights, and so lie outside of the work tree.
    git(&fixture.path("fleet"), &["init", "-q", "-b", "main"]);
    git(&fixture.path("fleet"), &["commit", "-q", "--allow-empty", "-m", EVIL]);
    git(&fixture.path("fleet"), &["add", "-A"]);
    git(&fixture.path("fleet"), &["commit", "-q", "-m", EVIL]);
    let reading: &[(&[&str], &[&str])] = &[
        (&["check"], &["text", "json", "markdown", "github", "sarif"]),
        (&["plan"], &["text", "json", "markdown", "github"]),
        (&["diff", "HEAD~1", "HEAD"], &["text", "json", "markdown", "github"]),
        (&["diff", "HEAD~1"], &["text", "json", "markdown", "github"]),
        (&["diff", EVIL], &["text", "json"]),
        (&["doctor"], &["text", "json"]),
        (&["doctor", "--fleet", EVIL], &["text", "json"]),
        (&["doctor", "--config", EVIL], &["text", "json"]),
        (
            &["list"],
            &[
                "text",
                "json",
                "csv",
                "yaml",
                "wide",
                "jsonpath={.devices}",
                "custom-columns=L:.labels",
            ],
        ),
        (&["show", "D001"], &["text", "json"]),
        (&["show", EVIL], &["text", "json"]),
        (&["why", "D001"], &["text", "json"]),
        (&["why", EVIL], &["text", "json"]),
        (&["orphans"], &["text", "json"]),
        (&["list", "--sort-by", EVIL], &["text", "json"]),
        (&["get", "devices"], &["text", "json", "wide"]),
        (&["get", EVIL], &["text"]),
        (&["describe", EVIL], &["text"]),
        (&["profile", "list"], &["text", "json"]),
        (&["profile", "show", "Standard"], &["text", "json"]),
        (&["profile", "show", EVIL], &["text", "json"]),
        (&["reports", "rejected"], &["text", "json"]),
        (&["list", "--server", EVIL], &["text", "json"]),
        (&["wipe", "list", "--all"], &["text", "json"]),
        (&["trust", "check"], &["text", "json"]),
        (&["trust", "check", "signers"], &["text", "json"]),
        (&["list", "-l", "l,!z"], &["text", "json"]),
        (&["list", "-l", EVIL], &["text", "json"]),
        (&["diff"], &["text", "json", "markdown", "github"]),
        (&["diff", "HEAD~1..HEAD", "--", "fleet/a.yaml"], &["text", "json"]),
        (&["diff", "--", EVIL], &["text", "json"]),
        (&["set", "-l", "l", "name=x", "--dry-run"], &["text", "json"]),
        (&["access", EVIL, EVIL], &["text", "json"]),
        (&["access", "=cmd|`x@example.com", "SAP"], &["text", "json"]),
        (&["access", "a@example.com", "SAP", "--device", EVIL], &["text", "json"]),
        (&["set", "D002", EVIL], &["text", "json"]),
        (&["set", "D002", &format!("labels.x={EVIL}")], &["text", "json"]),
        (&["explain", EVIL], &["text", "json"]),
        (&["audit", "log"], &["text", "json"]),
        (&["audit", "replay"], &["text", "json"]),
        (&["audit", "snapshot"], &["text", "json"]),
        (&["audit", "verify"], &["text", "json"]),
        (&["wipe", "verify", "fleet/wipe.yaml"], &["text", "json"]),
        (&["wipe", "verify", "fleet/wipe-evil.yaml"], &["text", "json"]),
        (&["wipe", "new", EVIL, "--reason", "lost"], &["text", "json"]),
        (&["report", EVIL], &["text", "json"]),
        (&["backup", EVIL], &["text", "json"]),
        (&["restore", EVIL], &["text", "json"]),
        (&["sync", EVIL], &["text", "json"]),
        (&["sync", "D001"], &["text", "json"]),
        (&["licenses"], &["text", "json"]),
        (&["check", "--fleet", EVIL], &["text", "json"]),
        (&["check", "fleet/evil.yaml"], &["text", "json", "markdown", "github", "sarif"]),
        (&["fmt", "--check"], &["text", "json"]),
        (&["fmt", EVIL], &["text", "json"]),
        (&["import", "csv", "fleet/raw.yaml"], &["text", "json"]),
        (&["import", "apple", "fleet/evil.yaml"], &["text", "json"]),
        (&["import", "csv", EVIL], &["text", "json"]),
        (&["export", "corporate-ids", "--file", "fleet/raw.yaml"], &["text", "json"]),
        (&["check", "--config", EVIL], &["text", "json"]),
        (&["emulator", "intune", "--fleet", EVIL], &["text"]),
    ];
    let all = |fixture: &Fixture| {
        for (args, formats) in reading {
            for format in *formats {
                looked_at(fixture, &[*args, &["-o", format, "-v"]].concat());
            }
        }
    };
    all(&fixture);
    for args in [["apply", "--yes"], ["apply", "--yes"]] {
        looked_at(&fixture, &args);
    }
    looked_at(&fixture, &["apply", "--yes", "-o", "json"]);
    // Now the log and the state have taken in what could be taken in.
    assert!(fixture.read(".fleetform/audit.jsonl").contains("javascript"));
    all(&fixture);
    for args in [&["list", "--status", EVIL][..], &[EVIL], &["plan", "-o", EVIL], &["show"]] {
        let usage = looked_at(&fixture, args).exits(1);
        assert!(usage.stderr.starts_with("error: "), "{usage:?}");
    }
}

#[test]
fn no_cell_of_a_sheet_is_a_formula() {
    let fixture = fleet();
    fixture.run(&["apply", "--yes"]);
    let sheet = looked_at(&fixture, &["list", "-o", "csv"]).stdout;
    let mut rows = csv::Reader::from_reader(sheet.as_bytes());
    let cells: Vec<String> = rows
        .records()
        .flat_map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(cells.iter().any(|cell| cell.starts_with("'=cmd|")), "{cells:?}");
    for cell in &cells {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
}

#[test]
fn the_daemon_says_and_serves_nothing_harmful() {
    let fixture = fleet();
    for format in ["text", "json"] {
        let log = fixture.path("daemon.log");
        let mut daemon = fixture
            .command(&["daemon", "--listen", "127.0.0.1:0", "--log-format", format, "-vv"])
            .stderr(File::create(&log).expect("a file"))
            .spawn()
            .expect("it runs");
        let said = || String::from_utf8_lossy(&std::fs::read(&log).expect("a log")).into_owned();
        wait_until("it answers", || said().contains("answers HTTP"));
        let said_so = said();
        let (_, after) = said_so.split_once("127.0.0.1:").expect("an address");
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        let address = format!("127.0.0.1:{port}").parse().expect("an address");
        let get = |path: &str| {
            let answer = client::get(address, path);
            format!("{}\r\n\r\n{}", answer.head, answer.body)
        };
        wait_until("it is ready", || {
            get("/readyz").starts_with("HTTP/1.1 200") || get("/readyz").starts_with("HTTP/1.1 503")
        });
        wait_until("the plan is made", || get("/api/v1/plan").starts_with("HTTP/1.1 200"));
        for path in [
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/devices",
            "/api/v1/devices/D001",
            "/api/v1/plan",
            "/api/v1/audit?since=1",
            "/api/v1/devices?status=%1b%5b2J%0a",
            "/api/v1/devices/%1b%5b2J%e2%80%ae",
            "/%1b%5b2J",
        ] {
            let answer = get(path);
            assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
            harmless(path, &answer.replace("\r\n", "\n"));
        }
        daemon.kill().expect("it is killed");
        daemon.wait().expect("it ends");
        harmless(format, &said());
    }
}
