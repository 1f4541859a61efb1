//! One pass: load, observe, plan, guard, execute. The only place that composes the rest.
//!
//! `plan` and `apply` share [`decide`]; what differs is whether the result is printed or
//! handed to [`carry_out`]. A report is let go of only when the snapshot that holds what it
//! said is durable, and reports whose actions were not done are heard again.

mod unconfirmed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::app::execute::{self, Control, Outcome};
use crate::domain::fleet::{Desired, WipeFile};
use crate::domain::guard::{ApprovedPlan, guard};
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::{DeviceId, SerialNumber, Timestamp};
use crate::domain::plan::{Action, Fresh, Heard, HoldReason, Inputs, Op, Plan, plan, plan_for};
use crate::domain::settings::Settings;
use crate::domain::state::event::{ConfigChanged, Event};
use crate::domain::state::{State, WipeState};
use crate::domain::wipe::target::LoggedHead;
use crate::domain::wipe::trust::Trust;
use crate::edges::clock;
use crate::edges::config::{self, Config, ProviderKind};
use crate::edges::ledger::{self, Ledger};
use crate::edges::provider::local::{self, Local, Verb};
use crate::edges::provider::{
    self, Acknowledgement, Batch, Observation, Provider, Refused, Rejected, Trouble,
};
use crate::edges::source;
use crate::edges::trust_files;

pub use unconfirmed::Unconfirmed;

/// What goes wrong with a pass as a whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The provider could not be asked, or not be told that its reports are taken.
    #[error("the provider failed: {0}")]
    Provider(provider::Error),
}

/// A decision, and the observation that it rests on.
#[derive(Debug)]
pub struct Decision {
    /// What may be done.
    pub approved: ApprovedPlan,
    /// What becomes of the reports once it is done.
    acknowledgements: Vec<Acknowledgement>,
    /// What is no report: the name of its batch, and why.
    bad: Vec<(String, String)>,
    unknown_fields: BTreeSet<String>,
    more: bool,
}

/// What became of reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportCounts {
    /// Reports of devices that the ledger knows.
    pub taken: u64,
    /// Of these, reports that change nothing: a later one was heard before.
    pub passed_over: u64,
    /// Lines and whole files that nobody can use.
    pub rejected: u64,
}

