//! A document as text, and where it is not what it seems.

use std::borrow::Cow;

use super::finding::Code;
use super::reader::{Reader, small};
use super::yaml::{Extent, Position};
use crate::domain::model::is_deceptive;

/// Where a text is not what it seems.
pub(super) struct Forbidden {
    line: u32,
    /// From 1.
    column: u32,
    /// Which character; none where it is not UTF-8.
    character: Option<char>,
}

impl Forbidden {
    pub(super) fn report(&self, reader: &mut Reader<'_>) {
        let Self { line, column, character } = *self;
        let start = Position { line, column };
        let extent = Extent { start, end: Position { line, column: column.saturating_add(1) } };
        let (code, message, help) = match character {
            None => {
                let message = "the file is not UTF-8 here".to_owned();
                (Code::InvalidUtf8, message, "save the file as UTF-8")
            }
            Some('\u{FEFF}') if (line, column) == (1, 1) => {
                let message = "the file begins with a byte order mark".to_owned();
                (Code::ForbiddenCharacter, message, "save it as UTF-8 without one")
            }
            Some(c) => {
                let c = u32::from(c);
                let message = format!("the control or bidirectional character U+{c:04X}");
                let help = "remove it; retype the line if it cannot be seen";
                (Code::ForbiddenCharacter, message, help)
            }
        };
        reader.report(code, extent, message, help);
    }
}

/// The text of a document, and what in it is forbidden, at most once a line; such characters
/// are replaced one for one, so that lines and columns stay.
pub(super) fn decode(first_line: u32, bytes: &[u8]) -> (Cow<'_, str>, Vec<Forbidden>) {
    let mut forbidden = Vec::new();
    let plain = |b: &u8| matches!(b, b' '..=b'~' | b'\n' | b'\t');
    let text = match str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(plain) => return (text.into(), forbidden),
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = first_line.saturating_add(small(valid.matches('\n').count()));
            let before = valid.rsplit('\n').next().unwrap_or_default().chars().count();
            forbidden.push(Forbidden { line, column: small(before + 1), character: None });
            String::from_utf8_lossy(bytes)
        }
    };
    let mut clean = String::with_capacity(text.len());
    for (number, line) in (first_line..).zip(text.split_inclusive('\n')) {
        let content = line.strip_suffix("\r\n").or(line.strip_suffix('\n')).unwrap_or(line);
        let bad = |c: &char| is_deceptive(*c) && *c != '\t';
        if let Some((n, c)) = content.chars().enumerate().find(|(_, c)| bad(c)) {
            forbidden.push(Forbidden { line: number, column: small(n + 1), character: Some(c) });
        }
        clean
            .extend(content.chars().map(|c| if bad(&c) { char::REPLACEMENT_CHARACTER } else { c }));
        clean.push_str(&line[content.len()..]);
    }
    if forbidden.is_empty() { (text, forbidden) } else { (clean.into(), forbidden) }
}
