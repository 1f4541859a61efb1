//! What is wrong in a list.

use std::fmt;

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cell {
    /// From 1; 0 in what has no lines, where `header` names the device.
    pub(crate) line: u64,
    /// From 1; 0 where the whole line is meant. Of text without columns, the character.
    pub(crate) column: usize,
    /// What the column is called, where it has a name.
    pub(crate) header: String,
}

impl Cell {
    /// A whole line.
    pub(crate) fn line(line: u64) -> Self {
        Self { line, ..Self::default() }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.header);
        }
        write!(f, "line {}", self.line)?;
        if self.column > 0 {
            write!(f, ", column {}", self.column)?;
        }
        if self.header.is_empty() { Ok(()) } else { write!(f, " ({})", self.header) }
    }
}

/// One thing that is wrong, and how to put it right: sentences without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) at: Cell,
    pub(crate) what: String,
    pub(crate) help: String,
}

impl Problem {
    pub(crate) fn new(at: &Cell, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at: at.clone(), what: what.into(), help: help.into() }
    }
}
