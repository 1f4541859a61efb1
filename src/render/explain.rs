//! Codes of findings, explained: one of them, or a table of all.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::text::width;
use crate::finding::Code;
use crate::finding::explain::{Example, Explanation};

/// One code: what it means, a wrong and a right example.
///
/// # Errors
/// If writing fails.
pub fn text(code: Code, out: &mut Out) -> io::Result<()> {
    let Explanation { title, why, wrong, right } = code.explain();
    let columns = out.width().unwrap_or(80).clamp(40, 100);
    writeln!(out, "{}: {title}\n", out.paint(Tone::Strong, code.as_str()))?;
    for line in wrapped(why, columns) {
        writeln!(out, "{line}")?;
    }
    example(out, ("Wrong:", Tone::Removed), wrong)?;
    example(out, ("Right:", Tone::Added), right)
}

fn example(out: &mut Out, (title, tone): (&str, Tone), example: Example) -> io::Result<()> {
    writeln!(out, "\n{}\n", out.paint(tone, title))?;
    for line in example.text().lines() {
        writeln!(out, "    {}", out.paint(Tone::Plain, line))?;
    }
    Ok(())
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && width(line) + 1 + width(word) > columns {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

/// All codes, a line each.
///
/// # Errors
/// If writing fails.
pub fn list(out: &mut Out) -> io::Result<()> {
    let longest = Code::WORDS.iter().map(|word| word.len()).max().unwrap_or(0);
    for code in Code::ALL {
        let name = format!("{code:<longest$}");
        writeln!(out, "{}  {}", out.paint(Tone::Strong, &name), code.explain().title)?;
    }
    Ok(())
}

/// `{"version": 1, "codes": […]}`
///
/// # Errors
/// If writing fails.
pub fn json(codes: &[Code], out: &mut Out) -> io::Result<()> {
    json::pretty(out, &Document { version: 1, codes: codes.iter().map(view).collect() })
}

#[derive(Serialize)]
struct Document {
    version: u32,
    codes: Vec<View>,
}

#[derive(Serialize)]
struct View {
    code: Code,
    title: &'static str,
    why: &'static str,
    wrong: &'static str,
    right: &'static str,
}

fn view(code: &Code) -> View {
    let Explanation { title, why, wrong, right } = code.explain();
    View { code: *code, title, why, wrong: wrong.text(), right: right.text() }
}

/// The page of the docs: a table, and each code with its examples.
///
/// # Errors
/// If writing fails.
pub fn page(out: &mut Out) -> io::Result<()> {
    writeln!(out, "# Findings\n")?;
    writeln!(out, "Made from `src/finding/explain.rs`; `fleetform explain CODE` says the same.\n")?;
    writeln!(out, "| code | what is found |\n|---|---|")?;
    for code in Code::ALL {
        writeln!(out, "| [`{code}`](#{code}) | {} |", code.explain().title)?;
    }
    for code in Code::ALL {
        let Explanation { title, why, wrong, right } = code.explain();
        writeln!(out, "\n## {code}\n\n{title}. {why}\n")?;
        writeln!(out, "Wrong:\n\n```{}\n{}```\n", wrong.language(), wrong.text())?;
        writeln!(out, "Right:\n\n```{}\n{}```", right.language(), right.text())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with a file, or writes it where `UPDATE_EXPECT` is set.
    fn golden(path: &str, text: &str) {
        expect_test::expect_file![format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))].assert_eq(text);
    }

    #[test]
    fn the_page_of_the_docs_is_made_from_the_source() {
        golden("docs/findings.md", &Out::captured(page).unwrap());
    }

    #[test]
    fn every_code_has_a_golden_explanation() {
        for code in Code::ALL {
            let text = Out::captured(|out| super::text(*code, out)).unwrap();
            golden(&format!("tests/golden/explain/{code}.txt"), &text);
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/explain"));
        assert_eq!(files.unwrap().count(), Code::ALL.len(), "a golden file has no code");
    }

    #[test]
    fn every_code_has_a_golden_finding() {
        use crate::render::findings::Drawing;
        for code in Code::ALL {
            let desired = crate::finding::explain::tests::wrong(*code);
            let drawing = Drawing::new(std::path::Path::new("./fleet"), false, None);
            let Some(desired) = desired else { continue };
            let drawn: Vec<_> = desired.findings.iter().map(|f| drawing.draw(f) + "\n").collect();
            golden(&format!("tests/golden/check/{code}.txt"), &drawn.join("\n"));
        }
    }

    #[test]
    fn lines_are_wrapped() {
        assert_eq!(wrapped("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert!(wrapped("x", 40).len() == 1);
    }
}
