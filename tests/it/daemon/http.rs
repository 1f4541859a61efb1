//! Every route, and clients that mean no good.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::client::{Answer, ask, get, get_with, metric, started, until_metrics};
use crate::support::{Fixture, device};

fn place() -> Fixture {
    Fixture::of(&["A", "B", "C"])
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
fn a_device_is_found_by_any_word_and_an_ambiguous_one_is_refused() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    let vm = "VMware-56 4d/fa+72";
    place.save("fleet/vm.yaml", &device(vm).replace(&format!("dev-{vm}"), "D001"));
    daemon.until("the fourth device", || match get(address, "/api/v1/devices/D004").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    for (word, status, id) in [
        ("d002", 200, "D002"),
        ("dev-B", 200, "D002"),
        ("name=dev-B", 200, "D002"),
        ("VMware-56%204d%2Ffa%2B72", 200, "D004"),
        ("vmware-56%204D%2FFA+72", 200, "D004"),
        ("id=D001", 200, "D001"),
        ("name=D001", 200, "D004"),
        ("D001", 409, ""),
        ("d001", 409, ""),
        ("serial=D001", 404, ""),
    ] {
        let answer = get(address, &format!("/api/v1/devices/{word}"));
        assert_eq!(answer.status, status, "{word}: {}", answer.body);
        match status {
            200 => assert_eq!(answer.json()["device"]["id"], id, "{word}"),
            409 => assert!(answer.body.contains("id=D001 or id=D004"), "{word}: {}", answer.body),
            _ => {}
        }
    }
}

#[test]
fn an_edit_that_changes_nothing_recorded_is_shown_too() {
    let place = place();
    let (mut daemon, address) = started(&place, &[]);
    place.save("fleet/A.yaml", &format!("# one line more\n{}", device("A")));
    daemon.until("the line in the answer", || {
        let (ours, theirs) = (get(address, "/api/v1/plan").json(), place.json(&["plan"]));
        if ours == theirs { Ok(()) } else { Err(format!("{ours} and not {theirs}")) }
    });
    daemon.stop();
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
    let (mut next, mut entries) = (Some("/api/v1/audit?limit=2".to_owned()), Vec::new());
    while let Some(path) = next.take() {
        let page = get(address, &path);
        entries.extend(page.json()["entries"].as_array().unwrap().clone());
        let link = page.header("link").and_then(|link| link.strip_prefix('<'));
        next = link.map(|link| link.split_once('>').unwrap().0.to_owned());
    }
    assert_eq!(entries.len(), place.log().len(), "every entry once, page by page");
    assert!(entries.iter().zip(1..).all(|(entry, seq)| entry["seq"] == seq));
    for (query, ids) in [
        ("user=ana@example.com&limit=1", vec!["D001"]),
        ("profile=Standard&platform=windows&after=D001", vec!["D002", "D003"]),
        ("compliance=nonCompliant", vec![]),
        ("orphaned", vec![]),
        ("orphaned=false&overdue=false&limit=1000", vec!["D001", "D002", "D003"]),
        ("label=site=madrid", vec![]),
    ] {
        let devices = get(address, &format!("/api/v1/devices?{query}")).json();
        let devices = devices["devices"].as_array().unwrap().clone();
        assert_eq!(devices.iter().map(|d| d["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    }
    assert_eq!(
        get(address, "/api/v1/devices?status=Failed").json()["devices"],
        serde_json::json!([])
    );

    for path in ["/api/v1/devices/D001", "/api/v1/plan", "/api/v1/audit", "/api/v1/devices?limit=1"]
    {
        let first = get(address, path);
        let tag = first.header("etag").unwrap().to_owned();
        for (given, status) in [(&*tag, 304), (&format!("\"x\", W/{tag}"), 304), ("\"x\"", 200)] {
            let again = get_with(address, path, &format!("If-None-Match: {given}\r\n"));
            assert_eq!(again.status, status, "{path} {given}");
            assert_eq!(again.header("etag"), Some(&*tag), "{path}");
        }
    }
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
    place.write("fleet/broken.yaml", "kind: [broken");
    let (mut daemon, address) = started(&place, &[]);
    place.write("r.json", r#"{"serialNumber":"A","at":"2026-01-01T00:00:00Z"}"#);
    assert_eq!(place.outcome(&["report", "r.json"]).0, 0);
    let lines = [
        "devices{status=\"Pending\"} 2",
        "devices{status=\"Enrolled\"} 1",
        "devices_compliance{state=\"compliant\"} 1",
        "actions_total{kind=\"provision\",outcome=\"done\"} 3",
        "holds{reason=\"awaitingReport\"} 2",
        "findings 1",
        "passes_total{outcome=\"failed\"} 0",
        "apply_lag_seconds_count 1",
        "watching 1",
        "breaker_open 0",
        "frozen 0",
        "ready 1",
    ];
    until_metrics(&mut daemon, address, &lines);
    assert_eq!(metric(address, "log_sequence"), place.log().len() as u64);
    assert!(metric(address, "passes_total{outcome=\"done\"}") >= 2);
    let text = get(address, "/metrics").body;
    for name in ["snapshot_age_seconds ", "pass_duration_seconds_bucket{le=\"+Inf\"} "] {
        assert!(text.contains(&format!("\nfleetform_{name}")), "{name}: {text}");
    }
    // Every sample belongs to a family that is explained, and no two samples are the same.
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(number.parse::<f64>().is_ok(), "{line}");
        assert!(seen.insert(name.to_owned()), "{line} twice");
        let family = name.split('{').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().fold(family, |name, end| {
            if text.contains(&format!("# TYPE {name} ")) {
                name
            } else {
                name.trim_end_matches(end)
            }
        });
        assert!(text.contains(&format!("# HELP {family} ")), "{line}");
    }
}

#[test]
fn not_ready_says_why() {
    let place = Fixture::of(&["A", "B", "C"]);
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
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/devices", "/api/v1/audit", "/"] {
        let (got, head) = (get(address, path), ask(address, "HEAD", path, ""));
        assert_eq!((head.status, head.body.as_str()), (got.status, ""), "HEAD {path}");
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let answer = ask(address, method, path, "Content-Length: 0\r\n");
            let expected = if path == "/" { 404 } else { 405 };
            assert_eq!(answer.status, expected, "{method} {path}");
            if expected == 405 {
                assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{method} {path}");
                assert!(answer.json()["error"].is_string(), "{method} {path}");
            }
        }
    }
}

#[test]
fn a_token_is_needed_beyond_loopback_and_kept_secret() {
    let place = place();
    let (code, _, err) = place.outcome(&["daemon", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 1);
    assert!(err.contains("--token-file"), "{err}");
    place.write_secret("token", "short\n");
    let (code, _, err) =
        place.outcome(&["daemon", "--listen", "0.0.0.0:0", "--token-file", "token"]);
    assert!(code == 1 && err.contains("at least 16"), "{err}");
    let token = "0123456789abcdef0123";
    place.write_secret("token", format!("{token}\n"));
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
    let start = Instant::now();
    place.save("fleet/D.yaml", &device("D"));
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending", "D:Pending"]);
    // Were it to wait for one of them, it would be for ten seconds.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());

    // Ten megabytes that nobody asked for are not read, as a body or as a head.
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /api/v1/plan HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485760\r\n\r\n";
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

#[test]
fn clients_that_ask_for_much_and_read_nothing_take_little_memory() {
    let place = Fixture::of(&[]);
    for n in 0..2000 {
        place.write(&format!("fleet/{n}.yaml"), device(&format!("S{n:04}")));
    }
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let address = super::client::address(&mut daemon);
    until_metrics(&mut daemon, address, &["holds{reason=\"awaitingReport\"} 2000", "ready 1"]);
    let size = get(address, "/api/v1/plan").body.len();
    assert!(size > 400_000, "{size} bytes are no large answer");
    let memory = |pid: &str| -> usize {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    };
    let before = memory(&daemon.pid());
    let clients: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            let head = "GET /api/v1/plan HTTP/1.1\r\nHost: localhost\r\n\r\n";
            stream.write_all(head.as_bytes()).unwrap();
            // Its answer has begun.
            assert_eq!(stream.peek(&mut [0; 8]).unwrap(), 8);
            stream
        })
        .collect();
    // The peak may become smaller: the kernel counts it from what each thread has told it so far.
    let more = memory(&daemon.pid()).saturating_sub(before);
    assert!(more < 40 << 20, "{more} bytes for {} answers of {size}", clients.len());
    drop(clients);
    daemon.stop();
}
