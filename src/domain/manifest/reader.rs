//! Reading typed values out of a tree, and saying where and why that fails.
//!
//! Every function reports what is wrong and returns `None`; the caller goes on to the next
//! field, so that all findings of a document come at once. What YAML itself found fault with
//! ([`Value::Broken`]) is passed over in silence: it has its finding.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::fields::Mapping;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::yaml::{
    Extent, Node, Position, Problem, Scalar, Style, Value, past_quotes,
};
use crate::domain::model::{Invalid, check_text, is_deceptive};
use crate::domain::wording::{closest, harmless, quote};

/// Characters of a line that a finding shows.
const WINDOW: usize = 300;
/// Of which this many are before what is meant.
const BEFORE: usize = 100;

/// The text of a document, by line.
pub(super) struct Lines<'d> {
    text: &'d str,
    /// Byte offsets; a document is at most 1 MiB.
    starts: Vec<usize>,
    first: u32,
}

impl<'d> Lines<'d> {
    pub(super) fn new(text: &'d str, first: u32) -> Self {
        let mut starts = Vec::with_capacity(16);
        starts.push(0);
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts, first }
    }

    /// All from this line on.
    pub(super) fn from(&self, line: u32) -> &'d str {
        let n = line.saturating_sub(self.first) as usize;
        self.starts.get(n).map_or("", |start| &self.text[*start..])
    }

    /// The end of a text that ends in a line break is the end of the line before: what comes
    /// after it is another document's.
    fn settle(&self, extent: Extent) -> Extent {
        let last = self.first.saturating_add(small(self.starts.len() - 1));
        if extent.start.line < last || !self.get(last).is_empty() {
            return extent;
        }
        let line = last.saturating_sub(1).max(self.first);
        let end = Position { line, column: u32::MAX };
        Extent { start: end, end }
    }

    fn get(&self, line: u32) -> &'d str {
        let n = line.saturating_sub(self.first) as usize;
        let Some(start) = self.starts.get(n) else { return "" };
        let end = self.starts.get(n + 1).copied().unwrap_or(self.text.len());
        self.text[*start..end].trim_end_matches(['\r', '\n'])
    }
}

/// Where a value that other files are compared with is written: as good as a [`Span`], but
/// lean, since there are hundreds of thousands and hardly one is ever shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spot {
    /// The line is just `key: value` with blanks before it.
    Plain {
        /// As in [`Span`].
        line: u32,
        /// As in [`Span`].
        column: u32,
    },
    Other(Box<Span>),
}

impl Spot {
    /// The span of `value`, which `key` introduces, in the file at `path`.
    #[must_use]
    pub(crate) fn span(&self, path: &Arc<str>, key: &str, value: &str) -> Span {
        match self {
            Self::Other(span) => Span::clone(span),
            Self::Plain { line, column } => {
                let indent = (*column as usize).saturating_sub(key.len() + 3);
                Span {
                    path: path.clone(),
                    line: *line,
                    column: *column,
                    width: small(value.chars().count()),
                    text: format!("{:indent$}{key}: {value}", "").into(),
                    offset: 0,
                }
            }
        }
    }
}

/// A value and how it is called.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) owner: &'static str,
    pub(super) key: &'n Node<'n>,
    pub(super) value: &'n Node<'n>,
    pub(super) index: Option<usize>,
}

impl Field<'_> {
    /// Where to point: at the key where the value is left out.
    pub(super) fn extent(&self) -> Extent {
        let value = self.value.extent;
        if value.start == value.end { self.key.extent } else { value }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = quote(self.key.text().unwrap_or_default());
        let key = key.trim_matches('`');
        f.write_str("`")?;
        if !self.owner.is_empty() {
            write!(f, "{}.", self.owner)?;
        }
        f.write_str(key)?;
        if let Some(n) = self.index {
            write!(f, "[{n}]")?;
        }
        f.write_str("`")
    }
}

/// A mapping whose keys are known to be strings.
pub(super) struct Object<'n> {
    owner: &'static str,
    /// The fields that may be left out.
    optional: &'static [&'static str],
    at: Extent,
    entries: &'n [(Node<'n>, Node<'n>)],
}

impl<'n> Object<'n> {
    fn get(&self, name: &str) -> Option<Field<'n>> {
        self.fields().find(|field| field.key.text() == Some(name))
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'n>> + use<'n> {
        let owner = self.owner;
        self.entries.iter().map(move |(key, value)| Field { owner, key, value, index: None })
    }
}

/// What a document is read with: its place, its text, and what was found.
pub(super) struct Reader<'d> {
    pub(super) path: &'d Arc<str>,
    pub(super) lines: Lines<'d>,
    pub(super) findings: Vec<Finding>,
    /// How many findings there may be: placing one takes time that grows with its line.
    pub(super) room: usize,
    /// How many there were beyond that.
    pub(super) omitted: usize,
}

impl<'d> Reader<'d> {
    pub(super) fn new(path: &'d Arc<str>, lines: Lines<'d>, room: usize) -> Self {
        Self { path, lines, findings: Vec::new(), room, omitted: 0 }
    }