/// Whom wipes are taken from, or in a sentence without a full stop why from nobody.
///
/// # Errors
/// If no trust file is configured, or it cannot be relied on.
pub fn trust(config: &Config) -> Result<Trust, String> {
    read_trust(config).map_err(|error| match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

/// Reads the trust files that the configuration names.
///
/// # Errors
/// As for [`trust`], for those who have to know which.
pub fn read_trust(config: &Config) -> Result<Trust, trust_files::Error> {
    let config::Trust { allowed_signers, revoked_keys } = &config.trust;
    let allowed = allowed_signers.as_ref().ok_or(trust_files::Error::NotConfigured)?;
    trust_files::read(allowed, revoked_keys.as_deref(), &config.fleet)
}

/// Opens the ledger, unless what devices are told to do contradicts it.
///
/// # Errors
/// Those of [`Ledger::open_as`].
pub fn open(
    config: &Config,
    expected: ledger::Expected,
    actor: Arc<str>,
) -> Result<Ledger, ledger::Error> {
    let witness = |recorded: &State| match config.provider {
        ProviderKind::Local => agrees_with_outbox(&config.data, recorded),
    };
    let terms = ledger::Terms { expected, witness: &witness };
    Ledger::open_as(&config.data, &terms, actor, clock::now)
}

/// Notes in the log what the configuration says about rights, where that is not what the log said
/// last; not in the plan, which is about the fleet. Durable with what comes next.
///
/// # Errors
/// If the log cannot be written.
pub fn note_config(config: &Config, ledger: &mut Ledger) -> Result<(), ledger::Error> {
    let (from, to) = (ledger.state().config.as_deref().cloned(), config.rights());
    if from.as_ref() == Some(&to) {
        return Ok(());
    }
    ledger.append(vec![Event::ConfigChanged(Box::new(ConfigChanged { from, to })).into()])
}

/// The outbox gets a command only after its intent is durable in the log.
fn agrees_with_outbox(data: &Path, recorded: &State) -> Result<(), String> {
    let wipes: BTreeSet<u64> = recorded.wipes.values().filter_map(|wipe| wipe.intent).collect();
    let is_foreign = |command: &local::Command| {
        let known = match command.command {
            Verb::Wipe | Verb::SelectiveWipe => wipes.contains(&command.id.0),
            Verb::Profile | Verb::Sync => true,
        };
        !known || command.id.0 > recorded.seq
    };
    let foreign = local::find(data, is_foreign).map_err(|error| error.to_string())?;
    let Some((path, command)) = foreign else { return Ok(()) };
    Err(format!(
        "{} has the command {} ({}), which the log does not have; it ends at entry {}, and its end is \
         missing, or the outbox is of another ledger: {}",
        path.display(),
        command.id,
        command.command,
        recorded.seq,
        ledger::CUT
    ))
}

/// The MDM.
#[must_use]
pub fn provider(config: &Config) -> Arc<dyn Provider> {
    match config.provider {
        ProviderKind::Local => Arc::new(Local::new(&config.data)),
    }
}

/// Reads again what a wipe was judged by, for [`Control::reread`]: its request with what is
/// beside it, the manifest of its device at this path, the trust files, and last the clock.
#[must_use]
pub fn reread(
    (fleet, data): (&Path, &Path),
    settings: &Settings,
    trust: impl FnOnce() -> Result<Trust, String>,
    now: impl FnOnce() -> Timestamp,
    (file, manifest): (&WipeFile, &str),
) -> Fresh {
    let named = file.request.head.map(|head| head.seq);
    Fresh {
        heads: ledger::heads(data, &named.into_iter().collect()),
        clock: ledger::highest_time(data),
        file: source::again::request(fleet, file),
        manifest: source::again::device(fleet, manifest, &file.request.serial),
        trust: trust(),
        settings: settings.clone(),
        now: now(),
    }
}

/// As [`reread`], from where a configuration says.
#[must_use]
pub fn reread_by(config: &Config, file: &WipeFile, manifest: &str) -> Fresh {
    let Config { fleet, data, settings, .. } = config;
    reread((fleet, data), settings, || trust(config), clock::now, (file, manifest))
}

impl ReportCounts {
    /// Adds those of another pass.
    pub fn add(&mut self, more: Self) {
        let Self { taken, passed_over, rejected } = more;
        self.taken += taken;
        self.passed_over += passed_over;
        self.rejected += rejected;
    }
}

impl Decision {
    /// Less of the same: actions for which `why` has a reason become holds.
    #[must_use]
    pub fn holding(self, why: impl FnMut(&Action) -> Option<(HoldReason, String)>) -> Self {
        Self { approved: self.approved.holding(why), ..self }
    }

    /// Batches of reports that could not be used, each with why.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, &str)> {
        self.acknowledgements.iter().filter_map(|done| match &done.rejected {
            Rejected::Batch(why) => Some((done.name.as_str(), why.as_str())),
            Rejected::None | Rejected::Reports(_) => None,
        })
    }

    /// What is no report: its batch, and why.
    pub fn bad(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bad.iter().map(|(name, why)| (name.as_str(), why.as_str()))
    }

    /// Reports that were refused: the batch, and which and why.
    pub fn refused(&self) -> impl Iterator<Item = (&str, &Refused)> {
        self.acknowledgements.iter().flat_map(|done| {
            let refused = match &done.rejected {
                Rejected::Reports(refused) => refused.as_slice(),
                Rejected::None | Rejected::Batch(_) => &[],
            };
            refused.iter().map(|refused| (done.name.as_str(), refused))
        })
    }

    /// Fields of reports that this version does not know.
    pub fn unknown_fields(&self) -> impl Iterator<Item = &str> {
        self.unknown_fields.iter().map(String::as_str)
    }

    /// Whether more reports wait than one pass takes.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// What becomes of the reports, in numbers.
    #[must_use]
    pub fn reports(&self) -> ReportCounts {
        let taken: usize = self.acknowledgements.iter().map(|done| done.taken.len()).sum();
        let rejected = self.unusable().count() + self.bad.len() + self.refused().count();
        let telemetry = &self.approved.plan().telemetry;
        ReportCounts {
            taken: taken as u64,
            rejected: rejected as u64,
            passed_over: telemetry.iter().map(|said| said.passed_over).sum(),
        }
    }

    /// Whether there are reports to let go of.
    #[must_use]
    pub fn has_reports(&self) -> bool {
        !self.acknowledgements.is_empty()
    }

    /// Whether there is nothing to carry out: no actions, and no reports to let go of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.approved.plan().actions.is_empty() && !self.has_reports()
    }
}

