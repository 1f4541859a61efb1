//! A receiver on loopback: it keeps what it gets, and answers as a test says.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::service_now::{Answered, Instance};

/// Longer than anything takes that works.
const DEADLINE: Duration = Duration::from_secs(30);

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What is answered.
pub enum Answer {
    Status(u16),
    Full(Answered),
    /// Nothing, and the connection is closed.
    Cut,
    /// Nothing, until the other side closes.
    Silence,
}

/// A server. Its threads end with the process.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| &**value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Receiver {
    /// Answers what `answer` says; the number is of the request.
    pub fn start(answer: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { address: listener.local_addr().unwrap(), received: Arc::default() };
        let (received, answer) = (receiver.received.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (received, answer) = (received.clone(), answer.clone());
                let stream = stream.unwrap();
                thread::spawn(move || serve(stream, &received, &*answer));
            }
        });
        receiver
    }

    /// A ServiceNow, which a test can look into.
    pub fn service_now(instance: Instance) -> (Self, Arc<Mutex<Instance>>) {
        let instance = Arc::new(Mutex::new(instance));
        let shared = instance.clone();
        let receiver = Self::start(move |it, _| {
            let proof = it.header("authorization");
            let answered = shared.lock().unwrap().answer(&it.method, &it.target, proof, &it.body);
            answered.map_or(Answer::Cut, Answer::Full)
        });
        (receiver, instance)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came, in its order.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: TcpStream,
    received: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(&Received, usize) -> Answer + Send + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read(&mut reader) else { return };
    let number = {
        let mut all = received.lock().unwrap();
        all.push(request.clone());
        all.len() - 1
    };
    let answered = match answer(&request, number) {
        Answer::Cut => return,
        Answer::Silence => {
            let _ = stream.set_read_timeout(Some(DEADLINE));
            let _ = reader.read(&mut [0]);
            return;
        }
        Answer::Status(status) => {
            let (content_type, body) = ("text/plain", String::new());
            Answered { status, content_type, headers: Vec::new(), body }
        }
        Answer::Full(answered) => answered,
    };
    let Answered { status, content_type, headers, body } = answered;
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Received { method, target, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// What a script in Python prints, with the libraries that `tests/run` installs. It finds the input, as
/// JSON, in the file that its first argument names.
pub fn python(script: &str, input: &Value) -> String {
    let here = std::env::current_exe().unwrap();
    let python: PathBuf = here.ancestors().nth(3).unwrap().join("tools/python/bin/python3");
    assert!(
        python.exists(),
        "{} is not there: tests/run installs it, with what tests/requirements.txt lists",
        python.display()
    );
    let dir = super::directory();
    let file = dir.path().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    let ran = Command::new(python).args(["-c", script]).arg(&file).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}
