//! `fleetform plan`

/// Shows what `apply` would do now: the same plan, made by the same code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform plan
  fleetform plan --detailed-exitcode      2: there are changes; 3: a guard refuses them
  fleetform plan -o json | jq .summary

Formats: text, json.")]
pub struct Args {
    /// Exit with 2 when there are changes, and with 3 when a guard refuses them
    #[arg(long)]
    pub detailed_exitcode: bool,
}
