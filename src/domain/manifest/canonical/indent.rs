//! White space before keys that YAML takes for a part of them, while editors show it as spaces.

use crate::domain::manifest::yaml::{Node, Style, Value};

/// What is as wide as a space: non-breaking spaces, as word processors and web pages have them.
pub(in crate::domain::manifest) fn is_like_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// The line of the first key that begins with white space.
pub(in crate::domain::manifest) fn misindented(node: &Node<'_>) -> Option<u32> {
    match &node.value {
        Value::Scalar(..) | Value::Broken => None,
        Value::Seq(items) => items.iter().find_map(misindented),
        Value::Map(pairs) => pairs.iter().find_map(|(key, value)| {
            let is_wrong = |text: &str| text.starts_with(char::is_whitespace);
            match &key.value {
                Value::Scalar(text, Style::Plain) if is_wrong(text) => Some(key.extent.start.line),
                _ => misindented(value),
            }
        }),
    }
}
