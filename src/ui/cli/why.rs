//! `fleetform why`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::local_plan;
use super::select;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::domain::model::DeviceId;
use crate::ui::client::Remote;
use crate::ui::render::out::Out;
use crate::ui::render::why::{Point, Said, Why};

/// Says in plain words why a device is in its state, what it waits for, and what to do about it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform why D007
  fleetform why PF3XK9Q2
  fleetform why ana-ruiz-laptop -o json | jq -r '.why[].advice[]'

Problems of the whole fleet or of the device's manifest come first. `!` needs
somebody's attention, `~` continues by itself. Formats: text, json.")]
pub(crate) struct Args {
    /// Id, serial number (its newest device) or name; where one word fits several devices, id=ID,
    /// serial=SERIAL or name=NAME
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub(crate) device: String,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Explains the device from what is recorded and from the manifests, where they are at hand.
///
/// # Errors
/// If there is no such device, the ledger cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no device is known")?;
    let state = setup.recorded_for(&args.device)?;
    let (id, device) = select::device(&state, &args.device)?;
    let (settings, now) = (&setup.config.settings, setup.now());
    let said = match &setup.remote {
        // It knows its manifests; this machine need not have them.
        Some(remote) => ask(remote, id)?,
        None => {
            let hindrance = &local_plan::of_device(setup, (id, device), out)?;
            Why { state: &state, id, device, hindrance, settings, now }.said()
        }
    };
    match format {
        Format::Json => said.json(out)?,
        _ => said.text(out)?,
    }
    Ok(Exit::Done)
}

/// What the daemon says.
fn ask(remote: &Remote, id: DeviceId) -> Result<Said, Failure> {
    remote.json(&format!("/api/v1/devices/{id}/why")).map_err(server::explain)
}

/// The sentences of the daemon.
///
/// # Errors
/// If it cannot be asked.
pub(super) fn said_by(remote: &Remote, id: DeviceId) -> Result<Vec<Point>, Failure> {
    ask(remote, id).map(|said| said.why)
}
