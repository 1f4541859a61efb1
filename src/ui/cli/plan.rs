//! `fleetform plan`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::process::{runtime, start_threads};
use super::server::ServerArgs;
use super::setup::Setup;
use crate::app::notices::{self, Notice, SHOWN};
use crate::app::reconcile::{self, Basis, Decision, Holds, Kept, decide, heads, observe};
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::guard::ApprovedPlan;
use crate::domain::model::Digest;
use crate::domain::plan::{Waiting, WipeView};
use crate::domain::state::State;
use crate::domain::wipe::target::LedgerId;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::provider::Observed;
use crate::edges::requests::{self, Requests};
use crate::ui::render;
use crate::ui::render::out::Out;
use crate::ui::render::plan::Context;

/// Shows what `apply` would do now: the same plan, made by the same code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform plan
  fleetform plan --detailed-exitcode      2: changes; 3: a guard refuses them
  fleetform plan -o json | jq .summary
  fleetform plan -o markdown              For a comment on a pull request
  fleetform plan --data ./ledger          With a copy of the ledger
  fleetform plan --server https://fleet.example.com

A copy of the data directory needs audit.jsonl and state.json; without the
latter the last reports are unknown, and compliance may differ.

With --server the recorded state is that of a running daemon, and all else is
local: the fleet directory, and from fleetform.yaml the deadlines, limits,
quorum and trust files. Reports and requests that the daemon has not processed
yet are not included. The token comes from --token-file, else from
FLEETFORM_TOKEN, else from http.tokenFile. It is sent only to that server, and
over http:// only on this machine. HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are
honored.

Exits with 1 if there are findings. With --detailed-exitcode also: 3 when a
guard refuses (frozen, or a wipe is held or refused), else 2 when there are
changes. Formats: text, json, markdown, github (workflow commands; GitHub shows
10 of each kind a step).")]
pub(crate) struct Args {
    /// Exit with 2 when there are changes, and with 3 when a guard refuses them
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Read every manifest, including those that did not change since the last apply
    #[arg(long)]
    pub(crate) no_index: bool,
    /// Where the recorded state is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Shows the plan; reads, and changes nothing anywhere.
///
/// # Errors
/// If the ledger, the daemon or the provider cannot be read, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let remote = &setup.remote;
    if remote.is_some() {
        // A fleet that is not here would look as if the server's were gone.
        setup.needs_fleet_here()?;
    }
    if remote.is_none() && setup.ledger()?.exists()? {
        let (provider, trust) = (setup.provider()?, setup.trust());
        // Text tells no more than the numbers of holds that only wait.
        let holds = if format == Format::Text { Holds::ToDecide } else { Holds::All };
        let basis = (&setup.config, &trust);
        let kept = reconcile::kept(basis, provider.as_ref(), setup.now(), holds);
        if let Some(Kept { approved, waiting, seq, head, lineage }) = kept {
            warn_of_trust(&trust);
            print((&approved, &waiting), setup, (seq, head, lineage), &trust, format, out)?;
            return Ok(exit_of(&approved, true, args.detailed_exitcode));
        }
    }
    start_threads()?;
    let desired = || wiring::fleet(&setup.config, false, None).desired;
    let (desired, recorded) = rayon::join(desired, || setup.recorded());
    let (recorded, trust) = (recorded?, setup.trust());
    // A daemon's log lies elsewhere: what requests name of it cannot be looked up from here.
    let log = remote.is_none().then(|| wiring::ledger(&setup.config));
    let heads =
        log.as_ref().map(|log| heads(log.as_ref(), &desired, &recorded)).unwrap_or_default();
    // Requests go to the daemon too.
    let asked = match remote {
        Some(_) => Requests::default(),
        None => requests::read(&setup.config.data),
    };
    let basis = Basis {
        now: setup.now(),
        settings: &setup.config.settings,
        desired: &desired,
        recorded: &recorded,
        requests: &asked,
        trust: &trust,
        accept_removals: None,
        heads: &heads,
        clock: log.and_then(|log| log.highest_time()),
        only: None,
    };
    let observed = match remote {
        // Reports go to the daemon, and it alone hears them.
        Some(_) => Ok(Observed { complete: true, ..Observed::default() }),
        None => runtime()?.block_on(observe(setup.provider()?.as_ref(), None, &recorded)),
    };
    let decision = decide(basis, observed);
    warn_of_trust(&trust);
    show(&decision, setup, &recorded, &trust, format, out)?;
    if let Some(note) = foreign(setup, &desired, &recorded, &trust) {
        out.note(&note);
    }
    let observed = decision.unobserved().is_none();
    let exit = exit_of(&decision.approved, observed, args.detailed_exitcode);
    // The process is about to end: to free a large fleet piece by piece takes longer than to plan it.
    std::mem::forget((decision, desired, recorded));
    Ok(exit)
}

