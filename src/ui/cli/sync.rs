//! `fleetform sync`

use std::collections::BTreeMap;
use std::io::Write as _;

use super::exit::Exit;
use super::failure::Failure;
use super::filters::Filters;
use super::format::Format;
use super::select;
use super::setup::Setup;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State, SyncStanding};
use crate::edges::requests;
use crate::ui::render::out::Out;
use crate::ui::render::sync::{AskedAlready, Requested};

/// Asks devices to sync now: those that are named, or all for which every filter holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform sync PF3XK9Q2 D007
  fleetform sync --overdue
  fleetform sync --profile Standard --label site=madrid

The request is a file in requests/ of the data directory: a running daemon
processes it at once, otherwise the next apply does. If one of the named devices
is unknown, nothing is requested. `fleetform show` says who requested it, and
whether the device has reported since.

Orphaned devices are asked too: only their manifest is gone. A wiped device is
an error if it is named, and is skipped if a filter finds it. A device that was
asked and has not answered is not asked again. While a wipe is in progress the
request is held. Formats: text, json.")]
pub(crate) struct Args {
    /// Ids, serial numbers or names; where one word fits several devices, id=ID, serial=SERIAL or
    /// name=NAME
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub(crate) devices: Vec<String>,
    /// Which ones, where none is named.
    #[command(flatten)]
    pub(crate) filters: Filters,
}

/// Writes the request; takes no lock.
///
/// # Errors
/// If a device is not known or wiped, there is no ledger, or the request cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let data = &setup.config.data;
    setup.needs_ledger("and so no device to sync")?;
    let (state, now) = (setup.recorded()?, setup.now());
    let chosen = chosen(args, &state, &setup.config.settings, now)?;
    let mut requested = Requested::default();
    for (id, device) in &chosen {
        match device.sync() {
            Some((asked, SyncStanding::Waiting)) => {
                let by = asked.by.to_string();
                requested.waiting.push(AskedAlready::new(*id, &device.spec, asked.at, by));
            }
            Some((_, SyncStanding::Done(_) | SyncStanding::Failed(..))) | None => {
                requested.devices.push((*id, &device.spec));
            }
        }
    }
    let targets: Vec<_> =
        requested.devices.iter().map(|(id, spec)| (*id, spec.serial_number.clone())).collect();
    if !targets.is_empty() {
        requested.path = Some(requests::submit(data, &setup.actor, &targets, now)?);
    }
    match format {
        Format::Json => requested.json(out)?,
        _ => requested.text(out)?,
    }
    if chosen.is_empty() {
        out.note("No devices match: nothing is requested.");
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Whom it is about, by id, each once.
fn chosen<'s>(
    args: &Args,
    state: &'s State,
    settings: &Settings,
    now: Timestamp,
) -> Result<BTreeMap<DeviceId, &'s Device>, Failure> {
    let Args { devices, filters } = args;
    let filtered = *filters != Filters::default();
    match (devices.is_empty(), filtered) {
        (true, false) => {
            return Err(Failure::new("no device is named, and no filter is given").help(
                "name devices by id, serial number or name, or give a filter such as --overdue",
            ));
        }
        (false, true) => {
            return Err(Failure::new("devices are named, and filters are given too")
                .help("give one or the other: a request is for the devices named, or for all that a filter admits"));
        }
        (true, true) | (false, false) => {}
    }
    if filtered {
        let filter = filters.filter();
        let admitted = |device: &Device| !device.is_wiped() && filter.admits(device, settings, now);
        let devices = state.devices.iter().filter(|(_, device)| admitted(device));
        return Ok(devices.map(|(id, device)| (*id, device)).collect());
    }
    let mut found = BTreeMap::new();
    for word in devices {
        let (id, device) = select::device(state, word)?;
        if device.is_wiped() {
            let what = format!("{id} ({}) is wiped: there is nothing to sync", device.spec.name);
            return Err(Failure::new(what).help(
                "leave it out; raise enrollment in its manifest to provision the hardware again",
            ));
        }
        found.insert(id, device);
    }
    Ok(found)
}
