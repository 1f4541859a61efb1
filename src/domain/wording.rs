//! Words for people: quoting what strangers wrote, guessing what they meant, durations, counts.

use chrono::TimeDelta;

use crate::domain::model::{Digest, Email, is_deceptive};

/// Longest quotation in a message, in characters.
const MAX_QUOTE: usize = 60;
/// Longer words are not guessed at: the distance costs the product of the lengths.
const MAX_GUESS: usize = 64;

/// The text in backquotes, cut to 60 characters, every character harmless.
#[must_use]
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == MAX_QUOTE {
            out.push('…');
            break;
        }
        match c {
            '"' | '\'' | '\\' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out.push('`');
    out
}

/// The text with each deceptive character replaced by one that is harmless and as wide.
#[must_use]
pub(crate) fn harmless(text: &str) -> String {
    let replace = |c| match c {
        '\t' => ' ',
        c if is_deceptive(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(replace).collect()
}

/// At most `max` bytes of the text, with `�` for every deceptive character and `…` at a cut.
#[must_use]
pub(crate) fn harmless_within(text: &str, max: usize) -> String {
    let mut safe = String::new();
    for c in text.chars().map(|c| if is_deceptive(c) { '\u{FFFD}' } else { c }) {
        if safe.len() + c.len_utf8() > max {
            while safe.len() + '…'.len_utf8() > max {
                safe.pop();
            }
            safe.push('…');
            break;
        }
        safe.push(c);
    }
    safe
}

/// At most 64 characters of the text, escaped where they are not printable.
#[must_use]
pub(crate) fn escape(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

/// The candidate that `given` was probably meant to be; the first of equals.
pub(crate) fn closest<'c>(
    given: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if given.len() > MAX_GUESS {
        return None;
    }
    let given = given.to_ascii_lowercase();
    // A third of the letters may be wrong: `Standrad` is Standard, `Mobile` is not.
    let most = (given.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (strsim::osa_distance(&given, &c.to_ascii_lowercase()), c))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// A duration as the configuration spells it: `30m`, `8h`, `1d 2h`.
#[must_use]
pub(crate) fn duration(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().unsigned_abs();
    if seconds == 0 {
        return "0s".to_owned();
    }
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units {
        if left >= size {
            parts.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

/// `1 device`, `14 devices`.
#[must_use]
pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The first twelve digits of a digest: enough to tell one from another in a log.
pub(crate) fn short(digest: Digest) -> String {
    let mut text = digest.to_string();
    text.truncate(12);
    text
}

/// `ana@example.com, bo@example.com`, or `nobody`.
pub(crate) fn people(signers: &[Email]) -> String {
    if signers.is_empty() {
        return "nobody".to_owned();
    }
    signers.iter().map(Email::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_short_and_harmless() {
        assert_eq!(quote("a \"b\" 'c' \\"), "`a \"b\" 'c' \\`");
        assert_eq!(quote("a\u{202e}\n\0"), "`a\\u{202e}\\n\\0`");
        assert_eq!(quote(&"é".repeat(1000)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn harmless_keeps_the_columns() {
        assert_eq!(harmless("a\tb\u{202e}\0é"), "a b\u{fffd}\u{fffd}é");
    }

    #[test]
    fn guesses_what_is_near_and_nothing_else() {
        let known = ["Standard", "Mobile", "Executive"];
        assert_eq!(closest("Standrad", known), Some("Standard"));
        assert_eq!(closest("standard", known), Some("Standard"));
        assert_eq!(closest("Kiosk", known), None);
        assert_eq!(closest("", known), None);
        assert_eq!(closest(&"S".repeat(100_000), known), None);
    }

    #[test]
    fn counts() {
        assert_eq!(count(1, "device"), "1 device");
        assert_eq!(count(0, "device"), "0 devices");
    }

    #[test]
    fn durations_read_as_they_are_configured() {
        for (seconds, expected) in
            [(0, "0s"), (1800, "30m"), (28_800, "8h"), (93_600, "1d 2h"), (3661, "1h 1m")]
        {
            assert_eq!(duration(TimeDelta::seconds(seconds)), expected);
        }
    }
}
