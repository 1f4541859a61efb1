//! `fleetform export`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::author;
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::setup::Setup;
use super::value::{Label, word};
use crate::domain::export::{self, Exported, Refused, Sheet};
use crate::domain::fleet::Desired;
use crate::domain::model::{DesiredDevice, Name, Platform, words};
use crate::domain::wording::{closest, count, quote};
use crate::edges::fs::durable;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::{joined, safe};

words! {
    /// What a list is for.
    pub(crate) enum Kind {
        Csv = "csv",
        Autopilot = "autopilot",
        CorporateIds = "corporate-ids",
    }
}

/// Write lists of devices to upload to other systems, from the fleet directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform export csv > devices.csv
  fleetform export autopilot --file hashes.csv
  fleetform export corporate-ids --platform windows --file ids.csv
  fleetform export csv --label site=madrid --profile Standard

Lists: csv (all fields, as `fleetform import csv` reads them), autopilot
(Windows devices with a hardware hash; their profile is their group tag),
corporate-ids (devices of the company: manufacturer, model and serial number of
Windows, serial number and name of others). If the target accepts no more in one
file (500 hardware hashes; 5,000 identifiers of one kind), several files are
written: ids-windows-1.csv. A device with a value that the list cannot hold (a
comma, a quote, other than ASCII, what a spreadsheet reads as a formula) is left
out with a message, and the exit code is 1. No file is overwritten. Formats:
text, json.")]
pub(crate) struct Args {
    /// Kind of list
    #[arg(value_name = "LIST", value_parser = word!(Kind), ignore_case = true)]
    pub(crate) list: Kind,
    /// Where to write it [default: standard output, if it is one file]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Devices of this profile
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Devices of this platform
    #[arg(long, value_parser = word!(Platform), ignore_case = true)]
    pub(crate) platform: Option<Platform>,
    /// Devices with this label; may be repeated
    #[arg(long = "label", value_name = "K=V")]
    pub(crate) labels: Vec<Label>,
}

impl Args {
    fn admits(&self, device: &DesiredDevice) -> bool {
        let spec = &device.spec;
        let has = |label: &Label| {
            spec.labels.get(label.key.as_str()).is_some_and(|value| *value == label.value)
        };
        self.profile.as_ref().is_none_or(|profile| spec.profile.as_str() == profile)
            && self.platform.is_none_or(|platform| spec.platform == platform)
            && self.labels.iter().all(has)
    }
}

#[derive(Serialize)]
struct Document {
    version: u32,
    files: Vec<String>,
    refused: Vec<RefusedView>,
    summary: Summary,
}

#[derive(Serialize)]
struct RefusedView {
    name: String,
    path: String,
    line: u32,
    why: String,
}

#[derive(Serialize)]
struct Summary {
    devices: u64,
    others: u64,
    refused: u64,
}

/// Writes the list.
///
/// # Errors
/// If the fleet cannot be read, or a file is there already or cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let fleet = setup.desired();
    author::there(&fleet)?;
    if let Some(profile) = &args.profile {
        has_profile(&fleet, profile)?;
    }
    let devices = fleet.devices.iter().filter(|device| args.admits(device));
    let exported = match args.list {
        Kind::Csv => export::csv(devices)?,
        Kind::Autopilot => export::autopilot(devices),
        Kind::CorporateIds => export::corporate_ids(devices),
    };
    let files = match (&args.file, &exported.sheets[..]) {
        (Some(file), sheets) => write(file, sheets)?,
        (None, []) => Vec::new(),
        (None, [sheet]) if format == Format::Text => {
            out.write_all(sheet.text.as_bytes())?;
            out.flush()?;
            Vec::new()
        }
        // Nothing is left to write.
        (None, _) if exported.devices == 0 => Vec::new(),
        (None, [_]) => {
            return Err(Failure::new(format!("with -o {format} the list itself is not shown"))
                .help("name a file for it with --file"));
        }
        (None, sheets) => {
            let what = format!("the list takes {}", count(sheets.len() as u64, "file"));
            return Err(Failure::new(what).help("name them with --file"));
        }
    };
    match format {
        Format::Json => json::pretty(out, &document(&exported, &files))?,
        _ => text(&exported, &files, &setup.config.fleet, out)?,
    }
    if !fleet.unusable.is_empty() {
        let left = count(fleet.unusable.len() as u64, "manifest");
        tracing::error!("{left} with findings left out; `fleetform check` shows them");
    }
    let is_whole = exported.refused.is_empty() && fleet.unusable.is_empty();
    Ok(if is_whole { Exit::Done } else { Exit::Failed })
}

