//! From a parsed command line to a verb, with what the verb needs loaded.

use super::{Cli, Environment, Exit, Failure, Format};
use crate::render::out::Out;

/// Runs the command.
pub(super) fn run(
    cli: &Cli,
    _format: Format,
    _environment: &Environment,
    _out: &mut Out,
) -> Result<Exit, Failure> {
    Err(Failure::new(format!("{} is not wired up", cli.command.name())))
}
