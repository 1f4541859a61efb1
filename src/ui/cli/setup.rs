//! What a command stands on: the configuration with the flags over it, and what it leads to.

use std::path::PathBuf;
use std::sync::Arc;

use super::environment::Environment;
use super::failure::Failure;
use super::global::Global;
use super::server::{self, ServerArgs};
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::domain::model::Timestamp;
use crate::domain::state::State;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::clock;
use crate::edges::config::{self, Config, Ignored, Loaded};
use crate::edges::ledger::store::Wanted;
use crate::edges::ledger::{self, Expected, Reader};
use crate::edges::provider::Provider;
use crate::edges::source;
use crate::edges::source::revision;
use crate::ui::client::{self, Remote};
use crate::ui::render::filter::Filter;

/// What every verb stands on: the configuration, with the flags over it.
pub(super) struct Setup {
    /// With the flags over it.
    pub(crate) config: Config,
    /// Whether the fleet directory is the one of the configuration, and no other that was named.
    pub(crate) fleet_is_configured: bool,
    /// The daemon whose ledger is read instead of one that lies here.
    pub(crate) remote: Option<Arc<Remote>>,
    /// Who runs the command, for the log.
    pub(crate) actor: Arc<str>,
    /// Where the user's keys are.
    pub(crate) home: Option<PathBuf>,
    /// Whether a question can be asked.
    pub(crate) can_ask: bool,
    /// Whether a progress bar may be drawn.
    pub(crate) progress: bool,
}

impl Setup {
    pub(crate) fn new(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        Ok(Self::with(configuration(global)?, global, environment))
    }

