//! Reports that nobody could use.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::domain::wording::count;
use crate::edges::provider::local::Rejected;

/// Refused files, and how many of them were handed in again, if that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RejectedFiles<'a> {
    pub(crate) files: &'a [Rejected],
    pub(crate) retried: Option<usize>,
}

impl RejectedFiles<'_> {
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        for Rejected { file, size, reasons } in self.files {
            let line = format!("{} ({size} bytes)", file.to_string_lossy());
            writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
            if reasons.is_empty() {
                writeln!(out, "  the reason was not written down")?;
            }
            for reason in reasons {
                writeln!(out, "  {}", out.paint(Tone::Plain, reason))?;
            }
        }
        if let Some(n) = self.retried.filter(|n| *n > 0) {
            let line = format!("{} put back into the inbox.", count(n as u64, "file"));
            writeln!(out, "{}", out.paint(Tone::Added, &line))?;
        }
        Ok(())
    }

    /// `{"version": 1, "files": [{"file", "size", "reasons"}], "retried": n}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            files: Vec<File<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            retried: Option<usize>,
        }
        #[derive(Serialize)]
        struct File<'a> {
            file: String,
            size: u64,
            reasons: &'a [String],
        }
        let files = self.files.iter().map(|rejected| File {
            file: rejected.file.to_string_lossy().into_owned(),
            size: rejected.size,
            reasons: &rejected.reasons,
        });
        json::pretty(out, &Document { version: 1, files: files.collect(), retried: self.retried })
    }
}
