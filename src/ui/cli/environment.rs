//! What the process inherits: environment variables and terminals. Nothing else reads them, but
//! for the system's TLS, which is told by `SSL_CERT_FILE` and `SSL_CERT_DIR` whom to trust, and
//! `edges::provider::intune`, which asks for the same proxy.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::ColorChoice;

use crate::domain::model::check_text;
use crate::edges::fs::secret::Secret;
use crate::ui::render::out::Presentation;

/// What matters of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// `NO_COLOR` is set and not empty (<https://no-color.org>).
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`: neither colors nor anything that moves.
    pub(crate) dumb: bool,
    /// `COLUMNS`, where it is a number.
    pub(crate) columns: Option<usize>,
    /// `FLEETFORM_LOG`, where it is not empty.
    pub(crate) log_filter: Option<String>,
    /// Width of the terminal that standard output is, if it is one; 0 where it does not say.
    pub(crate) stdout: Option<usize>,
    /// Whether standard error is a terminal.
    pub(crate) stderr: bool,
    /// Whether standard input is a terminal.
    pub(crate) stdin: bool,
    /// `USER`: what the user is called, as far as anyone says so.
    pub(crate) user: Option<String>,
    /// `HOME`: where the user's keys are.
    pub(crate) home: Option<PathBuf>,
    /// `FLEETFORM_CONFIG`: as `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `FLEETFORM_FLEET`: as `--fleet`.
    pub(crate) fleet: Option<PathBuf>,
    /// `FLEETFORM_DATA`: as `--data`.
    pub(crate) data: Option<PathBuf>,
    /// `FLEETFORM_SERVER`: as `--server`, of commands that have it.
    pub(crate) server: Option<String>,
    /// `FLEETFORM_TOKEN`: what the daemon must be told, or why it cannot be that.
    pub(crate) token: Option<Result<Secret, String>>,
    /// `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, with `NO_PROXY`.
    pub(crate) proxy: Option<ureq::Proxy>,
}

impl Environment {
    #[must_use]
    pub(crate) fn of_process() -> Self {
        let stdout = io::stdout();
        let columns =
            || rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| size.ws_col.into());
        Self {
            no_color: variable("NO_COLOR").is_some(),
            dumb: variable("TERM").is_some_and(|term| term == "dumb"),
            columns: variable("COLUMNS").and_then(|text| text.parse().ok()).filter(|n| *n > 0),
            log_filter: variable("FLEETFORM_LOG"),
            stdout: stdout.is_terminal().then(columns),
            stderr: io::stderr().is_terminal(),
            stdin: io::stdin().is_terminal(),
            user: variable("USER"),
            home: variable("HOME").map(PathBuf::from),
            config: variable("FLEETFORM_CONFIG").map(PathBuf::from),
            fleet: variable("FLEETFORM_FLEET").map(PathBuf::from),
            data: variable("FLEETFORM_DATA").map(PathBuf::from),
            server: variable("FLEETFORM_SERVER"),
            token: variable("FLEETFORM_TOKEN").map(|text| Secret::new(&text)),
            proxy: ureq::Proxy::try_from_env(),
        }
    }

    /// Who runs the command, as `id` would say it: the number is the system's word, the name
    /// only the environment's.
    #[must_use]
    pub(crate) fn actor(&self) -> String {
        let uid = rustix::process::getuid().as_raw();
        let name = self.user.as_deref().filter(|name| check_text(name, 64).is_ok());
        name.map_or_else(|| format!("uid={uid}"), |name| format!("uid={uid}({name})"))
    }

    /// The directory in which the command runs, as far as the system tells.
    #[must_use]
    pub(crate) fn working_directory() -> String {
        std::env::current_dir()
            .map_or_else(|_| "this directory".to_owned(), |path| path.display().to_string())
    }

    /// How results look.
    #[must_use]
    pub(crate) fn presentation(&self, color: ColorChoice, quiet: bool) -> Presentation {
        // A terminal that does not know its width is taken for the narrowest usual one.
        let width = self.stdout.map(|width| match (self.columns, width) {
            (Some(columns), _) => columns,
            (None, 0) => 80,
            (None, width) => width,
        });
        Presentation { color: self.colors(color, self.stdout.is_some()), width, quiet }
    }

    /// Whether standard error may be colored.
    #[must_use]
    pub(crate) fn colored_errors(&self, color: ColorChoice) -> bool {
        self.colors(color, self.stderr)
    }

    /// Whether a progress bar may be drawn on standard error.
    #[must_use]
    pub(crate) fn progress(&self, quiet: bool) -> bool {
        self.stderr && !quiet && !self.dumb
    }

    fn colors(&self, choice: ColorChoice, terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !self.no_color && !self.dumb,
        }
    }
}

/// Empty counts as absent; what is not UTF-8 is read as far as it can be.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, terminal, no_color, colored) in [
            (Auto, true, false, true),
            (Auto, true, true, false),
            (Auto, false, false, false),
            (Always, false, true, true),
            (Never, true, false, false),
        ] {
            let stdout = terminal.then_some(80);
            let env = Environment { no_color, stdout, stderr: terminal, ..Default::default() };
            assert_eq!(env.presentation(choice, false).color, colored);
            assert_eq!(env.colored_errors(choice), colored);
        }
    }

    #[test]
    fn a_dumb_terminal_gets_neither_colours_nor_a_bar() {
        let env = Environment { stdout: Some(80), stderr: true, ..Default::default() };
        assert!(env.presentation(ColorChoice::Auto, false).color && env.progress(false));
        let dumb = Environment { dumb: true, ..env };
        assert!(!dumb.presentation(ColorChoice::Auto, false).color && !dumb.progress(false));
        assert!(dumb.presentation(ColorChoice::Always, false).color, "what is asked for is given");
    }

    #[test]
    fn width_is_that_of_the_terminal_unless_columns_says_otherwise() {
        for (stdout, columns, width) in [
            (Some(120), None, Some(120)),
            (Some(120), Some(60), Some(60)),
            (Some(0), None, Some(80)),
            (None, Some(60), None),
        ] {
            let env = Environment { stdout, columns, ..Default::default() };
            assert_eq!(env.presentation(ColorChoice::Auto, false).width, width);
        }
    }
}
