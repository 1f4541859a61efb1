//! An HTTP client that does what it is told and no more.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Daemon, Fixture};

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

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

pub fn send(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// `headers`: lines that each end in CRLF.
pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    send(address, &format!("{head}{headers}\r\n"))
}

pub fn get_with(address: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(address, "GET", path, headers)
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    get_with(address, path, "")
}

/// A daemon over A, B and C that answers, and where.
pub fn started(place: &Fixture, args: &[&str]) -> (Daemon, SocketAddr) {
    let mut daemon = place.daemon(&[&["--listen", "127.0.0.1:0"], args].concat());
    place.until_recorded(&mut daemon, &["A:Pending", "B:Pending", "C:Pending"]);
    let address = address(&mut daemon);
    (daemon, address)
}

/// Where it answers.
pub fn address(daemon: &mut Daemon) -> SocketAddr {
    daemon.until_said("answers HTTP", 1);
    let said = daemon.said();
    let (_, address) = said.rsplit_once("answers HTTP address=").unwrap();
    address.split_whitespace().next().unwrap().parse().unwrap()
}

/// Waits until `/metrics` has each of these lines, without `fleetform_`.
#[track_caller]
pub fn until_metrics(daemon: &mut Daemon, address: SocketAddr, lines: &[&str]) {
    daemon.until(&format!("{lines:?}"), || {
        let text = get(address, "/metrics").body;
        let has = |line: &&str| text.lines().any(|l| l.strip_prefix("fleetform_") == Some(*line));
        if lines.iter().all(has) { Ok(()) } else { Err(text) }
    });
}

/// One number of `/metrics`.
pub fn metric(address: SocketAddr, name: &str) -> u64 {
    let text = get(address, "/metrics").body;
    let number = text.lines().find_map(|line| line.strip_prefix(&format!("fleetform_{name} ")));
    number.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// Waits until it is ready, or not ready for a reason that says this.
#[track_caller]
pub fn until_ready(daemon: &mut Daemon, address: SocketAddr, not: Option<&str>) {
    daemon.until(&format!("readiness, or why not: {not:?}"), || {
        let answer = get(address, "/readyz");
        match (answer.status, not) {
            (200, None) => Ok(()),
            (503, Some(why)) if answer.body.contains(why) => Ok(()),
            _ => Err(answer.body),
        }
    });
}
