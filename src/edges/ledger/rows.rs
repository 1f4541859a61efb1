//! Lines of many entries at once, but for what each says of the one before it: by all cores.

use rayon::prelude::*;

use super::line;
use crate::domain::state::event::Entry;

/// So many entries are worth waking another core for, which begins the lines of so many in a row.
const PARALLEL: usize = 256;
const ROW: usize = 128;

/// Lines of entries that follow one another.
#[derive(Debug, Default)]
pub(super) struct Row {
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Row {
    fn begin(&mut self, entries: &[Entry]) -> Result<(), line::Error> {
        self.text.clear();
        self.ends.clear();
        for entry in entries {
            line::begin(entry, &mut self.text)?;
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// The lines of these entries, which are those that they were begun of.
    pub(super) fn lines<'r>(
        &'r self,
        entries: &'r [Entry],
    ) -> impl Iterator<Item = (&'r Entry, &'r [u8])> {
        let begins = std::iter::once(&0).chain(&self.ends);
        let line = |(begin, end): (&usize, &usize)| &self.text[*begin..*end];
        entries.iter().zip(begins.zip(&self.ends).map(line))
    }
}

/// Their memory serves the next ones, too: to get it from the system for each batch costs as much as to
/// write the lines.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    /// Begins the lines of these entries, and gives them in rows, with the entries of each.
    ///
    /// # Errors
    /// If one of them cannot be written as a line.
    pub(super) fn begin<'r>(
        &'r mut self,
        entries: &'r [Entry],
    ) -> Result<impl Iterator<Item = (&'r [Entry], &'r Row)>, line::Error> {
        let length = if entries.len() < PARALLEL { PARALLEL } else { ROW };
        let count = entries.len().div_ceil(length);
        if self.0.len() < count {
            self.0.resize_with(count, Row::default);
        }
        let rows = &mut self.0[..count];
        let begin = |(row, entries): (&mut Row, &[Entry])| row.begin(entries);
        match rows {
            [row] => row.begin(entries)?,
            rows => {
                let each = rows.par_iter_mut().zip(entries.par_chunks(length)).map(begin);
                // The first that went wrong, whichever was found first.
                each.collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()?;
            }
        }
        Ok(entries.chunks(length).zip(&self.0))
    }
}
