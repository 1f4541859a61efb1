//! From a parsed command line to a verb, with what the verb needs loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Runtime;

pub(super) use super::process::runtime;
use super::process::start_threads;
use super::{Cli, Command, Environment, Exit, Failure, Format, Global};
use super::{apply, audit, check, completions, daemon, diff, explain, init, list, man, plan};
use super::{provision, report, schema, set, show, wipe};
use crate::app::signals::stop_flag;
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::domain::state::State;
use crate::domain::wipe::trust::Trust;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::config::{self, Config, Ignored, Loaded};
use crate::edges::ledger::{self, Expected};
use crate::edges::provider::Provider;
use crate::edges::source;
use crate::edges::source::revision;
use crate::ui::render::out::Out;

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
        Ok(Self::with(configuration(global)?, global, environment))
    }

    /// For a command that needs nothing but the fleet directory: it goes on where the
    /// configuration sets what it must not, and says what does not count.
    fn for_fleet(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        let Loaded { config, ignored } = load(global)?;
        if let Some(Ignored { path, checkout, keys }) = ignored {
            tracing::warn!(
                file = %path.display(),
                checkout = %checkout.display(),
                ignored = %keys.join(", "),
                "these settings do not count: a merged change can write this file. {}",
                Ignored::HELP
            );
        }
        Ok(Self::with(config, global, environment))
    }

    fn with(config: Config, global: &Global, environment: &Environment) -> Self {
        Self {
            config,
            actor: environment.actor().into(),
            home: environment.home.clone(),
            can_ask: environment.stdin && environment.stderr,
            progress: environment.progress(global.quiet),
        }
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
        Ok(ledger::read(self.data()?)?)
    }

    /// As [`Setup::recorded`], but nothing is taken from the snapshot that the log does not prove:
    /// for what somebody is about to sign.
    pub fn proven(&self) -> Result<State, Failure> {
        Ok(ledger::read_proven(self.data()?)?)
    }

    /// The data directory; one that somebody named must hold a ledger.
    pub fn data(&self) -> Result<&Path, Failure> {
        let Config { data, data_is_named, .. } = &self.config;
        if *data_is_named && !ledger::exists(data)? {
            return Err(ledger::Error::Absent { dir: data.clone() }.into());
        }
        Ok(data)
    }

    /// What a writer expects in the data directory, given `--new-ledger`.
    pub fn expected(&self, new: bool) -> Expected {
        match (new, self.config.data_is_named) {
            (true, _) => Expected::New,
            (false, true) => Expected::Existing,
            (false, false) => Expected::Any,
        }
    }

    /// Whom wipes are taken from, or in a sentence without a full stop why from nobody.
    pub fn trust(&self) -> Result<Trust, String> {
        wiring::trust(&self.config)
    }

    /// What there is of trust files, as it is told.
    pub fn trust_state<'a>(&self, trust: &'a Result<Trust, String>) -> TrustState<'a> {
        let configured = self.config.trust.is_configured();
        TrustState::new(configured, trust.as_ref().map_err(String::as_str))
    }

    /// The MDM.
    pub fn provider(&self) -> Arc<dyn Provider> {
        wiring::provider(&self.config)
    }
}

/// The configuration with the flags over it.
///
/// # Errors
/// If the file cannot be used, or sets what it must not because a merged change can write it.
pub(super) fn configuration(global: &Global) -> Result<Config, config::Error> {
    let Loaded { config, ignored } = load(global)?;
    ignored.map_or(Ok(config), |ignored| Err(config::Error::GivesRights(ignored)))
}

/// As [`configuration`], for what needs no rights: settings that must not be where they are do not
/// count.
///
/// # Errors
/// If the file cannot be used.
pub(super) fn load(global: &Global) -> Result<Loaded, config::Error> {
    let Global { config, fleet, data, .. } = global;
    let mut loaded = Config::load(config.as_deref(), fleet.as_deref())?;
    let over = |setting: &mut PathBuf, flag: &Option<PathBuf>| {
        if let Some(path) = flag {
            setting.clone_from(path);
        }
    };
    over(&mut loaded.config.fleet, fleet);
    over(&mut loaded.config.data, data);
    loaded.config.data_is_named |= data.is_some();
    Ok(loaded)
}

/// Set by the first SIGINT or SIGTERM; the second ends the process at once.
pub(super) fn stop_on_signal(runtime: &Runtime) -> Result<Arc<AtomicBool>, Failure> {
    let _entered = runtime.enter();
    let first = || tracing::warn!("stopping after the batch under way; once more stops at once");
    Ok(stop_flag(first)?)
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
    let for_fleet = || {
        start_threads()?;
        Setup::for_fleet(&cli.global, environment)
    };
    match &cli.command {
        Command::Init(args) => {
            start_threads()?;
            init::run(args, &cli.global, format, out)
        }
        Command::Check(args) => {
            let setup = for_fleet()?;
            let root = args.directory.as_ref().unwrap_or(&setup.config.fleet);
            let desired = source::load(root);
            check::say_what_is_left(&desired, &setup);
            let trust = check::trust_files(&setup);
            Ok(check::run(&desired, root, format, out)?.combine(trust))
        }
        Command::Explain(args) => explain::run(args, format, out),
        Command::Diff(args) => diff::run(args, &for_fleet()?, format, out),
        Command::Plan(args) => plan::run(args, &cli.global, environment, &setup()?, format, out),
        Command::Apply(args) => apply::run(args, &setup()?, format, out),
        Command::Daemon(args) => daemon::run(args, &cli.global, setup()?),
        Command::List(args) => {
            let setup = setup()?;
            let state = setup.recorded()?;
            list::run(args, &state, &setup.config.settings, setup.now(), format, out)
        }
        Command::Show(args) => show::run(args, &setup()?, format, out),
        Command::Provision(args) => provision::run(args, &for_fleet()?, format, out),
        Command::Set(args) => set::run(args, &setup()?, format, out),
        Command::Schema(args) => schema::run(args, out),
        Command::Completions(args) => completions::run(args, out),
        Command::Man(args) => man::run(args, out),
        Command::Report(args) => report::run(args, &setup()?, format, out),
        Command::Wipe(command) => wipe::run(command, &setup()?, format, out),
        Command::Audit(audit::Command::Verify(_)) => {
            let setup = setup()?;
            let data = setup.data()?;
            audit::verify(&ledger::verify::verify(data)?, data, format, out)
        }
        Command::Audit(audit::Command::Log(args)) => audit::log(args, &setup()?, format, out),
        Command::Audit(audit::Command::Replay(_)) => audit::replay(&setup()?, format, out),
    }
}