    /// Whether nothing was found.
    pub(super) fn is_content(&self) -> bool {
        self.findings.is_empty() && self.omitted == 0
    }

    pub(super) fn report(
        &mut self,
        code: Code,
        extent: Extent,
        message: String,
        help: impl Into<String>,
    ) {
        self.place(code, extent, message, help.into(), None);
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        let Problem { code, message, help, extent, related } = problem;
        self.place(code, extent, message, help.to_owned(), related);
    }

    fn place(
        &mut self,
        code: Code,
        extent: Extent,
        message: String,
        help: String,
        related: Option<(Extent, &str)>,
    ) {
        if self.findings.len() >= self.room {
            self.omitted += 1;
            return;
        }
        let span = self.span(extent);
        let related = related.map(|(extent, what)| (self.span(extent), what.to_owned()));
        let severity = Severity::Error;
        self.findings.push(Finding { code, severity, message, help, span, related });
    }

    pub(super) fn span(&self, extent: Extent) -> Span {
        let Extent { start, end } = self.lines.settle(extent);
        let line = self.lines.get(start.line);
        let length = line.trim_end().chars().count();
        let column = (start.column as usize).clamp(1, length.max(1));
        let past = if end.line == start.line { end.column as usize } else { length + 1 };
        let offset = if length <= WINDOW { 0 } else { (column - 1).saturating_sub(BEFORE) };
        // What the parser says includes the blanks and the comment after a quoted scalar.
        let quoted = past_quotes((column..).zip(line.chars().skip(column - 1)));
        let past = past.min(quoted.unwrap_or(past));
        let past = past.min(length + 1).min(offset + WINDOW + 1);
        let window: String = line.chars().skip(offset).take(WINDOW).collect();
        Span {
            path: self.path.clone(),
            line: start.line,
            column: small(column),
            width: small(past.saturating_sub(column).max(1)),
            text: harmless(&window).into(),
            offset: small(offset),
        }
    }

    pub(super) fn spot(&self, field: &Field<'_>, value: &str) -> Spot {
        let extent = field.extent();
        let (line, column) = (extent.start.line, extent.start.column);
        let before = self.lines.get(line).strip_suffix(value).map(str::trim_start);
        let key = before.and_then(|b| b.strip_suffix(": "));
        match key {
            Some(key) if field.key.text() == Some(key) => Spot::Plain { line, column },
            _ => Spot::Other(Box::new(self.span(extent))),
        }
    }

