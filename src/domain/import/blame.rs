//! Findings that the fleet would have with what is to be written, told of the rows that they come from.

use super::field::Field;
use super::merge::Merged;
use super::problem::{Cell, Problem};
use super::record::{Record, Records};
use crate::domain::manifest::finding::{Finding, Span};
use crate::domain::manifest::yaml::cut;

impl Records {
    /// Makes findings problems of the rows whose manifests have them: those are left out from then on.
    /// Whether there was one.
    pub(crate) fn blame(&mut self, merged: &Merged, findings: &[Finding]) -> bool {
        let mut is_any = false;
        for finding in findings {
            let related = finding.related.iter().map(|(span, _)| span);
            let mut spans = std::iter::once(&finding.span).chain(related);
            let Some((n, line)) = spans.find_map(|span| origin(merged, span)) else { continue };
            let Finding { code, message, help, .. } = finding;
            let record = &mut self.records[n];
            record.is_bad = true;
            let help = format!("{help}; `fleetform explain {code}` tells more");
            self.problems.push(Problem::new(cell(record, line), message, help));
            is_any = true;
        }
        is_any
    }
}

/// The number of the record whose document is there, and the line.
fn origin<'m>(merged: &'m Merged, span: &Span) -> Option<(usize, &'m str)> {
    let origins = merged.origins.get(&*span.path)?;
    let file = merged.files.iter().find(|file| *file.path == *span.path)?;
    let pieces = cut(file.new.as_bytes());
    let number = pieces.partition_point(|piece| piece.line <= span.line).checked_sub(1)?;
    let line = file.new.lines().nth(usize::try_from(span.line).ok()?.checked_sub(1)?)?;
    Some((*origins.get(&number)?, line))
}

/// Where the list says what is in a line of the manifest.
fn cell<'r>(record: &'r Record, line: &str) -> &'r Cell {
    let key = line.split(':').next().unwrap_or_default().trim();
    let field = key.parse::<Field>().ok();
    field.map_or(&record.at, |field| record.place(&field))
}
