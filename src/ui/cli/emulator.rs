//! `fleetform emulator`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use super::exit::Exit;
use super::failure::Failure;
use super::global::Global;
use super::later::Later;
use super::process::runtime;
use crate::app::signals::stop_flag;
use crate::domain::model::Timestamp;
use crate::edges::clock;
use crate::edges::fs::guarded::Guarded;
use crate::ui::emulator::{Emulator, Start, new_tenant};
use crate::ui::render::out::Out;

/// Stands in for the service of a provider, for tests and trials: no account, no real device.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform emulator intune --fleet fleet")]
pub(crate) enum Command {
    /// Emulate a Microsoft Intune tenant: Graph, tokens, and devices that join by themselves.
    Intune(Later<Args>),
}

/// Emulates a Microsoft Intune tenant: Graph, tokens, and devices that join by themselves.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform emulator intune
  fleetform emulator intune --fleet fleet --speed 60
  fleetform emulator intune --listen 127.0.0.1:0 --paused

It prints its address once it answers. Everything is in memory, and gone when it
ends. docs/emulator.md says what it can do and what it leaves out; `curl
http://127.0.0.1:8090/emulator` lists what tests can do to it.

Applications that are there, with their secrets:
  11111111-1111-4111-8111-111111111111  everyday
  22222222-2222-4222-8222-222222222222  wiping")]
pub(crate) struct Args {
    /// Listen here; a loopback address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// Emulated seconds in a real one; 0 is --paused
    #[arg(long, value_name = "FACTOR", default_value = "60", value_parser = speed)]
    pub(crate) speed: f64,
    /// Seed of everything random
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub(crate) seed: u64,
    /// Emulated time at the start [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<Timestamp>,
    /// Time stands still; tests move it
    #[arg(long)]
    pub(crate) paused: bool,
    /// A certificate that an application signs assertions with, in PEM
    #[arg(long, value_name = "CLIENT_ID=FILE", value_parser = certificate)]
    pub(crate) certificate: Vec<(String, PathBuf)>,
}

/// A key with a chain of certificates.
const LARGEST_PEM: usize = 64 << 10;

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.0..=100_000.0).contains(speed));
    speed.ok_or_else(|| "is not a factor from 0 to 100000".into())
}

fn certificate(text: &str) -> Result<(String, PathBuf), String> {
    let (id, file) = text.split_once('=').ok_or("is not CLIENT_ID=FILE")?;
    Ok((id.to_owned(), PathBuf::from(file)))
}

/// Runs until a signal stops it.
///
/// # Errors
/// If the address cannot be had, or a file cannot be read.
pub(super) fn run(command: &Command, global: &Global, out: &mut Out) -> Result<Exit, Failure> {
    let Command::Intune(args) = command;
    let mut certificates = Vec::new();
    for (id, file) in &args.certificate {
        let pem = Guarded::up_to(LARGEST_PEM).read(file);
        let pem = pem.map_err(|error| Failure::new(format!("cannot read {error}")))?;
        certificates.push((id.clone(), String::from_utf8_lossy(&pem).into_owned()));
    }
    let real = clock::now();
    let start = Start {
        fleet: global.fleet.clone(),
        speed: if args.paused { 0.0 } else { args.speed },
        seed: args.seed,
        start: args.start.unwrap_or(real),
        real,
        certificates,
    };
    let tenant = new_tenant(&start).map_err(Failure::new)?;
    runtime()?.block_on(async {
        let stop = Arc::new(Notify::new());
        let wake = {
            let stop = stop.clone();
            move || stop.notify_one()
        };
        let say = || tracing::info!("shutting down (send the signal again to stop immediately)");
        stop_flag(say, wake)?;
        let emulator = Emulator::bind(args.listen, tenant).await;
        let emulator = emulator.map_err(|error| {
            Failure::from(error).help("give --listen an address of loopback with a free port")
        })?;
        writeln!(out, "http://{}", emulator.address()?)?;
        out.flush()?;
        emulator.run(stop).await?;
        Ok(Exit::Done)
    })
}
