//! Words of strangers as parts of names and paths.

/// Longest part.
const MOST: usize = 63;

/// The text as a part of a name or path: ASCII letters, digits, `.`, `_` and `-`, beginning and ending
/// with a letter or digit. Nothing where there is none.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => slug.push(c),
            c => match plain(c) {
                Some(letters) => slug.push_str(letters),
                None if slug.ends_with('-') => {}
                None => slug.push('-'),
            },
        }
    }
    slug.truncate(MOST);
    let trimmed = slug.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    // Two of them lead out of a directory, alone or not.
    let harmless = trimmed.replace("..", ".");
    (!harmless.is_empty()).then_some(harmless)
}

/// A letter of Latin-1 without its marks.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' => "a",
        'À'..='Å' => "A",
        'æ' => "ae",
        'Æ' => "AE",
        'ç' => "c",
        'Ç' => "C",
        'è'..='ë' => "e",
        'È'..='Ë' => "E",
        'ì'..='ï' => "i",
        'Ì'..='Ï' => "I",
        'ñ' => "n",
        'Ñ' => "N",
        'ò'..='ö' | 'ø' => "o",
        'Ò'..='Ö' | 'Ø' => "O",
        'ù'..='ü' => "u",
        'Ù'..='Ü' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_given_is_one_harmless_part() {
        for (text, expected) in [
            ("Madrid", Some("Madrid")),
            ("Málaga Centro", Some("Malaga-Centro")),
            ("../../etc/passwd", Some("etc-passwd")),
            ("a/../b", Some("a-.-b")),
            (".hidden", Some("hidden")),
            ("..", None),
            ("", None),
            ("///", None),
            ("端末", None),
            ("\u{202e}\0x\n", Some("x")),
            ("C:\\x", Some("C-x")),
        ] {
            assert_eq!(slug(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(slug(&"a".repeat(100)).map(|slug| slug.len()), Some(63));
    }
}
