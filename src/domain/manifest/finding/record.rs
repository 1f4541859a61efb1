//! A finding, and the place it points at.

use std::sync::Arc;

use super::code::{Code, Severity};

/// A stretch of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Relative to the root of the fleet directory, with `/`.
    pub(crate) path: Arc<str>,
    /// From 1; 0 where a file as a whole is meant.
    pub line: u32,
    /// From 1, in characters; 0 where a file as a whole is meant.
    pub(crate) column: u32,
    /// Characters from `column` on that are meant, at least 1; never past the end of the line.
    pub(crate) width: u32,
    /// The line itself, cut to a window of a few hundred characters; empty where there is none.
    pub(crate) text: Arc<str>,
    /// How many characters were cut off before the window.
    pub(crate) offset: u32,
}

impl Span {
    /// A file or directory as a whole.
    #[must_use]
    pub(crate) fn whole(path: &Arc<str>) -> Self {
        Self { path: path.clone(), line: 0, column: 0, width: 1, text: "".into(), offset: 0 }
    }
}

/// One result of validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable; see [`Code`].
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    /// One sentence without a full stop, values in backquotes, every character harmless.
    pub message: String,
    /// How to fix it: one sentence without a full stop.
    pub(crate) help: String,
    pub span: Span,
    /// The other place where two clash, and what is there.
    pub(crate) related: Option<(Span, String)>,
}

impl Finding {
    /// The order in which findings are shown: by place, then by code and text.
    #[must_use]
    pub(crate) fn key(&self) -> (&Span, Code, &str) {
        (&self.span, self.code, &self.message)
    }
}
