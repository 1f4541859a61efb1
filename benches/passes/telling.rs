//! What telling others costs a pass: all devices turn non-compliant at once, with nobody to be told
//! and with a program that is told of each. What counts is the daemon's own time for its passes.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _, stdout};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::Subject;
use crate::served::{Served, devices, report};
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

/// Measures one fleet.
///
/// # Errors
/// If the daemon ends, or does not do what it is to do.
pub fn row(subject: &Subject, rounds: usize) -> Result<Row, Box<dyn Error>> {
    let home = subject.recorded.fleet.with_file_name("telling");
    let place = Place::new(subject.recorded.fleet.clone(), &home)?;
    place.forget()?;
    run(&mut place.fleetform(&["apply", "--yes"]))?;
    let serials = devices(&place, ["serialNumber"])?;
    let serials: Vec<String> = serials.into_iter().map(|[serial]| serial).collect();
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
    enroll(&place, &quiet, &serials, at - TimeDelta::minutes(1))?;
    for _ in 0..rounds {
        for (config, times) in [(&quiet, &mut alone), (&telling, &mut told)] {
            let daemon = Served::start(&place, &config.display().to_string())?;
            report(&place, &serials, at, true)?;
            until(&daemon, serials.len(), "compliant")?;
            let before = passes(&daemon)?;
            report(&place, &serials, at + TimeDelta::minutes(1), false)?;
            until(&daemon, serials.len(), "nonCompliant")?;
            times.push(passes(&daemon)? - before);
            at += TimeDelta::minutes(2);
        }
    }
    Ok(Row { devices: subject.devices, alone: median(alone), told: median(told) })
}

/// All devices enroll, not compliant, and what that leads to is over before anything is measured.
fn enroll(
    place: &Place,
    config: &Path,
    serials: &[String],
    at: DateTime<Utc>,
) -> Result<(), Box<dyn Error>> {
    report(place, serials, at, false)?;
    let (begun, config) = (Instant::now(), config.display().to_string());
    while fs::read_dir(place.data.join("inbox"))?.flatten().any(|entry| entry.path().is_file()) {
        if begun.elapsed() > LIMIT {
            return Err("not all reports are heard".into());
        }
        run(&mut place.fleetform(&["--config", &config, "apply", "--yes"]))?;
    }
    Ok(())
}

fn until(daemon: &Served, devices: usize, state: &str) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let name = format!("fleetform_devices_compliance{{state=\"{state}\"}}");
    while daemon.number(&name)? != Some(devices as f64) {
        if begun.elapsed() > LIMIT {
            return Err(format!("not all devices are {state}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// How long all passes took until now.
fn passes(daemon: &Served) -> Result<Duration, Box<dyn Error>> {
    let seconds = daemon.number("fleetform_pass_duration_seconds_sum")?.ok_or("no such number")?;
    Ok(Duration::from_secs_f64(seconds))
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
