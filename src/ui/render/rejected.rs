//! Reports that nobody could use.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::json;
use super::out::{Out, Tone};
use crate::domain::wording::count;
use crate::edges::provider::local::Rejected;

/// `{"version": 1, "files": [{"file", "size", "reasons"}], "retried": n}`: refused files, and how many of
/// them were handed in again, if that was asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RejectedFiles {
    version: u32,
    files: Vec<File>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retried: Option<usize>,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    file: String,
    size: u64,
    reasons: Vec<String>,
}

impl RejectedFiles {
    #[must_use]
    pub(crate) fn of(files: &[Rejected]) -> Self {
        let file = |Rejected { file, size, reasons }: &Rejected| File {
            file: file.to_string_lossy().into_owned(),
            size: *size,
            reasons: reasons.clone(),
        };
        Self { version: 1, files: files.iter().map(file).collect(), retried: None }
    }

    /// After so many were handed in again.
    #[must_use]
    pub(crate) fn retried(self, number: usize) -> Self {
        Self { retried: Some(number), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        for File { file, size, reasons } in &self.files {
            let line = format!("{file} ({size} bytes)");
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

    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }
}
