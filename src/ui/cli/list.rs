//! `fleetform list`

use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use super::filters::Filters;
use super::format::Format;
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State};
use crate::domain::wipe::target::LedgerId;
use crate::edges::provider::unmanaged;
use crate::ui::render::list::Listing;
use crate::ui::render::out::Out;
use crate::ui::render::unmanaged::Undeclared;

/// Lists the devices for which all filters hold, by id.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform list
  fleetform list --user ana.ruiz@example.com
  fleetform list --compliance nonCompliant --label site=madrid
  fleetform list --overdue -o csv > overdue.csv

Formats: text, json, csv, yaml. In CSV, values that a spreadsheet would take for
a formula get an apostrophe in front.")]
pub(crate) struct Args {
    /// Which ones.
    #[command(flatten)]
    pub(crate) filters: Filters,
    /// Devices that the MDM has and no manifest declares, as of the last look at it
    #[arg(long, conflicts_with_all = ["user", "status", "profile", "compliance", "platform", "labels", "selector", "orphaned", "overdue", "archived"])]
    pub(crate) unmanaged: bool,
}

/// Lists what of `state` the filters admit.
pub(crate) fn run(
    args: &Args,
    state: &State,
    settings: &Settings,
    now: Timestamp,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let filter = args.filters.filter();
    let admitted = |(_, device): &(_, &Device)| filter.admits(device, settings, now);
    let devices: Vec<(DeviceId, &Device)> =
        state.devices.iter().map(|(id, device)| (*id, &**device)).filter(admitted).collect();
    let listing = Listing {
        devices: &devices,
        wipes: &state.wipes,
        ledger: state.lineage.map(LedgerId),
        settings,
        now,
    };
    match format {
        Format::Json => listing.json(out)?,
        Format::Csv => listing.csv(out)?,
        Format::Yaml => listing.yaml(out)?,
        _ => listing.text(out)?,
    }
    if devices.is_empty() {
        out.note(if state.devices.is_empty() {
            "No devices yet: `fleetform apply` begins the ledger and provisions them."
        } else {
            "No devices match."
        });
    }
    Ok(Exit::Done)
}

/// Lists what the MDM has and no manifest declares.
///
/// # Errors
/// If what was written down of the last look cannot be read.
pub(crate) fn unmanaged(
    data: &Path,
    now: Timestamp,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let seen = unmanaged::read(data).map_err(Failure::new)?;
    let looked = seen.is_some();
    let seen = seen.unwrap_or_default();
    let undeclared = Undeclared { unmanaged: &seen, now };
    match format {
        Format::Json => undeclared.json(out)?,
        Format::Csv => undeclared.csv(out)?,
        Format::Yaml => undeclared.yaml(out)?,
        _ => undeclared.text(out)?,
    }
    if seen.count > seen.devices.len() {
        out.note(&format!("{} more are counted and not listed.", seen.count - seen.devices.len()));
    } else if !looked {
        out.note("Nothing is known: no look at an MDM found such a device in this data directory.");
    } else if seen.count == 0 {
        out.note("The MDM has no device that is not declared.");
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::cli::args::{Command, parse};
    use crate::ui::render::testing::{Screen, now, state};

    fn ids(args: &[&str]) -> Vec<String> {
        let args = ["fleetform", "list"].into_iter().chain(args.iter().copied());
        let (cli, format) = parse(args).unwrap();
        let Command::List(args) = cli.command else { panic!("not list") };
        let screen = Screen::piped();
        let settings = Settings::default();
        run(&args, &state(), &settings, now(), format, &mut screen.out()).unwrap();
        assert_eq!(screen.results().is_empty(), screen.notes() == "No devices match.\n");
        let first = |line: &str| line.split(' ').next().map(str::to_owned);
        screen.results().lines().skip(1).filter_map(first).collect()
    }

    #[test]
    fn filters_are_combined_by_and() {
        for (args, expected) in [
            (vec![], "D001 D002 D003 D004"),
            (vec!["--user", "ANA.Ruiz@example.COM"], "D001"),
            (vec!["--user", "nobody@example.com"], ""),
            (vec!["--status", "enrolled"], "D001 D002"),
            (vec!["--profile", "Mobile"], "D002 D003"),
            (vec!["--profile", "Mobile", "--status", "Failed"], "D003"),
            (vec!["--compliance", "NONCOMPLIANT"], "D001"),
            (vec!["--platform", "windows"], "D001 D004"),
            (vec!["--platform", "ios", "--overdue", "--orphaned"], "D002"),
            (vec!["--label", "site=madrid"], "D001 D002 D003 D004"),
            (vec!["--label", "site=madrid", "--label", "floor=2"], ""),
            (vec!["--label", "site=Madrid"], ""),
            (vec!["--orphaned"], "D002"),
            (vec!["--overdue"], "D002"),
            (vec!["--overdue", "--status", "Wiped"], ""),
        ] {
            assert_eq!(ids(&args).join(" "), expected, "{args:?}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_a_usage_error() {
        let error = parse(["fleetform", "list", "--status", "Enroled"]).unwrap_err().to_string();
        assert!(error.contains("Pending, Enrolled, Failed, Wiped"), "{error}");
        assert!(error.contains("similar value exists: 'Enrolled'"), "{error}");
    }

    #[test]
    fn an_empty_ledger_says_what_to_do() {
        let screen = Screen::piped();
        let (state, settings) = (State::default(), Settings::default());
        let args = Args::default();
        run(&args, &state, &settings, now(), Format::Text, &mut screen.out()).unwrap();
        assert!(screen.notes().contains("fleetform apply"), "{}", screen.notes());
    }
}
