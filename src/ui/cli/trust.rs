//! `fleetform trust check`

use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::later::Later;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::app::wiring;
use crate::domain::wipe::trust::Trust;
use crate::edges::trust_files;
use crate::ui::render::out::Out;
use crate::ui::render::trust_check::TrustCheck;
use crate::ui::wire::documents;

/// Explains the trust file: who may sign wipes, with which keys, and whether they are enough.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform trust check
  fleetform trust check ./allowed_signers.new")]
pub(crate) enum Command {
    /// Explain the trust file person by person, and what is wrong with it.
    Check(Later<Args>),
}

/// Explains the trust file person by person: what each may do, with which keys, until when, and
/// whether they are enough for `wipes.quorum`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform trust check
  fleetform trust check ./allowed_signers.new    Before it is installed
  fleetform trust check -o json | jq '.people[].email'

Exits with 1 where no trust file is configured or it cannot be relied on: every
wipe is then refused. Formats: text, json.")]
pub(crate) struct Args {
    /// Check this allowed_signers file instead of trust.allowedSigners
    #[arg(value_name = "FILE", conflicts_with = "server")]
    pub(crate) file: Option<PathBuf>,
    /// Where the trust file is.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Explains it.
///
/// # Errors
/// If there is none, it cannot be relied on, or writing fails.
pub(super) fn check(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let check = checked(args, setup)?;
    match format {
        Format::Json => check.json(out)?,
        _ => check.text(out)?,
    }
    Ok(Exit::Done)
}

/// The trust file of the server, or the one that is here or named.
fn checked(args: &Args, setup: &Setup) -> Result<TrustCheck, Failure> {
    if let Some(remote) = setup.remote.as_ref().filter(|_| args.file.is_none()) {
        return remote.json(documents::TRUST).map_err(server::explain);
    }
    let trust = read(args, setup).map_err(|error| {
        let help = match &error {
            trust_files::Error::NotConfigured => {
                "name a file outside of the checkout as trust.allowedSigners; docs/trust.md shows one"
            }
            _ => "fix what it names: until then every wipe is refused",
        };
        Failure::from(error).help(help)
    })?;
    Ok(TrustCheck::of(&trust, &setup.config.settings.wipes.quorum, setup.now()))
}

fn read(args: &Args, setup: &Setup) -> Result<Trust, trust_files::Error> {
    let Some(file) = &args.file else { return wiring::read_trust(&setup.config) };
    trust_files::read(file, None, &setup.config.fleet)
}
