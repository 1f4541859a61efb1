//! A table of the columns that the caller names: `ID:.id,SITE:.labels.site`, as kubectl's.

use std::io::{self, Write as _};

use serde_json::Value;

use super::jsonpath::{Path, plain};
use super::out::{Out, Tone};
use super::text::{safe, width};

/// Columns by their titles.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns(Vec<(String, Path)>);

impl Columns {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong, without a full stop.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let column = |part: &str| {
            let (title, path) = part
                .split_once(':')
                .filter(|(title, path)| !title.trim().is_empty() && !path.trim().is_empty())
                .ok_or_else(|| format!("{part:?} is not a column like SITE:.labels.site"))?;
            let path = path.trim().trim_start_matches('{').trim_end_matches('}');
            Ok((title.trim().to_owned(), Path::parse(path)?))
        };
        text.split(',').map(column).collect::<Result<_, String>>().map(Self)
    }

    /// One row for each document; what is not there is `<none>`.
    pub(super) fn write(&self, documents: &[Value], out: &mut Out) -> io::Result<()> {
        let cell = |document: &Value, path: &Path| {
            let found: Vec<_> = path.values(document).into_iter().map(plain).collect();
            let text = found.join(",");
            if text.is_empty() { "<none>".to_owned() } else { safe(&text).into_owned() }
        };
        let titles: Vec<String> =
            self.0.iter().map(|(title, _)| safe(title).into_owned()).collect();
        let rows: Vec<Vec<String>> = documents
            .iter()
            .map(|document| self.0.iter().map(|(_, path)| cell(document, path)).collect())
            .collect();
        let mut widths: Vec<usize> = titles.iter().map(|title| width(title)).collect();
        for row in &rows {
            for (widest, text) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(text));
            }
        }
        let mut line = |cells: &[String], tone: Tone| {
            let mut text = String::new();
            for (cell, column) in cells.iter().zip(&widths) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
            }
            writeln!(out, "{}", out.paint(tone, text.trim_end()))
        };
        line(&titles, Tone::Strong)?;
        rows.iter().try_for_each(|row| line(row, Tone::Plain))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ui::render::testing::Screen;

    #[test]
    fn columns_are_those_that_were_named() {
        let columns = Columns::parse("ID:.id,SITE:.labels.site, APPS:.apps[*]").unwrap();
        let rows = [
            json!({"id": "D001", "labels": {"site": "madrid"}, "apps": ["a", "b"]}),
            json!({"id": "D1000", "labels": {}, "apps": []}),
        ];
        let screen = Screen::piped();
        columns.write(&rows, &mut screen.out()).unwrap();
        let table = "ID     SITE    APPS\nD001   madrid  a,b\nD1000  <none>  <none>\n";
        assert_eq!(screen.results(), table);
        for bad in ["", "ID", "ID:", ":.id", "ID:.id,", "ID:.a["] {
            assert!(Columns::parse(bad).is_err(), "{bad}");
        }
    }
}
