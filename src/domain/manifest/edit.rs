//! Editing a manifest in place: comments, order, layout and quotes stay as they are.
//!
//! Text in, text out. A value is replaced where it stands, by the spans of the tree; a field
//! that is not there yet is added on a line of its own, or within the braces. What comes out is
//! parsed again and must be the old tree with just that value in it: where a text is written
//! in a way that this module does not master, it refuses, and never guesses.

use std::ops::Range;

use crate::domain::manifest::yaml::{
    self, Node, Position, Scalar, Style, Value, Within, double, is_plain, past_quotes, scalar,
};
use crate::domain::model::is_deceptive;
use crate::domain::wording::quote;

/// Why a text was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The document is not there, or is no manifest.
    #[error("there is no manifest at line {0}")]
    NoManifest(u32),
    #[error("the manifest is not valid YAML")]
    Syntax,
    /// The field holds something that is no plain value, or is written in an unusual way.
    #[error("{} is written in a way that cannot be edited in place", quote(.0))]
    Unusual(String),
    /// An increase of something that is no number.
    #[error("{} is not a number that can be raised", quote(.0))]
    NoNumber(String),
}

/// What a field is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    Text(String),
    Number(u32),
    /// So much more than it is, or than `from` where it is not there.
    Raised {
        by: u32,
        /// What stands for an absent value.
        from: u32,
    },
    /// Not there.
    Absent,
}

/// One edit: a field by the keys that lead to it, and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// As `["spec", "status"]`.
    pub(crate) path: Vec<String>,
    pub(crate) to: To,
}

/// The file with the edits done in the document whose first key is in this line.
///
/// # Errors
/// If there is no such document, or one of its fields cannot be edited safely.
pub(crate) fn edit(file: &str, line: u32, edits: &[Edit]) -> Result<String, Error> {
    let mut file = file.to_owned();
    for edit in edits {
        file = one(&file, line, edit)?;
    }
    Ok(file)
}

fn one(file: &str, line: u32, edit: &Edit) -> Result<String, Error> {
    let name = edit.path.join(".");
    for piece in yaml::cut(file.as_bytes()) {
        let text = &file[piece.body..piece.bytes.end];
        let parsed = yaml::parse(text, piece.body_line);
        let Some(root) = &parsed.root else { continue };
        if root.extent.start.line != line {
            continue;
        }
        if !parsed.complete || !parsed.problems.is_empty() {
            return Err(Error::Syntax);
        }
        let document = Document { text, first: piece.body_line };
        let path: Vec<&str> = edit.path.iter().map(String::as_str).collect();
        let to = resolve(root, &path, &edit.to).ok_or_else(|| Error::NoNumber(name.clone()))?;
        let unusual = || Error::Unusual(name.clone());
        if to == New::Absent && find(root, &path).is_none() {
            return Ok(file.to_owned());
        }
        let (range, new) = document.place(root, &path, &to).ok_or_else(unusual)?;
        let mut edited = text.to_owned();
        edited.replace_range(range, &new);
        if !is_just(root, &edited, &path, &to) {
            return Err(unusual());
        }
        return file_with(file, piece.body..piece.bytes.end, &edited).ok_or_else(unusual);
    }
    Err(Error::NoManifest(line))
}

fn file_with(file: &str, range: Range<usize>, text: &str) -> Option<String> {
    let mut whole = file.to_owned();
    file.get(range.clone())?;
    whole.replace_range(range, text);
    Some(whole)
}

/// What a value is to be, once it is known what it was.
#[derive(Debug, Clone, PartialEq)]
enum New {
    Text(String),
    Number(u32),
    Absent,
}

fn resolve(root: &Node<'_>, path: &[&str], to: &To) -> Option<New> {
    match to {
        To::Text(text) => Some(New::Text(text.clone())),
        To::Number(n) => Some(New::Number(*n)),
        To::Absent => Some(New::Absent),
        To::Raised { by, from } => {
            let was = match find(root, path).map(Node::scalar) {
                None => *from,
                Some(Some(Scalar::Int(n))) => u32::try_from(n).ok()?,
                Some(_) => return None,
            };
            was.checked_add(*by).map(New::Number)
        }
    }
}

fn find<'n, 'a>(root: &'n Node<'a>, path: &[&str]) -> Option<&'n Node<'a>> {
    path.iter().try_fold(root, |node, key| node.get(key))
}

/// The text of one document.
struct Document<'d> {
    text: &'d str,
    first: u32,
}