/// What of the plan a server may see otherwise: what it rests on is not all here.
fn foreign(
    setup: &Setup,
    desired: &Desired,
    recorded: &State,
    trust: &TrustState,
) -> Option<String> {
    let wipes = !desired.wipes.is_empty();
    match &setup.remote {
        Some(remote) if wipes && matches!(trust, TrustState::NotConfigured) => Some(format!(
            "Wipe requests were judged without a trust file, which this machine does not have: \
             `fleetform wipe list --server {}` shows what the server says of them.",
            remote.url()
        )),
        Some(_) => None,
        None if recorded.seq == 0 => Some(format!(
            "There is no ledger in {} yet, so every device is new. `fleetform apply` creates one; \
             to plan against a running daemon, use --server URL.",
            setup.config.data.display()
        )),
        None => None,
    }
}

/// Prints the plan of a decision.
pub(super) fn show(
    decision: &Decision,
    setup: &Setup,
    recorded: &State,
    trust: &TrustState,
    format: Format,
    out: &mut Out,
) -> Result<(), Failure> {
    let of = (recorded.seq, recorded.head.0, recorded.lineage.map(LedgerId));
    let waiting = Waiting::among(&decision.approved.plan().holds);
    print((&decision.approved, &waiting), setup, of, trust, format, out)?;
    warn_of_reports(decision);
    Ok(())
}

/// Prints a plan of the ledger with this number, hash and lineage.
fn print(
    (approved, waiting): (&ApprovedPlan, &Waiting),
    setup: &Setup,
    (seq, head, lineage): (u64, Digest, Option<LedgerId>),
    trust: &TrustState,
    format: Format,
    out: &mut Out,
) -> Result<(), Failure> {
    let root = setup.root();
    // Text does not say it, and to ask Git takes as long as to look at a thousand files.
    let revision = if format == Format::Text { None } else { setup.revision() };
    let revision = revision.as_deref();
    let context = Context { root: &root, revision, seq, head, lineage, trust };
    match format {
        Format::Json => render::plan::json(out, approved, context)?,
        Format::Markdown => render::plan::ci::markdown(out, approved, context)?,
        Format::Github => render::plan::ci::github(out, approved, context)?,
        _ => {
            render::plan::text(out, (approved, waiting), context)?;
        }
    }
    Ok(())
}

/// That every wipe is refused though trust files are configured, on standard error.
pub(super) fn warn_of_trust(trust: &TrustState) {
    if let Some(why) = trust.broken() {
        tracing::warn!(?why, "the trust files cannot be relied on: every wipe is refused");
    }
}

/// Reports that nobody can use, on standard error.
fn warn_of_reports(decision: &Decision) {
    if let Some(error) = decision.unobserved() {
        tracing::error!(%error, "the provider cannot be observed: devices get no commands");
    }
    notices::log::tell(notices::of_reports(decision));
    let notes = &decision.approved.plan().notes;
    for note in notes.iter().take(SHOWN) {
        tracing::warn!("{note}");
    }
    let parts = decision.unusable().iter().filter(|unusable| !unusable.whole);
    let counts = [parts.count(), decision.refused().len(), notes.len()];
    let more: usize = counts.iter().map(|count| count.saturating_sub(SHOWN)).sum();
    if more > 0 {
        tracing::warn!(more, "more of the same, of other reports");
    }
    for field in decision.unknown_fields() {
        tracing::warn!(?field, "a field of reports is unknown and is ignored");
    }
    let unfinished = decision.unfinished().iter().take(SHOWN).cloned();
    notices::log::tell(unfinished.map(Notice::Unfinished));
    if decision.has_more() {
        tracing::warn!(
            "more reports are waiting than one run processes: run apply again for the \
                        rest"
        );
    }
}

fn exit_of(approved: &ApprovedPlan, observed: bool, detailed: bool) -> Exit {
    let plan = approved.plan();
    let complete = plan.findings.is_empty() && observed;
    let findings = if complete { Exit::Done } else { Exit::Failed };
    if !detailed {
        return findings;
    }
    let changes = if plan.actions.is_empty() { Exit::Done } else { Exit::Changes };
    findings.combine(guarded(approved)).combine(changes)
}

/// Whether a guard refused: frozen, or a wipe held or refused in this pass.
pub(super) fn guarded(approved: &ApprovedPlan) -> Exit {
    let withheld = approved.plan().wipes.iter().any(WipeView::is_withheld);
    if approved.refusal().is_some() || withheld { Exit::Refused } else { Exit::Done }
}
