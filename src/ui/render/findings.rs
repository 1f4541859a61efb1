//! Findings, drawn as rustc draws them.
//!
//! All is drawn from the finding itself: no file is read. Paths are shown below the fleet
//! directory as the user gave it, so that a terminal or editor can open them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anstream::adapter::strip_str;

use super::text::{escape, is_command, safe};
use crate::domain::manifest::finding::{Finding, Severity, Span};
use crate::domain::model::is_deceptive;

/// How findings are drawn.
#[derive(Debug)]
pub(crate) struct Drawing<'a> {
    root: &'a Path,
    renderer: Renderer,
}

impl<'a> Drawing<'a> {
    /// Below `root`; `width` is that of the terminal, absent in a pipe.
    #[must_use]
    pub(crate) fn new(root: &'a Path, color: bool, width: Option<usize>) -> Self {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        // Lines are cut to a window by whoever found them: in a pipe they are shown whole.
        Self { root, renderer: renderer.term_width(width.unwrap_or(1_000).max(40)) }
    }

    /// One finding, without a newline at the end.
    #[must_use]
    pub(crate) fn draw(&self, finding: &Finding) -> String {
        let Finding { code, severity, message, help, span, related } = finding;
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(safe(message)).id(code.as_str());
        let mut primary = self.place(Group::with_title(title), span, AnnotationKind::Primary);
        if !help.is_empty() {
            primary = primary.element(Level::HELP.message(safe(help)));
        }
        let mut groups = vec![primary];
        if let Some((span, what)) = related {
            let note = Group::with_title(Level::NOTE.secondary_title(safe(what)));
            groups.push(self.place(note, span, AnnotationKind::Context));
        }
        without_joints(&self.renderer.render(&groups))
    }

    /// The path as the user can open it, harmless.
    #[must_use]
    pub(crate) fn path(&self, span: &Span) -> String {
        let path = if span.path.is_empty() {
            self.root.to_path_buf()
        } else {
            self.root.join(span.path.as_ref())
        };
        safe(&path.to_string_lossy()).into_owned()
    }

    fn place<'g>(&self, group: Group<'g>, span: &'g Span, kind: AnnotationKind) -> Group<'g> {
        let origin = Origin::path(self.path(span));
        if span.line == 0 {
            return group.element(origin);
        }
        let column = span.column.max(1) as usize;
        let group = group.element(origin.line(span.line as usize).char_column(column));
        if span.text.is_empty() {
            return group;
        }
        let (source, marked) = window(span);
        let snippet = Snippet::source(source).line_start(span.line as usize);
        group.element(snippet.annotation(kind.span(marked)))
    }
}

/// The true place and a window of its line are two elements to the renderer, which joins them by
/// a line of `:::`. Left to itself it would count columns from the window's beginning.
fn without_joints(drawn: &str) -> String {
    let is_joint = |line: &str| line.contains(":::") && strip_str(line).to_string().trim() == ":::";
    drawn.lines().filter(|line| !is_joint(line)).collect::<Vec<_>>().join("\n")
}

/// The line as it is shown, and the bytes of it that are meant.
fn window(span: &Span) -> (String, Range<usize>) {
    let mut shown = String::with_capacity(span.text.len() + 8);
    if span.offset > 0 {
        shown.push('…');
    }
    let first = span.column.max(1).saturating_sub(1).saturating_sub(span.offset) as usize;
    let end = first + span.width.max(1) as usize;
    let mut marked = None;
    // A tab is drawn as spaces; all else that deceives is spelled out.
    let hostile = |c: char| c != '\t' && is_deceptive(c);
    let mut buffer = [0; 4];
    for (i, (at, c)) in span.text.char_indices().enumerate() {
        let from = shown.len();
        if is_command(&span.text, at) {
            shown.push_str(r"\u{23}");
        } else {
            shown.push_str(&escape(c.encode_utf8(&mut buffer), hostile));
        }
        if (first..end).contains(&i) {
            let start = marked.map_or(from, |m: (usize, usize)| m.0);
            marked = Some((start, shown.len()));
        }
    }
    // Past the end of the line, where something is missing.
    let (start, end) = marked.unwrap_or((shown.len(), shown.len()));
    (shown, start..end)
}

/// `3 errors in 2 files; 14 devices and 3 profiles are fine.`
#[must_use]
pub(crate) fn summary(findings: &[Finding], devices: u64, profiles: u64) -> String {
    use crate::domain::wording::count;
    let fleet = |and| format!("{}{and}{}", count(devices, "device"), count(profiles, "profile"));
    if findings.is_empty() {
        return format!("No findings: {}.", fleet(", "));
    }
    let of = |severity| findings.iter().filter(|f| f.severity == severity).count() as u64;
    let mut parts = Vec::new();
    for (n, noun) in [(of(Severity::Error), "error"), (of(Severity::Warning), "warning")] {
        if n > 0 {
            parts.push(Cow::Owned(count(n, noun)));
        }
    }
    let mut files: Vec<_> = findings.iter().map(|f| &f.span.path).collect();
    files.sort_unstable();
    files.dedup();
    let mut text = parts.join(" and ");
    // Writing to a String cannot fail.
    let _ = write!(text, " in {}; ", count(files.len() as u64, "file"));
    let _ = write!(text, "{} are fine.", fleet(" and "));
    text
}

#[cfg(test)]
mod tests;
