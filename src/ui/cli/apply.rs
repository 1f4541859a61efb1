//! `fleetform apply`

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::consent;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::plan;
use super::process::{runtime, stop_on_signal};
use super::progress::Progress;
use super::setup::Setup;
use super::value::{digest, duration};
use crate::app::alerts::{Moment, Watched, tell_for};
use crate::app::execute::{Control, Outcome};
use crate::app::reconcile::{
    self, Basis, Decision, Unconfirmed, acknowledge, carry_out, decide, heads, needs_full_read,
    observe, reread_by,
};
use crate::app::wiring;
use crate::domain::alerts::Health;
use crate::domain::fleet::Desired;
use crate::domain::model::{Digest, Timestamp};
use crate::domain::plan::due::next_due;
use crate::domain::plan::{Hold, Inputs, NO_NEWS};
use crate::domain::state::State;
use crate::domain::wipe::trust_state::TrustState;
use crate::domain::wording::short;
use crate::edges::fs::memory;
use crate::edges::ledger::Ledger;
use crate::edges::provider::{self, Observed, Provider};
use crate::edges::requests;
use crate::edges::source;
use crate::ui::render::applied::Applied;
use crate::ui::render::out::Out;

/// Makes the fleet as its manifests say, in one pass.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform apply                         Show the plan, ask, apply it
  fleetform apply --yes                   Apply without asking, as scripts must
  fleetform apply --yes --plan \"$(fleetform plan -o json | jq -r .digest)\"
  fleetform apply --accept-removals 12    Accept 12 removals, end the freeze
  fleetform apply --yes --data /var/lib/fleetform --new-ledger
                                          The first run with that directory

Exits with 1 if something failed or there are findings (the rest is done
first), with 3 when a guard refused: frozen, another plan than --plan says, or a
wipe held or refused. Formats: text, json.")]
pub(crate) struct Args {
    /// Do not ask; needed if standard input is not a terminal
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Apply only the plan with this digest; exit with 3 if the plan has changed
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub(crate) plan: Option<Digest>,
    /// Accept that exactly N devices were removed from the fleet directory
    #[arg(long, value_name = "N")]
    pub(crate) accept_removals: Option<u64>,
    /// Deliver notifications for at most this long; the next run delivers the rest
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) deliver_for: Duration,
    /// Create a ledger in the data directory that was named and has none; for the first run only
    #[arg(long)]
    pub(crate) new_ledger: bool,
    /// Read every manifest, including those that did not change since the last run
    #[arg(long)]
    pub(crate) no_index: bool,
}

