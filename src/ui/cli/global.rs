//! The options of all commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice};

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
    /// Fleet directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) fleet: Option<PathBuf>,
    /// Data directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Format of the results: text, json and others that the command names [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub(crate) output: Option<String>,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more on standard error; twice for all details
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
