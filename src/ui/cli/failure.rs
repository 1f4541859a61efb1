//! Why a command could not do its work: what, where, why, and what to do next.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use crate::ui::render::out::Tone;
use crate::ui::render::text::safe;

/// Any error, and a hint. It is printed once, at the end of the program.
#[derive(Debug)]
pub(crate) struct Failure {
    error: Box<dyn Error + Send + Sync>,
    help: Option<String>,
}

impl Failure {
    /// `what` says what could not be done, and where; without a full stop.
    #[must_use]
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { error: what.into().into(), help: None }
    }

    /// What to do next: one sentence without a full stop.
    #[must_use]
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// What could not be done, without causes and help.
    #[must_use]
    pub(crate) fn why(&self) -> String {
        self.error.to_string()
    }

    /// For standard error: several lines, harmless, each with its newline.
    #[must_use]
    pub(crate) fn render(&self, color: bool) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |label: &str, tone: Tone, what: &dyn fmt::Display| {
            let _ = writeln!(text, "{} {}", tone.paint(label, color), safe(&what.to_string()));
        };
        line("error:", Tone::Removed, &self.error);
        let mut cause = self.error.source();
        while let Some(error) = cause {
            line("  caused by:", Tone::Dim, &error);
            cause = error.source();
        }
        if let Some(help) = &self.help {
            line("help:", Tone::Added, help);
        }
        text
    }

    /// To standard error; a failure to write it is ignored.
    pub(crate) fn print(&self, color: bool) {
        let _ = io::Write::write_all(&mut io::stderr().lock(), self.render(color).as_bytes());
    }
}

/// So that `?` works on every edge's error. That is why a [`Failure`] is no [`Error`] itself.
impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: Box::new(error), help: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read ./fleet/\u{1b}[2J.yaml")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_are_indented_and_the_help_comes_last() {
        let failure = Failure::from(Outer(io::Error::other("no\nluck"))).help("try again");
        assert_eq!(
            failure.render(false),
            "error: cannot read ./fleet/\\u{1b}[2J.yaml\n  caused by: no\\nluck\nhelp: try again\n"
        );
        assert!(failure.render(true).starts_with("\u{1b}[31merror:\u{1b}[0m cannot"));
        assert_eq!(Failure::new("no").render(false), "error: no\n");
    }
}
