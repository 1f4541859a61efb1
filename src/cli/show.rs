//! `fleetform show`

use super::{Exit, Failure, Format};
use crate::render::out::Out;
use crate::render::show::Shown;

/// Shows one device: profile, versions, last sync, compliance check by check, history.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform show D007
  fleetform show PF3XK9Q2
  fleetform show ana-ruiz-laptop -o json | jq .checks

Formats: text, json.")]
pub struct Args {
    /// Id, else serial number (its newest device), else name
    #[arg(value_name = "ID|SERIAL|NAME")]
    pub device: String,
}

/// Shows the device; [`super::select::device`] finds it.
///
/// # Errors
/// If writing fails.
pub fn run(shown: &Shown, format: Format, out: &mut Out) -> Result<Exit, Failure> {
    match format {
        Format::Json => shown.json(out)?,
        Format::Text | Format::Csv | Format::Yaml => shown.text(out)?,
    }
    Ok(Exit::Done)
}
