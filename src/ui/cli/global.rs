//! The options of all commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice};

use super::value;
use crate::domain::model::words;

words! {
    /// `--log-format`: for people, or one JSON object a line.
    LogFormat { Text = "text", Json = "json" }
}

/// What every command takes, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: fleetform.yaml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Fleet directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub fleet: Option<PathBuf>,
    /// Data directory, over the configuration's
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Format of the results: text, json and others that the command names [default: text]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<String>,
    /// Errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more on standard error; twice for all details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,
    /// Format of the log on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    #[arg(value_parser = value::word!(LogFormat), ignore_case = true)]
    pub log_format: LogFormat,
}
