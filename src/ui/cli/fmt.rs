//! `fleetform fmt`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::author;
use super::checkout::{Content, refuse_pulled};
use super::exit::Exit;
use super::failure::Failure;
use super::format::Format;
use super::rewrite::{Outcome, Rewrite, rewrites, standard_input};
use super::setup::Setup;
use crate::domain::manifest::canonical;
use crate::domain::wording::count;
use crate::ui::render::json;
use crate::ui::render::out::{Out, Tone};
use crate::ui::render::text::safe;

/// Lay manifests out in the one way: order of keys, quotes, indentation. Their meaning and their
/// comments stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  fleetform fmt                           All manifests of the fleet directory
  fleetform fmt --check                   Show what would change, exit with 1
  fleetform fmt fleet/madrid a.yaml       A directory and a file
  fleetform fmt - < a.yaml                From standard input to standard output

Fields are in the order of the documentation; labels and settings keep their
order. Strings are quoted only where they could be read as something else.
Values in braces on one line stay on one line. A file with signatures beside it
is never changed, because the signatures are over its exact bytes. Exits with 1
if a file cannot be read; `fleetform check --fix` repairs some of these.
Formats: text, json.")]
pub(crate) struct Args {
    /// Write nothing: show what would change, and exit with 1 if anything would
    #[arg(long)]
    pub(crate) check: bool,
    /// Manifests or directories, or - for standard input [default: the fleet directory]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    files: Vec<FileView>,
    summary: Summary,
}

#[derive(Serialize)]
struct FileView {
    path: String,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Summary {
    changed: u64,
    unchanged: u64,
    signed: u64,
    failed: u64,
}

/// Rewrites the files, or says which would change.
///
/// # Errors
/// If a path cannot be read, or a file cannot be written.
pub(super) fn run(
    args: &Args,
    setup: &Setup,
    format: Format,
    out: &mut Out,
) -> Result<Exit, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return standard(args, out);
    }
    let fleet = std::slice::from_ref(&setup.config.fleet);
    if args.paths.is_empty() {
        author::exists(&setup.config.fleet)?;
    }
    let paths = if args.paths.is_empty() { fleet } else { &args.paths };
    let mut all = Vec::new();
    let mut lost = 0;
    for path in paths {
        let (files, more) = rewrites(path, |bytes| {
            canonical::format(bytes).map(|new| (new, None)).map_err(|why| why.to_string())
        })?;
        all.extend(files);
        lost += more;
    }
    if !args.check {
        if args.paths.is_empty() && all.iter().any(|file| file.new.is_some()) {
            refuse_pulled(setup, Content::Manifest)?;
        }
        all.iter().try_for_each(Rewrite::write)?;
    }
    match format {
        Format::Json => json::pretty(out, &document(&all))?,
        _ => text(args.check, &all, out)?,
    }
    if lost > 0 {
        let what = count(lost as u64, "entry").replace("entrys", "entries");
        tracing::error!("{what} could not be read; `fleetform check` says which and why");
    }
    let would_change = args.check && all.iter().any(|file| file.outcome == Outcome::Changed);
    let has_failed = lost > 0 || all.iter().any(|file| file.outcome == Outcome::Failed);
    Ok(if would_change || has_failed { Exit::Failed } else { Exit::Done })
}

/// Standard input, laid out on standard output.
fn standard(args: &Args, out: &mut Out) -> Result<Exit, Failure> {
    if args.paths.len() > 1 {
        return Err(Failure::new("standard input cannot be combined with other paths"));
    }
    let old = standard_input()?;
    let new = canonical::format(&old)
        .map_err(|why| Failure::new(format!("standard input stays as it is: {why}")))?;
    if args.check {
        let is_same = new.as_bytes() == old;
        let file = Rewrite {
            path: Path::new("standard input").to_owned(),
            outcome: if is_same { Outcome::Unchanged } else { Outcome::Changed },
            new: (!is_same).then_some(new),
            old,
            why: None,
        };
        file.show(out)?;
        return Ok(if is_same { Exit::Done } else { Exit::Failed });
    }
    out.write_all(new.as_bytes())?;
    Ok(Exit::Done)
}

fn document(all: &[Rewrite]) -> Document {
    let of = |outcome| all.iter().filter(|file| file.outcome == outcome).count() as u64;
    let view = |file: &Rewrite| FileView {
        path: file.path.display().to_string(),
        outcome: file.outcome,
        why: file.why.clone(),
    };
    Document {
        version: 1,
        files: all.iter().map(view).collect(),
        summary: Summary {
            changed: of(Outcome::Changed),
            unchanged: of(Outcome::Unchanged),
            signed: of(Outcome::Signed),
            failed: of(Outcome::Failed),
        },
    }
}

fn text(check: bool, all: &[Rewrite], out: &mut Out) -> Result<(), Failure> {
    for file in all {
        if check {
            file.show(out)?;
        } else if file.outcome == Outcome::Changed {
            let line = format!("formatted {}", file.path.display());
            writeln!(out, "{}", out.paint(Tone::Changed, &line))?;
        }
    }
    let Summary { changed, unchanged, signed, failed } = document(all).summary;
    let done = if check { "to format" } else { "formatted" };
    let mut line = format!("{} {done}, {unchanged} unchanged", count(changed, "file"));
    for (n, what) in [(signed, "not changed because of signatures"), (failed, "not readable")] {
        if n > 0 {
            line += &format!(", {n} {what}");
        }
    }
    let tone = if changed + failed == 0 { Tone::Added } else { Tone::Strong };
    writeln!(out, "{}", out.paint(tone, &(line + ".")))?;
    out.flush()?;
    tell(all, out);
    Ok(())
}

/// On standard error, what stays as it is, and why.
pub(super) fn tell(all: &[Rewrite], out: &mut Out) {
    for file in all {
        let path = file.path.to_string_lossy();
        let path = safe(&path);
        match (file.outcome, &file.why) {
            (Outcome::Signed, _) => {
                out.note(&format!(
                    "{path} is not changed: the signatures beside it are over its \
                                   bytes"
                ));
            }
            (Outcome::Failed, Some(why)) => {
                tracing::error!("{path} stays as it is: {}", safe(why));
            }
            _ => {}
        }
    }
}
