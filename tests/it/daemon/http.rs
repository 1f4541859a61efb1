//! Every route, and clients that mean no good.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Daemon, Place, device};

/// A daemon over A, B and C that answers, and where.
pub fn started(place: &Place, args: &[&str]) -> (Daemon, SocketAddr) {
    let mut daemon = place.daemon(&[&["--listen", "127.0.0.1:0"], args].concat());
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    daemon.until_said("answers HTTP", 1);
    let said = daemon.said();
    let (_, address) = said.split_once("answers HTTP address=").unwrap();
    let address = address.split_whitespace().next().unwrap().parse().unwrap();
    (daemon, address)
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        self.head.lines().find(|l| line(l)).map(|line| line.split_once(':').unwrap().1.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn send(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub fn get_with(address: SocketAddr, path: &str, header: &str) -> Answer {
    send(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n"))
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    get_with(address, path, "")
}

fn place() -> Place {
    Place::new(&["A", "B", "C"])
}

#[test]
fn the_answers_are_those_of_the_command_line() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    daemon.until("readiness", || match get(address, "/readyz").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    assert_eq!(get(address, "/healthz").body, "ok\n");
    assert_eq!(get(address, "/readyz").json()["ready"], true);
    assert_eq!(get(address, "/api/v1/devices").json(), place.json(&["list"]));
    assert_eq!(get(address, "/api/v1/devices/D002").json(), place.json(&["show", "D002"]));
    assert_eq!(get(address, "/api/v1/devices/b").json(), place.json(&["show", "D002"]));
    assert_eq!(get(address, "/api/v1/plan").json(), place.json(&["plan"]));
    let log = get(address, "/api/v1/audit?since=3").json();
    assert_eq!(log, place.json(&["audit", "log", "--since", "3"]));
    assert_eq!(log["entries"][0]["seq"], 3);
}

#[test]
fn pages_filters_and_etags() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    daemon.until("three devices", || {
        let n = get(address, "/api/v1/devices").json()["devices"].as_array().unwrap().len();
        if n == 3 { Ok(()) } else { Err(n.to_string()) }
    });
    let page = get(address, "/api/v1/devices?limit=2&status=Pending");
    assert_eq!(page.json()["devices"][1]["id"], "D002");
    let link = page.header("link").unwrap();
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    assert_eq!(next, "/api/v1/devices?limit=2&status=Pending&after=D002");
    let last = get(address, next);
    assert_eq!(last.json()["devices"][0]["id"], "D003");
    assert_eq!(last.header("link"), None);
    let page = get(address, "/api/v1/audit?limit=2");
    assert!(page.header("link").unwrap().contains("since=3"), "{:?}", page.head);
    assert_eq!(
        get(address, "/api/v1/devices?status=Failed").json()["devices"],
        serde_json::json!([])
    );

    let first = get(address, "/api/v1/devices");
    let tag = first.header("etag").unwrap().to_owned();
    let again = get_with(address, "/api/v1/devices", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    place.save("fleet/B.yaml", &device("B").replace("ana@", "bo@"));
    daemon.until("another answer", || {
        let again = get_with(address, "/api/v1/devices", &format!("If-None-Match: {tag}\r\n"));
        if again.status == 200 { Ok(()) } else { Err(again.status.to_string()) }
    });
}

#[test]
fn numbers_for_prometheus() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    for line in [
        "fleetform_devices{status=\"Pending\"} 3",
        "fleetform_actions_total{kind=\"provision\"} 3",
        "fleetform_holds{reason=\"awaitingReport\"} 3",
        "fleetform_watching 1",
        "fleetform_breaker_open 0",
        "fleetform_ready 1",
    ] {
        daemon.until(line, || {
            let text = get(address, "/metrics").body;
            if text.lines().any(|l| l == line) { Ok(()) } else { Err(text) }
        });
    }
    assert!(get(address, "/metrics").body.contains("fleetform_snapshot_age_seconds "));
}

#[test]
fn not_ready_says_why() {
    let place = Place::new(&["A", "B", "C"]);
    let (mut daemon, address) = started(&place, &[]);
    std::fs::remove_dir_all(place.path("fleet")).unwrap();
    daemon.until("not ready", || match get(address, "/readyz") {
        Answer { status: 503, body, .. } if body.contains("frozen") => Ok(()),
        answer => Err(answer.body),
    });
    assert_eq!(get(address, "/healthz").status, 200);
    assert_eq!(get(address, "/api/v1/devices").json()["devices"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_not_there_or_not_understood_is_said() {
    let place = place();
    let (_daemon, address) = started(&place, &[]);
    for (path, status) in [
        ("/", 404),
        ("/api/v1/devices/D999", 404),
        ("/api/v1/devices/..%2f..%2fetc", 404),
        ("/api/v1/devices?status=Enroled", 400),
        ("/api/v1/devices?x=1", 400),
        ("/api/v1/audit?since=yesterday", 400),
    ] {
        let answer = get(address, path);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["error"].is_string(), "{path}");
    }
    let post =
        "POST /api/v1/plan HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(send(address, post).status, 405);
}

#[test]
fn a_token_is_needed_beyond_loopback_and_kept_secret() {
    let place = place();
    let (code, _, err) = place.run(&["daemon", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 1);
    assert!(err.contains("--token-file"), "{err}");
    place.write("token", "short\n");
    let (code, _, err) = place.run(&["daemon", "--listen", "0.0.0.0:0", "--token-file", "token"]);
    assert!(code == 1 && err.contains("at least 16"), "{err}");
    let token = "0123456789abcdef0123";
    place.write("token", &format!("{token}\n"));
    let (_daemon, address) = started(&place, &["--token-file", "token"]);
    assert_eq!(get(address, "/healthz").status, 200);
    for path in ["/readyz", "/metrics", "/api/v1/devices", "/nothing"] {
        for header in ["", "Authorization: Bearer x\r\n", "Authorization: Bearer \r\n"] {
            assert_eq!(get_with(address, path, header).status, 401, "{path} {header}");
        }
    }
    let header = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(get_with(address, "/api/v1/devices", &header).status, 200);
}

#[test]
fn hostile_clients_delay_neither_a_pass_nor_others() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    // More idle connections than there may be, and some that never finish a request.
    let idle: Vec<_> = (0..1000)
        .filter_map(|n| {
            let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).ok()?;
            if n % 3 == 0 {
                let _ = stream.write_all(b"GET /api/v1/devices HTTP/1.1\r\nX-Slow: ");
            }
            Some(stream)
        })
        .collect();
    assert!(idle.len() > 500, "{}", idle.len());
    assert_eq!(get(address, "/healthz").status, 200);
    place.save("fleet/D.yaml", &device("D"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending", "D:Pending"]);

    // Ten megabytes that nobody asked for are not read, as a body or as a head.
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /api/v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let sent = (0..160).take_while(|_| stream.write_all(&[b'x'; 65_536]).is_ok()).count();
    assert!(sent < 160, "all was taken");
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nX: ");
    let sent = (0..160).take_while(|_| stream.write_all(&[b'x'; 65_536]).is_ok()).count();
    assert!(sent < 160, "all was taken");
    assert_eq!(get(address, "/healthz").status, 200);
    drop(idle);
    daemon.stop();
}

#[test]
fn a_client_that_never_finishes_is_let_go() {
    let place = place();
    let (_daemon, address) = started(&place, &[]);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let start = Instant::now();
    let mut rest = Vec::new();
    // Closed or reset, but not kept.
    let _ = stream.read_to_end(&mut rest);
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
}
