//! `fleetform report`

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use crate::domain::wording::count;
use crate::edges::fs::guarded::Guarded;
use crate::edges::provider::local;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};

/// Hands device reports, one JSON object or JSON Lines, to the inbox of the local provider.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform report ana-ruiz-laptop.json
  echo '{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\"}' |
    fleetform report

A report; only serialNumber and at are required:
  {\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:00:00Z\",
   \"osVersion\":\"10.0.26100.2314\",
   \"antivirus\":{\"enabled\":true,\"signaturesUpdatedAt\":\"2026-11-21T22:00:00Z\"},
   \"encryption\":{\"enabled\":true},\"screenLock\":{\"enabled\":true,\"pinLength\":6},
   \"enrollmentError\":null,\"wiped\":false,\"completed\":[\"c17\"]}

null means: not reported. A field that cannot be read makes only that fact
unknown; a field that this version does not know is ignored. Invalid reports are
listed and not added, the others are; the exit code is then 1.

Formats: text, json.")]
pub(crate) struct Args {
    /// File to read; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
}

impl Args {
    /// Whether to read standard input.
    #[must_use]
    pub(crate) fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// At most as much as the inbox takes, and a byte more.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = local::BATCH_LIMIT + 1;
        if self.is_stdin() {
            io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        } else {
            let file = Guarded::stream().open(&self.file).map_err(io::Error::from)?;
            file.into_file().take(limit).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

/// Hands the reports to the inbox; what is no report is named, and not handed over.
///
/// # Errors
/// If they cannot be read, there is no report among them, or the inbox cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let data = &setup.config.data;
    setup.needs_ledger("so no daemon would read the reports")?;
    let source =
        if args.is_stdin() { "standard input".into() } else { args.file.display().to_string() };
    let bytes = args.read().map_err(|error| {
        Failure::new(format!("cannot read {source}: {error}"))
            .help("give a file of reports, or - for standard input")
    })?;
    let hint = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let hint = hint.filter(|_| !args.is_stdin()).unwrap_or_else(|| "report".into());
    let handed = local::submit(data, &hint, &bytes, setup.now());
    let (path, records) = match handed {
        Err(local::Error::NoReports(problems)) => return Err(malformed(&source, &problems)),
        handed => handed?,
    };
    let reports = records.good.len() as u64;
    let bad: Vec<_> = records.bad.iter().map(|(_, problem)| problem).collect();
    match format {
        Format::Json => {
            let rejected: Vec<_> = bad
                .iter()
                .map(|problem| serde_json::json!({"line": problem.line, "why": problem.message}))
                .collect();
            let document = serde_json::json!({
                "version": 1, "reports": reports, "path": path.display().to_string(),
                "rejected": rejected,
            });
            json::pretty(out, &document)?;
        }
        _ => {
            let what = count(reports, "report");
            let them = if reports == 1 { "it" } else { "them" };
            let line = format!(
                "{what} added to the inbox as {}; the next reconciliation processes \
                         {them}.",
                path.display()
            );
            writeln!(out, "{}", out.paint(Tone::Plain, &line))?;
        }
    }
    notes(&records);
    if bad.is_empty() {
        return Ok(Exit::Done);
    }
    out.flush()?;
    for problem in bad.iter().take(SHOWN) {
        tracing::error!("{source}, {problem}");
    }
    let them = count(bad.len() as u64, "report");
    tracing::error!("{them} of {source} not added to the inbox: fix them and try again");
    Ok(Exit::Failed)
}

/// What is handed over and cannot be used in full.
fn notes(records: &local::Records) {
    for field in &records.unknown {
        tracing::warn!(?field, "a field of reports is unknown and is ignored");
    }
    let odd = records.good.iter().flat_map(|(_, report)| {
        report.unreadable.iter().map(move |(field, text)| (&report.serial_number, field, text))
    });
    for (serial, field, text) in odd.take(SHOWN) {
        tracing::warn!(%serial, %field, %text, "a fact cannot be read, and is unknown");
    }
}

/// Problems beyond this many are only counted.
const SHOWN: usize = 20;

/// All that is wrong, at once.
fn malformed(source: &str, problems: &[local::Problem]) -> Failure {
    let mut list: Vec<String> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    if problems.is_empty() {
        list.push("there is no report in it".to_owned());
    }
    if problems.len() > SHOWN {
        list.push(format!("and {} more", problems.len() - SHOWN));
    }
    Failure::new(format!("{source} was not added to the inbox: {}", list.join("; ")))
        .help("fix the reports; the format is in `fleetform report --help`")
}
