//! Tables without borders, as `kubectl` draws them.
//!
//! On a terminal a table fits: columns that may be hidden go first, then the widest are cut
//! with `…`. In a pipe every value is whole. Columns are two spaces apart and no line ends
//! in a space. A row is one line, always: cells are made harmless when they are added.
//! Drawn here and not by a library: 100,000 devices take a fifth of a second instead of one to
//! two, and colors do not count as width.

use std::io::{self, Write};

use compact_str::CompactString;

use super::out::{Out, Tone};
use super::text::{safe, truncate, width};

/// What separates two columns.
const GAP: usize = 2;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// In capitals.
    pub(crate) title: &'static str,
    /// It may be cut to this width, if it must.
    pub(crate) min: usize,
    /// It may be hidden on a narrow terminal; the lowest goes first.
    pub(crate) hide: Option<u8>,
}

impl Column {
    /// Always shown whole.
    #[must_use]
    pub(crate) const fn whole(title: &'static str) -> Self {
        Self { title, min: usize::MAX, hide: None }
    }
    /// May be cut to `min` columns.
    #[must_use]
    pub(crate) const fn cut(title: &'static str, min: usize) -> Self {
        Self { title, min, hide: None }
    }
    /// May be hidden, after all those with a lower `rank`.
    #[must_use]
    pub(crate) const fn or_hide(self, rank: u8) -> Self {
        Self { hide: Some(rank), ..self }
    }
}

/// One cell; harmless by construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: CompactString,
    tone: Tone,
}

impl Cell {
    #[must_use]
    pub(crate) fn toned(text: &str, tone: Tone) -> Self {
        Self { text: safe(text).into(), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text.as_ref(), Tone::Plain)
    }
}

/// A table of `N` columns, held until its widths are known.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    #[must_use]
    pub(crate) fn new(columns: [Column; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes header and rows, and notes which columns a narrow terminal hides; nothing without rows.
    pub(crate) fn write(&self, out: &mut Out) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let natural = self.natural_widths(out.width().is_some());
        let widths = fit(&self.columns, natural, out.width());
        self.write_row(out, &widths, &self.columns.map(|c| Cell::toned(c.title, Tone::Strong)))?;
        self.write_body(out, &widths)?;
        let hidden = (0..N).filter(|i| natural[*i].is_some() && widths[*i].is_none());
        let titles: Vec<_> = hidden.map(|i| self.columns[i].title).collect();
        if !titles.is_empty() {
            out.note(&format!(
                "{} hidden: the terminal is too narrow; -o json has everything",
                titles.join(", ")
            ));
        }
        Ok(())
    }

    /// Writes rows alone, as they would stand below the header.
    pub(crate) fn write_rows(&self, out: &mut Out) -> io::Result<()> {
        let natural = self.natural_widths(out.width().is_some());
        self.write_body(out, &fit(&self.columns, natural, out.width()))
    }

    fn write_body(&self, out: &mut Out, widths: &[Option<usize>; N]) -> io::Result<()> {
        for row in &self.rows {
            if out.is_closed() {
                return Ok(());
            }
            self.write_row(out, widths, row)?;
        }
        Ok(())
    }

    /// Absent where no row has anything to show and room is scarce, as it is on a terminal.
    fn natural_widths(&self, scarce: bool) -> [Option<usize>; N] {
        let mut widths = [0; N];
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(&cell.text));
            }
        }
        std::array::from_fn(|i| {
            (widths[i] > 0 || !scarce).then(|| widths[i].max(width(self.columns[i].title)))
        })
    }

    fn write_row(
        &self,
        out: &mut Out,
        widths: &[Option<usize>; N],
        row: &[Cell; N],
    ) -> io::Result<()> {
        const SPACES: &str = "                                ";
        let shown = || row.iter().zip(widths).filter_map(|(cell, width)| Some((cell, (*width)?)));
        // What separates a cell from the last one written: nothing is written behind the last.
        let mut pending = 0;
        for (cell, column) in shown() {
            if !cell.text.is_empty() {
                while pending > 0 {
                    let step = pending.min(SPACES.len());
                    out.write_all(&SPACES.as_bytes()[..step])?;
                    pending -= step;
                }
                let text = truncate(&cell.text, column);
                if cell.tone == Tone::Plain || !out.color() {
                    out.write_all(text.as_bytes())?;
                } else {
                    write!(out, "{}", out.paint(cell.tone, &text))?;
                }
                pending = column.saturating_sub(width(&text)) + GAP;
            } else {
                pending += column + GAP;
            }
        }
        out.write_all(b"\n")
    }
}

