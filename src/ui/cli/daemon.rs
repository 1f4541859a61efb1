//! `fleetform daemon`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::exit::Exit;
use super::failure::Failure;
use super::global::Global;
use super::process::runtime;
use super::setup::{Setup, configuration};
use super::value::{duration, positive, word};
use crate::app::daemon::{Daemon, Options};
use crate::app::signals::Signals;
use crate::app::status::View;
use crate::app::wiring;
use crate::domain::model::words;
use crate::edges::config::Config;
use crate::edges::fs::memory;
use crate::edges::watch::Pace;
use crate::ui::http::{Server, Token};

/// A pass starts after this long even if changes never cease.
const MOST: Duration = Duration::from_secs(2);

words! {
    /// `--watch`
    pub(crate) enum Watching {
        /// Where the system can.
        Auto = "auto",
        /// Never: look every few seconds.
        Poll = "poll",
    }
}

/// Keeps the fleet as its manifests say, until stopped.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform daemon
  fleetform daemon --resync 5m --log-format json
  fleetform daemon --watch poll               On network file systems
  fleetform daemon --listen 127.0.0.1:8080    With /metrics and /api/v1

Signals: HUP reloads the configuration, completely or not at all. TERM and INT
finish the current batch and exit with 0; a second signal stops immediately,
which is safe.")]
pub(crate) struct Args {
    /// Reconcile everything at least this often
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = positive)]
    pub(crate) resync: Duration,
    /// Wait until nothing has changed for this long, at most 2 s
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    pub(crate) debounce: Duration,
    /// How to notice changes: by events of the system, or by polling
    #[arg(long, value_name = "HOW", default_value = "auto")]
    #[arg(value_parser = word!(Watching), ignore_case = true)]
    pub(crate) watch: Watching,
    /// Poll for changes this often where events do not work
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = positive)]
    pub(crate) poll: Duration,
    /// Serve HTTP here, read-only; overrides http.listen of the configuration
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// File with the bearer token that clients must send; required beyond loopback
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Create a ledger in the data directory that was named and has none; for the first run only,
    /// never in a unit file
    #[arg(long)]
    pub(crate) new_ledger: bool,
    /// Read every manifest at each resync, including those that did not change
    #[arg(long)]
    pub(crate) no_index: bool,
}

impl Args {
    /// The flags over the configuration's settings.
    fn over(&self, mut config: Config) -> Config {
        config.http_listen = self.listen.or(config.http_listen);
        config.index = !self.no_index;
        if let Some(file) = &self.token_file {
            config.http_token_file = Some(file.clone());
        }
        config
    }
}

/// What a running daemon cannot take on.
fn check_change(from: &Config, to: &Config) -> Result<(), String> {
    let same = from.data == to.data
        && from.provider == to.provider
        && from.http_listen == to.http_listen
        && from.http_token_file == to.http_token_file
        && from.http_names == to.http_names
        && doors(from) == doors(to);
    let why = "data, provider, http, access.publicUrl and access.tokenFile can only be changed by \
               starting again";
    if same { Ok(()) } else { Err(why.into()) }
}

/// The name under which clients reach the daemon.
fn host_of(public_url: &str) -> Option<String> {
    let (_, authority) = public_url.split_once("://")?;
    let port = authority.rfind(':').filter(|at| *at > authority.rfind(']').unwrap_or(0));
    Some(authority[..port.unwrap_or(authority.len())].to_owned())
}

/// What of `access` is taken once, when the daemon begins to listen.
fn doors(config: &Config) -> (Option<&str>, Option<&PathBuf>) {
    let access = config.access.as_ref();
    let public_url = access.and_then(|access| access.public_url.as_deref());
    (public_url, access.and_then(|access| access.token_file.as_ref()))
}

/// Runs until a signal stops it.
///
/// # Errors
/// If the ledger cannot be opened, say because another process writes it.
pub(super) fn run(args: &Args, global: &Global, setup: Setup) -> Result<Exit, Failure> {
    // With huge pages a small fleet takes three times as much at rest.
    memory::stay_small();
    let (again, flags) = (global.clone(), args.clone());
    let expected = setup.expected_unattended(args.new_ledger)?;
    let config = args.over(setup.config);
    runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let file = config.http_listen.and(config.http_token_file.clone());
        let token = Token::read(file, config.fleet.clone())?;
        let (public_url, access_file) = doors(&config);
        let access_file = access_file.filter(|_| config.http_listen.is_some()).cloned();
        let access_token =
            access_file.map(|file| Token::read(Some(file), config.fleet.clone())).transpose()?;
        let tokens: Vec<_> =
            [Some(token.clone()), access_token.clone()].into_iter().flatten().collect();
        let names: Vec<_> =
            config.http_names.iter().cloned().chain(public_url.and_then(host_of)).collect();
        let server = match config.http_listen {
            Some(address) => {
                let server = Server::bind(address, token, &names).await?;
                Some(server.with_access_token(access_token))
            }
            None => None,
        };
        let beyond_loopback = config.http_listen.is_some_and(|at| !at.ip().is_loopback());
        let nobody_can_ask = beyond_loopback && names.is_empty();
        if config.access.is_some() && config.http_listen.is_none() {
            tracing::warn!("access is configured, but HTTP is off: set http.listen");
        }
        let views =
            server.as_ref().map(|_| watch::Sender::new(Arc::new(View::first(config.clone()))));
        let seen = views.as_ref().map(watch::Sender::subscribe);
        let options = Options {
            actor: setup.actor,
            resync: args.resync,
            pace: Pace {
                quiet: args.debounce,
                most: MOST,
                poll: args.poll,
                always_poll: args.watch == Watching::Poll,
            },
            reload: Box::new(move |holds| {
                let config = configuration(&again).map_err(|error| error.to_string())?;
                let config = flags.over(config);
                check_change(holds, &config)?;
                // Last: new tokens are in use as soon as they are read, so nothing may fail after it.
                Token::read_again(&tokens).map_err(|error| error.to_string())?;
                Ok(config)
            }),
            views,
        };
        let provider = wiring::provider(&config)?;
        let daemon = Daemon::start(config, provider, expected, options, signals)?;
        if let Some((server, seen)) = server.zip(seen) {
            let address = server.address()?;
            tracing::info!(%address, "answers HTTP");
            if nobody_can_ask {
                tracing::warn!(
                    "http.names is empty: only requests for localhost are answered; list there the \
                     host names that clients ask for"
                );
            }
            tokio::spawn(server.run(seen));
        }
        daemon.run().await?;
        Ok(Exit::Done)
    })
}
