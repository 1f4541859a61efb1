//! Small pieces of text: made harmless, measured, cut, counted.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use chrono::TimeDelta;
use unicode_width::UnicodeWidthStr;

use crate::domain::model::{Place, is_deceptive};

/// The text with every control and bidirectional character spelled out (`\n`, `\u{202e}`), and
/// so the second `#` of what a CI runner takes for a command (see `command`).
#[must_use]
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    // Nothing printable of ASCII is, and hardly any text has more.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return without_commands(Cow::Borrowed(text));
    }
    without_commands(escape(text, is_deceptive))
}

/// As [`safe`], but lines stay lines.
#[must_use]
pub(crate) fn safe_lines(text: &str) -> Cow<'_, str> {
    without_commands(escape(text, |c| c != '\n' && is_deceptive(c)))
}

/// Where the text has the second `#` of a command to a CI runner: `##[set-output name=x]` of
/// GitHub, `##vso[task.setvariable …]` of Azure, which they obey anywhere in a line that a job
/// prints.
pub(crate) fn command(text: &str) -> Option<usize> {
    text.match_indices('#').map(|(at, _)| at).find(|at| is_command(text, *at))
}

/// Whether the `#` at this byte is the second one of such a command.
pub(crate) fn is_command(text: &str, at: usize) -> bool {
    let Some(rest) = text[at..].strip_prefix('#') else { return false };
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    text[..at].ends_with('#') && name.starts_with('[')
}

fn without_commands(text: Cow<'_, str>) -> Cow<'_, str> {
    let Some(mut at) = command(&text) else { return text };
    let (mut inert, mut rest) = (String::with_capacity(text.len() + 8), &*text);
    loop {
        inert.push_str(&rest[..at]);
        inert.push_str("\\u{23}");
        rest = &rest[at + 1..];
        let Some(next) = command(rest) else { break };
        at = next;
    }
    inert.push_str(rest);
    Cow::Owned(inert)
}

/// The characters that `which` picks, spelled as Rust spells them.
pub(crate) fn escape(text: &str, which: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&which) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if which(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// How many columns of a terminal the text takes.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// A path of the fleet directory below its root as given, harmless, without `./` parts.
#[must_use]
pub(crate) fn joined(root: &Path, path: &str) -> String {
    let whole = root.join(path);
    let parts = whole.components().filter(|part| *part != Component::CurDir);
    let plain: PathBuf = parts.collect();
    let plain = if plain.as_os_str().is_empty() { Path::new(".") } else { &plain };
    safe(&plain.to_string_lossy()).into_owned()
}

/// Characters a column that a text has at most, where it is cut.
const MARKS: usize = 8;

/// The text cut to at most `columns`, the last of them `…` where something was cut.
#[must_use]
pub(crate) fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    // Of the whole prefix: a selector behind a character may make it wider. Marks without a width
    // could go on for ever, so they are cut, too.
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(columns * MARKS);
    let end = ends.take_while(|end| width(&text[..*end]) < columns).last().unwrap_or(0);
    Cow::Owned(if columns == 0 { String::new() } else { format!("{}…", &text[..end]) })
}

/// The two largest units: `3d 4h`, `2h 5m`, `5m`, `12s`; negative spans are `0s`.
#[must_use]
pub(crate) fn span(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds().max(0);
    let units = [("d", seconds / 86_400), ("h", seconds / 3_600 % 24), ("m", seconds / 60 % 60)];
    let mut text = String::new();
    let largest = units.iter().position(|(_, n)| *n > 0).unwrap_or(units.len());
    for (unit, n) in units.iter().skip(largest).take(2).filter(|(_, n)| *n > 0) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}{n}{unit}", if text.is_empty() { "" } else { " " });
    }
    if text.is_empty() { format!("{}s", seconds % 60) } else { text }
}

/// `fleet/devices/a.yaml:7`: a place below `root` that an editor can open.
pub(super) fn located(place: &Place, root: &str) -> String {
    format!("{}:{}", Path::new(root).join(&*place.path).display(), place.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_become_visible() {
        for (text, shown) in [
            ("plain ünïcode 端末", "plain ünïcode 端末"),
            ("\u{1b}[31mred\u{7}", r"\u{1b}[31mred\u{7}"),
            ("a\nb\tc\rd", r"a\nb\tc\rd"),
            ("ev\u{202e}lairet", r"ev\u{202e}lairet"),
            ("a ##[group]###vso[x ## [y", r"a #\u{23}[group]##\u{23}vso[x ## [y"),
            ("\u{9b}31m\u{0}\u{7f}", r"\u{9b}31m\u{0}\u{7f}"),
            ("\u{2066}x\u{2069}\u{feff}\u{2028}", r"\u{2066}x\u{2069}\u{feff}\u{2028}"),
        ] {
            assert_eq!(safe(text), shown);
            assert!(!safe(text).chars().any(is_deceptive));
        }
        assert_eq!(safe_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }

    #[test]
    fn cutting_respects_columns() {
        for (text, columns, cut) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("端末端末", 5, "端末…"),
            ("端末端末", 4, "端…"),
            ("abcd", 1, "…"),
            ("abcd", 0, ""),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}", 4, "☺\u{fe0f}☺…"),
            ("👩\u{200d}💻👩\u{200d}💻👩\u{200d}💻", 5, "👩\u{200d}💻👩\u{200d}💻…"),
        ] {
            assert_eq!(truncate(text, columns), cut);
            assert!(width(&truncate(text, columns)) <= columns);
        }
    }

    #[test]
    fn a_cut_is_never_too_wide_and_soon_made() {
        let pieces =
            ["a", "端", "e\u{301}", "☺\u{fe0f}", "👩\u{200d}💻", "🇪🇸", "\u{301}", "ب", "…"];
        for n in 0..pieces.len().pow(4) {
            let text: String =
                (0u32..4).map(|k| pieces[n / pieces.len().pow(k) % pieces.len()]).collect();
            for columns in 0..9 {
                let cut = truncate(&text, columns);
                assert!(width(&cut) <= columns, "{text:?} {columns} {cut:?}");
            }
        }
        let marks = format!("端{}端端", "\u{301}".repeat(1 << 16));
        assert!(width(&truncate(&marks, 4)) <= 4);
    }

    #[test]
    fn joined_paths_are_plain() {
        for (root, path, expected) in [
            ("./fleet", "a/b.yaml", "fleet/a/b.yaml"),
            (".", "b.yaml", "b.yaml"),
            ("/srv/./fleet/", "b.yaml", "/srv/fleet/b.yaml"),
            (".", ".", "."),
            ("../f", "b\u{202e}", "../f/b\\u{202e}"),
        ] {
            assert_eq!(joined(Path::new(root), path), expected);
        }
    }

    #[test]
    fn spans() {
        for (seconds, text) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_600, "1h"),
            (7_500, "2h 5m"),
            (86_400, "1d"),
            (86_400 + 59 * 60, "1d"),
            (3 * 86_400 + 4 * 3_600 + 7, "3d 4h"),
        ] {
            assert_eq!(span(TimeDelta::seconds(seconds)), text);
        }
    }
}