/// The width of each column, absent where it is hidden or was before.
fn fit<const N: usize>(
    columns: &[Column; N],
    natural: [Option<usize>; N],
    room: Option<usize>,
) -> [Option<usize>; N] {
    let mut widths = natural;
    let Some(room) = room else { return widths };
    let least = |i: usize| natural[i].map(|natural| natural.min(columns[i].min));
    let total = |widths: &[Option<usize>; N]| {
        let shown = widths.iter().flatten();
        shown.clone().sum::<usize>() + GAP * shown.count().saturating_sub(1)
    };

    let mut by_rank: Vec<_> = (0..N).filter(|i| columns[*i].hide.is_some()).collect();
    by_rank.sort_by_key(|i| columns[*i].hide);
    let mut smallest: [Option<usize>; N] = std::array::from_fn(least);
    for i in by_rank {
        if total(&smallest) <= room {
            break;
        }
        smallest[i] = None;
        widths[i] = None;
    }

    while total(&widths) > room {
        let widest = (0..N).filter(|i| widths[*i] > least(*i)).max_by_key(|i| (widths[*i], N - i));
        let Some(i) = widest else { break };
        widths[i] = widths[i].map(|w| w - 1);
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::out::Presentation;
    use crate::ui::render::testing::Screen;
    use expect_test::expect;

    fn sample() -> Table<4> {
        let mut table = Table::new([
            Column::whole("ID"),
            Column::cut("NAME", 6),
            Column::whole("PLATFORM").or_hide(1),
            Column::cut("NOTES", 5),
        ]);
        table.push(["D001".into(), "ana-ruiz-laptop".into(), "windows".into(), "".into()]);
        table.push([
            "D002".into(),
            "端末\u{1b}[31m".into(),
            "".into(),
            Cell::toned("orphaned, overdue", Tone::Changed),
        ]);
        table
    }

    #[test]
    fn long_and_wide_values_fit_80_columns_and_use_200() {
        let mut table =
            Table::new([Column::whole("ID"), Column::cut("NAME", 6), Column::cut("NOTES", 5)]);
        table.push(["D001".into(), "端末".repeat(30).into(), "x".repeat(90).into()]);
        table.push(["D002".into(), "👩\u{200d}💻 e\u{301}".repeat(10).into(), "short".into()]);
        let drawn = |screen: &Screen| {
            table.write(&mut screen.out()).unwrap();
            screen.results()
        };
        let text = drawn(&Screen::wide(80));
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
        expect![[r#"
            ID    NAME                                  NOTES
            D001  端末端末端末端末端末端末端末端末端…   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
            D002  👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 …  short
        "#]]
        .assert_eq(&text);
        let text = drawn(&Screen::wide(200));
        assert!(text.lines().all(|line| width(line) <= 200), "{text}");
        expect![[r#"
            ID    NAME                                                                                                    NOTES
            D001  端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末端末…   xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
            D002  👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é👩‍💻 é                                                                short
        "#]].assert_eq(&text);
        assert!(!drawn(&Screen::piped()).contains('…'), "in a pipe nothing is cut");
    }

    fn drawn(screen: &Screen) -> String {
        sample().write(&mut screen.out()).unwrap();
        screen.results()
    }

    #[test]
    fn in_a_pipe_everything_is_whole() {
        expect![[r#"
            ID    NAME             PLATFORM  NOTES
            D001  ana-ruiz-laptop  windows
            D002  端末\u{1b}[31m             orphaned, overdue
        "#]]
        .assert_eq(&drawn(&Screen::piped()));
    }

    #[test]
    fn a_terminal_is_never_overrun_and_what_is_hidden_is_said() {
        let screen = Screen::wide(40);
        expect![[r#"
            ID    NAME         PLATFORM  NOTES
            D001  ana-ruiz-l…  windows
            D002  端末\u{1b}…            orphaned, …
        "#]]
        .assert_eq(&drawn(&screen));
        assert_eq!(screen.notes(), "");

        let screen = Screen::wide(24);
        let text = drawn(&screen);
        assert!(text.lines().all(|line| width(line) <= 24), "{text}");
        assert!(!text.contains("PLATFORM"));
        assert!(screen.notes().starts_with("PLATFORM hidden"), "{}", screen.notes());
        for columns in 19..90 {
            let text = drawn(&Screen::wide(columns));
            assert!(text.lines().all(|line| width(line) <= columns), "{columns}:\n{text}");
            assert!(text.lines().all(|line| !line.ends_with(' ')), "{columns}:\n{text}");
        }
    }

    #[test]
    fn on_a_terminal_an_empty_column_takes_no_room() {
        let mut table = Table::new([Column::whole("ID"), Column::cut("NOTES", 5)]);
        table.push(["D001".into(), "".into()]);
        let screen = Screen::wide(80);
        table.write(&mut screen.out()).unwrap();
        assert_eq!((screen.results().as_str(), screen.notes().as_str()), ("ID\nD001\n", ""));
        let screen = Screen::piped();
        table.write(&mut screen.out()).unwrap();
        assert_eq!(screen.results(), "ID    NOTES\nD001\n", "a script finds every column");
    }

    #[test]
    fn a_terminal_too_small_for_anything_does_not_hang() {
        for columns in 0..19 {
            assert_eq!(drawn(&Screen::wide(columns)).lines().count(), 3);
        }
    }

    #[test]
    fn color_changes_no_column() {
        let plain = drawn(&Screen::piped());
        let colored = drawn(&Screen::new(Presentation { color: true, ..Presentation::default() }));
        assert_ne!(plain, colored);
        assert_eq!(plain, anstream::adapter::strip_str(&colored).to_string());
    }
}
