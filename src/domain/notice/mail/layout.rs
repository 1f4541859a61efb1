//! A rendered template as a text: its subject, and paragraphs of lines that are not too long.

use super::html::is_rule;

/// Longest line of a text, in characters.
const WIDTH: usize = 76;

/// The first line of a template's result, `Subject: …`, and what follows, with at most one empty line
/// between two others.
///
/// # Errors
/// If it does not begin with a subject.
pub(super) fn subject_and_body(rendered: &str) -> Result<(String, String), String> {
    let rendered = rendered.trim_start();
    let (first, rest) = rendered.split_once('\n').unwrap_or((rendered, ""));
    let subject = first
        .strip_prefix("Subject:")
        .map(str::trim)
        .filter(|subject| !subject.is_empty())
        .ok_or("its first line must be `Subject: …`")?;
    let mut body = String::new();
    let mut empty = true;
    for line in rest.lines().map(str::trim_end) {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        body.push_str(line);
        body.push('\n');
    }
    let body = body.trim_end().to_owned() + "\n";
    Ok((subject.to_owned(), body))
}

/// The text as it is sent: lines wrapped, headings underlined as far as they go.
pub(super) fn wrapped(body: &str) -> String {
    let mut out = String::new();
    let mut before = "";
    for line in body.lines() {
        if is_rule(line) && !before.is_empty() {
            let width = before.chars().count().min(WIDTH);
            out.extend(std::iter::repeat_n('-', width));
            out.push('\n');
        } else {
            wrap(line, &mut out);
        }
        before = line;
    }
    out
}

fn wrap(line: &str, out: &mut String) {
    let text = line.trim_start();
    let indent = line.len() - text.len();
    let hanging = indent + if text.starts_with("- ") { 2 } else { 0 };
    let mut column = indent;
    out.push_str(&line[..indent]);
    for (n, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if n > 0 && column + 1 + width > WIDTH {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hanging));
            column = hanging;
        } else if n > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}
