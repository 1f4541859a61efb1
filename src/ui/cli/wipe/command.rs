//! The commands below `wipe`.

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::format::Format;
use super::super::later::Later;
use super::super::server::ServerArgs;
use super::super::setup::Setup;
use super::{list, new, sign, verify};
use crate::ui::render::out::Out;

/// Writes, signs and checks wipe requests. Nothing is wiped here: the daemon does that, once a
/// signed request is in the fleet directory and every rule holds.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  fleetform wipe new D007 --reason stolen
  fleetform wipe sign fleet/wipes/d007-stolen.yaml
  fleetform wipe verify fleet/wipes/d007-stolen.yaml
  fleetform wipe list")]
pub(crate) enum Command {
    /// Write a wipe request for one device, filled in from the ledger.
    New(Later<new::Args>),
    /// Sign a wipe request, or a veto against it, with ssh-keygen.
    Sign(Later<sign::Args>),
    /// Say rule by rule whether a wipe request would be accepted now.
    Verify(Later<verify::Args>),
    /// List wipe requests: who signed, what is missing, how many wipes are left.
    List(Later<list::Args>),
}

impl Command {
    /// Where it reads what is recorded.
    pub(in crate::ui::cli) fn server(&self) -> &ServerArgs {
        match self {
            Self::New(args) => &args.server,
            Self::Sign(args) => &args.server,
            Self::Verify(args) => &args.server,
            Self::List(args) => &args.server,
        }
    }
}

/// Runs one of them.
///
/// # Errors
/// Those of each.
pub(in crate::ui::cli) fn run(
    command: &Command,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(args, setup, format, out),
        Command::Sign(args) => sign::run(args, setup, format, out),
        Command::Verify(args) => verify::run(args, setup, format, out),
        Command::List(args) => list::run(args, setup, format, out),
    }
}