/// What a decision depends on besides the observation.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The clock.
    pub now: Timestamp,
    /// The numbers of the configuration.
    pub settings: &'a Settings,
    /// What the manifests want.
    pub desired: &'a Desired,
    /// What the ledger says.
    pub recorded: &'a State,
    /// Whom wipes are taken from, or why from nobody.
    pub trust: Result<&'a Trust, &'a str>,
    /// The number of removals that an operator named.
    pub accept_removals: Option<u64>,
    /// The entries that wipe requests name, as far as the log has them.
    pub heads: &'a [LoggedHead],
    /// The highest time that this ledger has seen.
    pub clock: Option<Timestamp>,
    /// Only these devices, and those that are heard from; `None` is the whole fleet.
    pub only: Option<&'a BTreeSet<DeviceId>>,
}

/// The entries of the log in `data` that open requests name.
#[must_use]
pub fn heads(data: &Path, desired: &Desired, recorded: &State) -> Vec<LoggedHead> {
    let open = desired.wipes.iter().filter(|file| {
        recorded.wipes.get(&file.request.digest).is_none_or(|wipe| wipe.state.is_open())
    });
    let named = open.filter_map(|file| file.request.head);
    // What is not recorded yet need not be looked for.
    let seqs: BTreeSet<u64> =
        named.map(|head| head.seq).filter(|seq| *seq <= recorded.seq).collect();
    ledger::heads(data, &seqs)
}

/// What the provider has heard; changes nothing anywhere.
///
/// # Errors
/// If it cannot be asked.
pub async fn observe(provider: &dyn Provider) -> Result<Observation, Error> {
    provider.observe().await.map_err(Error::Provider)
}

/// Plans and guards.
#[must_use]
pub fn decide(basis: Basis<'_>, observation: Observation) -> Decision {
    let Observation { batches, troubles, unknown_fields, more } = observation;
    let heard = heard(&batches);
    let Basis { now, settings, desired, recorded, trust, accept_removals, heads, clock, only } =
        basis;
    let inputs = Inputs { now, settings, desired, recorded, heard: &heard, trust, heads, clock };
    let mut plan = match only {
        None => plan(&inputs),
        Some(only) => plan_for(&inputs, only),
    };
    plan.findings.extend(troubles.into_iter().map(unreadable));
    plan.findings.sort_by(|a, b| a.key().cmp(&b.key()));
    let bad = batches.iter().flat_map(|batch| batch.bad.iter().map(|why| (&batch.name, why)));
    let bad = bad.map(|(name, why)| (name.clone(), why.clone())).collect();
    let mut acknowledgements = acknowledgements(batches, &plan.rejected);
    confirm(&mut acknowledgements, &plan, recorded);
    let approved = guard(plan, desired, recorded, settings.limits, accept_removals);
    Decision { approved, acknowledgements, bad, unknown_fields, more }
}