    /// For a command that needs nothing but the fleet directory: it goes on where the
    /// configuration sets what it must not, and says what does not count.
    pub(crate) fn for_fleet(global: &Global, environment: &Environment) -> Result<Self, Failure> {
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
            fleet_is_configured: global.fleet.is_none(),
            remote: None,
            actor: environment.actor().into(),
            home: environment.home.clone(),
            can_ask: environment.stdin && environment.stderr,
            progress: environment.progress(global.quiet),
        }
    }

    /// With the ledger of a running daemon, where one is named, and the settings of this machine.
    ///
    /// # Errors
    /// If it cannot be asked there.
    pub(crate) fn asking(
        mut self,
        server: &ServerArgs,
        global: &Global,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        self.remote = server::remote(server, global, environment, &self.config)?;
        Ok(self)
    }

    /// With the ledger and the settings of a running daemon, where one is named.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub(crate) fn reading(
        self,
        server: &ServerArgs,
        global: &Global,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let mut setup = self.asking(server, global, environment)?;
        let Some(remote) = &setup.remote else { return Ok(setup) };
        match remote.settings() {
            Ok(settings) => setup.config.settings = settings,
            Err(error) if error.is_unknown() => tracing::warn!(
                server = remote.url(),
                "the daemon is older and does not tell its settings: those of this machine count"
            ),
            Err(error) => return Err(server::explain(error)),
        }
        Ok(setup)
    }

    /// Whether the index of the fleet directory is to be used.
    pub(crate) fn with_index(mut self, index: bool) -> Self {
        self.config.index = index;
        self
    }

    /// The moment; asked once for each decision.
    pub(crate) fn now(&self) -> Timestamp {
        clock::now()
    }

    /// The fleet directory.
    pub(crate) fn desired(&self) -> Desired {
        source::load(&self.config.fleet)
    }

    /// The fleet directory, as it is shown.
    pub(crate) fn root(&self) -> String {
        self.config.fleet.display().to_string()
    }

    /// The Git commit of the fleet directory.
    pub(crate) fn revision(&self) -> Option<Arc<str>> {
        revision::of(&self.config.fleet)
    }

    /// The ledger, to read in; the one that somebody named must be there, and the default one need
    /// not be, beside a fleet directory.
    pub(crate) fn ledger(&self) -> Result<Arc<dyn Reader>, Failure> {
        if let Some(remote) = &self.remote {
            return Ok(client::ledger(remote.clone()));
        }
        let ledger = wiring::ledger(&self.config);
        let Config { data, data_is_named, .. } = &self.config;
        if ledger.exists()? {
            return Ok(ledger);
        }
        if *data_is_named {
            return Err(ledger::Error::Absent { dir: data.clone() }.into());
        }
        self.needs_fleet()?;
        Ok(ledger)
    }

    /// That this is the place of a fleet; where nothing is, nothing is begun, and "no devices" would
    /// be an answer about another place.
    fn needs_fleet(&self) -> Result<(), Failure> {
        let nor = format!(" nor a ledger in {}", self.config.data.display());
        self.there_is_a_fleet(("neither", &nor))
    }

    /// That the default fleet directory is here, for a command that compares it with what a server
    /// has.
    ///
    /// # Errors
    /// If it is not. One that somebody named may be gone.
    pub(crate) fn needs_fleet_here(&self) -> Result<(), Failure> {
        let is_named = self.config.fleet != Config::default().fleet;
        if is_named { Ok(()) } else { self.there_is_a_fleet(("no", "")) }
    }

    fn there_is_a_fleet(&self, (no, nor): (&str, &str)) -> Result<(), Failure> {
        let fleet = &self.config.fleet;
        // Where nobody can tell, whoever reads the directory says why.
        if fleet.try_exists().unwrap_or(true) {
            return Ok(());
        }
        let here = Environment::working_directory();
        let what = format!("there is no fleet here: {here} has {no} {}{nor}", fleet.display());
        Err(Failure::new(what).help(
            "change to the directory of your fleet, name it with --fleet, or start one with \
             `fleetform init DIR`; commands that read can ask a running daemon: --server URL",
        ))
    }

    /// That there is a ledger to hand something to; `consequence` says what is in vain where none is.
    ///
    /// # Errors
    /// If there is none, or nobody can tell.
    pub(crate) fn needs_ledger(&self, consequence: &str) -> Result<(), Failure> {
        if self.ledger()?.exists()? {
            return Ok(());
        }
        let what = format!("there is no ledger in {}, {consequence}", self.config.data.display());
        Err(Failure::new(what).help(
            "run it on the Fleetform server, name the data directory with --data, or ask a running \
             daemon with --server URL, where the command has it; `fleetform apply` creates a \
             ledger",
        ))
    }

    /// That the data directory is here and not a server's, to hand something in with this flag.
    ///
    /// # Errors
    /// If a server was named, which takes nothing in.
    pub(crate) fn needs_data(&self, flag: &str) -> Result<(), Failure> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let what = format!("{flag} changes something, and {} is only asked", remote.url());
        Err(Failure::new(what).help("run it on the Fleetform server, without --server"))
    }

    /// What to say where there is no ledger, beside a fleet that was never applied or in a clone of
    /// one that is applied elsewhere.
    ///
    /// # Errors
    /// If nobody can tell.
    pub(crate) fn no_ledger_yet(&self) -> Result<Option<String>, Failure> {
        if self.ledger()?.exists()? {
            return Ok(None);
        }
        Ok(Some(format!(
            "There is no ledger in {} yet. If a daemon manages this fleet, ask it with --server \
             URL; otherwise `fleetform apply` creates a ledger here.",
            self.config.data.display()
        )))
    }

    /// What the ledger says, without a lock.
    pub(crate) fn recorded(&self) -> Result<State, Failure> {
        match &self.remote {
            Some(remote) => remote.recorded().map_err(server::explain),
            None => Ok(self.ledger()?.state()?),
        }
    }

    /// As [`Setup::recorded`], but perhaps without devices that a word does not mean. Where it means none,
    /// others are there to be suggested.
    pub(crate) fn recorded_for(&self, word: &str) -> Result<State, Failure> {
        if self.remote.is_some() {
            return self.recorded();
        }
        Ok(self.ledger()?.state_of(&Wanted::Word(word))?)
    }

    /// As [`Setup::recorded`], but perhaps without devices that a filter does not admit.
    pub(crate) fn recorded_by(&self, filter: &Filter) -> Result<State, Failure> {
        let keys = filter.keys();
        if self.remote.is_some() || keys.is_empty() {
            return self.recorded();
        }
        Ok(self.ledger()?.state_of(&Wanted::Having(keys))?)
    }

    /// As [`Setup::recorded`], but nothing is taken from the snapshot that the log does not prove:
    /// for what somebody is about to sign.
    pub(crate) fn proven(&self) -> Result<State, Failure> {
        match &self.remote {
            // The daemon proved its own when it began.
            Some(remote) => remote.recorded().map_err(server::explain),
            None => Ok(self.ledger()?.proven()?),
        }
    }

    /// What a writer expects in the data directory, given `--new-ledger`.
    ///
    /// # Errors
    /// If it would begin a ledger where there is no fleet.
    pub(crate) fn expected(&self, new: bool) -> Result<Expected, Failure> {
        match (new, self.config.data_is_named) {
            (true, _) => Ok(Expected::New),
            (false, true) => Ok(Expected::Existing),
            (false, false) => self.ledger().map(|_| Expected::Any),
        }
    }

    /// As [`Setup::expected`], for a daemon: a fleet directory that somebody named may come later, say
    /// with the first checkout, and until then all is frozen.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn expected_unattended(&self, new: bool) -> Result<Expected, Failure> {
        let Config { fleet, data_is_named, .. } = &self.config;
        let is_named = *fleet != Config::default().fleet;
        if is_named && !new && !data_is_named { Ok(Expected::Any) } else { self.expected(new) }
    }

    /// Whose signatures count for wipes, or why nobody's do.
    pub(crate) fn trust(&self) -> TrustState {
        wiring::trust(&self.config)
    }

    /// The MDM.
    pub(crate) fn provider(&self) -> Result<Arc<dyn Provider>, Failure> {
        wiring::provider(&self.config).map_err(Failure::from)
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
