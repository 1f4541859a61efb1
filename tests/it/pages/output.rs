//! Whether what a command prints is what a page shows.

/// Stands for anything.
const ANYTHING: &str = "…";

/// Whether lines are those that are shown; blanks at the ends of lines do not count.
pub fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], rest) => rest.is_empty(),
        ([first, more @ ..], rest) if *first == ANYTHING => {
            (0..=rest.len()).any(|skipped| fits(more, &rest[skipped..]))
        }
        (_, []) => false,
        ([first, more @ ..], [line, rest @ ..]) => line_fits(first, line) && fits(more, rest),
    }
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (shown.trim_end(), printed.trim_end());
    let Some((begin, mut rest)) = shown.split_once(ANYTHING) else { return shown == printed };
    let Some(mut printed) = printed.strip_prefix(begin) else { return false };
    while let Some((part, more)) = rest.split_once(ANYTHING) {
        let Some(at) = printed.find(part) else { return false };
        printed = &printed[at + part.len()..];
        rest = more;
    }
    printed.ends_with(rest)
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    for (shown, printed, expected) in [
        ("a\nb", "a\nb", true),
        ("a\nb", "a\nb \nc", false),
        ("a\n…", "a\nb\nc", true),
        ("…\nc", "a\nb\nc", true),
        ("…\nb", "a\nb\nc", false),
        ("a … d", "a b c d", true),
        ("a … c … e", "a b c d e", true),
        ("a … x … e", "a b c d e", false),
        ("since …: it", "since 2026: it", true),
        ("since …: it", "since 2026: it is", false),
        ("…", "", true),
        ("", "a", false),
    ] {
        let lines = |text: &'static str| text.lines().collect::<Vec<_>>();
        assert_eq!(fits(&lines(shown), &lines(printed)), expected, "{shown:?} {printed:?}");
    }
}
