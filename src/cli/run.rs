//! From a parsed command line to a verb, with what the verb needs loaded.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Runtime;

pub(super) use super::process::runtime;
use super::process::start_threads;
use super::{Cli, Command, Environment, Exit, Failure, Format, Global};
use super::{apply, audit, check, completions, daemon, diff, explain, init, list, man, plan};
use super::{provision, report, schema, set, show, wipe};
use crate::config::{self, Config};
use crate::fleet::Desired;
use crate::ledger;
use crate::model::Timestamp;
use crate::provider::Provider;
use crate::render::out::Out;
use crate::state::State;
use crate::wipe::trust::Trust;
use crate::wipe::trust_state::TrustState;
use crate::{clock, reconcile, revision, source};

/// What every verb stands on: the configuration, with the flags over it.
pub(super) struct Setup {
    /// With the flags over it.
    pub config: Config,
    /// Who runs the command, for the log.
    pub actor: Arc<str>,
    /// Where the user's keys are.
    pub home: Option<PathBuf>,
    /// Whether a question can be asked.
    pub can_ask: bool,
    /// Whether a progress bar may be drawn.
    pub progress: bool,
}

impl Setup {
    fn new(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        Ok(Self {
            config: configuration(global)?,
            actor: environment.actor().into(),
            home: environment.home.clone(),
            can_ask: environment.stdin && environment.stderr,
            progress: environment.progress(global.quiet),
        })
    }

    /// The moment; asked once for each decision.
    pub fn now(&self) -> Timestamp {
        clock::now()
    }

    /// The fleet directory.
    pub fn desired(&self) -> Desired {
        source::load(&self.config.fleet)
    }

    /// The fleet directory, as it is shown.
    pub fn root(&self) -> String {
        self.config.fleet.display().to_string()
    }

    /// The Git commit of the fleet directory.
    pub fn revision(&self) -> Option<Arc<str>> {
        revision::of(&self.config.fleet)
    }

    /// What the ledger says, without a lock.
    pub fn recorded(&self) -> Result<State, Failure> {
        Ok(ledger::read(&self.config.data)?)
    }

    /// Whom wipes are taken from, or in a sentence without a full stop why from nobody.
    pub fn trust(&self) -> Result<Trust, String> {
        reconcile::trust(&self.config)
    }

    /// What there is of trust files, as it is told.
    pub fn trust_state<'a>(&self, trust: &'a Result<Trust, String>) -> TrustState<'a> {
        let configured = self.config.trust.is_configured();
        TrustState::new(configured, trust.as_ref().map_err(String::as_str))
    }

    /// The MDM.
    pub fn provider(&self) -> Arc<dyn Provider> {
        reconcile::provider(&self.config)
    }
}

/// The configuration with the flags over it.
///
/// # Errors
/// If the file cannot be used.
pub(super) fn configuration(global: &Global) -> Result<Config, config::Error> {
    let Global { config, fleet, data, .. } = global;
    let mut config = Config::load(config.as_deref())?;
    let over = |setting: &mut PathBuf, flag: &Option<PathBuf>| {
        if let Some(path) = flag {
            setting.clone_from(path);
        }
    };
    over(&mut config.fleet, fleet);
    over(&mut config.data, data);
    Ok(config)
}

/// Set by the first SIGINT or SIGTERM; the second ends the process at once.
pub(super) fn stop_on_signal(runtime: &Runtime) -> Result<Arc<AtomicBool>, Failure> {
    use std::sync::atomic::Ordering;
    use tokio::signal::unix::{SignalKind, signal};

    let stop = Arc::new(AtomicBool::new(false));
    let _entered = runtime.enter();
    for (kind, code) in [(SignalKind::interrupt(), 130), (SignalKind::terminate(), 143)] {
        let mut signals = signal(kind)?;
        let stop = stop.clone();
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(code);
                }
                tracing::warn!("stopping after the batch under way; once more stops at once");
            }
        });
    }
    Ok(stop)
}

/// Runs the command.
pub(super) fn run(
    cli: &Cli,
    format: Format,
    environment: &Environment,
    out: &mut Out,
) -> Result<Exit, Failure> {
    // What needs no setting is not kept from helping by a broken configuration.
    let setup = || {
        start_threads()?;
        Setup::new(&cli.global, environment)
    };
    match &cli.command {
        Command::Init(args) => {
            start_threads()?;
            init::run(args, &cli.global, format, out)
        }
        Command::Check(args) => {
            let setup = setup()?;
            let root = args.directory.as_ref().unwrap_or(&setup.config.fleet);
            let desired = source::load(root);
            check::say_what_is_left(&desired, &setup);
            let trust = check::trust_files(&setup);
            Ok(check::run(&desired, root, format, out)?.combine(trust))
        }
        Command::Explain(args) => explain::run(args, format, out),
        Command::Diff(args) => diff::run(args, &setup()?, format, out),
        Command::Plan(args) => plan::run(args, &cli.global, environment, &setup()?, format, out),
        Command::Apply(args) => apply::run(args, &setup()?, format, out),
        Command::Daemon(args) => daemon::run(args, &cli.global, setup()?),
        Command::List(args) => {
            let setup = setup()?;
            let state = setup.recorded()?;
            list::run(args, &state, &setup.config.settings, setup.now(), format, out)
        }
        Command::Show(args) => show::run(args, &setup()?, format, out),
        Command::Provision(args) => provision::run(args, &setup()?, format, out),
        Command::Set(args) => set::run(args, &setup()?, format, out),
        Command::Schema(args) => schema::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
        Command::Report(args) => report::run(args, &setup()?, format, out),
        Command::Wipe(command) => wipe::run(command, &setup()?, format, out),
        Command::Audit(audit::Command::Verify(_)) => {
            let data = setup()?.config.data;
            audit::verify(&ledger::verify::verify(&data)?, &data, format, out)
        }
        Command::Audit(audit::Command::Log(args)) => audit::log(args, &setup()?, format, out),
        Command::Audit(audit::Command::Replay(_)) => audit::replay(&setup()?, format, out),
    }
}
