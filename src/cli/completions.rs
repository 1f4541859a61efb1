//! `fleetform completions`

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit, Failure};
use crate::render::out::Out;

/// Print a script that completes commands, flags and their words in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform completions bash > /etc/bash_completion.d/fleetform
  fleetform completions zsh > ~/.zfunc/_fleetform
  fleetform completions fish > ~/.config/fish/completions/fleetform.fish

Formats: text.")]
pub struct Args {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// If writing fails.
pub fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    // In memory first: the generator panics where it cannot write, and a closed pipe is no error.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fleetform", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}
