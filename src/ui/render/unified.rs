//! Two versions of a text as a unified diff, as Git shows one.

use std::io::{self, Write as _};

use super::out::{Out, Tone};
use super::text::safe;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// Beyond so many changed lines the whole middle is shown as replaced: looking for the least would
/// take time in the square of them.
const MOST: usize = 2000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Writes the difference; nothing where there is none.
pub(crate) fn write(out: &mut Out, path: &str, old: &str, new: &str) -> io::Result<()> {
    let lines = compare(old, new);
    let changed: Vec<usize> =
        (0..lines.len()).filter(|at| !matches!(lines[*at], Line::Same(_))).collect();
    let (Some(first), path) = (changed.first(), safe(path)) else { return Ok(()) };
    let name = |side: &str| format!("{side}/{path}");
    writeln!(out, "{}", out.paint(Tone::Strong, &format!("--- {}", name("a"))))?;
    writeln!(out, "{}", out.paint(Tone::Strong, &format!("+++ {}", name("b"))))?;
    let (mut from, mut to) = (first.saturating_sub(CONTEXT), *first);
    for at in &changed {
        if at - to > 2 * CONTEXT {
            hunk(out, &lines, from, to + CONTEXT + 1)?;
            from = at - CONTEXT;
        }
        to = *at;
    }
    hunk(out, &lines, from, (to + CONTEXT + 1).min(lines.len()))
}

fn hunk(out: &mut Out, lines: &[Line<'_>], from: usize, to: usize) -> io::Result<()> {
    let count = |lines: &[Line<'_>], old: bool| {
        let counts = |line: &&Line<'_>| match line {
            Line::Same(_) => true,
            Line::Gone(_) => old,
            Line::New(_) => !old,
        };
        lines.iter().filter(counts).count()
    };
    let (before, here) = (&lines[..from], &lines[from..to]);
    let side = |old| {
        let (start, length) = (count(before, old), count(here, old));
        // An empty side stands before its first line.
        format!("{},{length}", if length == 0 { start } else { start + 1 })
    };
    let title = format!("@@ -{} +{} @@", side(true), side(false));
    writeln!(out, "{}", out.paint(Tone::Dim, &title))?;
    for line in here {
        let (sign, text, tone) = match line {
            Line::Same(text) => (' ', text, Tone::Plain),
            Line::Gone(text) => ('-', text, Tone::Removed),
            Line::New(text) => ('+', text, Tone::Added),
        };
        let text = text.trim_end_matches(['\r', '\n']);
        writeln!(out, "{}", out.paint(tone, &format!("{sign}{text}")))?;
    }
    Ok(())
}

fn compare<'a>(old: &'a str, new: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old[begin..], &new[begin..]);
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = least(&a[..a.len() - end], &b[..b.len() - end]);
    let same = |lines: &[&'a str]| lines.iter().map(|line| Line::Same(line)).collect::<Vec<_>>();
    [same(&old[..begin]), middle, same(&a[a.len() - end..])].concat()
}

/// The longest common lines stay (by the table of the textbook), unless there are too many.
fn least<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<Line<'a>> {
    let replaced = |a: &[&'a str], b: &[&'a str]| -> Vec<Line<'a>> {
        a.iter().map(|line| Line::Gone(line)).chain(b.iter().map(|line| Line::New(line))).collect()
    };
    if a.is_empty() || b.is_empty() || a.len() > MOST || b.len() > MOST {
        return replaced(a, b);
    }
    let width = b.len() + 1;
    let mut common = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = if a[i] == b[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            lines.push(Line::Same(a[i]));
            (i, j) = (i + 1, j + 1);
        } else if common[(i + 1) * width + j] >= common[i * width + j + 1] {
            lines.push(Line::Gone(a[i]));
            i += 1;
        } else {
            lines.push(Line::New(b[j]));
            j += 1;
        }
    }
    lines.extend(replaced(&a[i..], &b[j..]));
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::testing::Screen;

    fn drawn(old: &str, new: &str) -> String {
        let screen = Screen::piped();
        write(&mut screen.out(), "a.yaml", old, new).unwrap();
        screen.results()
    }

    #[test]
    fn changes_are_shown_with_their_surroundings_and_far_ones_apart() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n";
        let new = old.replace("\n2\n", "\nzwei\n").replace("\n13\n", "\n");
        expect![[r#"
            --- a/a.yaml
            +++ b/a.yaml
            @@ -1,5 +1,5 @@
             1
            -2
            +zwei
             3
             4
             5
            @@ -10,5 +10,4 @@
             10
             11
             12
            -13
             14
        "#]]
        .assert_eq(&drawn(old, &new));
        assert_eq!(drawn(old, old), "");
        assert_eq!(drawn("", "x\n"), "--- a/a.yaml\n+++ b/a.yaml\n@@ -0,0 +1,1 @@\n+x\n");
    }

    #[test]
    fn what_is_shown_can_be_applied() {
        // Both sides can be read off the lines.
        let old = "a\nb\nc\nd\ne\nf\n";
        for new in ["", "a\n", "b\na\nc\n", "x\na\nb\nc\nd\ne\nf\ny\n", "f\ne\nd\n"] {
            let lines = compare(old, new);
            let side = |is: fn(&Line<'_>) -> bool| -> String {
                let of = |line: &Line<'_>| match *line {
                    Line::Same(text) | Line::Gone(text) | Line::New(text) => text.to_owned(),
                };
                lines.iter().filter(|line| is(line)).map(of).collect()
            };
            assert_eq!(side(|line| !matches!(line, Line::New(_))), old);
            assert_eq!(side(|line| !matches!(line, Line::Gone(_))), new);
        }
    }
}