/// Runs one pass: plans, asks, does it.
///
/// # Errors
/// If the ledger, the provider or the question fails; what was done by then is in the log.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let agreed = args.yes || args.plan.is_some();
    if !agreed && !setup.can_ask {
        return Err(Failure::new("apply changes the fleet, and there is no terminal to ask on")
            .help("look at `fleetform plan`, then run `fleetform apply --yes`"));
    }
    let expected = setup.expected(args.new_ledger)?;
    let open = || wiring::open(&setup.config, expected, setup.actor.clone());
    let load = || wiring::fleet(&setup.config, true, None);
    let (loaded, ledger) = if wiring::ledger(&setup.config).exists()? {
        rayon::join(load, open)
    } else {
        // Begun first, which takes no time: what is read can then be kept.
        let ledger = open()?;
        (load(), Ok(ledger))
    };
    let mut ledger = ledger?;
    memory::stay_small();
    let reused = loaded.rests_on_index();
    let (mut desired, read) = loaded.apart();
    let runtime = runtime()?;
    let provider = setup.provider()?;
    let mut unconfirmed = Unconfirmed::of(ledger.state());
    runtime.block_on(unconfirmed.ask(&mut ledger, &provider, setup.now()))?;
    let trust = setup.trust();
    let look = |recorded: &State| runtime.block_on(observe(provider.as_ref(), None, recorded));
    let observed = look(ledger.state());
    let twice = reused.then(|| observed.clone());
    let cache = wiring::cache(&setup.config);
    let (mut index, mut decision) = rayon::join(
        || read.keep(&cache),
        || decide_now(args, setup, &desired, ledger.state(), &trust, observed),
    );
    if let Some(observed) = twice
        && needs_full_read(decision.approved.plan(), ledger.state())
    {
        desired = setup.desired();
        // Where no file was touched since, this is the fleet that the index says.
        index = source::unchanged(&setup.config.fleet, &cache, &desired.wipes);
        decision = decide_now(args, setup, &desired, ledger.state(), &trust, observed);
    }
    plan::warn_of_trust(&trust);
    if let Some(expected) = args.plan.filter(|digest| *digest != decision.approved.digest()) {
        plan::show(&decision, setup, ledger.state(), &trust, format, out)?;
        out.flush()?;
        let found = decision.approved.digest();
        tracing::error!(
            "the plan has changed since it was approved (approved {}…, now {}…); nothing was \
             applied",
            short(expected),
            short(found)
        );
        return Ok(Exit::Refused);
    }
    let guarded = plan::guarded(&decision.approved);
    let findings = decision.approved.plan().findings.len();
    if format != Format::Json {
        plan::show(&decision, setup, ledger.state(), &trust, format, out)?;
    }
    let consent = if agreed { Consent::Given } else { ask(&decision, out)? };
    let decision = match consent {
        Consent::Given => decision,
        Consent::Refused => return Ok(Exit::Failed),
        // Time has passed while the question stood, and with it reports, expiries, the files.
        Consent::GivenLater => {
            let again = setup.desired();
            let trust = setup.trust();
            let recorded = ledger.state();
            let later = decide_now(args, setup, &again, recorded, &trust, look(recorded));
            if later.approved.digest() != decision.approved.digest() {
                return Err(Failure::new(
                    "the plan has changed while you were asked; nothing was applied",
                )
                .help("look at it again with `fleetform plan`"));
            }
            later
        }
    };
    let idle = index.zip(decision.only_holds().map(<[Hold]>::to_vec));
    let made = decision.made;
    let idle =
        idle.map(|(index, holds)| settled(setup, (holds, made), &desired, index, ledger.state()));
    let before = ledger.state().seq;
    // What was done leads to another plan: the one that is shown next.
    let again = index.filter(|_| idle.is_none()).map(|index| (index, desired));
    let digest = decision.approved.digest();
    let unobserved = decision.unobserved().is_some();
    let sinks = wiring::sinks(&setup.config)?;
    let wipes = decision.approved.plan().wipes.clone();
    let outcome = do_it(decision, setup, &runtime, &mut ledger, &provider)?;
    let done = outcome.left == 0 && outcome.failures().next().is_none();
    // A provider that has heard something is not asked for that plan now, which may take minutes.
    let again = again.filter(|_| done && provider.is_quiet());
    let next = |recorded: &State| {
        let (index, desired) = again.as_ref()?;
        let next = decide_now(args, setup, desired, recorded, &trust, look(recorded));
        let (made, holds) = (next.made, next.into_only_holds());
        let idle = holds.map(|holds| settled(setup, (holds, made), desired, *index, recorded));
        Some((recorded.seq, idle))
    };
    let planned = ledger.snapshot_beside(next)?;
    let mut watched = Watched::default();
    watched.doubt(unconfirmed.doubtful());
    watched.see(ledger.state(), &outcome, None);
    let works = !unobserved && outcome.failures().next().is_none();
    let health = if works { Health::Well } else { Health::Unknown };
    let moment = Moment { provider: health, trust_broken: trust.broken(), ..Moment::default() };
    let untold = runtime.block_on(tell_for(
        args.deliver_for,
        sinks,
        &setup.config,
        &mut ledger,
        (&mut watched, &wipes, moment),
    ))?;
    for untold in untold {
        tracing::warn!("{untold}");
    }
    // What became of telling them is recorded, too.
    ledger.snapshot()?;
    let idle = match idle {
        Some(idle) => Some(idle).filter(|_| ledger.state().seq == before),
        // Unless what became of telling them was recorded meanwhile.
        None => planned
            .filter(|(seq, _)| *seq == ledger.state().seq)
            .or_else(|| next(ledger.state()))
            .and_then(|(_, idle)| idle),
    };
    let recorded = ledger.state();
    if let Some(NothingToDo { index, holds, times }) = idle.filter(|_| ledger.is_saved()) {
        reconcile::keep((&setup.config, &trust), (&holds, index), recorded, times);
    }
    let applied = Applied {
        digest,
        outcome: &outcome,
        seq: recorded.seq,
        head: recorded.head.0,
        findings,
        trust: &trust,
    };
    match format {
        Format::Json => applied.json(out)?,
        _ => applied.text(out)?,
    }
    ledger.rest();
    ledger.close();
    std::mem::forget(again);
    let failed =
        outcome.left > 0 || outcome.failures().next().is_some() || findings > 0 || unobserved;
    let stopped = if outcome.not_issued.is_empty() { Exit::Done } else { Exit::Refused };
    Ok(if failed { Exit::Failed } else { Exit::Done }.combine(guarded).combine(stopped))
}

