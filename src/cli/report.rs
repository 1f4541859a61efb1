//! `fleetform report`

use std::path::PathBuf;

/// Hands device reports, one JSON object or JSON Lines, to the inbox of the local provider.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform report ana-ruiz-laptop.json
  echo '{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\"}' | fleetform report

Formats: text, json.")]
pub struct Args {
    /// Where to read them; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
}

impl Args {
    /// Whether to read standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }
}
