//! What is shipped for monitoring, tried with the real Prometheus: the numbers are well formed, each
//! alert fires when it should, and every query of the dashboard is about numbers that there are.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::daemon::client::{address, get, send};
use crate::support::{Daemon, Fixture, device, git, needs, text, trusted};

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(example(name)).expect(name)
}

/// A daemon over a checkout that was fetched, with a trust file and a device that reported.
fn watched() -> (Fixture, Daemon, SocketAddr) {
    let fixture = Fixture::of(&["A"]);
    let upstream = fixture.path("upstream");
    fs::rename(fixture.path("fleet"), &upstream).expect("moved");
    git(&upstream, &["init", "-q", "-b", "main"]);
    git(&upstream, &["add", "-A"]);
    git(&upstream, &["commit", "-q", "-m", "begin"]);
    git(&fixture.path("."), &["clone", "-q", "upstream", "fleet"]);
    git(&fixture.path("fleet"), &["fetch", "-q", "origin", "main"]);
    fixture.write_secret("signers", trusted("bob") + &trusted("carol"));
    fixture.write("fleetform.yaml", "trust: {allowedSigners: signers}\n");
    let mut daemon = fixture.daemon(&["--listen", "127.0.0.1:0"]);
    fixture.until_recorded(&mut daemon, &["A:Pending"]);
    let address = address(&mut daemon);
    daemon.until("readiness", || match get(address, "/readyz").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    (fixture, daemon, address)
}

fn promtool(args: &[&str], input: &str) {
    needs("promtool");
    let fixture = Fixture::bare();
    fixture.write("input", input);
    let stdin = fs::File::open(fixture.path("input")).expect("the input");
    let mut command = Command::new("promtool");
    let done = command.args(args).current_dir(example("")).stdin(stdin).output().expect("it runs");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(done.status.success(), "promtool {args:?}: {said:?}");
    assert!(!said.concat().contains("lint"), "{said:?}");
}

#[test]
fn promtool_finds_nothing_wrong_with_the_numbers() {
    let (fixture, mut daemon, address) = watched();
    promtool(&["check", "metrics"], &get(address, "/metrics").body);
    fixture.write("fleet/broken.yaml", "kind: [broken");
    daemon.until("a finding", || match get(address, "/metrics").body {
        text if text.contains("fleetform_findings 1") => Ok(()),
        text => Err(text),
    });
    promtool(&["check", "metrics"], &get(address, "/metrics").body);
}

#[test]
fn each_alert_fires_when_it_should_and_not_before() {
    promtool(&["check", "rules", "fleetform.rules.yaml"], "");
    promtool(&["test", "rules", "fleetform.rules.test.yaml"], "");
    let (rules, tests) = (read("fleetform.rules.yaml"), read("fleetform.rules.test.yaml"));
    for line in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        for test in [format!("- name: {line} fires\n"), format!("alertname: {line}}}")] {
            assert!(tests.contains(&test), "{test:?} is not tested");
        }
    }
}

