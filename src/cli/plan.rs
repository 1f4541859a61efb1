//! `fleetform plan`

use super::run::{Setup, runtime};
use super::{Exit, Failure, Format};
use crate::plan::WipeView;
use crate::reconcile::{Basis, Decision, decide, observe};
use crate::render;
use crate::render::out::Out;
use crate::render::plan::Context;
use crate::state::State;

/// Shows what `apply` would do now: the same plan, made by the same code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform plan
  fleetform plan --detailed-exitcode      2: there are changes; 3: a guard refuses them
  fleetform plan -o json | jq .summary
  fleetform plan -o markdown              For a comment on a pull request

Formats: text, json, markdown, github (workflow commands).")]
pub struct Args {
    /// Exit with 2 when there are changes, and with 3 when a guard refuses them
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// Shows the plan; reads, and changes nothing anywhere.
///
/// # Errors
/// If the ledger or the provider cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let (desired, recorded) = rayon::join(|| setup.desired(), || setup.recorded());
    let (recorded, trust) = (recorded?, setup.trust());
    let basis = Basis {
        now: setup.now(),
        settings: &setup.config.settings,
        desired: &desired,
        recorded: &recorded,
        trust: trust.as_ref().map_err(String::as_str),
        accept_removals: None,
        only: None,
    };
    let provider = setup.provider();
    let decision = decide(basis, runtime()?.block_on(observe(provider.as_ref()))?);
    show(&decision, setup, &recorded, format, out)?;
    Ok(exit_of(&decision, args.detailed_exitcode))
}

/// Prints the plan of a decision.
///
/// # Errors
/// If writing fails.
pub(super) fn show(
    decision: &Decision,
    setup: &Setup,
    recorded: &State,
    format: Format,
    out: &mut Out,
) -> Result<(), Failure> {
    let (root, revision) = (setup.root(), setup.revision());
    let context = Context {
        root: &root,
        revision: revision.as_deref(),
        seq: recorded.seq,
        head: recorded.head.0,
    };
    match format {
        Format::Json => render::plan::json(out, &decision.approved, context)?,
        Format::Markdown => render::plan::ci::markdown(out, &decision.approved, context)?,
        Format::Github => render::plan::ci::github(out, &decision.approved, context)?,
        _ => {
            render::plan::text(out, &decision.approved, context)?;
        }
    }
    warn_of_reports(decision);
    Ok(())
}

/// Reports that nobody can use, on standard error.
fn warn_of_reports(decision: &Decision) {
    for (name, why) in decision.unusable() {
        tracing::warn!(file = ?name, ?why, "a file of the inbox cannot be used");
    }
    for (name, report, why) in decision.refused() {
        tracing::warn!(file = ?name, serial = %report.serial_number, ?why, "a report is refused");
    }
}

fn exit_of(decision: &Decision, detailed: bool) -> Exit {
    let plan = decision.approved.plan();
    let findings = if plan.findings.is_empty() { Exit::Done } else { Exit::Failed };
    if !detailed {
        return findings;
    }
    let changes = if plan.actions.is_empty() { Exit::Done } else { Exit::Changes };
    findings.combine(guarded(decision)).combine(changes)
}

/// Whether a guard refused: frozen, or a wipe held or refused in this pass.
pub(super) fn guarded(decision: &Decision) -> Exit {
    let approved = &decision.approved;
    let withheld = approved.plan().wipes.iter().any(WipeView::is_withheld);
    if approved.refusal().is_some() || withheld { Exit::Refused } else { Exit::Done }
}
