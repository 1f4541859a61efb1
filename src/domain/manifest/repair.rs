//! What is wrong with a file and can be put right without a question: its encoding, its line
//! breaks, tabs, non-breaking spaces, quotes, and its layout.
//!
//! Text is never guessed at. Tabs are replaced only where every usual width gives the same
//! manifest, and a value gets quotes only where its field wants a string, as it was written.

use std::borrow::Cow;
use std::ops::Range;

use super::canonical::{Shape, Source, Unformatted, format, is_like_space, misindented, same};
use super::encoding;
use super::yaml::{self, Node, Scalar, Style, Value, double};
use crate::domain::model::words;

/// What tabs are tried as.
const WIDTHS: [usize; 3] = [2, 4, 8];

words! {
    /// What was put right.
    pub(crate) enum Repair {
        Encoding = "encoding",
        ByteOrderMark = "byteOrderMark",
        LineBreaks = "lineBreaks",
        Tabs = "tabs",
        Spaces = "spaces",
        Quotes = "quotes",
        Layout = "layout",
    }
}

/// A file put right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repaired {
    pub(crate) text: String,
    /// What of it was put right; nothing where it was right already.
    pub(crate) repairs: Vec<Repair>,
}

/// The file, with all put right that can be.
///
/// # Errors
/// If it cannot be read all the same.
pub(crate) fn repair(bytes: &[u8]) -> Result<Repaired, Unformatted> {
    let mut repairs = Vec::new();
    let mut note = |repair, changed| {
        if changed {
            repairs.push(repair);
        }
    };
    let decoded = encoding::decode(bytes).ok_or(Unformatted::NoText)?;
    note(Repair::Encoding, matches!(decoded, Cow::Owned(_)));
    let bare = decoded.strip_prefix('\u{feff}').unwrap_or(&decoded);
    note(Repair::ByteOrderMark, matches!(decoded, Cow::Borrowed(_)) && bare.len() < decoded.len());
    let text = bare.replace("\r\n", "\n");
    note(Repair::LineBreaks, text.len() < bare.len());
    let plain = with_plain_spaces(&text).unwrap_or_else(|| text.clone());
    note(Repair::Spaces, plain != text);
    let spaced = without_tabs(&plain).unwrap_or_else(|| plain.clone());
    note(Repair::Tabs, spaced != plain);
    let quoted = with_quotes(&spaced);
    note(Repair::Quotes, quoted != spaced);
    let laid_out = format(quoted.as_bytes())?;
    note(Repair::Layout, laid_out != quoted);
    Ok(Repaired { text: laid_out, repairs })
}

/// The trees of a file; none where one of its documents cannot be read.
fn trees(text: &str) -> Option<Vec<Node<'_>>> {
    let read = |piece: &yaml::Piece| {
        let parsed = yaml::parse(&text[piece.body..piece.bytes.end], piece.body_line);
        parsed.root.filter(|_| parsed.complete && parsed.problems.is_empty())
    };
    yaml::cut(text.as_bytes()).iter().map(read).collect()
}

/// The text with spaces for the non-breaking spaces that it is indented by, as an editor shows it; none
/// where that is not to be done, or is no manifest either.
fn with_plain_spaces(text: &str) -> Option<String> {
    let is_right = |text: &str| trees(text).is_some_and(|all| !all.iter().any(has_odd_key));
    if !text.contains(is_like_space) || is_right(text) {
        return None;
    }
    let line = |line: &str| {
        let is_blank = |c: char| matches!(c, ' ' | '\t') || is_like_space(c);
        let (indent, rest) = line.split_at(line.len() - line.trim_start_matches(is_blank).len());
        indent.replace(is_like_space, " ") + rest
    };
    let plain: String = text.split_inclusive('\n').map(line).collect();
    let is_readable = is_right(&plain) || without_tabs(&plain).is_some_and(|text| is_right(&text));
    is_readable.then_some(plain)
}

