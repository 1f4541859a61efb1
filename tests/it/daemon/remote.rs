//! `plan --server`: a plan of one's own fleet directory with what a daemon has recorded.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::client::{get, get_with, started};
use crate::support::{Daemon, Fixture, PLAIN_PROFILE, device};

const TOKEN: &str = "0123456789abcdef0123";

/// A daemon over A, B and C that has heard of A, and where it answers.
fn settled(place: &Fixture, args: &[&str]) -> (Daemon, SocketAddr) {
    let (mut daemon, address) = started(place, args);
    let report = r#"{"serialNumber":"A","at":"2020-01-01T09:00:00Z","osVersion":"10.0"}"#;
    place.write("report.json", report);
    assert_eq!(place.outcome(&["report", "report.json"]).0, 0);
    place.until_recorded(&mut daemon, &["A:Enrolled", "B:Pending", "C:Pending"]);
    let header = format!("Authorization: Bearer {TOKEN}\r\n");
    daemon.until("the report in the state", || {
        let state = get_with(address, "/api/v1/state", &header);
        if state.body.contains("2020-01-01T09") { Ok(()) } else { Err(state.body) }
    });
    (daemon, address)
}

/// The caller's own fleet directory: it gives one device to another user, and adds one.
fn proposed(place: &Fixture) {
    place.write("proposed/profile.yaml", PLAIN_PROFILE);
    place.write("proposed/A.yaml", device("A"));
    place.write("proposed/B.yaml", device("B").replace("ana@", "bo@"));
    place.write("proposed/D.yaml", device("D"));
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

#[test]
fn it_is_the_plan_made_beside_the_daemon() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (_daemon, address) = settled(&place, &[]);
    proposed(&place);
    let server = url(address);
    for more in [&["-o", "json"][..], &[], &["-o", "markdown"], &["-o", "github"]] {
        for fleet in ["proposed", "fleet", "missing"] {
            let plan = ["plan", "--detailed-exitcode", "--fleet", fleet];
            let beside = place.outcome(&[&plan[..], more].concat());
            let remote = place.outcome(&[&plan[..], &["--server", &server], more].concat());
            assert_eq!(remote, beside, "{fleet} {more:?}");
        }
    }
    let (code, plan, _) =
        place.outcome(&["plan", "--fleet", "proposed", "--server", &server, "-o", "json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(code, 0);
    let state = without_chunks(&get(address, "/api/v1/state").body);
    assert_eq!(plan["ledger"]["seq"], state["seq"]);
    assert_eq!(plan["ledger"]["head"], state["head"]);
    let actions: Vec<_> =
        plan["actions"].as_array().unwrap().iter().map(|a| &a["action"]).collect();
    assert_eq!(actions, ["update", "orphan", "provision"]);
    assert_eq!(
        place
            .outcome(&["plan", "--fleet", "proposed", "--server", &server, "--detailed-exitcode"])
            .0,
        2
    );
    // Nothing of it came about, here or there.
    assert_eq!(place.recorded(), ["A:Enrolled", "B:Pending", "C:Pending"]);
    assert!(!place.path("elsewhere").exists());
}

#[test]
fn a_digest_from_afar_pins_what_is_applied() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (daemon, address) = settled(&place, &[]);
    proposed(&place);
    let plan = ["plan", "--fleet", "proposed", "--server", &url(address), "-o", "json"];
    let (_, plan, _) = place.outcome(&plan);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    daemon.stop();
    let apply = ["apply", "--fleet", "proposed", "--plan", digest];
    place.write("proposed/E.yaml", device("E"));
    assert_eq!(place.outcome(&apply).0, 3, "another plan");
    fs::remove_file(place.path("proposed/E.yaml")).unwrap();
    let (code, out, err) = place.outcome(&apply);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(place.recorded(), ["-C:Pending", "A:Enrolled", "B:Pending", "D:Pending"]);
}

#[test]
fn the_state_is_tagged_and_is_that_of_the_snapshot() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (mut daemon, address) = settled(&place, &[]);
    let first = get(address, "/api/v1/state");
    assert_eq!(
        first.header("content-type"),
        Some("application/vnd.fleetform.state+json; version=1")
    );
    let tag = first.header("etag").unwrap().to_owned();
    let again = || get_with(address, "/api/v1/state", &format!("If-None-Match: {tag}\r\n"));
    let known = again();
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    place.save("fleet/B.yaml", &device("B").replace("ana@", "bo@"));
    daemon.until("another state", || match again().status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    daemon.stop();
    let saved = fs::read_to_string(place.path(".fleetform/state.json")).unwrap();
    let mut saved: Value = serde_json::from_str(&saved).unwrap();
    let first = without_chunks(&first.body);
    assert_ne!(saved, first, "B has another user by now");
    saved["logBytes"] = 0.into();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&saved), keys(&first));
}

/// The JSON in a body that was sent piece by piece: a size in a line of its own before each.
fn without_chunks(body: &str) -> Value {
    let (mut json, mut rest) = (String::new(), body);
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else { break };
        json.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {body}"))
}

