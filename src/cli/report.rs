//! `fleetform report`

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use super::run::Setup;
use super::{Exit, Failure, Format};
use crate::ledger;
use crate::provider::local;
use crate::render::json;
use crate::render::out::{Out, Tone};
use crate::render::text::count;

/// Hands device reports, one JSON object or JSON Lines, to the inbox of the local provider.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform report ana-ruiz-laptop.json
  echo '{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\"}' |
    fleetform report

A report, of which all but serialNumber and at may be left out:
  {\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\",
   \"osVersion\":\"10.0.26100.2314\",
   \"antivirus\":{\"enabled\":true,\"signaturesUpdatedAt\":\"2026-11-21T22:00:00Z\"},
   \"encryption\":{\"enabled\":true},\"screenLock\":{\"enabled\":true,\"pinLength\":6},
   \"enrollmentError\":null,\"wiped\":false,\"completed\":[\"c17\"]}

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

    /// At most as much as the inbox takes, and a byte more.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = local::BATCH_LIMIT + 1;
        if self.is_stdin() {
            io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        } else {
            std::fs::File::open(&self.file)?.take(limit).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

/// Hands the reports to the inbox, if all of them are well formed.
///
/// # Errors
/// If they cannot be read, one of them is malformed, or the inbox cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let data = setup.data()?;
    if !ledger::exists(data)? {
        let what = format!(
            "there is no ledger in {}, so nobody would ever take the reports",
            data.display()
        );
        return Err(Failure::new(what).help(
            "run it where the fleet is, or name the data directory with --data; `fleetform apply` begins a ledger",
        ));
    }
    let source =
        if args.is_stdin() { "standard input".into() } else { args.file.display().to_string() };
    let bytes = args.read().map_err(|error| {
        Failure::new(format!("cannot read {source}: {error}"))
            .help("give a file of reports, or - for standard input")
    })?;
    let reports = local::parse_reports(&bytes).map_err(|problems| malformed(&source, &problems))?;
    let hint = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let hint = hint.filter(|_| !args.is_stdin()).unwrap_or_else(|| "report".into());
    let path = local::submit(data, &hint, &bytes, setup.now())?;
    match format {
        Format::Json => {
            let document = serde_json::json!({
                "version": 1, "reports": reports.len(), "path": path.display().to_string(),
            });
            json::pretty(out, &document)?;
        }
        _ => {
            let what = count(reports.len() as u64, "report");
            let them = if reports.len() == 1 { "it" } else { "them" };
            let line =
                format!("{what} handed over as {}; the next pass takes {them}.", path.display());
            writeln!(out, "{}", out.paint(Tone::Plain, &line))?;
        }
    }
    Ok(Exit::Done)
}

/// All that is wrong, at once.
fn malformed(source: &str, problems: &[local::Problem]) -> Failure {
    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Failure::new(format!("{source} was not handed over: {}", list.join("; ")))
        .help("mend the reports; the format is in `fleetform report --help`")
}