fn has_odd_key(root: &Node<'_>) -> bool {
    misindented(root).is_some()
}

/// The text with spaces for the tabs that it is indented by; none where that is not to be done, or
/// may mean several things.
fn without_tabs(text: &str) -> Option<String> {
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_indented = |line: &str| line[..blanks(line)].contains('\t');
    if !text.lines().any(is_indented) || trees(text).is_some() {
        return None;
    }
    let spaced = |width: usize| -> String {
        let line = |line: &str| {
            let (indent, rest) = line.split_at(blanks(line));
            indent.replace('\t', &" ".repeat(width)) + rest
        };
        text.split_inclusive('\n').map(line).collect()
    };
    let tried = WIDTHS.map(spaced);
    let read: Vec<_> = tried.iter().filter_map(|text| Some((text, trees(text)?))).collect();
    let (first, others) = read.split_first()?;
    let alike = |(_, trees): &(&String, Vec<Node<'_>>)| {
        trees.len() == first.1.len() && trees.iter().zip(&first.1).all(|(a, b)| same(a, b))
    };
    others.iter().all(alike).then(|| first.0.clone())
}

/// The text with quotes around what has to be a string, and none around what must not be one.
fn with_quotes(text: &str) -> String {
    let source = Source::new(text);
    let mut edits = Vec::new();
    for root in trees(text).iter().flatten() {
        let shape = Shape::of(root);
        if shape.has_kind() {
            mapping(&source, root, shape, &mut edits);
        }
    }
    let mut quoted = text.to_owned();
    edits.sort_by_key(|(range, _): &(Range<usize>, String)| range.start);
    for (range, new) in edits.into_iter().rev() {
        quoted.replace_range(range, &new);
    }
    quoted
}

type Edits = Vec<(Range<usize>, String)>;

fn mapping(source: &Source<'_>, node: &Node<'_>, shape: Shape, edits: &mut Edits) {
    let Value::Map(pairs) = &node.value else { return };
    for (key, value) in pairs {
        let Some(name) = key.text().filter(|name| shape.order().contains(name)) else { continue };
        match (name, &value.value) {
            // Free form: a number there is meant to be one.
            ("settings", _) => {}
            ("labels", Value::Map(labels)) => {
                for scalar in labels.iter().flat_map(|(key, value)| [key, value]) {
                    edits.extend(text_edit(source, scalar));
                }
            }
            (_, Value::Map(_)) => mapping(source, value, shape.below(Some(name)), edits),
            (_, Value::Seq(items)) => {
                edits.extend(items.iter().filter_map(|item| text_edit(source, item)));
            }
            ("enrollment" | "maxSignatureAgeDays" | "minPinLength", _) => {
                let is_number =
                    |text: &str| text.parse::<u32>().is_ok_and(|n| n.to_string() == text);
                edits.extend(bare_edit(source, value, is_number));
            }
            ("required" | "confirm", _) => {
                edits.extend(bare_edit(source, value, |text| matches!(text, "true" | "false")));
            }
            _ => edits.extend(text_edit(source, value)),
        }
    }
}

/// A number or a boolean where a string belongs: what was written, in quotes.
fn text_edit(source: &Source<'_>, node: &Node<'_>) -> Option<(Range<usize>, String)> {
    let Value::Scalar(text, Style::Plain) = &node.value else { return None };
    let is_other = matches!(node.scalar()?, Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_));
    let range = source.scalar(node)??;
    is_other.then(|| (range, double(text)))
}

/// A string where a number or a boolean belongs: without its quotes, if it is one then.
fn bare_edit(
    source: &Source<'_>,
    node: &Node<'_>,
    is_one: impl Fn(&str) -> bool,
) -> Option<(Range<usize>, String)> {
    let Value::Scalar(text, Style::Quoted) = &node.value else { return None };
    let range = source.scalar(node)??;
    is_one(text).then(|| (range, text.to_string()))
}

#[cfg(test)]
mod tests;
