//! `fleetform access`

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::server::{self, ServerArgs};
use super::setup::Setup;
use crate::domain::access::{Directory, Judge, Knowledge, Named, Question, Rules};
use crate::domain::lookup::{self, Error};
use crate::ui::render::access::Explained;
use crate::ui::render::out::Out;

/// May this user come in with this device? Explains each requirement of the resource, with the
/// reason that the daemon answers to those who ask over HTTP.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform access ana.ruiz@example.com SAP
  fleetform access ana.ruiz@example.com SAP --device D007
  fleetform access ana.ruiz@example.com SAP -o json | jq .reason

Resources and what they require are in `access` of the configuration. Without
--device the resource's `users` setting says whether all enrolled devices of the
user must qualify, or one is enough. Exits with 0 if access is allowed, and with
3 if it is denied. Formats: text, json.")]
pub(crate) struct Args {
    /// E-mail address of the user
    #[arg(value_name = "USER")]
    pub(crate) user: String,
    /// A resource of the configuration, for example SAP
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// The device that asks: id, serial number or name
    #[arg(long, value_name = "ID|SERIAL|NAME")]
    pub(crate) device: Option<String>,
    /// Where the recorded state and the rules are.
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Answers from the ledger as it is now.
///
/// # Errors
/// If access is not configured, there is no ledger or it cannot be read, the word fits several
/// devices, or writing fails.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let Args { user, resource, device, server: _ } = args;
    let rules = &rules(setup)?;
    setup.needs_ledger("and so no device is known")?;
    let recorded = setup.recorded()?;
    let device = device.as_ref().map(|word| match lookup::device(&recorded, word) {
        Ok((id, ..)) => Ok(id.to_string()),
        Err(Error::Nobody(_)) => Ok(word.clone()),
        Err(Error::Ambiguous(several)) => {
            Err(Failure::new(several.to_string()).help(several.help()))
        }
    });
    let device = device.transpose()?;
    let (directory, now) = (Directory::of(&recorded), setup.now());
    let judge = Judge {
        recorded: &recorded,
        directory: &directory,
        knowledge: Knowledge::AsOf(now),
        rules,
        settings: &setup.config.settings,
        now,
    };
    let named = Named { id: device.as_deref(), serial: None };
    let question = Question { device: named, ..Question::new(user, resource) };
    let explained = Explained::of(judge, question);
    match format {
        Format::Json => explained.json(out)?,
        _ => explained.text(out)?,
    }
    Ok(if explained.is_allowed() { Exit::Done } else { Exit::Refused })
}

/// What resources ask, as the server has it or the configuration here.
fn rules(setup: &Setup) -> Result<Rules, Failure> {
    let rules = match &setup.remote {
        Some(remote) => remote.access().map_err(server::explain)?,
        None => setup.config.access.as_ref().map(|access| access.rules.clone()).unwrap_or_default(),
    };
    if rules.resources.is_empty() {
        return Err(Failure::new("access is not configured: no resource asks for anything").help(
            "add access.resources to the configuration, as in \
             access: {resources: {SAP: {require: [enrolled, compliant, fresh]}}}",
        ));
    }
    Ok(rules)
}
