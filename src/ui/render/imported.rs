//! What an import did, and what of its list is wrong.

use std::io::{self, Write as _};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::text::safe;
use crate::domain::import::{Cell, FileChange, Merged, Problem};
use crate::domain::wording::count;

/// Problems beyond this many are only counted.
const SHOWN: usize = 200;

/// An import.
pub(crate) struct Imported<'a> {
    /// Kind of list called.
    pub(crate) source: &'a str,
    pub(crate) merged: &'a Merged,
    /// Whether what is right was written.
    pub(crate) is_written: bool,
    /// Columns of which nothing was taken.
    pub(crate) unused: &'a [String],
    pub(crate) notes: &'a [String],
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    written: bool,
    files: Vec<FileView<'a>>,
    problems: Vec<ProblemView<'a>>,
    #[serde(rename = "unusedColumns")]
    unused: &'a [String],
    notes: &'a [String],
    summary: Summary,
}

#[derive(Serialize)]
struct FileView<'a> {
    path: &'a str,
    outcome: &'static str,
}

#[derive(Serialize)]
struct ProblemView<'a> {
    line: u64,
    column: usize,
    header: &'a str,
    message: &'a str,
    help: &'a str,
}

#[derive(Serialize)]
struct Summary {
    added: u64,
    changed: u64,
    unchanged: u64,
    problems: u64,
}

impl<'a> From<&'a FileChange> for FileView<'a> {
    fn from(FileChange { path, old, new: _ }: &'a FileChange) -> Self {
        Self { path, outcome: if old.is_none() { "added" } else { "changed" } }
    }
}

impl<'a> From<&'a Problem> for ProblemView<'a> {
    fn from(Problem { at, what, help }: &'a Problem) -> Self {
        let Cell { line, column, header } = at;
        Self { line: *line, column: *column, header, message: what, help }
    }
}

impl Imported<'_> {
    /// `{"version": 1, …}`
    pub(crate) fn json(&self, out: &mut Out) -> io::Result<()> {
        let Self { source: _, merged, is_written, unused, notes } = *self;
        let Merged { files, problems, added, changed, unchanged, origins: _ } = merged;
        json::pretty(
            out,
            &Document {
                version: 1,
                written: is_written,
                files: files.iter().map(FileView::from).collect(),
                problems: problems.iter().map(ProblemView::from).collect(),
                unused,
                notes,
                summary: Summary {
                    added: *added,
                    changed: *changed,
                    unchanged: *unchanged,
                    problems: problems.len() as u64,
                },
            },
        )
    }

    /// Each problem with its place, and a line that sums up.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { source, merged, is_written, unused, notes } = *self;
        let Merged { files, problems, added, changed, unchanged, origins: _ } = merged;
        for Problem { at, what, help } in problems.iter().take(SHOWN) {
            let place = format!("{source}, {at}:");
            writeln!(out, "{} {}", out.paint(Tone::Removed, &place), safe(what))?;
            writeln!(out, "  {} {}", out.paint(Tone::Added, "help:"), safe(help))?;
        }
        if problems.len() > SHOWN {
            writeln!(out, "and {} more", problems.len() - SHOWN)?;
        }
        if is_written {
            let line = format!(
                "{} added, {changed} changed, {unchanged} unchanged; {} written.",
                count(*added, "device"),
                count(files.len() as u64, "file")
            );
            writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        }
        out.flush()?;
        if !unused.is_empty() {
            out.note(&format!(
                "Ignored columns: {}. Import them with --map COLUMN=FIELD.",
                unused.join(", ")
            ));
        }
        notes.iter().for_each(|note| out.note(note));
        let found = count(problems.len() as u64, "problem");
        match (problems.is_empty(), added + changed + unchanged, is_written) {
            (true, _, _) => {}
            // Where no row is right, --partial writes nothing either.
            (false, 0, _) => out.note(&format!("Nothing is written: {found}. Correct the list.")),
            (false, _, true) => out.note(&format!("{found} left out.")),
            (false, _, false) => out.note(&format!(
                "Nothing is written: {found}. Correct the list, or leave them out with --partial."
            )),
        }
        if is_written && !files.is_empty() {
            out.note("Look at `fleetform diff`, and commit the change.");
        }
        Ok(())
    }
}
