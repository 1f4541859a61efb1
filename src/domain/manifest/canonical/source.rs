//! The text of a file with its lines, and where its scalars and comments are.

use std::ops::Range;

use crate::domain::manifest::yaml::{Node, Position, Style, Value, past_quotes};

/// The text of a file.
pub(in crate::domain::manifest) struct Source<'s> {
    pub(super) text: &'s str,
    /// Byte offsets of the lines.
    starts: Vec<usize>,
}

/// A comment, with its `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    /// Of the `#`.
    pub(super) at: usize,
    /// From 0.
    pub(super) line: usize,
    /// Characters before it in its line.
    pub(super) column: usize,
    /// Blanks right before it.
    pub(super) gap: usize,
    /// Whether nothing else is in its line.
    pub(super) alone: bool,
    /// Whether the line above is blank.
    pub(super) after_blank: bool,
    pub(super) text: String,
}

impl<'s> Source<'s> {
    pub(in crate::domain::manifest) fn new(text: &'s str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The byte at a place that the parser named.
    pub(super) fn offset(&self, position: Position) -> Option<usize> {
        let start = *self.starts.get(position.line.checked_sub(1)? as usize)?;
        let rest = &self.text[start..];
        let column = position.column.checked_sub(1)? as usize;
        Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
    }

    /// The line, from 0, that a byte is in.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// A line without its break; none beyond the end.
    pub(super) fn line(&self, n: usize) -> Option<&'s str> {
        let start = *self.starts.get(n)?;
        let end = self.starts.get(n + 1).copied().unwrap_or(self.text.len());
        Some(self.text[start..end].trim_end_matches('\n').trim_end_matches('\r'))
    }

    /// Where a line begins; the end of the text beyond the last one.
    pub(super) fn start_of(&self, n: usize) -> usize {
        self.starts.get(n).copied().unwrap_or(self.text.len())
    }

    /// Characters before this byte in its line.
    pub(super) fn column_of(&self, at: usize) -> usize {
        self.text[self.start_of(self.line_of(at))..at].chars().count()
    }

    /// Whether the line above that of this byte is there and blank.
    pub(super) fn is_after_blank(&self, at: usize) -> bool {
        let line = self.line_of(at);
        line > 0 && self.line(line - 1).is_some_and(|above| above.trim().is_empty())
    }

    /// The bytes of a scalar, with its quotes; of one after `|` or `>` the lines from its first word on.
    /// None of one that is nothing, or only line breaks.
    pub(in crate::domain::manifest) fn scalar(
        &self,
        node: &Node<'_>,
    ) -> Option<Option<Range<usize>>> {
        let Value::Scalar(value, style) = &node.value else { return None };
        let is_nothing = match style {
            Style::Plain => value.is_empty(),
            Style::Block => value.trim().is_empty(),
            Style::Quoted => false,
        };
        if is_nothing {
            return Some(None);
        }
        let start = self.offset(node.extent.start)?;
        let rest = &self.text[start..];
        let end = match style {
            Style::Quoted => start + past_quotes(rest.char_indices())?,
            Style::Plain => start + past_words(rest, value)?,
            Style::Block => self.past_block(start),
        };
        Some(Some(start..end))
    }

    /// Where a text after `|` or `>` ends whose first line begins here: before the first line that is
    /// not indented as deep.
    fn past_block(&self, start: usize) -> usize {
        let indent = self.column_of(start);
        let first = self.line_of(start);
        let is_past = |n: &usize| {
            self.line(*n).is_none_or(|line| {
                let blanks = line.len() - line.trim_start_matches(' ').len();
                !line.trim().is_empty() && blanks < indent
            })
        };
        (first + 1..).find(is_past).map_or(self.text.len(), |n| self.start_of(n))
    }

    /// The sign, `|` or `>`, of a text that begins at `start`, and its lines without their indentation.
    /// Its key, or the dash before it, ends at `after`.
    pub(super) fn block(&self, after: usize, start: usize) -> Option<(char, Vec<String>)> {
        let rest = self.text[after..].trim_start_matches(|c: char| c == ':' || c.is_whitespace());
        let sign = rest.chars().next().filter(|c| matches!(c, '|' | '>'))?;
        let indent = self.column_of(start);
        let first = self.line_of(self.text.len() - rest.len()) + 1;
        let text = &self.text[self.start_of(first)..self.past_block(start)];
        let bare = |line: &str| {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            line[blanks.min(indent)..].to_owned()
        };
        Some((sign, text.lines().map(bare).collect()))
    }

    /// The comments in a part of the text, all but `scalars` of which is structure.
    pub(super) fn comments(&self, part: Range<usize>, scalars: &[Range<usize>]) -> Vec<Comment> {
        let mut found = Vec::new();
        let mut at = part.start;
        let ends = std::iter::once(part.end..part.end);
        for scalar in scalars.iter().cloned().chain(ends) {
            while at < scalar.start {
                let Some(hash) = self.text[at..scalar.start].find('#') else { break };
                let hash = at + hash;
                let before = self.text[..hash].chars().next_back();
                if !before.is_none_or(char::is_whitespace) {
                    at = hash + 1;
                    continue;
                }
                let comment = self.comment(hash);
                at = hash + comment.text.len();
                found.push(comment);
            }
            at = at.max(scalar.end);
        }
        found
    }

    fn comment(&self, at: usize) -> Comment {
        let line = self.line_of(at);
        let start = self.start_of(line);
        let before = &self.text[start..at];
        let whole = self.line(line).unwrap_or_default();
        Comment {
            at,
            line,
            column: before.chars().count(),
            gap: before.len() - before.trim_end().len(),
            alone: before.trim().is_empty(),
            after_blank: self.is_after_blank(at),
            text: whole[at - start..].trim_end().to_owned(),
        }
    }
}

/// Where a plain scalar ends, whose lines may be folded: its characters are in the text, in order,
/// and between them nothing but white space.
fn past_words(text: &str, value: &str) -> Option<usize> {
    let mut rest = text.char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut end = 0;
    for c in value.chars().filter(|c| !c.is_whitespace()) {
        let (at, found) = rest.next()?;
        if found != c {
            return None;
        }
        end = at + c.len_utf8();
    }
    Some(end)
}