impl Document<'_> {
    /// What is replaced by what.
    fn place(&self, root: &Node<'_>, path: &[&str], to: &New) -> Option<(Range<usize>, String)> {
        if *to == New::Absent {
            return Some((self.removed(root, path)?, String::new()));
        }
        let (last, above) = path.split_last()?;
        if let Some(node) = find(root, path) {
            let range = self.scalar(node)?;
            let style = quotes(self.text[range.clone()].chars().next());
            return Some((range, written(to, style, self.within(root, above))));
        }
        match find(root, above) {
            Some(parent) => {
                let within = self.within(root, above);
                let value = written(to, None, within);
                self.insert(parent, &format!("{}: {value}", scalar(last, within)))
            }
            None => {
                let (missing, above) = above.split_last()?;
                let within = Within::Braces;
                let value = written(to, None, within);
                let entry =
                    format!("{}: {{{}: {value}}}", scalar(missing, within), scalar(last, within));
                self.insert(find(root, above)?, &entry)
            }
        }
    }

    /// Whether what is below these keys is in braces.
    fn within(&self, root: &Node<'_>, above: &[&str]) -> Within {
        let is_braced = |n: usize| {
            let start = find(root, &above[..n]).and_then(|node| self.offset(node.extent.start));
            start.is_some_and(|start| self.text[start..].starts_with('{'))
        };
        if (0..=above.len()).any(is_braced) { Within::Braces } else { Within::Block }
    }

    /// The bytes of a field with its key, and with the mapping that would be empty without it.
    fn removed(&self, root: &Node<'_>, path: &[&str]) -> Option<Range<usize>> {
        let (last, above) = path.split_last()?;
        let parent = find(root, above)?;
        let Value::Map(entries) = &parent.value else { return None };
        // `metadata` and `spec` themselves are never empty.
        if entries.len() == 1 && above.len() > 1 {
            return self.removed(root, above);
        }
        let at = entries.iter().position(|(key, _)| key.text() == Some(last))?;
        let (key, value) = &entries[at];
        let (start, end) = (self.offset(key.extent.start)?, self.end(value)?);
        if self.text[self.offset(parent.extent.start)?..].starts_with('{') {
            return match (at.checked_sub(1), entries.get(at + 1)) {
                (Some(before), _) => Some(self.end(&entries[before].1)?..end),
                (None, Some((next, _))) => Some(start..self.offset(next.extent.start)?),
                (None, None) => Some(start..end),
            };
        }
        let line = self.text[..start].rfind('\n').map_or(0, |n| n + 1);
        let after = self.text[end..].find('\n').map_or(self.text.len(), |n| end + n + 1);
        let rest = self.text[end..after].trim();
        let alone = self.text[line..start].bytes().all(|b| b == b' ');
        (alone && (rest.is_empty() || rest.starts_with('#'))).then_some(line..after)
    }

    /// Where a value ends.
    fn end(&self, node: &Node<'_>) -> Option<usize> {
        let Value::Map(entries) = &node.value else { return Some(self.scalar(node)?.end) };
        let flow = self.text[self.offset(node.extent.start)?..].starts_with('{');
        let last = self.end(&entries.last()?.1)?;
        if !flow {
            return Some(last);
        }
        let rest = &self.text[last..];
        let blank = rest.len() - rest.trim_start_matches([' ', ',', '\n', '\r']).len();
        rest[blank..].starts_with('}').then_some(last + blank + 1)
    }

    /// An entry added to a mapping: after the last value that ends in its line.
    fn insert(&self, parent: &Node<'_>, entry: &str) -> Option<(Range<usize>, String)> {
        let Value::Map(entries) = &parent.value else { return None };
        let start = self.offset(parent.extent.start)?;
        let flow = self.text[start..].starts_with('{');
        let simple = entries.iter().rev().find_map(|(_, value)| Some(self.scalar(value)?.end));
        if flow {
            return match simple {
                Some(end) => Some((end..end, format!(", {entry}"))),
                None if entries.is_empty() => Some((start + 1..start + 1, entry.to_owned())),
                None => Some((start + 1..start + 1, format!("{entry}, "))),
            };
        }
        let (first, _) = entries.first()?;
        let at = self.offset(first.extent.start)?;
        let line = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let indent = &self.text[line..at];
        if !indent.bytes().all(|b| b == b' ') {
            return None;
        }
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let Some(after) = simple else { return Some((at..at, format!("{entry}{end}{indent}"))) };
        // After the end of that line, so that a comment stays beside its value.
        match self.text[after..].find('\n') {
            Some(n) => Some((after + n + 1..after + n + 1, format!("{indent}{entry}{end}"))),
            None => Some((self.text.len()..self.text.len(), format!("{end}{indent}{entry}"))),
        }
    }

    /// The bytes of a scalar in one line, with its quotes.
    fn scalar(&self, node: &Node<'_>) -> Option<Range<usize>> {
        let Value::Scalar(value, style) = &node.value else { return None };
        let start = self.offset(node.extent.start)?;
        let rest = &self.text[start..];
        let rest = &rest[..rest.find(['\r', '\n']).unwrap_or(rest.len())];
        let length = match (style, quotes(rest.chars().next())) {
            (Style::Plain, None) if !value.is_empty() && rest.starts_with(&**value) => value.len(),
            (Style::Quoted, Some(_)) => past_quotes(rest.char_indices())?,
            _ => return None,
        };
        Some(start..start + length)
    }

    fn offset(&self, position: Position) -> Option<usize> {
        let n = position.line.checked_sub(self.first)? as usize;
        let start = match n {
            0 => 0,
            n => self.text.match_indices('\n').nth(n - 1)?.0 + 1,
        };
        let rest = &self.text[start..];
        let column = position.column.checked_sub(1)? as usize;
        match rest.char_indices().nth(column) {
            Some((at, _)) => Some(start + at),
            None => Some(self.text.len()),
        }
    }
}