/// That there is such a profile: of one that is misspelled there are no devices.
fn has_profile(fleet: &Desired, profile: &str) -> Result<(), Failure> {
    let known = || fleet.profiles.keys().chain(&fleet.unusable_profiles).map(Name::as_str);
    if known().any(|name| name == profile) {
        return Ok(());
    }
    let all: Vec<&str> = known().collect();
    let help = match (closest(profile, known()), all.is_empty()) {
        (Some(meant), _) => format!("did you mean {meant}?"),
        (None, true) => "the fleet directory has no profiles".to_owned(),
        (None, false) => format!("the profiles are {}", all.join(", ")),
    };
    Err(Failure::new(format!("there is no profile {}", quote(profile))).help(help))
}

/// One file for each sheet, none of them there before.
fn write(file: &Path, sheets: &[Sheet]) -> Result<Vec<String>, Failure> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let end =
        file.extension().map_or_else(String::new, |end| format!(".{}", end.to_string_lossy()));
    let mut names = Vec::new();
    for sheet in sheets {
        let of_kind = sheets.iter().filter(|other| other.kind == sheet.kind).count();
        let kind = if sheet.kind.is_empty() { String::new() } else { format!("-{}", sheet.kind) };
        let start = format!("{stem}{kind}");
        let n = names.iter().filter(|(kind, _)| *kind == sheet.kind).count() + 1;
        let name = if of_kind > 1 { format!("{start}-{n}{end}") } else { format!("{start}{end}") };
        names.push((sheet.kind, file.with_file_name(name)));
    }
    if let Some((_, taken)) = names.iter().find(|(_, path)| path.symlink_metadata().is_ok()) {
        return Err(Failure::new(format!("{} already exists", taken.display()))
            .help("name another --file, or remove it"));
    }
    for ((_, path), sheet) in names.iter().zip(sheets) {
        durable::create_file(path, sheet.text.as_bytes())?;
    }
    Ok(names.into_iter().map(|(_, path)| path.display().to_string()).collect())
}

fn document(exported: &Exported, files: &[String]) -> Document {
    let Exported { sheets: _, refused, devices, others } = exported;
    let view = |Refused { name, place, why }: &Refused| RefusedView {
        name: name.clone(),
        path: place.path.to_string(),
        line: place.line,
        why: why.clone(),
    };
    Document {
        version: 1,
        files: files.to_vec(),
        refused: refused.iter().map(view).collect(),
        summary: Summary { devices: *devices, others: *others, refused: refused.len() as u64 },
    }
}

/// On standard error where the list is on standard output.
fn text(exported: &Exported, files: &[String], root: &Path, out: &mut Out) -> Result<(), Failure> {
    let Exported { sheets: _, refused, devices, others } = exported;
    for file in files {
        writeln!(out, "{}", out.paint(Tone::Added, &format!("written {file}")))?;
    }
    out.flush()?;
    for Refused { name, place, why } in refused {
        let at = format!("{}:{}", joined(root, &place.path), place.line);
        out.note(&format!("{at}: {} is left out: {why}", safe(name)));
    }
    let mut line = format!("{} in the list", count(*devices, "device"));
    if *others > 0 {
        line += &format!(", {others} that it is not about");
    }
    if !refused.is_empty() {
        line += &format!(", {} left out", refused.len());
    }
    out.note(&(line + "."));
    Ok(())
}