#[test]
fn the_token_is_asked_for_and_never_shown() {
    let place = Fixture::of(&["A", "B", "C"]);
    place.write_secret("token", format!("{TOKEN}\n"));
    place.write_secret("wrong", "another-token-that-is-long\n");
    place.write_secret("short", "short\n");
    place.write("config.yaml", "http: {tokenFile: token}\n");
    let (_daemon, address) = settled(&place, &["--token-file", "token"]);
    let server = url(address);
    let plan = |args: &[&str], variable: Option<&str>| {
        let args = [&["plan", "--server", &server, "-vv"], args].concat();
        let output = place.command(&args).envs(variable.map(|t| ("FLEETFORM_TOKEN", t))).output();
        let output = output.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let all = String::from_utf8(output.stdout).unwrap() + &said;
        for secret in [TOKEN, "another-token-that-is-long", "short\n"] {
            assert!(!all.contains(secret), "{all}");
        }
        (output.status.code().unwrap(), said)
    };
    let wrong = Some("another-token-that-is-long");
    for (args, variable, why) in [
        (&["--token-file", "token"][..], None, Ok(())),
        (&[], Some(TOKEN), Ok(())),
        (&["--config", "config.yaml"], None, Ok(())),
        // What is said closer by counts.
        (&["--token-file", "token", "--config", "config.yaml"], wrong, Ok(())),
        (&["--config", "config.yaml"], wrong, Err("wants another token")),
        (&[], None, Err("wants a token")),
        (&["--token-file", "wrong"], Some(TOKEN), Err("wants another token")),
        (&["--token-file", "short"], Some(TOKEN), Err("short: is not a token")),
        (&["--token-file", "nowhere"], Some(TOKEN), Err("nowhere: No such file")),
        (&[], Some("short"), Err("FLEETFORM_TOKEN is not a token")),
    ] {
        let (code, said) = plan(args, variable);
        match why {
            Ok(()) => assert_eq!(code, 0, "{args:?} {variable:?}: {said}"),
            Err(why) => assert!(code == 1 && said.contains(why), "{args:?} {variable:?}: {said}"),
        }
    }
    // Nobody is asked, so that nothing is sent: the name cannot be resolved.
    let afar = ["plan", "--server", "http://fleet.invalid", "--token-file", "token"];
    let (code, _, said) = place.outcome(&afar);
    assert!(code == 1 && said.contains("unencrypted") && said.contains("https://"), "{said}");
    let (code, _, said) = place.outcome(&[&afar[..], &["--unencrypted"]].concat());
    assert!(code == 1 && said.contains("cannot ask http://fleet.invalid/api/v1/state"), "{said}");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let place = Fixture::of(&["A"]);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_at = url(silent.local_addr().unwrap());
    for (args, why) in [
        (&["--server", &url(closed)][..], "refused"),
        (&["--server", &silent_at, "--timeout", "300ms"], "it takes too long"),
        (&["--server", "fleet.example.com"], "like https://fleet.example.com"),
        (&["--server", "https://user:pw@fleet.example.com"], "it names a user"),
        (&["--server", &url(closed), "--data", "elsewhere"], "exclude each other"),
        (&["--data", "elsewhere", "--token-file", "x"], "--server"),
        (&["--server", &url(closed), "--timeout", "soon"], "is not a duration"),
    ] {
        let (code, out, said) = place.outcome(&[&["plan"], args].concat());
        assert!(code == 1 && out.is_empty() && said.contains(why), "{args:?}: {code} {said}");
        assert!(said.contains("help") || said.contains("tip") || said.contains("--help"), "{said}");
    }
}

#[test]
fn before_the_first_pass_it_is_waited_for() {
    let place = Fixture::of(&["A"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let busy = thread::spawn(move || {
        for answer in ["HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"; 2] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    // Asked twice: at once, and after a pause; then nobody answers any more.
    let (code, _, said) = place.outcome(&["plan", "--server", &url(address), "--timeout", "20s"]);
    assert!(code == 1 && said.contains("refused"), "{said}");
    busy.join().unwrap();
}

/// A server that speaks TLS and gives the files of its directory as whole answers.
struct Tls(Child);

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tls(place: &Fixture) -> (Tls, String) {
    let made = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '))
        .args("-subj /CN=localhost -addext subjectAltName=DNS:localhost".split(' '))
        .args("-addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem".split(' '))
        .current_dir(place.path(""))
        .output()
        .expect("openssl is needed: install Debian's package openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut server = Command::new("openssl")
        .args("s_server -HTTP -accept 127.0.0.1:0 -cert cert.pem -key key.pem".split(' '))
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let said = lines.find_map(|line| Some(line.unwrap().strip_prefix("ACCEPT ")?.to_owned()));
    let said = said.expect("where it listens");
    // It stops where nobody reads what it says.
    thread::spawn(move || lines.for_each(drop));
    let port = said.rsplit(':').next().unwrap();
    (Tls(server), format!("https://localhost:{port}"))
}

#[test]
fn over_tls_it_is_the_same_and_strangers_are_not_trusted() {
    let place = Fixture::of(&["A", "B", "C"]);
    let (_daemon, address) = settled(&place, &[]);
    proposed(&place);
    let answer = get(address, "/api/v1/state");
    place.write("api/v1/state", format!("{}\r\n\r\n{}", answer.head, answer.body));
    place.write_secret("token", TOKEN);
    let (_tls, server) = tls(&place);
    let plan = ["plan", "--fleet", "proposed", "-o", "json"];
    let beside = place.outcome(&plan);
    let remote = [&plan[..], &["--server", &server, "--token-file", "token"]].concat();
    let cert = place.path("cert.pem");
    let output = place.command(&remote).env("SSL_CERT_FILE", cert).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!((output.status.code(), out), (Some(0), beside.1), "{err}");
    let (code, _, said) = place.outcome(&remote);
    assert!(code == 1 && said.contains("certificate"), "{said}");
    // The daemon itself speaks no TLS.
    let plain = url(address).replace("http:", "https:");
    let (code, _, said) = place.outcome(&["plan", "--server", &plain]);
    assert!(code == 1 && said.contains("cannot ask https://"), "{said}");
}
