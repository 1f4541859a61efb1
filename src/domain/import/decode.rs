//! The bytes of a list as text: spreadsheets write UTF-16, UTF-8 with a mark, and Windows-1252.

use std::borrow::Cow;

use crate::domain::manifest::encoding;

/// Windows-1252 from 0x80 to 0x9F; the five that mean nothing are what they are in Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text without a byte order mark; nothing where the bytes are no text.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let text = match encoding::decode(bytes) {
        Some(text) => text,
        None if encoding::wide(bytes).is_some() => return None,
        None => Cow::Owned(bytes.iter().map(|byte| windows(*byte)).collect()),
    };
    Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}
