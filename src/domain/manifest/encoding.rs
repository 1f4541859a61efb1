//! Files that are text, but not UTF-8: what PowerShell's `>` and some editors write.

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
