//! A file laid out anew.

use super::build::build;
use super::layout::{Line, lines, lines_of, write};
use super::same::same;
use super::source::Source;
use crate::domain::manifest::encoding;
use crate::domain::manifest::text::decode;
use crate::domain::manifest::yaml::{self, Node, Piece};

/// Why a file stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unformatted {
    #[error("it is not UTF-8 text")]
    NoText,
    #[error("it has characters that may not be in a manifest")]
    Forbidden,
    /// In this line.
    #[error("what begins in line {0} is no manifest that can be read")]
    Unreadable(u32),
    /// In this line.
    #[error(
        "what begins in line {0} is written in a way that cannot be laid out anew; edit it by hand"
    )]
    Unusual(u32),
}

/// The file as it is laid out; the very same text where it is so already.
///
/// # Errors
/// If it cannot be read as YAML, or might mean something else.
pub(crate) fn format(bytes: &[u8]) -> Result<String, Unformatted> {
    if encoding::wide(bytes).is_some() {
        return Err(Unformatted::NoText);
    }
    let text = str::from_utf8(bytes).map_err(|_| Unformatted::NoText)?;
    if !decode(1, bytes).1.is_empty() {
        return Err(Unformatted::Forbidden);
    }
    let source = Source::new(text);
    let mut out = String::with_capacity(text.len());
    let mut past = 0;
    for (n, piece) in yaml::cut(bytes).iter().enumerate() {
        document(&source, piece, past, n, &mut out)?;
        past = piece.bytes.end;
    }
    lines(&lines_of(&markers_off(&text[past..])), 0, 0, &mut out);
    while out.ends_with("\n\n") {
        out.pop();
    }
    Ok(out)
}

/// One document; what is between it and `past` belongs to it.
fn document(
    source: &Source<'_>,
    piece: &Piece,
    past: usize,
    n: usize,
    out: &mut String,
) -> Result<(), Unformatted> {
    let unreadable = Unformatted::Unreadable(piece.body_line);
    let unusual = Unformatted::Unusual(piece.body_line);
    if !piece.directives.is_empty() {
        return Err(unreadable);
    }
    let root = read(source.text, piece).ok_or(unreadable)?;
    let entries = build(source, piece.body..piece.bytes.end, &root).ok_or(unusual)?;
    let heading = lines_of(&markers_off(&source.text[past..piece.body]));
    let is_marked = source.text[piece.body..].starts_with("---");
    if n > 0 {
        while out.ends_with("\n\n") {
            out.pop();
        }
        out.push_str("---\n");
    }
    let from = out.len();
    lines(&heading, 0, from, out);
    let has_heading = heading.iter().any(|line| *line != Line::Blank);
    if n == 0 && is_marked && has_heading {
        out.push_str("---\n");
    }
    let at = out.len();
    let mut body = String::new();
    write(&entries, 0, &mut body);
    out.push_str(&body);
    let again = yaml::parse(&out[at..], 1);
    let is_whole = again.complete && again.problems.is_empty();
    let new = again.root.filter(|_| is_whole).ok_or(unusual)?;
    let comments = |source: &Source<'_>, root: &Node<'_>, from, to| {
        let mut texts = super::build::comments(source, from..to, root)?;
        texts.sort();
        Some(texts)
    };
    let before = comments(source, &root, piece.body, piece.bytes.end);
    let after = comments(&Source::new(&body), &new, 0, body.len());
    if !same(&root, &new) || before.is_none() || before != after {
        return Err(unusual);
    }
    Ok(())
}

fn read<'t>(text: &'t str, piece: &Piece) -> Option<Node<'t>> {
    let parsed = yaml::parse(&text[piece.body..piece.bytes.end], piece.body_line);
    parsed.root.filter(|_| parsed.complete && parsed.problems.is_empty())
}

/// Text between documents without the markers of empty ones.
fn markers_off(text: &str) -> String {
    let bare = |line: &str| match line.strip_prefix("---").or(line.strip_prefix("...")) {
        Some(rest) if rest.trim().is_empty() => None,
        Some(rest) => Some(rest.trim().to_owned()),
        None => Some(line.to_owned()),
    };
    text.lines().filter_map(bare).map(|line| line + "\n").collect()
}
