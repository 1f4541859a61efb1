//! An explanation and its examples.

/// A longer explanation of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// One sentence without a full stop, as in a table.
    pub(crate) title: &'static str,
    /// Why it is refused and what to do: whole sentences, one paragraph.
    pub(crate) why: &'static str,
    /// What gives the finding.
    pub(crate) wrong: Example,
    pub(crate) right: Example,
}

/// An example, beside the profiles Standard (windows) and Mobile (ios, android).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Example {
    Manifest(&'static str),
    /// What a shell does in the fleet directory.
    Shell(&'static str),
    /// Something outside the fleet directory.
    Prose(&'static str),
}

impl Example {
    #[must_use]
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Manifest(text) | Self::Shell(text) | Self::Prose(text) => text,
        }
    }

    /// The language of a fenced block of it.
    #[must_use]
    pub(crate) const fn language(self) -> &'static str {
        match self {
            Self::Manifest(_) => "yaml",
            Self::Shell(_) => "sh",
            Self::Prose(_) => "text",
        }
    }
}
