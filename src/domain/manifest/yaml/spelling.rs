//! How a string is written: in one way, which means the same to readers of older YAML, too.

use super::tree::{Extent, Node, Style, Value};
use crate::domain::model::is_deceptive;

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Block,
    /// `{…}` or `[…]`: a comma ends it.
    Braces,
}

/// A string as a scalar that means just this: without quotes where it can do without, else in
/// double quotes.
#[must_use]
pub(crate) fn scalar(text: &str, within: Within) -> String {
    if is_plain(text, within) { text.to_owned() } else { double(text) }
}

/// Whether the text means itself without quotes.
#[must_use]
pub(crate) fn is_plain(text: &str, within: Within) -> bool {
    let first = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '(');
    let special = |c: char| match c {
        ',' => within == Within::Braces,
        c => "#[]{}\"\\`".contains(c) || is_deceptive(c) || c.is_whitespace() && c != ' ',
    };
    text.chars().next().is_some_and(first)
        && !text.contains(special)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains("  ")
        && node(text).text() == Some(text)
        && !is_another_type_elsewhere(text)
}

fn node(text: &str) -> Node<'_> {
    Node { value: Value::Scalar(text.into(), Style::Plain), extent: Extent::default() }
}

/// Whether YAML 1.1, which many readers still are, takes the text for a boolean, a number or a
/// date; also a version, which people take for a number.
fn is_another_type_elsewhere(text: &str) -> bool {
    let number = |b: u8| b.is_ascii_digit() || b"._:+-".contains(&b);
    ["yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word))
        || text.bytes().all(number)
        || text.starts_with("0b")
        || text.starts_with("0B")
}

/// In double quotes: the escapes of JSON are those of YAML.
#[must_use]
pub(crate) fn double(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_deceptive(c) => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
