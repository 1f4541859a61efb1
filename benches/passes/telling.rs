//! What telling others costs a pass: all devices turn non-compliant at once, with nobody to be told
//! and with a program that is told of each. What counts is the daemon's own time for its passes.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::Subject;
use crate::table::median;
use crate::tools::{Place, run};

/// Times that all devices fail and recover, with sinks and without in turns.
pub const ROUNDS: usize = 3;
/// No step takes that long.
const LIMIT: Duration = Duration::from_secs(600);

/// What was measured of one fleet.
pub struct Row {
    devices: usize,
    /// Of the passes in which all devices fail.
    alone: Duration,
    told: Duration,
}

/// Ends the daemon with the measurement, whatever becomes of that.
struct Daemon(Child, String);

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
/// If the daemon ends, or does not do what it is to do.
pub fn row(subject: &Subject, rounds: usize) -> Result<Row, Box<dyn Error>> {
    let home = subject.recorded.fleet.with_file_name("telling");
    let place = Place::new(subject.recorded.fleet.clone(), &home)?;
    place.forget()?;
    run(&mut place.fleetform(&["apply", "--yes"]))?;
    let serials = serials(&place)?;
    let (secret, url) = (home.join("secret"), receiver()?);
    fs::write(&secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
    run(std::process::Command::new("chmod").arg("600").arg(&secret))?;
    let quiet = home.join("quiet.yaml");
    let telling = home.join("telling.yaml");
    let settle = "compliance: {settle: 0s}\n";
    fs::write(&quiet, settle)?;
    let webhook =
        format!("{{name: siem, url: '{url}', secretFile: secret, kinds: [compliance.changed]}}");
    fs::write(&telling, format!("{settle}notify: {{webhooks: [{webhook}]}}\n"))?;
    // Of the recent past, a minute apart, so that nobody is silent for long.
    let (mut alone, mut told, mut at) = (Vec::new(), Vec::new(), Utc::now() - TimeDelta::hours(2));
    for _ in 0..rounds {
        for (config, times) in [(&quiet, &mut alone), (&telling, &mut told)] {
            let daemon = start(&place, &config.display().to_string())?;
            report(&place, &serials, at, true)?;
            until(&daemon, &serials, "compliant")?;
            let before = passes(&daemon)?;
            report(&place, &serials, at + TimeDelta::minutes(1), false)?;
            until(&daemon, &serials, "nonCompliant")?;
            times.push(passes(&daemon)? - before);
            at += TimeDelta::minutes(2);
        }
    }
    Ok(Row { devices: subject.devices, alone: median(alone), told: median(told) })
}

fn start(place: &Place, config: &str) -> Result<Daemon, Box<dyn Error>> {
    let arguments = ["--config", config, "daemon", "--resync", "1h", "--listen", "127.0.0.1:0"];
    let mut command = place.fleetform(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut daemon = Daemon(command.spawn()?, String::new());
    let stderr = daemon.0.stderr.take().ok_or("no standard error")?;
    let mut lines = BufReader::new(stderr).lines();
    for line in lines.by_ref() {
        let line = line?;
        if let Some((_, address)) = line.split_once("answers HTTP address=") {
            daemon.1 = address.split_whitespace().next().unwrap_or_default().to_owned();
            // What it says later must not fill the pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(daemon);
        }
    }
    Err("the daemon does not listen".into())
}

/// All devices report, encrypted or not, as of that time.
fn report(
    place: &Place,
    serials: &[String],
    at: DateTime<Utc>,
    good: bool,
) -> Result<(), Box<dyn Error>> {
    let mut text = String::with_capacity(serials.len() * 160);
    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    for serial in serials {
        let lock = "{\"enabled\":true,\"pinLength\":6}";
        writeln!(
            text,
            "{{\"serialNumber\":\"{serial}\",\"at\":\"{at}\",\"osVersion\":\"10.0.26100\",\
             \"encryption\":{{\"enabled\":{good}}},\"screenLock\":{lock}}}"
        )?;
    }
    let file = place.data.with_file_name("reports.jsonl");
    fs::write(&file, text)?;
    run(&mut place.fleetform(&["report", &file.display().to_string()]))?;
    Ok(())
}

fn until(daemon: &Daemon, serials: &[String], state: &str) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let wanted = serials.len() as f64;
    let name = format!("fleetform_devices_compliance{{state=\"{state}\"}}");
    while number(&metrics(&daemon.1)?, &name) != Some(wanted) {
        if begun.elapsed() > LIMIT {
            return Err(format!("not all devices are {state}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// How long all passes took until now.
fn passes(daemon: &Daemon) -> Result<Duration, Box<dyn Error>> {
    let text = metrics(&daemon.1)?;
    let seconds = number(&text, "fleetform_pass_duration_seconds_sum").ok_or("no such number")?;
    Ok(Duration::from_secs_f64(seconds))
}

fn number(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

fn metrics(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn serials(place: &Place) -> Result<Vec<String>, Box<dyn Error>> {
    let list = place.fleetform(&["list", "-o", "json"]).output()?;
    let list: serde_json::Value = serde_json::from_slice(&list.stdout)?;
    let devices = list["devices"].as_array().ok_or("no devices")?.iter();
    Ok(devices.filter_map(|device| device["serialNumber"].as_str().map(str::to_owned)).collect())
}

/// Answers every request with 204; its threads end with the process.
fn receiver() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(&stream));
        }
    });
    Ok(url)
}

fn answer(stream: &TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        reader.read_exact(&mut vec![0; length])?;
        writer.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")?;
    }
}

/// Prints the table.
///
/// # Errors
/// If it cannot be printed.
pub fn print(rows: &[Row]) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "\nAll devices turn non-compliant at once: the passes, with nobody to be told and with a webhook.\n\n\
         | devices | nobody | a webhook | ratio |\n|--:|--:|--:|--:|"
    )?;
    for Row { devices, alone, told } in rows {
        let ratio = told.as_secs_f64() / alone.as_secs_f64();
        writeln!(out, "| {devices} | {alone:.2?} | {told:.2?} | {ratio:.2} |")?;
    }
    Ok(())
}
