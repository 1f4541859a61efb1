//! What a tenant costs: calls and bytes of a look at it, and time and memory to take devices in.
//!
//! The tenant is the emulator, with devices that are enrolled already and all belong to one user. The fleet
//! declares one of them first, so that the policy and its assignment are made; all that the others need is then
//! there, and taking them in writes nothing: Graph takes 100 writes in 20 seconds, so that what would be
//! measured is the waiting. Reads are limited too (800 in 20 seconds), and a device costs two before all is known
//! of it. Between program and tenant is a proxy that counts bytes.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::APPLY;
use crate::tools::{Place, most_resident, remove, run, time_and_memory};

const USER: &str = "fleet@example.com";
const GROUP: &str = "0f3c9a52-0000-4000-8000-000000000001";
const EVERYDAY: &str = "11111111-1111-4111-8111-111111111111";

/// Of more devices only the intake is measured: that all is known of each takes a second for twenty of them.
const DETAILED: usize = 10_000;

/// What one run of the program cost.
#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    /// The most resident memory, in bytes.
    memory: u64,
    calls: u64,
    bytes: u64,
}

/// What was measured of one tenant.
pub struct Row {
    devices: usize,
    /// A plan that sees all devices for the first time.
    look: Cost,
    /// The pass that takes them in, and the first one that takes in what they report.
    first: Cost,
    second: Cost,
    /// A pass in which nothing had changed, and one after one device checked in.
    idle: Option<Cost>,
    one: Option<Cost>,
    /// The most resident memory of the emulator, in bytes.
    tenant: u64,
}

/// An emulator that ends with this.
struct Tenant {
    child: Child,
    url: String,
    /// Where the bytes are counted.
    proxy: String,
    bytes: Arc<AtomicU64>,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Measures one tenant.
///
/// # Errors
/// If one of the programs fails.
pub fn row(scratch: &Path, devices: usize) -> Result<Row, Box<dyn Error>> {
    let home = scratch.join(format!("tenant-{devices}"));
    remove(&home)?;
    let tenant = Tenant::start()?;
    tenant.control("PATCH", "/settings", &json!({"throttle": {"enabled": false}}))?;
    tenant.control(
        "POST",
        "/users",
        &json!({"userPrincipalName": USER, "licenses": ["SPE_E3"]}),
    )?;
    tenant.control(
        "POST",
        "/groups",
        &json!({"id": GROUP, "displayName": "Standard", "members": [USER]}),
    )?;
    let hardware = json!({"count": devices, "serialNumber": "X", "enrolled": true,
        "userPrincipalName": USER});
    tenant.control("POST", "/hardware", &hardware)?;
    tenant.control("POST", "/clock", &json!({"advance": "1h"}))?;
    let serials = tenant.control("GET", "/hardware", &Value::Null)?;
    let first = serials["hardware"][0]["serialNumber"].as_str().ok_or("no hardware")?.to_owned();
    let digits = first.len() - 1;
    let place = Place::new(home.join("fleet"), &home)?;
    let config = tenant.configuration(&home)?;
    let fleetform = |arguments: &[&str]| {
        let mut command = place.fleetform(arguments);
        command.args(["--config", &config]);
        command
    };
    write_profile(&place.fleet)?;
    write_devices(&place.fleet, 0..1, digits)?;
    run(fleetform(APPLY).arg("--new-ledger"))?;
    run(&mut fleetform(APPLY))?;
    write_devices(&place.fleet, 1..devices, digits)?;
    let look = tenant.measure(&mut fleetform(&["plan"]))?;
    let taken_in = tenant.measure(&mut fleetform(APPLY))?;
    let second = tenant.measure(&mut fleetform(APPLY))?;
    let (mut idle, mut one) = (None, None);
    if devices <= DETAILED {
        // Details are asked of so many devices in a pass: until all are known.
        for _ in 0..devices.div_ceil(4_000) {
            run(&mut fleetform(APPLY))?;
        }
        idle = Some(tenant.measure(&mut fleetform(APPLY))?);
        tenant.control("POST", "/clock", &json!({"advance": "1m"}))?;
        tenant.control("POST", &format!("/hardware/{first}/check-in"), &Value::Null)?;
        one = Some(tenant.measure(&mut fleetform(APPLY))?);
    }
    let memory = most_resident(tenant.child.id()).unwrap_or(0);
    Ok(Row { devices, look, first: taken_in, second, idle, one, tenant: memory })
}

fn write_profile(fleet: &Path) -> io::Result<()> {
    fs::create_dir_all(fleet)?;
    let profile = format!(
        "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {{name: Standard}}\nspec:\n  \
         platforms: [windows]\n  compliance: {{encryption: {{required: true}}}}\n  \
         intune: {{group: {GROUP}}}\n"
    );
    fs::write(fleet.join("standard.yaml"), profile)
}

fn write_devices(fleet: &Path, numbers: Range<usize>, digits: usize) -> io::Result<()> {
    for n in numbers {
        let manifest = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: x{n}}}\nspec:\n  \
             serialNumber: \"X{n:0digits$}\"\n  userEmail: {USER}\n  profile: Standard\n  \
             osVersion: \"10.0.26100\"\n"
        );
        let directory = fleet.join(format!("{}", n / 1_000));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(format!("x{n}.yaml")), manifest)?;
    }
    Ok(())
}

