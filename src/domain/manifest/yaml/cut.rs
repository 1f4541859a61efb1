//! Cutting a file into its documents, before anything is parsed.

use std::ops::Range;

/// One document of a file, by bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Everything that belongs to it, comments and directives before it included.
    pub(crate) bytes: Range<usize>,
    /// Line of the first byte.
    pub(crate) line: u32,
    /// Where its content begins, after directives: what is to be parsed.
    pub(crate) body: usize,
    /// Line of `body`.
    pub(crate) body_line: u32,
    /// Lines of directives (`%YAML`, `%TAG`).
    pub(crate) directives: Vec<u32>,
    started: bool,
    blank: bool,
}

/// Cuts a file into its documents; those of only comments and white space are left out.
///
/// YAML forbids `---` and `...` at the beginning of a line within any scalar (§9.1.2), so this
/// is exact, and needs no UTF-8.
#[must_use]
pub(crate) fn cut(file: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(1);
    let mut piece = Piece::at(0, 1);
    let mut start = 0;
    let mut number = 1;
    for line in file.split_inclusive(|b| *b == b'\n') {
        let next = start + line.len();
        if is_marker(line, b"...") {
            piece.end(next, &mut pieces);
            piece = Piece::at(next, number + 1);
        } else if is_marker(line, b"---") {
            if piece.started {
                piece.end(start, &mut pieces);
                piece = Piece::at(start, number);
            }
            piece.start(start, number);
            piece.blank &= is_blank(&line[3..]);
        } else if !is_blank(line) {
            if !piece.started && line[0] == b'%' {
                piece.directives.push(number);
            } else {
                piece.start(start, number);
                piece.blank = false;
            }
        }
        start = next;
        number = number.saturating_add(1);
    }
    piece.end(start, &mut pieces);
    pieces
}

impl Piece {
    fn at(byte: usize, line: u32) -> Self {
        let (body, body_line) = (byte, line);
        let bytes = byte..byte;
        Self { bytes, line, body, body_line, directives: Vec::new(), started: false, blank: true }
    }

    fn start(&mut self, byte: usize, line: u32) {
        if !self.started {
            (self.body, self.body_line, self.started) = (byte, line, true);
        }
    }

    fn end(mut self, byte: usize, pieces: &mut Vec<Self>) {
        self.bytes.end = byte;
        if !self.started {
            self.body = byte;
        }
        if !self.blank || !self.directives.is_empty() {
            pieces.push(self);
        }
    }
}

fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    line.starts_with(marker) && line.get(3).is_none_or(u8::is_ascii_whitespace)
}

/// Nothing but white space and a comment.
fn is_blank(line: &[u8]) -> bool {
    line.iter().find(|b| !b.is_ascii_whitespace()).is_none_or(|b| *b == b'#')
}