fn quotes(first: Option<char>) -> Option<char> {
    first.filter(|c| matches!(c, '"' | '\''))
}

fn written(to: &New, quote: Option<char>, within: Within) -> String {
    let text = match to {
        New::Number(n) => return n.to_string(),
        New::Text(text) => text,
        New::Absent => return String::new(),
    };
    match quote {
        Some('\'') if !text.contains(is_deceptive) => format!("'{}'", text.replace('\'', "''")),
        None if is_plain(text, within) => text.clone(),
        _ => double(text),
    }
}

/// Whether the edited text is the old tree with just this value in it.
fn is_just(root: &Node<'_>, edited: &str, path: &[&str], to: &New) -> bool {
    let parsed = yaml::parse(edited, 1);
    let Some(new) = parsed.root.filter(|_| parsed.complete && parsed.problems.is_empty()) else {
        return false;
    };
    if *to == New::Absent {
        return is_without(root, &new, path);
    }
    same(Some(root), &new, path, to)
}

fn same(was: Option<&Node<'_>>, is: &Node<'_>, path: &[&str], to: &New) -> bool {
    let Some((key, rest)) = path.split_first() else {
        return match to {
            New::Text(text) => is.text() == Some(text),
            New::Number(n) => is.scalar() == Some(Scalar::Int(i128::from(*n))),
            New::Absent => false,
        };
    };
    let Value::Map(entries) = &is.value else { return false };
    let before = match was.map(|was| &was.value) {
        Some(Value::Map(before)) => before.as_slice(),
        None => &[],
        Some(_) => return false,
    };
    let is_new = usize::from(!before.iter().any(|(k, _)| k.text() == Some(key)));
    let others = |all: &[(Node<'_>, Node<'_>)]| {
        all.iter().filter(|(k, _)| k.text() != Some(key)).map(bare).collect::<Vec<_>>()
    };
    entries.len() == before.len() + is_new
        && others(entries) == others(before)
        && is.get(key).is_some_and(|is| same(was.and_then(|was| was.get(key)), is, rest, to))
}

/// Whether it is the old tree without this field, and without the mapping that held nothing else.
fn is_without(was: &Node<'_>, is: &Node<'_>, path: &[&str]) -> bool {
    let Some((key, rest)) = path.split_first() else { return false };
    let (Value::Map(before), Value::Map(after)) = (&was.value, &is.value) else { return false };
    let others = |all: &[(Node<'_>, Node<'_>)]| {
        all.iter().filter(|(k, _)| k.text() != Some(key)).map(bare).collect::<Vec<_>>()
    };
    let held_nothing_else = |was: &Node<'_>| match (&was.value, rest) {
        (Value::Map(entries), [last]) => entries.len() == 1 && was.get(last).is_some(),
        (_, rest) => rest.is_empty(),
    };
    others(before) == others(after)
        && match (was.get(key), is.get(key)) {
            (Some(was), Some(is)) => is_without(was, is, rest),
            (Some(was), None) => held_nothing_else(was),
            (None, _) => false,
        }
}

/// An entry without its places, to be compared.
fn bare((key, value): &(Node<'_>, Node<'_>)) -> String {
    fn write(node: &Node<'_>, out: &mut String) {
        match &node.value {
            Value::Scalar(text, style) => {
                out.push_str(if *style == Style::Plain { "p" } else { "q" });
                out.push_str(&double(text));
            }
            Value::Seq(items) => {
                out.push('[');
                items.iter().for_each(|item| write(item, out));
                out.push(']');
            }
            Value::Map(entries) => {
                out.push('{');
                entries.iter().for_each(|(key, value)| {
                    write(key, out);
                    write(value, out);
                });
                out.push('}');
            }
            Value::Broken => out.push('!'),
        }
    }
    let mut out = String::new();
    write(key, &mut out);
    write(value, &mut out);
    out
}

#[cfg(test)]
mod tests;
