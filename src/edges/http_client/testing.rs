//! A server as a test scripts it: one thread for each connection, so that time may stand still for
//! those who ask. Tokens of Entra are given by itself.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// What a request for a token of Entra ends in.
const TOKEN_PATH: &str = "/oauth2/v2.0/token";
/// Longer than anything takes that works.
const DEADLINE: Duration = Duration::from_secs(30);

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Of the connection that it came by.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_token(&self) -> bool {
        self.target.ends_with(TOKEN_PATH)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What is answered.
pub(crate) enum Reply {
    Json(u16, Value),
    With(u16, Vec<(&'static str, String)>, Value),
    /// These bytes, and then the connection is closed.
    Raw(String),
    /// The connection is closed.
    Cut,
    /// Nothing, until the other side closes.
    Silence,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    /// Connections on which silence was ended by the other side.
    left: Mutex<usize>,
    changed: Condvar,
}

/// A server. Its threads end with the process.
#[derive(Clone)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Answers what `script` says; where it says nothing, tokens are given, and all else is `{}`.
    /// The number is of the request, among those that are for a token or among the others.
    pub(crate) fn new(
        script: impl Fn(&Seen, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), shared: Arc::default() };
        let (shared, script) = (server.shared.clone(), Arc::new(script));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (shared, script) = (shared.clone(), script.clone());
                let stream = stream.unwrap();
                thread::spawn(move || serve(connection, stream, &shared, &*script));
            }
        });
        server
    }

    /// Answers one after the other, and `{}` when they are used up.
    pub(crate) fn of(replies: Vec<Reply>) -> Self {
        let replies = Mutex::new(replies.into_iter());
        Self::new(
            move |seen, _| {
                if seen.is_token() { None } else { replies.lock().unwrap().next() }
            },
        )
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked, but for tokens.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| !seen.is_token()).cloned().collect()
    }

    /// What was asked for tokens.
    pub(crate) fn tokens(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().iter().filter(|seen| seen.is_token()).cloned().collect()
    }

    /// Waits until so many calls came.
    pub(crate) fn until_called(&self, calls: usize) {
        let seen = self.shared.seen.lock().unwrap();
        let few =
            |seen: &mut Vec<Seen>| seen.iter().filter(|seen| !seen.is_token()).count() < calls;
        let waited = self.shared.changed.wait_timeout_while(seen, DEADLINE, few).unwrap();
        assert!(!waited.1.timed_out(), "there were no {calls} calls");
    }

    /// Waits until somebody closed a connection on which nothing was answered.
    pub(crate) fn until_left(&self) {
        let left = self.shared.left.lock().unwrap();
        let waited = self.shared.changed.wait_timeout_while(left, DEADLINE, |left| *left == 0);
        assert!(!waited.unwrap().1.timed_out(), "nobody closed the connection");
    }
}

fn serve(
    connection: usize,
    stream: TcpStream,
    shared: &Shared,
    script: &(dyn Fn(&Seen, usize) -> Option<Reply> + Send + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(seen) = read(connection, &mut reader) {
        let number = {
            let mut all = shared.seen.lock().unwrap();
            let number = all.iter().filter(|other| other.is_token() == seen.is_token()).count();
            all.push(seen.clone());
            number
        };
        shared.changed.notify_all();
        let reply = script(&seen, number).unwrap_or_else(|| usual(&seen, number));
        match reply {
            Reply::Json(status, body) => write(&mut stream, status, &[], &body),
            Reply::With(status, headers, body) => write(&mut stream, status, &headers, &body),
            Reply::Raw(text) => {
                let _ = stream.write_all(text.as_bytes());
                return;
            }
            Reply::Cut => return,
            Reply::Silence => {
                let _ = stream.set_read_timeout(Some(DEADLINE));
                if matches!(reader.read(&mut [0]), Ok(0)) {
                    *shared.left.lock().unwrap() += 1;
                    shared.changed.notify_all();
                }
                return;
            }
        }
    }
}

/// As Entra and an idle Graph answer.
fn usual(seen: &Seen, number: usize) -> Reply {
    if seen.is_token() { token(&access_token(number), 3599) } else { Reply::Json(200, json!({})) }
}

/// An access token, as far as anybody here looks into it.
pub(crate) fn access_token(number: usize) -> String {
    let header = BASE64.encode(json!({"typ": "JWT", "alg": "RS256"}).to_string());
    let roles = ["DeviceManagementManagedDevices.Read.All", "Group.Read.All"];
    let claims = json!({"aud": "https://graph.microsoft.com", "roles": roles, "n": number});
    format!("{header}.{}.c2lnbmF0dXJl{number}", BASE64.encode(claims.to_string()))
}

/// As Entra answers.
pub(crate) fn token(token: &str, valid: u64) -> Reply {
    let body = json!({"token_type": "Bearer", "expires_in": valid, "access_token": token});
    Reply::Json(200, body)
}

/// As Graph answers what goes too fast.
pub(crate) fn throttled(after: Option<&str>) -> Reply {
    let headers = after.map(|after| ("Retry-After", after.to_owned())).into_iter().collect();
    Reply::With(429, headers, json!({"error": {"code": "TooManyRequests", "message": "slow down"}}))
}

/// One request, or nothing where the connection ended.
pub(crate) fn read(connection: usize, reader: &mut BufReader<impl Read>) -> Option<Seen> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut seen = Seen { method, target, headers, body: String::new(), connection };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).unwrap();
    Some(seen)
}

fn line(reader: &mut BufReader<impl Read>) -> Option<String> {
    let mut line = String::new();
    let read = reader.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

pub(crate) fn write(
    stream: &mut impl Write,
    status: u16,
    headers: &[(&str, String)],
    body: &Value,
) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
}