#[test]
fn the_age_of_the_checkout_and_whose_signatures_count_are_numbers() {
    let (fixture, mut daemon, address) = watched();
    let number = |name: &str| {
        let text = get(address, "/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("fleetform_{name} ")));
        line.map(|number| number.parse::<f64>().expect("a number"))
    };
    let committed = number("revision_timestamp_seconds").expect("a commit");
    let fetched = number("checkout_fetched_timestamp_seconds").expect("a fetch");
    assert!(committed > 1.7e9 && fetched + 1.0 >= committed, "{committed} {fetched}");
    assert_eq!(number("trust_signers"), Some(2.0));
    // A fetch that fails leaves no time of its own.
    fs::rename(fixture.path("upstream"), fixture.path("gone")).expect("moved");
    let args = ["fetch", "-q", "origin", "main"];
    let fetch = Command::new("git").args(args).current_dir(fixture.path("fleet")).output();
    assert!(!fetch.expect("git").status.success());
    assert_eq!(number("checkout_fetched_timestamp_seconds"), None);
    fixture.write("fleet/B.yaml", device("B"));
    git(&fixture.path("fleet"), &["add", "-A"]);
    let date = "2001-09-09T01:46:40Z";
    let commit = ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "b"];
    let mut command = Command::new("git");
    command.args(commit).current_dir(fixture.path("fleet")).env("GIT_COMMITTER_DATE", date);
    assert!(command.status().expect("git").success());
    // As the minute's pass over everything sees it.
    daemon.signal("HUP");
    daemon.until("the new commit", || match number("revision_timestamp_seconds") {
        Some(1e9) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

/// Names of metrics in a query.
fn names(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("fleetform_")).map(str::to_owned).collect()
}

/// Every query of the dashboard, as Grafana would send it.
fn dashboard() -> Vec<String> {
    fn find(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(expr)) = object.get("expr") {
                    found.push(expr.clone());
                }
                object.values().for_each(|value| find(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| find(value, found)),
            _ => {}
        }
    }
    let dashboard: Value = serde_json::from_str(&read("grafana-dashboard.json")).expect("JSON");
    let mut found = Vec::new();
    find(&dashboard, &mut found);
    let given = [("$job", ".*"), ("$instance", ".*"), ("$__rate_interval", "1m")];
    for query in &mut found {
        for (name, value) in given {
            *query = query.replace(name, value);
        }
        assert!(!query.contains('$'), "{query}: a variable that the dashboard does not have");
    }
    found
}

/// Killed when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// The shipped configuration, but for the address of the daemon and how often it is asked.
    fn scraping(fixture: &Fixture, daemon: SocketAddr) -> Self {
        needs("prometheus");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("its address");
        let config = read("prometheus.yaml").replace("127.0.0.1:8080", &daemon.to_string());
        fixture.write("prometheus/prometheus.yaml", config.replace("30s", "1s"));
        fixture.write("prometheus/fleetform.rules.yaml", read("fleetform.rules.yaml"));
        drop(free);
        let mut command = Command::new("prometheus");
        command.current_dir(fixture.path("prometheus"));
        command.args(["--config.file=prometheus.yaml", "--storage.tsdb.path=data"]);
        command.arg(format!("--web.listen-address={address}"));
        let log = fs::File::create(fixture.path("prometheus/log")).expect("its log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("prometheus runs");
        Self { child, address }
    }

    /// The answer to a query; the error where there is none yet.
    fn ask(&self, query: &str) -> Result<Vec<Value>, String> {
        if std::net::TcpStream::connect(self.address).is_err() {
            return Err("it does not listen yet".to_owned());
        }
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        // As HTTP/1.0: its answers are not cut into chunks.
        let answer =
            send(self.address, &format!("GET /api/v1/query?query={encoded} HTTP/1.0\r\n\r\n"));
        if answer.status != 200 {
            return Err(answer.body);
        }
        let answer = answer.json();
        Ok(answer["data"]["result"].as_array().cloned().unwrap_or_default())
    }
}

#[test]
fn a_real_prometheus_scrapes_the_daemon_and_answers_every_query_that_is_shipped() {
    let (fixture, mut daemon, address) = watched();
    let prometheus = Prometheus::scraping(&fixture, address);
    daemon.until("Prometheus to see the daemon", || {
        let found = prometheus.ask("fleetform_ready == 1")?;
        if found.len() == 1 { Ok(()) } else { Err(fixture.read("prometheus/log")) }
    });
    let up = prometheus.ask("up{job=\"fleetform\"}").expect("an answer");
    assert_eq!(text(&up[0]["value"][1]), "1");
    let rules = read("fleetform.rules.yaml");
    let rules = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let queries: Vec<_> = dashboard().into_iter().chain(rules.map(str::to_owned)).collect();
    assert!(queries.len() > 40, "{}", queries.len());
    let families = get(address, "/metrics").body;
    for query in &queries {
        prometheus.ask(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!names(query).is_empty() || query.starts_with("up{"), "{query}");
        for name in names(query) {
            // What nobody configured has no sample, and is declared nevertheless.
            let declared = families.contains(&format!("# TYPE {name} "));
            let there = declared || !prometheus.ask(&name).expect("an answer").is_empty();
            assert!(there, "{query}: no {name}");
        }
    }
    // And the other way round: no number is left out of the dashboard and the alerts.
    let used: BTreeSet<_> = queries.iter().flat_map(|query| names(query)).collect();
    for family in families.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, _) = family.split_once(' ').expect("its type");
        let shown = used.contains(name) || used.contains(&format!("{name}_bucket"));
        assert!(shown, "{name} is in no panel and no alert");
    }
}
