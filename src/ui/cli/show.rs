//! `fleetform show`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::select;
use super::setup::Setup;
use crate::ui::render::out::Out;
use crate::ui::render::show::Shown;

/// Shows one device: profile, versions, last sync, compliance check by check, history.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform show D007
  fleetform show PF3XK9Q2
  fleetform show ana-ruiz-laptop -o json | jq .checks

Formats: text, json.")]
pub(crate) struct Args {
    /// Id, serial number (its newest device) or name; where one word fits several devices, id=ID,
    /// serial=SERIAL or name=NAME
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub(crate) device: String,
}

/// Shows the device, from the ledger alone.
///
/// # Errors
/// If there is no such device, the ledger cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let state = setup.recorded()?;
    let (id, device) = select::device(&state, &args.device)?;
    let mut history = Vec::new();
    for logged in setup.ledger()?.entries_from(1) {
        let logged = logged?;
        let entry = &logged.entry;
        // What a pass under way has written is not recorded before its end.
        if entry.seq > state.seq {
            break;
        }
        if entry.device == Some(id) {
            history.push(logged);
        }
    }
    let settings = &setup.config.settings;
    let shown = Shown::of(&state, (id, device), &history, settings, setup.now());
    match format {
        Format::Json => shown.json(out)?,
        _ => shown.text(out)?,
    }
    Ok(Exit::Done)
}
