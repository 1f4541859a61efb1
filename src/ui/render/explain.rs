//! Codes of findings, explained: one of them, or a table of all.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::text::width;
use crate::domain::manifest::finding::Code;
use crate::domain::manifest::finding::explain::{Example, Explanation};

/// One code: what it means, a wrong and a right example.
pub(crate) fn text(code: Code, out: &mut Out) -> io::Result<()> {
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
pub(crate) fn list(out: &mut Out) -> io::Result<()> {
    let longest = Code::WORDS.iter().map(|word| word.len()).max().unwrap_or(0);
    for code in Code::ALL {
        let name = format!("{code:<longest$}");
        writeln!(out, "{}  {}", out.paint(Tone::Strong, &name), code.explain().title)?;
    }
    Ok(())
}

/// `{"version": 1, "codes": […]}`
pub(crate) fn json(codes: &[Code], out: &mut Out) -> io::Result<()> {
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

/// The page of the docs, which a test keeps up to date: a table, and each code with its examples.
#[cfg(test)]
fn page(out: &mut Out) -> io::Result<()> {
    writeln!(out, "# Findings\n")?;
    writeln!(
        out,
        "Made from `src/domain/manifest/finding/explain`; `fleetform explain CODE` says the same.\n"
    )?;
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
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::domain::fleet::Desired;
    use crate::domain::manifest::finding::explain::tests::wrong;
    use crate::ui::render::{check, sarif};

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

    /// The formats of `check`, by the ending of their golden files.
    fn formats(desired: &Desired) -> [(&'static str, String); 5] {
        let root = Path::new("./fleet");
        let captured = |draw: &dyn Fn(&mut Out) -> io::Result<()>| Out::captured(draw).unwrap();
        // The rules, which are the explanations of all codes, have golden files of their own.
        let log = captured(&|out| sarif::write(out, &desired.findings, root));
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        let results = serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap();
        [
            ("txt", captured(&|out| check::text(desired, root, out))),
            ("json", captured(&|out| check::json(desired, out))),
            ("md", captured(&|out| check::markdown(desired, root, out))),
            ("github", captured(&|out| check::github(desired, root, out))),
            ("sarif", results + "\n"),
        ]
    }

    #[test]
    fn every_code_has_a_golden_finding_in_every_format() {
        let mut wanted = BTreeSet::new();
        for code in Code::ALL {
            let desired = wrong(*code);
            assert!(desired.findings.iter().any(|f| f.code == *code), "no example gives {code}");
            for (ending, text) in formats(&desired) {
                golden(&format!("tests/golden/check/{code}.{ending}"), &text);
                wanted.insert(format!("{code}.{ending}"));
            }
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/check"));
        let name = |file: io::Result<std::fs::DirEntry>| file.unwrap().file_name();
        let there: BTreeSet<_> = files.unwrap().map(|f| name(f).into_string().unwrap()).collect();
        assert_eq!(there, wanted, "golden files, and codes in each format");
    }

    #[test]
    fn lines_are_wrapped() {
        assert_eq!(wrapped("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert!(wrapped("x", 40).len() == 1);
    }
}
