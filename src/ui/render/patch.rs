//! What a file is to become, line by line.

use std::io::{self, Write as _};

use similar::{ChangeTag, TextDiff};

use super::out::{Out, Tone};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// A unified difference, as Git draws it.
pub(crate) fn patch(out: &mut Out, path: &str, old: Option<&str>, new: &str) -> io::Result<()> {
    let from = if old.is_some() { path } else { "/dev/null" };
    let old = old.unwrap_or_default();
    writeln!(out, "{}", out.paint(Tone::Strong, &format!("--- {from}")))?;
    writeln!(out, "{}", out.paint(Tone::Strong, &format!("+++ {path}")))?;
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{}", out.paint(Tone::Dim, &hunk.header().to_string()))?;
        for change in hunk.iter_changes() {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ("-", Tone::Removed),
                ChangeTag::Insert => ("+", Tone::Added),
                ChangeTag::Equal => (" ", Tone::Plain),
            };
            let line = format!("{sign}{}", change.value().trim_end_matches('\n'));
            writeln!(out, "{}", out.paint(tone, &line))?;
            if change.missing_newline() {
                writeln!(out, "\\ No newline at end of file")?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::Screen;

    #[test]
    fn what_changes_is_shown_and_harmless() {
        let screen = Screen::piped();
        patch(&mut screen.out(), "a.yaml", Some("a: 1\r\nb: \u{1b}[2J"), "a: 1\nb: 2\n").unwrap();
        expect_test::expect![[r"
            --- a.yaml
            +++ a.yaml
            @@ -1,2 +1,2 @@
            -a: 1\r
            -b: \u{1b}[2J
            \ No newline at end of file
            +a: 1
            +b: 2
        "]]
        .assert_eq(&screen.results());
        let screen = Screen::piped();
        patch(&mut screen.out(), "new.yaml", None, "a: 1\n").unwrap();
        assert!(screen.results().starts_with("--- /dev/null\n+++ new.yaml\n@@ "));
    }
}