impl Tenant {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fleetform"))
            .args(["emulator", "intune", "--paused", "--listen", "127.0.0.1:0"])
            // Yesterday, so that its devices are never ahead of us.
            .args(["--start", "2026-01-01T00:00:00Z"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
        let url = line.trim().to_owned();
        let bytes = Arc::new(AtomicU64::new(0));
        let proxy = count_bytes(url.trim_start_matches("http://").to_owned(), bytes.clone())?;
        Ok(Self { child, url, proxy, bytes })
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent = ureq::Agent::new_with_config(config);
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/emulator{path}", self.url))
            .body(if body.is_null() { String::new() } else { body.to_string() })?;
        let mut answer = agent.run(request)?;
        let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
        if !answer.status().is_success() {
            return Err(format!("{method} {path}: {text}").into());
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn configuration(&self, home: &Path) -> io::Result<String> {
        use std::os::unix::fs::PermissionsExt as _;
        fs::create_dir_all(home)?;
        let secret = home.join("secret");
        fs::write(&secret, "everyday")?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        let path = home.join("fleetform.yaml");
        let proxy = &self.proxy;
        let text = format!(
            "provider:\n  kind: intune\n  tenant: contoso.onmicrosoft.com\n  \
             app: {{clientId: {EVERYDAY}, secretFile: secret}}\n  \
             loginUrl: {proxy}\n  graphUrl: {proxy}\n"
        );
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    }

    fn measure(&self, command: &mut Command) -> Result<Cost, Box<dyn Error>> {
        self.control("DELETE", "/calls", &Value::Null)?;
        self.bytes.store(0, Ordering::Relaxed);
        let (time, memory) = time_and_memory(command)?;
        let bytes = self.bytes.load(Ordering::Relaxed);
        let calls = self.control("GET", "/calls", &Value::Null)?;
        let calls = calls["calls"].as_array().cloned().unwrap_or_default();
        // A batch is one call, whatever it has in it.
        let whole = calls.iter().filter(|call| call["part"].is_null()).count();
        Ok(Cost { time, memory, calls: whole as u64, bytes })
    }
}

/// Passes everything on to `to`, and counts it; gives its own address.
fn count_bytes(to: String, bytes: Arc<AtomicU64>) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&to) else { continue };
            let (Ok(from), Ok(back)) = (client.try_clone(), server.try_clone()) else { continue };
            let (up, down) = (bytes.clone(), bytes.clone());
            thread::spawn(move || pass_on(from, server, &up));
            thread::spawn(move || pass_on(back, client, &down));
        }
    });
    Ok(address)
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, bytes: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
        bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// Prints what was measured.
///
/// # Errors
/// If nobody takes it.
pub fn print(rows: &[Row]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\nA tenant of Intune (emulated): a pass of each kind, its calls (a batch is one), its bytes, and the\n\
         most resident memory.\n\n\
         | devices | pass | time | calls | bytes | memory | a device |\n|--:|:--|--:|--:|--:|--:|--:|"
    )?;
    for Row { devices, look, first, second, idle, one, tenant } in rows {
        let passes = [
            ("plan, first look", Some(look)),
            ("apply, taken in", Some(first)),
            ("apply, first reports", Some(second)),
            ("apply, idle", idle.as_ref()),
            ("apply, one change", one.as_ref()),
        ];
        for (name, cost) in passes {
            let Some(Cost { time, memory, calls, bytes }) = cost else { continue };
            let (kilobytes, each) = (bytes >> 10, memory / *devices as u64);
            writeln!(
                out,
                "| {devices} | {name} | {time:.2?} | {calls} | {kilobytes} kB | {} MB | {each} B |",
                memory >> 20
            )?;
        }
        let each = tenant / *devices as u64;
        writeln!(out, "| {devices} | the emulator | | | | {} MB | {each} B |", tenant >> 20)?;
    }
    Ok(())
}
