//! What changes in a field.

use std::io::{self, Write};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::out::Tone;
use super::text::{safe, safe_lines};
use crate::domain::state::event::Change;

/// `field: before -> after`, or line by line where a value is no plain word.
pub(super) fn change_text(
    out: &mut impl Write,
    change: &Change<&'static str>,
    color: bool,
) -> io::Result<()> {
    let Change { field, from, to } = change;
    if let (Some(from), Some(to)) = (plain(from), plain(to)) {
        return writeln!(out, "      {field}: {} -> {}", safe(&from), safe(&to));
    }
    writeln!(out, "      {field}:")?;
    let (from, to) = (lines(from), lines(to));
    let diff = TextDiff::from_lines(&from, &to);
    for (index, group) in diff.grouped_ops(2).iter().enumerate() {
        if index > 0 {
            writeln!(out, "          …")?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ("-", Tone::Removed),
                ChangeTag::Insert => ("+", Tone::Added),
                ChangeTag::Equal => (" ", Tone::Plain),
            };
            let line = format!("{sign} {}", change.value().trim_end_matches('\n'));
            writeln!(out, "        {}", tone.paint(&line, color))?;
        }
    }
    Ok(())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some("(none)".to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// As the manifest would spell it, a line a value.
fn lines(value: &Value) -> String {
    // No label is no line, and no `{}`.
    let is_empty = match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    if is_empty {
        return String::new();
    }
    serde_yaml::to_string(value)
        .map_or_else(|_| format!("{value:#}\n"), |yaml| safe_lines(&yaml).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(from: Value, to: Value) -> String {
        let mut out = Vec::new();
        change_text(&mut out, &Change { field: "labels", from, to }, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_last_label_goes_and_the_first_one_comes_in_one_line() {
        let madrid = json!({"site": "madrid"});
        let gone = text(madrid.clone(), json!({}));
        assert_eq!(gone, "      labels:\n        - site: madrid\n");
        assert_eq!(text(json!({}), madrid), "      labels:\n        + site: madrid\n");
        assert_eq!(text(json!([]), json!(["a"])), "      labels:\n        + - a\n");
    }
}
