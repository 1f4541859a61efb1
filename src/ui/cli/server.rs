//! `--server`: the ledger of a running daemon, for commands that only read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::environment::Environment;
use super::failure::Failure;
use super::global::Global;
use super::shell::shell;
use super::value::positive;
use crate::edges::config::Config;
use crate::edges::fs::secret::Secret;
use crate::ui::client::{self, Remote};

/// How long a daemon is waited for, unless it is said.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where to read what is recorded, if not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct ServerArgs {
    /// Read what a running daemon has recorded, instead of a data directory
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// File with the daemon's bearer token [default: FLEETFORM_TOKEN, then http.tokenFile]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Allow sending the token over http:// to another machine, where others can read it
    #[arg(long)]
    pub(crate) unencrypted: bool,
    /// Give up if the daemon has not answered completely in this time [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = positive)]
    pub(crate) timeout: Option<Duration>,
}

impl ServerArgs {
    /// As they are typed after a command, for one that is to ask the same daemon; with a space before them.
    pub(super) fn typed(&self) -> String {
        let Self { server, token_file, unencrypted, timeout: _ } = self;
        let server = server.as_ref().map(|url| format!(" --server {}", shell(url)));
        let token = token_file.as_ref();
        let token =
            token.map(|path| format!(" --token-file {}", shell(&path.display().to_string())));
        let unencrypted = unencrypted.then(|| " --unencrypted".to_owned());
        [server, token, unencrypted].into_iter().flatten().collect()
    }
}

/// The daemon to ask, where a flag or `FLEETFORM_SERVER` names one.
///
/// # Errors
/// If it cannot be asked there, or a data directory is named too.
pub(super) fn remote(
    args: &ServerArgs,
    global: &Global,
    environment: &Environment,
    config: &Config,
) -> Result<Option<Arc<Remote>>, Failure> {
    let ServerArgs { server, token_file, unencrypted, timeout } = args;
    // What a flag says goes before what the environment says of the same thing.
    let data_by_flag = global.data.is_some() && global.data != environment.data;
    let url = match (server, &environment.server) {
        (Some(_), _) if data_by_flag => {
            return Err(Failure::new("--server and --data exclude each other")
                .help("give one of them: --data for a copy, --server for a running daemon"));
        }
        (Some(url), _) => url,
        (None, Some(url)) if global.data.is_none() => url,
        (None, _) if token_file.is_some() || *unencrypted || timeout.is_some() => {
            return Err(Failure::new("this flag needs a server")
                .help("give --server URL, or set FLEETFORM_SERVER"));
        }
        (None, _) => return Ok(None),
    };
    let read = |path: &PathBuf| {
        let failed = |why| Failure::new(format!("the token file {}: {why}", path.display()));
        Secret::read(path, &config.fleet).map_err(failed)
    };
    let token = match (token_file, &environment.token, &config.http_token_file) {
        (Some(path), ..) | (None, None, Some(path)) => Some(read(path)?),
        (None, Some(Ok(token)), _) => Some(token.clone()),
        (None, Some(Err(why)), _) => return Err(Failure::new(format!("FLEETFORM_TOKEN {why}"))),
        (None, None, None) => None,
    };
    let proxy = environment.proxy.clone();
    let timeout = timeout.unwrap_or(TIMEOUT);
    let remote = Remote::new(url, token, *unencrypted, proxy, timeout).map_err(explain)?;
    Ok(Some(Arc::new(remote)))
}

/// With what to do about it.
pub(super) fn explain(error: client::Error) -> Failure {
    let help = error.help();
    Failure::from(error).help(help)
}