/// What the provider could not look at.
fn unreadable(trouble: Trouble) -> Finding {
    let Trouble { path, message, help } = trouble;
    Finding {
        code: Code::Unreadable,
        severity: Severity::Error,
        message,
        help,
        span: Span::whole(&path.into()),
        related: None,
    }
}

/// Executes a decision, and lets go of its reports once the snapshot that holds what they said
/// is durable. Without reports the snapshot is the caller's business: the log has it all.
///
/// # Errors
/// If the ledger cannot be written or the provider cannot be told; the next pass carries on.
pub async fn carry_out(
    decision: Decision,
    ledger: &mut Ledger,
    provider: &Arc<dyn Provider>,
    control: &Control<'_>,
) -> Result<Outcome, Error> {
    let Decision { approved, acknowledgements, bad: _, unknown_fields: _, more: _ } = decision;
    let outcome = execute::execute(approved, ledger, provider, control).await?;
    if acknowledgements.is_empty() || outcome.left > 0 {
        ledger.end_pass()?;
    } else {
        ledger.snapshot()?;
        ledger.prove()?;
        provider.acknowledge(acknowledgements).await.map_err(Error::Provider)?;
    }
    Ok(outcome)
}

fn heard(batches: &[Batch]) -> Vec<Heard> {
    let mut heard = Vec::new();
    for batch in batches {
        let origin: Arc<str> = format!("inbox/{}", batch.name).into();
        for report in batch.reports.iter().flatten() {
            heard.push(Heard { origin: origin.clone(), report: report.clone() });
        }
    }
    heard
}

/// The plan's verdict over each report, batch by batch; indices run over all usable reports.
fn acknowledgements(batches: Vec<Batch>, rejected: &[(usize, String)]) -> Vec<Acknowledgement> {
    let mut rejected = rejected.iter().peekable();
    let mut index = 0;
    let mut done = Vec::new();
    for Batch { name, reports, bad: _ } in batches {
        let reports = match reports {
            Ok(reports) => reports,
            Err(why) => {
                let rejected = Rejected::Batch(why);
                let (taken, confirmed) = (Vec::new(), Vec::new());
                done.push(Acknowledgement { name, taken, confirmed, rejected });
                continue;
            }
        };
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (within, report) in reports.into_iter().enumerate() {
            match rejected.next_if(|(at, _)| *at == index) {
                Some((_, why)) => refused.push(Refused {
                    index: within,
                    serial: report.serial_number,
                    why: why.clone(),
                }),
                None => taken.push(report),
            }
            index += 1;
        }
        let rejected = if refused.is_empty() { Rejected::None } else { Rejected::Reports(refused) };
        done.push(Acknowledgement { name, taken, confirmed: Vec::new(), rejected });
    }
    done
}

/// Notes which wipes the reports confirm, in this pass or, if one before it was cut short after
/// the log had it, then. A command that stayed would erase the hardware again once it enrols anew:
/// all those of a device that is erased for good go.
fn confirm(acknowledgements: &mut [Acknowledgement], plan: &Plan, recorded: &State) {
    let now = plan.actions.iter().filter_map(|action| match &action.op {
        Op::ConfirmWipe { .. } => action.device,
        _ => None,
    });
    let before = recorded.wipes.values().filter(|wipe| wipe.state == WipeState::Confirmed);
    let erased: BTreeSet<_> = now.chain(before.map(|wipe| wipe.subject.device_id)).collect();
    let mut intents: BTreeMap<&SerialNumber, Vec<u64>> = BTreeMap::new();
    for wipe in recorded.wipes.values().filter(|w| erased.contains(&w.subject.device_id)) {
        if let Some(intent) = wipe.intent {
            intents.entry(&wipe.subject.serial_number).or_default().push(intent);
        }
    }
    for done in acknowledgements {
        for report in done.taken.iter().filter(|report| report.wiped) {
            let its = intents.get(&report.serial_number).into_iter().flatten();
            done.confirmed.extend(its.map(|intent| (report.serial_number.clone(), *intent)));
        }
    }
}
