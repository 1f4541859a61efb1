//! How many questions about access one core answers: the daemon's own processor time for so many
//! questions over one connection, so that a busy machine and the client do not count.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use crate::Subject;
use crate::served::{Served, devices, report};
use crate::table::median;
use crate::tools::{Place, run};

/// Questions that are timed, of each kind.
pub const QUESTIONS: usize = 50_000;
/// As many as one request takes.
const BATCH: usize = 100;
/// Questions over one connection: the daemon closes what is older than a minute.
const CONNECTION: usize = 5_000;
/// Passes during which it is asked.
const PASSES: i32 = 3;
/// How many passes there were.
const COUNT: &str = "fleetform_pass_duration_seconds_count";
/// No step takes that long.
const LIMIT: Duration = Duration::from_secs(300);

/// What was measured of one fleet.
pub struct Row {
    devices: usize,
    /// Questions a second of processor time, each in a request of its own, and many in one.
    single: f64,
    batch: f64,
    /// From a question to its answer, in the middle.
    answer: Duration,
    /// While passes take in a report of every device, one question a request: questions a second of the
    /// processor time of all but the thread that makes the passes, the answer in the middle, and that which
    /// 99 of 100 keep to.
    during: f64,
    meanwhile: Duration,
    slow: Duration,
}

/// Measures one fleet.
///
/// # Errors
/// If the daemon ends, or does not answer.
pub fn row(subject: &Subject, questions: usize) -> Result<Row, Box<dyn Error>> {
    let home = subject.recorded.fleet.with_file_name("access");
    let place = &Place::new(subject.recorded.fleet.clone(), &home)?;
    place.forget()?;
    run(&mut place.fleetform(&["apply", "--yes"]))?;
    let config = home.join("access.yaml");
    // Half of the answers are no, and are worded.
    let resources = "{Open: {require: [declared]}, SAP: {require: [enrolled, compliant, fresh]}}";
    fs::write(&config, format!("access: {{resources: {resources}}}\n"))?;
    let config = config.display().to_string();
    let daemon = Served::start(place, &config)?;
    let address = &daemon.address;
    let devices = devices(place, ["id", "userEmail", "serialNumber"])?;
    let body = |n: usize| body(n, &devices);
    let begun = Instant::now();
    while !ask(&mut TcpStream::connect(address)?, "evaluation", &body(0))?.contains(":true") {
        if begun.elapsed() > LIMIT {
            return Err("nobody comes in".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut client = Client::new(address.clone());
    let mut times = Vec::with_capacity(questions);
    let single = rate(&daemon, || {
        for n in 0..questions {
            times.push(client.ask(&body(n))?);
        }
        Ok(questions)
    })?;
    let batch = rate(&daemon, || {
        let mut stream = TcpStream::connect(address)?;
        for first in (0..questions).step_by(BATCH) {
            let all: Vec<_> = (first..first + BATCH).map(body).collect();
            let all = format!("{{\"evaluations\":[{}]}}", all.join(","));
            check(&ask(&mut stream, "evaluations", &all)?, BATCH)?;
        }
        Ok(questions)
    })?;
    let serials: Vec<String> = devices.iter().map(|[.., serial]| serial.clone()).collect();
    let (mut during, mut meanwhile, mut asked) = (0.0, Vec::new(), 0);
    for round in 0..PASSES {
        let before = daemon.number(COUNT)?;
        report(place, &serials, Utc::now() - TimeDelta::minutes(i64::from(PASSES - round)), true)?;
        let of_passes = daemon.processor_time_of_passes()?;
        let all = daemon.processor_time()?;
        while daemon.number(COUNT)? == before {
            for n in asked..asked + 200 {
                meanwhile.push(client.ask(&body(n))?);
            }
            asked += 200;
        }
        during += daemon.processor_time()? - all - (daemon.processor_time_of_passes()? - of_passes);
    }
    times.sort_unstable();
    meanwhile.sort_unstable();
    let slow = meanwhile[meanwhile.len() * 99 / 100];
    let during = asked as f64 / during.max(0.01);
    let (answer, meanwhile) = (median(times), median(meanwhile));
    Ok(Row { devices: subject.devices, single, batch, answer, during, meanwhile, slow })
}

/// Asks over one connection after the other: the daemon closes what is older than a minute.
struct Client {
    address: String,
    stream: Option<TcpStream>,
    asked: usize,
}

impl Client {
    fn new(address: String) -> Self {
        Self { address, stream: None, asked: 0 }
    }

    /// How long the answer to one question takes.
    fn ask(&mut self, body: &str) -> Result<Duration, Box<dyn Error>> {
        self.asked += 1;
        let stale = self.asked.is_multiple_of(CONNECTION);
        let stream = match self.stream.take().filter(|_| !stale) {
            Some(stream) => self.stream.insert(stream),
            None => self.stream.insert(TcpStream::connect(&self.address)?),
        };
        stream.set_nodelay(true)?;
        let asked = Instant::now();
        let answer = ask(stream, "evaluation", body)?;
        let took = asked.elapsed();
        check(&answer, 1)?;
        Ok(took)
    }
}

/// A question about one of the devices; every other one is about what nobody may use.
fn body(n: usize, devices: &[[String; 3]]) -> String {
    let resource = if n.is_multiple_of(2) { "Open" } else { "SAP" };
    let [device, user, _] = &devices[n % devices.len()];
    format!(
        "{{\"subject\":{{\"type\":\"user\",\"id\":\"{user}\",\"properties\":{{\"device_id\":\"{device}\"}}}},\
         \"action\":{{\"name\":\"access\"}},\"resource\":{{\"type\":\"application\",\"id\":\"{resource}\"}}}}"
    )
}

fn check(answer: &str, decisions: usize) -> io::Result<()> {
    let found = answer.matches("\"decision\":").count();
    if found == decisions { Ok(()) } else { Err(io::Error::other(answer.to_owned())) }
}

/// Questions a second of the daemon's processor time.
fn rate(
    daemon: &Served,
    work: impl FnOnce() -> Result<usize, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let before = daemon.processor_time()?;
    let questions = work()?;
    let took = daemon.processor_time()? - before;
    Ok(questions as f64 / took.max(0.01))
}

/// The body of the answer.
fn ask(stream: &mut TcpStream, path: &str, body: &str) -> Result<String, Box<dyn Error>> {
    let length = body.len();
    let request = format!(
        "POST /access/v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("the connection ended".into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8(body)?)
}

/// Prints the table.
///
/// # Errors
/// If it cannot be printed.
pub fn print(rows: &[Row]) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nMay this device come in? Questions a second that one core answers, and the time of one.\n\n\
         | devices | one a request | {BATCH} a request | answer, median | one a request, while passes run \
         | answer, median | 99 of 100 |\n|--:|--:|--:|--:|--:|--:|--:|"
    )?;
    for Row { devices, single, batch, answer, during, meanwhile, slow } in rows {
        let micros = |time: &Duration| time.as_micros();
        writeln!(
            out,
            "| {devices} | {single:.0} | {batch:.0} | {} µs | {during:.0} | {} µs | {} µs |",
            micros(answer),
            micros(meanwhile),
            micros(slow)
        )?;
    }
    Ok(())
}
