//! `fleetform check`

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::app::wiring;
use crate::domain::fleet::Desired;
use crate::edges::notify::mail::{UnusableTemplates, templates};
use crate::ui::render::out::Out;
use crate::ui::render::{check, sarif};

/// Validates the fleet directory and shows all findings at once; no ledger is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform check
  fleetform check ./fleet
  fleetform check -o json | jq '.findings[].code'
  fleetform check -o github               Annotations on a pull request
  fleetform check -o sarif > fleetform.sarif

Exits with 1 on any finding; `fleetform explain CODE` tells more about each.
Formats: text, json, markdown (for a comment), github (workflow commands), sarif
(2.1.0). The paths of the last two are relative to the repository where the
fleet directory is given relative to it. GitHub shows only 10 annotations of
each kind (errors, warnings, notices) a step: where there may be more, add sarif
or markdown.")]
pub(crate) struct Args {
    /// Fleet directory; as --fleet
    #[arg(value_name = "FLEET", conflicts_with = "fleet")]
    pub(crate) directory: Option<PathBuf>,
}

/// Shows what is wrong in `desired`, which was loaded from `root`.
///
/// # Errors
/// If the fleet directory could not be read, or writing fails.
pub(crate) fn run(
    desired: &Desired,
    root: &Path,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    if let (Some(why), true) = (&desired.missing, desired.findings.is_empty()) {
        let what = format!("the fleet directory {why}");
        return Err(Failure::new(what).help("name it with --fleet, or change to its parent"));
    }
    match format {
        Format::Json => check::json(desired, out)?,
        Format::Markdown => check::markdown(desired, root, out)?,
        Format::Github => check::github(desired, root, out)?,
        Format::Sarif => sarif::write(out, &desired.findings, root)?,
        _ => check::text(desired, root, out)?,
    }
    Ok(if desired.findings.is_empty() { Exit::Done } else { Exit::Failed })
}

/// On standard error, what nobody looked at: this command reads wipe requests, but judges neither
/// their signatures nor whether the devices are what they say.
pub(super) fn say_what_is_left(desired: &Desired, setup: &Setup) {
    if desired.wipes.is_empty() {
        return;
    }
    let data = setup.config.data.display();
    let no_ledger = match wiring::ledger(&setup.config).exists() {
        Ok(false) => Some(format!("there is no ledger in {data}")),
        Ok(true) if setup.recorded().is_ok() => None,
        Ok(true) | Err(_) => Some(format!("the ledger in {data} cannot be read")),
    };
    tracing::warn!(
        requests = desired.wipes.len(),
        signatures = setup.trust().usable().err().map(str::to_owned),
        devices = no_ledger,
        "signatures and devices of wipe requests are not checked here; `fleetform wipe verify` does that"
    );
}

/// On standard error, that the trust files which the configuration names cannot be relied on. What
/// is wrong with them for everybody fails the check; what only this machine or this user cannot see
/// does not, since manifests are also checked where the files are not.
pub(super) fn trust_files(setup: &Setup) -> Exit {
    if !setup.config.trust.is_configured() {
        return Exit::Done;
    }
    let Err(error) = wiring::read_trust(&setup.config) else { return Exit::Done };
    if error.is_of_this_machine() {
        tracing::warn!(
            why = %error, "the trust files cannot be checked here: if so on the server, every wipe is refused"
        );
        return Exit::Done;
    }
    tracing::error!(why = %error, "the trust files cannot be relied on: every wipe is refused");
    Exit::Failed
}

/// On standard error, what is wrong with the files that replace texts of mails: each is tried.
pub(super) fn texts_of_mails(setup: &Setup) -> Exit {
    let Some(mail) = &setup.config.notify.mail else { return Exit::Done };
    let Err(UnusableTemplates(all)) = templates(mail) else { return Exit::Done };
    for why in all {
        tracing::error!("no mail can be made of this text: {why}");
    }
    Exit::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::Screen;

    #[test]
    fn a_missing_directory_is_an_error_and_not_a_clean_bill() {
        let desired = Desired {
            missing: Some("`./fl\\u{1b}eet` cannot be read: no such directory".into()),
            ..Desired::default()
        };
        let screen = Screen::piped();
        let failure = run(&desired, Path::new("./fl\u{1b}eet"), Format::Text, &mut screen.out());
        let text = failure.unwrap_err().render(false);
        assert_eq!(
            text,
            "error: the fleet directory `./fl\\u{1b}eet` cannot be read: no such directory\n\
             help: name it with --fleet, or change to its parent\n"
        );
        assert_eq!(screen.results(), "");
    }

    #[test]
    fn a_clean_fleet_exits_with_0() {
        let screen = Screen::piped();
        let exit = run(&Desired::default(), Path::new("f"), Format::Text, &mut screen.out());
        assert_eq!(exit.unwrap(), Exit::Done);
    }
}
