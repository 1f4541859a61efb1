//! `fleetform show`

use super::author;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::select;
use super::server::ServerArgs;
use super::setup::Setup;
use super::why;
use crate::domain::manifest::parse_file;
use crate::domain::plan::HoldReason;
use crate::domain::state::Device;
use crate::ui::render::hindrance::{Held, Hindrance};
use crate::ui::render::out::Out;
use crate::ui::render::show::Shown;
use crate::ui::render::why::Why;

/// Shows one device: profile, versions, last sync, compliance check by check, why it is as it is,
/// history.
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
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Shows the device: all of it from the ledger, and of the fleet directory its own manifest.
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
    let mut history = Vec::new();
    for logged in setup.ledger()?.entries_of(id) {
        let logged = logged?;
        let entry = &logged.entry;
        // What a pass under way has written is not recorded before its end.
        if entry.seq > state.seq {
            break;
        }
        history.push(logged);
    }
    let settings = &setup.config.settings;
    let now = setup.now();
    let why = match &setup.remote {
        Some(remote) => why::said_by(remote, id)?,
        None => {
            let hindrance = &manifest(setup, device);
            Why { state: &state, id, device, hindrance, settings, now }.points()
        }
    };
    let shown = Shown::of(&state, (id, device), &history, why, settings, now);
    match format {
        Format::Json => shown.json(out)?,
        _ => shown.text(out)?,
    }
    Ok(Exit::Done)
}

/// That its manifest cannot be used, as far as its file alone says so: `why` looks at all of them.
fn manifest(setup: &Setup, device: &Device) -> Hindrance {
    let path = &device.manifest.path;
    let serial = &device.spec.serial_number;
    let invalid = |line: u32| {
        let detail = "the manifest is invalid; fix it to continue".to_owned();
        let place = Some(format!("{path}:{line}"));
        vec![Held { reason: HoldReason::ManifestInvalid, detail, place }]
    };
    let held = match author::read(&setup.config.fleet.join(&**path)) {
        // What is gone is orphaned, which is recorded by then.
        Ok(None) => Vec::new(),
        Err(_) => invalid(1),
        Ok(Some(text)) => {
            let documents = parse_file(path, text.as_bytes());
            let is_there = documents.devices.iter().any(|draft| draft.serial_number() == serial);
            match documents.findings.iter().map(|finding| finding.span.line).min() {
                Some(line) if !is_there => invalid(line),
                Some(_) | None => Vec::new(),
            }
        }
    };
    Hindrance { refused: None, held }
}