fn decide_now(
    args: &Args,
    setup: &Setup,
    desired: &Desired,
    recorded: &State,
    trust: &TrustState,
    observed: Result<Observed, provider::Error>,
) -> Decision {
    let log = wiring::ledger(&setup.config);
    let heads = heads(log.as_ref(), desired, recorded);
    let asked = requests::read(&setup.config.data);
    let basis = Basis {
        now: setup.now(),
        settings: &setup.config.settings,
        desired,
        recorded,
        requests: &asked,
        trust,
        accept_removals: args.accept_removals,
        heads: &heads,
        clock: log.highest_time(),
        only: None,
    };
    decide(basis, observed)
}

/// A decision with nothing to do, worth keeping.
struct NothingToDo {
    index: Digest,
    holds: Vec<Hold>,
    /// When it was made, and when time alone may change it.
    times: (Timestamp, Option<Timestamp>),
}

/// A decision over the fleet that the index says, with nothing but holds in it, made for this moment. What
/// is due after that counts, also what has passed by now.
fn settled(
    setup: &Setup,
    (holds, now): (Vec<Hold>, Timestamp),
    desired: &Desired,
    index: Digest,
    recorded: &State,
) -> NothingToDo {
    let inputs = Inputs {
        now,
        settings: &setup.config.settings,
        desired,
        recorded,
        heard: &[],
        news: &NO_NEWS,
        requests: &[],
        trust: &TrustState::NotConfigured,
        heads: &[],
        clock: None,
    };
    let due = next_due(&inputs, recorded.devices.values(), &[]);
    NothingToDo { index, holds, times: (now, due) }
}

enum Consent {
    Given,
    GivenLater,
    Refused,
}

/// Asks, where there is something to do.
fn ask(decision: &Decision, out: &mut Out) -> Result<Consent, Failure> {
    if decision.approved.plan().actions.is_empty() {
        return Ok(Consent::Given);
    }
    if consent::ask("Apply this plan?", out)? {
        return Ok(Consent::GivenLater);
    }
    out.note("Nothing was done.");
    Ok(Consent::Refused)
}

fn do_it(
    decision: Decision,
    setup: &Setup,
    runtime: &Runtime,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
) -> Result<Outcome, Failure> {
    let stop = stop_on_signal(runtime)?;
    let total = decision.approved.plan().actions.len() as u64;
    let progress = Mutex::new((Progress::new(setup.progress, "Applying", total), 0));
    let advance = |done: usize, _: usize| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        let step = done - progress.1;
        progress.0.advance(step as u64);
        progress.1 = done;
    };
    reconcile::note_config(&setup.config, ledger)?;
    let control = Control {
        stop: &stop,
        progress: &advance,
        revision: setup.revision(),
        reread: &|file| reread_by(&setup.config, file),
    };
    runtime.block_on(async {
        let (outcome, heard) = carry_out(decision, ledger, provider, &control).await?;
        if let Some(heard) = heard {
            acknowledge(heard, ledger, provider).await?;
        }
        Ok(outcome)
    })
}
