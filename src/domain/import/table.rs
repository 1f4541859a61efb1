//! A text with columns: separator, quotes, line ends.

use super::problem::{Cell, Problem};
use super::quotes::{Kind, Mismatch, mismatch};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// From 1.
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

/// The rows of a text that are not empty, cells without white space around them.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Problem> {
    let (separator, text, skipped) = separated(text);
    if let Some(Mismatch { line, column, kind }) = mismatch(text, separator) {
        let at = Cell { line: skipped + line + 1, column, header: String::new() };
        let what = match kind {
            Kind::Open => "the quote that opens this cell is never closed",
            Kind::Followed => "there is text after the closing quote of this cell",
        };
        let help = "put the whole cell in quotes, and write each quote within it twice: \"19\"\" monitor\"";
        return Err(Problem::new(&at, what, help));
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let (mut at, mut line) = (0, skipped + 1);
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(rows),
            Err(_) => {
                let help = "save the list as CSV in UTF-8";
                return Err(Problem::new(&Cell::line(line), "the line cannot be read", help));
            }
        }
        // Where a record begins, the reader says before the line breaks that it passes over.
        let before = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(before).unwrap_or(usize::MAX).min(text.len());
        let breaks = text[start..].bytes().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        line += text[at..start + breaks].matches('\n').count() as u64;
        at = start + breaks;
        let trim = |cell: &str| cell.trim_matches([' ', '\t', '\u{a0}']).to_owned();
        let mut cells: Vec<String> = record.iter().map(trim).collect();
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if !cells.is_empty() {
            rows.push(Row { line, cells });
        }
    }
}

/// The separator, the text that it is for, and how many lines before that only say which it is.
fn separated(text: &str) -> (u8, &str, u64) {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if let Some(separator) = first.strip_prefix("sep=").and_then(|rest| rest.bytes().next())
        && text.starts_with("sep=")
    {
        return (separator, text.split_once('\n').map_or("", |(_, rest)| rest), 1);
    }
    let mut quoted = false;
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += u32::from(!quoted && byte == *separator);
        }
    }
    let (separator, _) = counts.into_iter().max_by_key(|(_, count)| *count).unwrap_or((b',', 0));
    (separator, text, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_lines_that_an_editor_shows() {
        let cells = |text: &str| {
            let rows = rows(text).unwrap();
            rows.into_iter().map(|row| (row.line, row.cells.join("|"))).collect::<Vec<_>>()
        };
        let expected = |rows: &[(u64, &str)]| {
            rows.iter().map(|(line, text)| (*line, (*text).to_owned())).collect::<Vec<_>>()
        };
        for (text, found) in [
            ("a,b\n1,2\n", &[(1, "a|b"), (2, "1|2")][..]),
            ("a;b\r\n1;2,5\r\n;;\r\n\r\n3; 4 \r\n", &[(1, "a|b"), (2, "1|2,5"), (5, "3|4")]),
            ("a\tb\n1\t2", &[(1, "a|b"), (2, "1|2")]),
            ("\"a,x\";b\n1;2\n", &[(1, "a,x|b"), (2, "1|2")]),
            ("sep=;\na;b\n1;2\n", &[(2, "a|b"), (3, "1|2")]),
            ("a,b\n\"1\n2\",3\n4,5\n", &[(1, "a|b"), (2, "1\n2|3"), (4, "4|5")]),
            ("a\n\"say \"\"x\"\"\"\n", &[(1, "a"), (2, "say \"x\"")]),
            ("", &[]),
        ] {
            assert_eq!(cells(text), expected(found), "{text:?}");
        }
        for (text, line) in [("a,b\n1,\"2\n3,4\n", 2), ("sep=;\na;b\n\"1\" x;2\n", 3)] {
            assert_eq!(rows(text).unwrap_err().at.line, line, "{text:?}");
        }
    }
}
