//! `fleetform schema`

use super::exit::Exit;
use super::failure::Failure;
use super::value::word;
use crate::domain::manifest::schema::{self, Kind};
use crate::ui::render::json;
use crate::ui::render::out::Out;

/// Print the JSON Schema (2020-12) of the manifests, for editors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform schema > fleet/.schema/fleetform.json    Where editors expect it
  fleetform schema Device

A schema covers one document; for rules across documents use `check`. Formats:
text and json, which are the same.")]
pub(crate) struct Args {
    /// Of one kind only
    #[arg(value_name = "KIND", value_parser = word!(Kind), ignore_case = true)]
    pub(crate) kind: Option<Kind>,
}

/// Prints the schema.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    json::pretty(out, &schema::of(args.kind))?;
    Ok(Exit::Done)
}
