//! The options of all commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice};

use super::environment::Environment;
use super::value;
use crate::domain::model::words;

words! {
    /// `--log-format`: for people, or one JSON object a line.
    pub(crate) enum LogFormat { Text = "text", Json = "json" }
}

/// What every command takes, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file [default: fleetform.yaml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Fleet directory; overrides `fleet` of the configuration
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) fleet: Option<PathBuf>,
    /// Data directory; overrides `data` of the configuration
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Output format: text, json and others that the command lists [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More messages on standard error; -vv for all details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
    /// Format of the log on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = value::word!(LogFormat), ignore_case = true)]
    pub(crate) log_format: LogFormat,
}

impl Global {
    /// What no flag says, as the environment says it: `FLEETFORM_CONFIG`, `FLEETFORM_FLEET` and
    /// `FLEETFORM_DATA`. What they name counts as named, as by a flag.
    pub(crate) fn or(self, environment: &Environment) -> Self {
        let Environment { config, fleet, data, .. } = environment;
        Self {
            config: self.config.or_else(|| config.clone()),
            fleet: self.fleet.or_else(|| fleet.clone()),
            data: self.data.or_else(|| data.clone()),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::args::parse;

    #[test]
    fn a_flag_goes_before_the_environment() {
        let environment = Environment {
            config: Some("/env/config".into()),
            data: Some("/env/data".into()),
            ..Environment::default()
        };
        let (cli, _) = parse(["fleetform", "list", "--data", "flag"]).unwrap();
        let Global { config, fleet, data, .. } = cli.global.or(&environment);
        assert_eq!(config, Some("/env/config".into()));
        assert_eq!((fleet, data), (None, Some("flag".into())));
    }
}
