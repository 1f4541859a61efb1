//! Workflow commands of GitHub Actions: annotations on the lines of a pull request.
//!
//! One line each, `::error file=…,line=…::message`. All text goes through [`escape`], so that
//! no value begins a line of its own, and none ends the place or the message early.

use std::io::{self, Write};
use std::path::Path;

use super::text::{joined, safe_lines};
use crate::domain::manifest::finding::{Finding, Severity};
use crate::domain::model::{Place, words};

words! {
    /// How an annotation is shown.
    pub(crate) enum Level { Error = "error", Warning = "warning", Notice = "notice" }
}

/// Where an annotation goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    file: String,
    line: u32,
    /// From and up to, not including.
    columns: Option<(u32, u32)>,
}

impl Target {
    /// The line where something is written.
    #[must_use]
    pub(crate) fn at(root: &Path, place: &Place) -> Self {
        Self { file: joined(root, &place.path), line: place.line.max(1), columns: None }
    }
}

/// One annotation; `message` may have several lines.
pub(crate) fn annotate(
    out: &mut dyn Write,
    level: Level,
    target: Option<&Target>,
    title: &str,
    message: &str,
) -> io::Result<()> {
    write!(out, "::{level} ")?;
    if let Some(Target { file, line, columns }) = target {
        write!(out, "file={},line={line},", escape(file, true))?;
        if let Some((from, to)) = columns {
            write!(out, "endLine={line},col={from},endColumn={to},")?;
        }
    }
    writeln!(out, "title={}::{}", escape(title, true), escape(message, false))
}

/// A finding; `prefix` says more about it, as `new`.
pub(crate) fn finding(
    out: &mut dyn Write,
    root: &Path,
    finding: &Finding,
    prefix: &str,
) -> io::Result<()> {
    let Finding { code, severity, message, help, span, related } = finding;
    let level = match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    };
    let columns = (span.line > 0).then(|| {
        let from = span.column.max(1);
        (from, from.saturating_add(span.width))
    });
    let target = Target { file: joined(root, &span.path), line: span.line.max(1), columns };
    let mut text = super::text::safe(message).into_owned();
    if !help.is_empty() {
        text = format!("{text}\nhelp: {}", super::text::safe(help));
    }
    if let Some((other, what)) = related {
        let other_path = joined(root, &other.path);
        text = format!("{text}\n{}: {other_path}:{}", super::text::safe(what), other.line.max(1));
    }
    annotate(out, level, Some(&target), &format!("{prefix}{code}"), &text)
}

/// As the runner wants it: `%`, line breaks, and in properties `:` and `,` as `%XX`. All other
/// deceptive characters are spelled out.
#[must_use]
pub(crate) fn escape(text: &str, property: bool) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in safe_lines(text).chars() {
        match c {
            '%' => escaped.push_str("%25"),
            '\n' => escaped.push_str("%0A"),
            ':' if property => escaped.push_str("%3A"),
            ',' if property => escaped.push_str("%2C"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        for (text, property, escaped) in [
            ("100% a:b,c", false, "100%25 a:b,c"),
            ("100% a:b,c", true, "100%25 a%3Ab%2Cc"),
            ("x\n::error::y", false, "x%0A::error::y"),
            ("x\r\u{1b}[2J\u{202e}", false, "x\\r\\u{1b}[2J\\u{202e}"),
        ] {
            assert_eq!(escape(text, property), escaped);
        }
    }

    #[test]
    fn an_annotation_is_one_line() {
        let mut out = Vec::new();
        let place = Place { path: "a,b:c%/x.yaml".into(), line: 7 };
        let target = Target::at(Path::new("./fleet"), &place);
        annotate(&mut out, Level::Notice, Some(&target), "t,::\n", "one\ntwo").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "::notice file=fleet/a%2Cb%3Ac%25/x.yaml,line=7,title=t%2C%3A%3A%0A::one%0Atwo\n"
        );
    }
}
