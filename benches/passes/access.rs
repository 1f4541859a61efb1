//! How many questions about access one core answers: the daemon's own processor time for so many
//! questions over one connection, so that a busy machine and the client do not count.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Subject;
use crate::table::median;

/// Questions that are timed, of each kind.
pub const QUESTIONS: usize = 50_000;
/// As many as one request takes.
const BATCH: usize = 100;
/// Questions over one connection: the daemon closes what is older than a minute.
const CONNECTION: usize = 5_000;
/// No step takes that long.
const LIMIT: Duration = Duration::from_secs(300);
/// Of `/proc/PID/stat`: the kernel tells processor time in hundredths of a second.
const TICKS: f64 = 100.0;

/// What was measured of one fleet.
pub struct Row {
    devices: usize,
    /// Questions a second of processor time, each in a request of its own, and many in one.
    single: f64,
    batch: f64,
    /// From a question to its answer, in the middle.
    answer: Duration,
}

/// Ends the daemon with the measurement, whatever becomes of that.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures one fleet.
///
/// # Errors
/// If the daemon ends, or does not answer.
pub fn row(subject: &Subject, questions: usize) -> Result<Row, Box<dyn Error>> {
    let place = &subject.recorded;
    let config = place.fleet.with_file_name("access.yaml");
    // Half of the answers are no, and are worded.
    let resources = "{Open: {require: [declared]}, SAP: {require: [enrolled, compliant, fresh]}}";
    fs::write(&config, format!("access: {{resources: {resources}}}\n"))?;
    let config = config.display().to_string();
    let arguments = ["--config", &config, "daemon", "--resync", "1h", "--listen", "127.0.0.1:0"];
    let mut command = place.fleetform(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Daemon(command.spawn()?);
    let address = address(&mut daemon)?;
    let devices = devices(&mut place.fleetform(&["list", "-o", "json"]))?;
    let body = |n: usize| body(n, &devices);
    let begun = Instant::now();
    while !ask(&mut TcpStream::connect(&address)?, "evaluation", &body(0))?.contains(":true") {
        if begun.elapsed() > LIMIT {
            return Err("nobody comes in".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut times = Vec::with_capacity(questions);
    let single = rate(&daemon, questions, || {
        for first in (0..questions).step_by(CONNECTION) {
            let mut stream = TcpStream::connect(&address)?;
            stream.set_nodelay(true)?;
            for n in first..questions.min(first + CONNECTION) {
                let asked = Instant::now();
                let answer = ask(&mut stream, "evaluation", &body(n))?;
                times.push(asked.elapsed());
                check(&answer, 1)?;
            }
        }
        Ok(())
    })?;
    let batch = rate(&daemon, questions, || {
        let mut stream = TcpStream::connect(&address)?;
        for first in (0..questions).step_by(BATCH) {
            let all: Vec<_> = (first..first + BATCH).map(body).collect();
            let all = format!("{{\"evaluations\":[{}]}}", all.join(","));
            check(&ask(&mut stream, "evaluations", &all)?, BATCH)?;
        }
        Ok(())
    })?;
    times.sort_unstable();
    Ok(Row { devices: subject.devices, single, batch, answer: median(times) })
}

/// A question about one of the devices; every other one is about what nobody may use.
fn body(n: usize, devices: &[[String; 2]]) -> String {
    let resource = if n.is_multiple_of(2) { "Open" } else { "SAP" };
    let [device, user] = &devices[n % devices.len()];
    format!(
        "{{\"subject\":{{\"type\":\"user\",\"id\":\"{user}\",\"properties\":{{\"device_id\":\"{device}\"}}}},\
         \"action\":{{\"name\":\"access\"}},\"resource\":{{\"type\":\"application\",\"id\":\"{resource}\"}}}}"
    )
}

/// Each device, by its id and its user.
fn devices(list: &mut Command) -> Result<Vec<[String; 2]>, Box<dyn Error>> {
    let list: serde_json::Value = serde_json::from_slice(&list.output()?.stdout)?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let devices = list["devices"].as_array().ok_or("no devices")?.iter();
    Ok(devices.map(|device| [text(&device["id"]), text(&device["userEmail"])]).collect())
}

fn check(answer: &str, decisions: usize) -> io::Result<()> {
    let found = answer.matches("\"decision\":").count();
    if found == decisions { Ok(()) } else { Err(io::Error::other(answer.to_owned())) }
}

/// Questions a second of the daemon's processor time.
fn rate(
    daemon: &Daemon,
    questions: usize,
    work: impl FnOnce() -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let before = processor_time(daemon)?;
    work()?;
    let took = processor_time(daemon)? - before;
    Ok(questions as f64 / took.max(1.0 / TICKS))
}

/// Seconds, in the program and for it in the kernel.
fn processor_time(daemon: &Daemon) -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.0.id()))?;
    // The name before may hold blanks.
    let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// Where it answers, by what it says.
fn address(daemon: &mut Daemon) -> Result<String, Box<dyn Error>> {
    let stderr = daemon.0.stderr.take().ok_or("no standard error")?;
    let mut lines = BufReader::new(stderr).lines();
    for line in lines.by_ref() {
        let line = line?;
        if let Some((_, address)) = line.split_once("answers HTTP address=") {
            let address = address.split_whitespace().next().unwrap_or_default().to_owned();
            // What it says later must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(address);
        }
    }
    Err("the daemon does not listen".into())
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
         | devices | one a request | {BATCH} a request | answer, median |\n|--:|--:|--:|--:|"
    )?;
    for Row { devices, single, batch, answer } in rows {
        let micros = answer.as_secs_f64() * 1e6;
        writeln!(out, "| {devices} | {single:.0} | {batch:.0} | {micros:.0} µs |")?;
    }
    Ok(())
}
