//! `fleetform wipe list`

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::format::Format;
use super::super::server::ServerArgs;
use super::super::setup::Setup;
use crate::app::reconcile::{Basis, decide, heads};
use crate::domain::plan::WipeView;
use crate::domain::state::State;
use crate::edges::provider::Observed;
use crate::edges::requests::Requests;
use crate::ui::render::out::Out;
use crate::ui::render::wipes::Wipes;

/// Lists wipe requests: who signed, what is missing, until when, and how many wipes are left.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform wipe list
  fleetform wipe list --all
  fleetform wipe list -o json | jq .budget

Requests of the fleet directory are judged as in plan; requests that only the
ledger knows are listed as recorded. The budget says for each tier of
wipes.quorum how many wipes are left in its window. Formats: text, json.")]
pub(crate) struct Args {
    /// Include finished requests: confirmed, failed, expired, stopped or refused for good
    #[arg(long)]
    pub(crate) all: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Lists them; reads, and changes nothing.
///
/// # Errors
/// If the ledger cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    setup.needs_ledger("and so nothing to judge requests by")?;
    let state = setup.recorded()?;
    let judged = judged(setup, &state, out)?;
    let wipes = Wipes::of(&state, &judged, args.all, &setup.config.settings, setup.now());
    match format {
        Format::Json => wipes.json(out)?,
        _ => wipes.text(out)?,
    }
    if wipes.is_empty() {
        out.note("No wipe request is open.");
    }
    Ok(Exit::Done)
}

/// The requests of the fleet directory, as a plan judges them; nothing where it is not here.
fn judged(setup: &Setup, state: &State, out: &mut Out) -> Result<Vec<WipeView>, Failure> {
    // The daemon has judged what it has seen; nothing is judged here in its name.
    if setup.remote.is_some() {
        return Ok(Vec::new());
    }
    let desired = setup.desired();
    if desired.missing.is_some() {
        out.note("note: there is no fleet directory here: what only the ledger knows is listed (--fleet)");
        return Ok(Vec::new());
    }
    let (log, trust) = (setup.ledger()?, setup.trust());
    let basis = Basis {
        now: setup.now(),
        settings: &setup.config.settings,
        desired: &desired,
        recorded: state,
        requests: &Requests::default(),
        trust: &trust,
        accept_removals: None,
        heads: &heads(log.as_ref(), &desired, state),
        clock: log.highest_time(),
        only: None,
    };
    let decision = decide(basis, Ok(Observed::default()));
    Ok(decision.approved.plan().wipes.clone())
}
