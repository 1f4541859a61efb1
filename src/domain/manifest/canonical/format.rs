//! A file laid out anew.

use super::build::{build, comments};
use super::indent::misindented;
use super::layout::{Entries, Line, lines, lines_of, write};
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
    #[error(
        "line {0} is indented with characters that only look like spaces; \
         `fleetform check --fix` replaces non-breaking spaces"
    )]
    Misindented(u32),
    /// In this line.
    #[error("what begins in line {0} is not a manifest that can be read")]
    Unreadable(u32),
    /// In this line.
    #[error(
        "what begins in line {0} is written in a way that cannot be formatted; edit it by hand"
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
    let pieces = yaml::cut(bytes);
    let roots = pieces
        .iter()
        .map(|piece| read(text, piece).ok_or(Unformatted::Unreadable(piece.body_line)))
        .collect::<Result<Vec<_>, _>>()?;
    // Where its keys belong cannot be told from the tree.
    if let Some(line) = roots.iter().find_map(misindented) {
        return Err(Unformatted::Misindented(line));
    }
    let mut out = String::with_capacity(text.len());
    let mut past = 0;
    for (n, (piece, root)) in pieces.iter().zip(&roots).enumerate() {
        let heading = between(&text[past..piece.body]);
        let entries = build(&source, piece.body..piece.bytes.end, root)
            .ok_or(Unformatted::Unusual(piece.body_line))?;
        document(text[piece.body..].starts_with("---"), &heading, &entries, n, &mut out);
        past = piece.bytes.end;
    }
    let mut tail = between(&text[past..]);
    while tail.last() == Some(&Line::Blank) {
        tail.pop();
    }
    lines(&tail, 0, 0, &mut out);
    check(&source, &pieces, &roots, &out)?;
    Ok(out)
}

/// One document, after those before it.
fn document(is_marked: bool, heading: &[Line], entries: &Entries, n: usize, out: &mut String) {
    if n > 0 {
        out.push_str("---\n");
    }
    lines(heading, 0, out.len(), out);
    if n == 0 && is_marked && heading.iter().any(|line| *line != Line::Blank) {
        out.push_str("---\n");
    }
    write(entries, 0, out);
}

/// Whether the new text means the same and has the same comments.
fn check(
    source: &Source<'_>,
    pieces: &[Piece],
    roots: &[Node<'_>],
    out: &str,
) -> Result<(), Unformatted> {
    let first = Unformatted::Unusual(pieces.first().map_or(1, |piece| piece.body_line));
    let again = yaml::cut(out.as_bytes());
    let read = |piece: &Piece| read(out, piece);
    let new = again.iter().map(read).collect::<Option<Vec<_>>>().ok_or(first)?;
    if new.len() != roots.len() {
        return Err(first);
    }
    for ((piece, old), new) in pieces.iter().zip(roots).zip(&new) {
        if !same(old, new) {
            return Err(Unformatted::Unusual(piece.body_line));
        }
    }
    let before = all_comments(source, pieces, roots).ok_or(first)?;
    let after = all_comments(&Source::new(out), &again, &new).ok_or(first)?;
    if before == after { Ok(()) } else { Err(first) }
}

/// Every comment of a file, sorted.
fn all_comments(source: &Source<'_>, pieces: &[Piece], roots: &[Node<'_>]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut past = 0;
    let outside = |text: &str, all: &mut Vec<String>| {
        all.extend(between(text).into_iter().filter_map(|line| match line {
            Line::Comment(text) => Some(text),
            Line::Blank => None,
        }));
    };
    for (piece, root) in pieces.iter().zip(roots) {
        outside(&source.text[past..piece.body], &mut all);
        all.extend(comments(source, piece.body..piece.bytes.end, root)?);
        past = piece.bytes.end;
    }
    outside(&source.text[past..], &mut all);
    all.sort();
    Some(all)
}

fn read<'t>(text: &'t str, piece: &Piece) -> Option<Node<'t>> {
    let parsed = yaml::parse(&text[piece.body..piece.bytes.end], piece.body_line);
    let is_whole = parsed.complete && parsed.problems.is_empty() && piece.directives.is_empty();
    parsed.root.filter(|_| is_whole)
}

/// The lines between documents, without the markers of empty ones.
fn between(text: &str) -> Vec<Line> {
    let bare = |line: &str| match line.strip_prefix("---").or(line.strip_prefix("...")) {
        Some(rest) if rest.trim().is_empty() => None,
        Some(rest) => Some(rest.trim().to_owned()),
        None => Some(line.to_owned()),
    };
    lines_of(&text.lines().filter_map(bare).map(|line| line + "\n").collect::<String>())
}
