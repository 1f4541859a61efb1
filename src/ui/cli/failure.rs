//! Why a command could not do its work: what, where, why, and what to do next.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;

use rustix::io::Errno;

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
        if let Some(help) = self.help.as_deref().or_else(|| self.help_of_system()) {
            line("help:", Tone::Added, &help);
        }
        text
    }

    /// What to do where the system refused something, and nobody knows more. The errors of all edges end with
    /// what it said.
    fn help_of_system(&self) -> Option<&'static str> {
        let said = self.why();
        let (_, code) = said.rsplit_once("(os error ")?;
        let code = code.split(')').next()?.parse().ok()?;
        match Errno::from_raw_os_error(code) {
            Errno::ACCESS | Errno::PERM => Some(
                "run it as the user to whom that belongs; on a Fleetform server this is the daemon's user, and \
                 whoever only wants to look asks the daemon with --server URL",
            ),
            Errno::NOSPC | Errno::DQUOT => Some("free some space there, and run it again"),
            Errno::ROFS => Some("the file system is mounted read-only: see why, and run it again"),
            _ => None,
        }
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

    #[test]
    fn what_the_system_refused_has_a_next_step_unless_somebody_knew_a_better_one() {
        let error = |code| {
            let cause = io::Error::from_raw_os_error(code);
            Failure::new(format!("cannot open /var/lib/fleetform/lock: {cause}"))
        };
        for (code, help) in [(13, "--server URL"), (28, "free some space"), (30, "read-only")] {
            let said = error(code).render(false);
            assert!(said.contains("\nhelp: ") && said.contains(help), "{said}");
        }
        assert!(!error(5).render(false).contains("help:"));
        assert!(error(13).help("ask").render(false).ends_with("\nhelp: ask\n"));
    }
}
