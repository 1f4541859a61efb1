//! `fleetform show`

use super::deliveries;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::list::Shape;
use super::local_plan;
use super::select;
use super::server::ServerArgs;
use super::setup::Setup;
use super::why;
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

/// Shows the device, from the ledger and, to say why it is as it is, from the manifests.
///
/// # Errors
/// If there is no such device, the ledger cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    one(&args.device, setup, &Shape::Plain(format), out)
}

/// As [`run`], in any shape that shows one thing.
pub(super) fn one(
    word: &str,
    setup: &Setup,
    shape: &Shape,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so no device is known")?;
    let state = setup.recorded_for(word)?;
    let (id, device) = select::device(&state, word)?;
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
            let hindrance = &local_plan::of_manifest(setup, &state, (id, device), out)?;
            Why { state: &state, id, device, hindrance, settings, now }.points()
        }
    };
    let undelivered = deliveries::undelivered(setup, out).remove(&id).unwrap_or_default();
    let shown = Shown::of(&state, (id, device), &history, why, settings, now);
    let shown = Shown { undelivered, ..shown };
    match shape {
        Shape::Template(template) => shown.template(template, out)?,
        Shape::Plain(Format::Json) => shown.json(out)?,
        Shape::Plain(Format::Yaml) => shown.yaml(out)?,
        Shape::Plain(_) | Shape::Columns(_) => shown.text(out)?,
    }
    Ok(Exit::Done)
}
