//! What `check` found: as text, as JSON, for a comment, and as annotations.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::findings::{Drawing, summary};
use super::markdown::Comment;
use super::out::{Out, Tone};
use super::{github, json};
use crate::domain::fleet::Desired;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};

/// Sections of at most so many findings are shown unfolded.
const FEW: usize = 10;

/// Every finding, and a line that sums up.
pub(crate) fn text(desired: &Desired, root: &Path, out: &mut Out) -> io::Result<()> {
    let drawing = Drawing::new(root, out.color(), out.width());
    for finding in &desired.findings {
        if out.is_closed() {
            return Ok(());
        }
        writeln!(out, "{}\n", drawing.draw(finding))?;
    }
    let (devices, profiles) = sizes(desired);
    let line = summary(&desired.findings, devices, profiles);
    let tone = if desired.findings.is_empty() { Tone::Added } else { Tone::Strong };
    writeln!(out, "{}", out.paint(tone, &line))
}

/// `{"version": 1, "findings": […], "summary": {…}}`; paths are relative to the fleet directory.
pub(crate) fn json(desired: &Desired, out: &mut Out) -> io::Result<()> {
    let (devices, profiles) = sizes(desired);
    let of = |severity| desired.findings.iter().filter(|f| f.severity == severity).count() as u64;
    let document = Document {
        version: 1,
        findings: desired.findings.iter().map(FindingView::from).collect(),
        summary: Summary {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            devices,
            profiles,
        },
    };
    json::pretty(out, &document)
}

/// For a comment: what it means first, then each finding as `text` draws it.
pub(crate) fn markdown(desired: &Desired, root: &Path, out: &mut Out) -> io::Result<()> {
    let (devices, profiles) = sizes(desired);
    let line = summary(&desired.findings, devices, profiles);
    let mut comment = Comment::new("Fleetform check", &line);
    findings_section(&mut comment, "Findings", &desired.findings, root);
    out.write_all(comment.finish().as_bytes())
}

/// A section of findings, as `text` draws them; open where there are few.
pub(crate) fn findings_section(
    comment: &mut Comment,
    title: &str,
    findings: &[Finding],
    root: &Path,
) {
    let drawing = Drawing::new(root, false, None);
    let items = findings.iter().map(|finding| drawing.draw(finding) + "\n\n");
    let title = format!("{title}: {}", findings.len());
    comment.section(&title, (findings.len() <= FEW, "text"), findings.len(), items);
}

/// As annotations, and a notice that sums up.
pub(crate) fn github(desired: &Desired, root: &Path, out: &mut Out) -> io::Result<()> {
    for finding in &desired.findings {
        github::finding(out, root, finding, "")?;
    }
    let (devices, profiles) = sizes(desired);
    let line = summary(&desired.findings, devices, profiles);
    github::annotate(out, github::Level::Notice, None, "fleetform check", &line)
}

fn sizes(desired: &Desired) -> (u64, u64) {
    (desired.devices.len() as u64, desired.profiles.len() as u64)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<FindingView<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    errors: u64,
    warnings: u64,
    devices: u64,
    profiles: u64,
}

/// A finding as JSON, also for plans. A finding on a whole file is at 1:1, with no width.
#[derive(Debug, Serialize)]
pub(crate) struct FindingView<'a> {
    code: Code,
    severity: Severity,
    message: &'a str,
    help: &'a str,
    #[serde(flatten)]
    place: PlaceView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<RelatedView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceView<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    end_column: u32,
}

#[derive(Debug, Serialize)]
struct RelatedView<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: PlaceView<'a>,
}

impl<'a> From<&'a Finding> for FindingView<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { code, severity, message, help, span, related } = finding;
        Self {
            code: *code,
            severity: *severity,
            message,
            help,
            place: span.into(),
            related: related
                .as_ref()
                .map(|(span, message)| RelatedView { message, place: span.into() }),
        }
    }
}

impl<'a> From<&'a Span> for PlaceView<'a> {
    fn from(span: &'a Span) -> Self {
        let Span { path, line, column, width, text: _, offset: _ } = span;
        let width = if *line == 0 { 0 } else { *width };
        let column = (*column).max(1);
        Self { path, line: (*line).max(1), column, end_column: column.saturating_add(width) }
    }
}
