//! `fleetform apply`

use crate::model::Digest;

/// Makes the fleet as its manifests say, in one pass.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform apply                         Show the plan, ask, do it
  fleetform apply --yes                   Do it without asking, as a script must
  fleetform apply --yes --plan \"$(fleetform plan -o json | jq -r .digest)\"
  fleetform apply --accept-removals 12    Thaw a frozen controller

Formats: text, json.")]
pub struct Args {
    /// Do not ask; needed where standard input is no terminal
    #[arg(long, short)]
    pub yes: bool,
    /// Apply only the very plan that has this digest; exit with 3 if it has changed
    #[arg(long, value_name = "DIGEST")]
    pub plan: Option<Digest>,
    /// Accept that exactly so many devices are gone from the fleet directory
    #[arg(long, value_name = "N")]
    pub accept_removals: Option<u64>,
}
