//! A daemon that answers HTTP, and devices that report to it.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::tools::{Place, run};

/// Of `/proc/PID/stat`: the kernel tells processor time in hundredths of a second.
const TICKS: f64 = 100.0;

/// A daemon; it ends with the measurement, whatever becomes of that.
pub struct Served {
    daemon: Child,
    /// Host and port.
    pub address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Served {
    /// Starts a daemon with this configuration, and waits until it listens.
    ///
    /// # Errors
    /// If it does not.
    pub fn start(place: &Place, config: &str) -> Result<Self, Box<dyn Error>> {
        let arguments = ["--config", config, "daemon", "--resync", "1h", "--listen", "127.0.0.1:0"];
        let mut command = place.fleetform(&arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut served = Self { daemon: command.spawn()?, address: String::new() };
        let stderr = served.daemon.stderr.take().ok_or("no standard error")?;
        let mut lines = BufReader::new(stderr).lines();
        for line in lines.by_ref() {
            let line = line?;
            if let Some((_, address)) = line.split_once("answers HTTP address=") {
                served.address = address.split_whitespace().next().unwrap_or_default().to_owned();
                // What it says later must not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(served);
            }
        }
        Err("the daemon does not listen".into())
    }

    /// Seconds of processor time, in the program and for it in the kernel.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn processor_time(&self) -> Result<f64, Box<dyn Error>> {
        processor_time(&format!("/proc/{}/stat", self.daemon.id()))
    }

    /// Likewise, of the thread that makes the passes alone.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn processor_time_of_passes(&self) -> Result<f64, Box<dyn Error>> {
        let id = self.daemon.id();
        processor_time(&format!("/proc/{id}/task/{id}/stat"))
    }

    /// The value of a metric.
    ///
    /// # Errors
    /// If the daemon does not answer.
    pub fn number(&self, name: &str) -> io::Result<Option<f64>> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        Ok(line.and_then(|line| line.trim().parse().ok()))
    }
}

fn processor_time(stat: &str) -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string(stat)?;
    // The name before may hold blanks.
    let (_, rest) = stat.rsplit_once(')').ok_or("no stat")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS)
}

/// All devices report, encrypted or not, as of that time.
///
/// # Errors
/// If the reports are not taken.
pub fn report(
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

/// Some fields of each device, as `list` has them.
///
/// # Errors
/// If there is no list.
pub fn devices<const N: usize>(
    place: &Place,
    fields: [&str; N],
) -> Result<Vec<[String; N]>, Box<dyn Error>> {
    let list = place.fleetform(&["list", "-o", "json"]).output()?;
    let list: serde_json::Value = serde_json::from_slice(&list.stdout)?;
    let devices = list["devices"].as_array().ok_or("no devices")?.iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(devices.map(|device| fields.map(|field| text(&device[field]))).collect())
}
