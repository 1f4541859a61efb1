//! Files that are text, but not UTF-8: what PowerShell's `>` and some editors write.

use std::borrow::Cow;

/// How to turn such a file into UTF-8.
pub(crate) const HELP: &str = "save it as UTF-8 without a byte order mark; in PowerShell, write it with \
    `Out-File -Encoding utf8` (version 7) or `[IO.File]::WriteAllText` (version 5), not with `>`";

/// The encoding with wide characters that these bytes are in, if they are: by their byte order
/// mark, or by a zero byte in each of the first four pairs of bytes.
#[must_use]
pub(crate) fn wide(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let (pairs, _) = bytes.get(..8)?.as_chunks::<2>();
    // A run of zero bytes is what a power failure leaves, and no text in any encoding.
    let little = pairs.iter().all(|[low, high]| *low != 0 && *high == 0);
    let big = pairs.iter().all(|[high, low]| *low != 0 && *high == 0);
    (little || big).then_some("UTF-16")
}

/// The bytes as text: as they are where they are UTF-8, and turned into it where they are UTF-16.
/// Nothing where they are neither.
#[must_use]
pub(crate) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if wide(bytes).is_none() {
        return str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let (content, little) = match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return None,
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        [_, 0, ..] => (bytes, true),
        _ => (bytes, false),
    };
    let (pairs, rest) = content.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| {
        if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) }
    };
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(unit)).collect();
    text.ok().filter(|_| rest.is_empty()).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn wide_text_is_told_from_everything_else() {
        for text in
            ["apiVersion: fleetform/v1\n", "\u{feff}apiVersion: x\n", "\u{feff}", "\u{feff}é"]
        {
            assert_eq!(wide(&utf16(text, u16::to_le_bytes)), Some("UTF-16"), "{text:?}");
            assert_eq!(wide(&utf16(text, u16::to_be_bytes)), Some("UTF-16"), "{text:?}");
        }
        assert_eq!(wide(b"\xff\xfe\0\0a\0\0\0"), Some("UTF-32"));
        for narrow in [
            &b""[..],
            b"a",
            b"apiVersion: x\n",
            b"\xef\xbb\xbfapi",
            b"a\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(wide(narrow), None, "{narrow:?}");
        }
    }
}
