//! `fleetform completions`

use std::io::Write as _;

use clap::Command;
use clap_complete::Shell;

use super::exit::Exit;
use super::failure::Failure;
use crate::ui::render::out::Out;

/// Print a script that completes commands and flags, devices and profiles in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform completions bash > /etc/bash_completion.d/fleetform
  fleetform completions zsh > ~/.zfunc/_fleetform
  fleetform completions fish > ~/.config/fish/completions/fleetform.fish

In bash (from 4.4), zsh and fish, ids, serial numbers and names of devices,
profiles and statuses are completed too: from the ledger's snapshot and from the
fleet directory, as --config, --fleet and --data say; if there are more than
1,000 of them, type a prefix first. For elvish and powershell: commands and
flags. Formats: text.")]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Prints the script for the arguments of `program`.
pub(crate) fn run(args: &Args, mut program: Command, out: &mut Out) -> Result<Exit, Failure> {
    match args.shell {
        Shell::Bash => out.write_all(include_bytes!("completions/fleetform.bash"))?,
        Shell::Zsh => out.write_all(include_bytes!("completions/_fleetform"))?,
        Shell::Fish => out.write_all(include_bytes!("completions/fleetform.fish"))?,
        other => {
            // In memory first: the generator panics where it cannot write, and a closed pipe is
            // no error.
            let mut script = Vec::new();
            clap_complete::generate(other, &mut program, "fleetform", &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(Exit::Done)
}