    /// The mapping that `field` is, all keys reported that are no fields of it.
    pub(super) fn object<'n>(&mut self, field: Field<'n>, mapping: &Mapping) -> Option<Object<'n>> {
        let Mapping { path, all: known, optional, nested: _ } = mapping;
        let object = Object { optional, ..self.open(path, field)? };
        for field in object.fields() {
            let Some(name) = field.key.text().filter(|name| !known.contains(name)) else {
                continue;
            };
            let help = match closest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("remove it; valid fields are {}", known.join(", ")),
            };
            self.report(
                Code::UnknownField,
                field.key.extent,
                format!("unknown field {field}"),
                help,
            );
        }
        Some(object)
    }

    /// The mapping that `field` is; whatever its keys are, they are strings or reported.
    pub(super) fn open<'n>(&mut self, owner: &'static str, field: Field<'n>) -> Option<Object<'n>> {
        match &field.value.value {
            Value::Map(entries) => {
                for (key, _) in entries {
                    self.key(key);
                }
                Some(Object { owner, optional: &[], at: field.key.extent, entries })
            }
            _ => {
                self.wrong_type(&field, "a mapping", "write `key: value` lines below it, indented")
            }
        }
    }

    /// A key as a string.
    pub(super) fn key<'n>(&mut self, key: &'n Node<'_>) -> Option<&'n str> {
        if key.text().is_none() && key.value != Value::Broken {
            let message = format!("a key must be a string, not {}", describe(key));
            let help = quote_it(key).unwrap_or_else(|| "write a string".into());
            self.report(Code::WrongType, key.extent, message, help);
        }
        key.text()
    }

    /// One of its fields; reported where it is missing and must not be.
    pub(super) fn field<'n>(&mut self, object: &Object<'n>, name: &str) -> Option<Field<'n>> {
        let found = object.get(name);
        if found.is_none() && !object.optional.contains(&name) {
            let dot = if object.owner.is_empty() { "" } else { "." };
            let message = format!("`{}{dot}{name}` is missing", object.owner);
            self.report(Code::MissingField, object.at, message, format!("add `{name}`"));
        }
        found
    }

    pub(super) fn string<'n>(&mut self, field: &Field<'n>) -> Option<&'n str> {
        match field.value.text() {
            Some(text) => Some(text),
            None => self.wrong_type(field, "a string", "give it a value or remove it"),
        }
    }

    /// A string that is a `T`.
    pub(super) fn parsed<T: FromStr<Err = Invalid>>(
        &mut self,
        field: &Field<'_>,
        help: &str,
    ) -> Option<T> {
        let text = self.string(field)?;
        text.parse()
            .map_err(|why| {
                let message = format!("{field}: {} {why}", quote(text));
                let code = if text.contains(is_deceptive) {
                    Code::ForbiddenCharacter
                } else {
                    Code::InvalidValue
                };
                self.report(code, field.extent(), message, help);
            })
            .ok()
    }

    /// One word of a closed set.
    pub(super) fn word<T>(&mut self, field: &Field<'_>, all: &[&'static str]) -> Option<T>
    where
        T: FromStr<Err = Invalid>,
    {
        let text = self.string(field)?;
        if let Ok(word) = text.parse() {
            return Some(word);
        }
        let help = match closest(text, all.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write one of {}", all.join(", ")),
        };
        self.parsed(field, &help)
    }

    /// Text for people: not empty, at most `max` bytes, on one line.
    pub(super) fn prose<'n>(&mut self, field: &Field<'n>, max: usize) -> Option<&'n str> {
        let text = self.string(field)?;
        if text.is_empty() {
            let message = format!("{field} is empty");
            self.report(
                Code::InvalidValue,
                field.extent(),
                message,
                "give it a value or remove it",
            );
            return None;
        }
        let Err(why) = check_text(text, max) else { return Some(text) };
        let deceptive = text.contains(is_deceptive);
        let (code, help) = match &field.value.value {
            Value::Scalar(_, Style::Block) if deceptive => {
                (Code::ForbiddenCharacter, "write it on one line, or after `>-`")
            }
            _ if deceptive => (Code::ForbiddenCharacter, "write it on one line"),
            _ => (Code::InvalidValue, "shorten it"),
        };
        let message = match text.chars().find(|c| is_deceptive(*c)) {
            Some('\n') => format!("{field} has more than one line"),
            _ => format!("{field} {why}"),
        };
        self.report(code, field.extent(), message, help);
        None
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, field: &Field<'_>) -> Option<bool> {
        match field.value.scalar() {
            Some(Scalar::Bool(value)) => Some(value),
            _ => self.wrong_type(field, "a boolean", "write true or false, without quotes"),
        }
    }

    /// A whole number from `least` to `most`; too small a one is reported as `small`.
    pub(super) fn whole(
        &mut self,
        field: &Field<'_>,
        (least, most): (u32, u32),
        small: Code,
    ) -> Option<u32> {
        let Some(Scalar::Int(n)) = field.value.scalar() else {
            return self.wrong_type(field, "a whole number", "write a number without quotes");
        };
        if let Some(n) = u32::try_from(n).ok().filter(|n| (least..=most).contains(n)) {
            return Some(n);
        }
        let code = if n < i128::from(least) { small } else { Code::InvalidValue };
        // Only who gives too large a number has to know that there is an end.
        let range = match most {
            u32::MAX if n < i128::from(least) => format!("at least {least}"),
            most => format!("from {least} to {most}"),
        };
        let message = format!("{field} must be {range}, not {}", describe(field.value));
        self.report(code, field.extent(), message, format!("write a number of {range}"));
        None
    }

    /// The items of a list.
    pub(super) fn items<'n>(&mut self, field: Field<'n>) -> Option<Vec<Field<'n>>> {
        match &field.value.value {
            Value::Seq(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, value)| Field { value, index: Some(n), ..field })
                    .collect(),
            ),
            _ => self.wrong_type(&field, "a list", "write it as [one, two]"),
        }
    }

    pub(super) fn wrong_type<T>(
        &mut self,
        field: &Field<'_>,
        want: &str,
        otherwise: &str,
    ) -> Option<T> {
        if field.value.value != Value::Broken {
            let message = format!("{field} must be {want}, not {}", describe(field.value));
            let quoted = if want == "a string" { quote_it(field.value) } else { None };
            let help = quoted.unwrap_or_else(|| otherwise.to_owned());
            self.report(Code::WrongType, field.extent(), message, help);
        }
        None
    }
}

pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn describe(node: &Node<'_>) -> String {
    let (text, scalar) = match &node.value {
        Value::Map(_) => return "a mapping".into(),
        Value::Seq(_) => return "a list".into(),
        Value::Broken => return "something else".into(),
        Value::Scalar(text, _) => (text, node.scalar()),
    };
    match scalar {
        Some(Scalar::Null) if text.is_empty() => "nothing".into(),
        Some(Scalar::Null) => format!("the null {}", quote(text)),
        Some(Scalar::Bool(_)) => format!("the boolean {}", quote(text)),
        Some(Scalar::Int(_) | Scalar::Float(_)) => format!("the number {}", quote(text)),
        Some(Scalar::Text(_)) | None => format!("the string {}", quote(text)),
    }
}

/// How to make a string of something that is none.
fn quote_it(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Scalar(text, Style::Plain) if !text.is_empty() => {
            let text = quote(text);
            Some(format!("write \"{}\" in quotes", text.trim_matches('`')))
        }
        _ => None,
    }
}
