//! Where results go: standard output, with its colors and width, and notes to standard error.
//!
//! A reader that has gone away is not an error: what is written after that is dropped, so
//! that a pass is not torn by the death of a pager. Any other failure to write is one.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex};

use anstyle::{AnsiColor, Style};

use super::text::safe;

/// The palette. Color is never the only signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// Titles and headers.
    Strong,
    /// New, or well.
    Added,
    /// Changed, or worth a look.
    Changed,
    /// Gone, failed, destructive.
    Removed,
    /// Of less weight.
    Dim,
}

impl Tone {
    /// The text made harmless, in this tone if `color`.
    pub(crate) fn paint(self, text: &str, color: bool) -> impl fmt::Display + use<'_> {
        Painted { style: if color { self.style() } else { Style::new() }, text }
    }

    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Added => AnsiColor::Green.on_default(),
            Self::Changed => AnsiColor::Yellow.on_default(),
            Self::Removed => AnsiColor::Red.on_default(),
            Self::Dim => Style::new().dimmed(),
        }
    }
}

/// How an [`Out`] is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Presentation {
    /// Whether results may be colored.
    pub(crate) color: bool,
    /// Columns of the terminal that results go to; absent in a pipe.
    pub(crate) width: Option<usize>,
    /// No notes.
    pub(crate) quiet: bool,
}

/// Results and notes.
pub(crate) struct Out {
    results: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
    presentation: Presentation,
    closed: bool,
}

impl Out {
    /// To any two writers; `results` is not buffered any further.
    #[must_use]
    pub(crate) fn new(
        results: Box<dyn Write + Send>,
        notes: Box<dyn Write + Send>,
        presentation: Presentation,
    ) -> Self {
        Self { results, notes, presentation, closed: false }
    }

    /// What `draw` writes, as plain text.
    ///
    /// # Errors
    /// Those of `draw`.
    pub(crate) fn captured(draw: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<String> {
        let kept = Kept::default();
        let mut out =
            Self::new(Box::new(kept.clone()), Box::new(io::sink()), Presentation::default());
        draw(&mut out)?;
        drop(out);
        let bytes = kept.0.lock().map(|mut bytes| std::mem::take(&mut *bytes)).unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// To standard output and standard error.
    #[must_use]
    pub(crate) fn standard(presentation: Presentation) -> Self {
        let results = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self::new(Box::new(results), Box::new(io::stderr()), presentation)
    }

    /// Columns of the terminal that results go to; absent in a pipe.
    #[must_use]
    pub(crate) fn width(&self) -> Option<usize> {
        self.presentation.width
    }

    /// Whether results may be colored.
    #[must_use]
    pub(crate) fn color(&self) -> bool {
        self.presentation.color
    }

    /// Whether the reader of the results has gone away: more of them would be wasted.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The text made harmless, in this tone where colors are allowed.
    pub(crate) fn paint<'a>(&self, tone: Tone, text: &'a str) -> impl fmt::Display + use<'a> {
        tone.paint(text, self.presentation.color)
    }

    /// One line to standard error, unless `--quiet`; a note that cannot be written is dropped.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.presentation.quiet {
            // On a terminal it stands behind the results that it is about. What cannot be written
            // now fails again at the end, and is reported there.
            let _ = self.flush();
            let _ = writeln!(self.notes, "{}", safe(text));
        }
    }

    fn settle<T>(&mut self, result: io::Result<T>, done: T) -> io::Result<T> {
        match result {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(done)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Err(e),
            Err(e) => {
                let what = format!("cannot write the results to standard output: {e}");
                Err(io::Error::new(e.kind(), what))
            }
            Ok(value) => Ok(value),
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let result = self.results.write(bytes);
        self.settle(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.results.flush();
        self.settle(result, ())
    }
}

/// Memory that outlives the writer it is lent to.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::Error::other("poisoned"))?.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Painted<'a> {
    style: Style,
    text: &'a str,
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { style, text } = self;
        if style.is_plain() {
            return f.write_str(&safe(text));
        }
        write!(f, "{style}{}{style:#}", safe(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::Screen;

    struct Broken(io::ErrorKind);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
        let broken =
            |kind| Out::new(Box::new(Broken(kind)), Box::new(io::sink()), Presentation::default());
        let mut out = broken(io::ErrorKind::BrokenPipe);
        assert!(!out.is_closed());
        writeln!(out, "lost").unwrap();
        writeln!(out, "lost too").unwrap();
        out.flush().unwrap();
        assert!(out.is_closed());

        let mut out = broken(io::ErrorKind::StorageFull);
        let error = writeln!(out, "x").unwrap_err().to_string();
        assert!(error.starts_with("cannot write the results to standard output: "), "{error}");
        assert!(out.flush().is_err());
    }

    #[test]
    fn paint_is_harmless_and_plain_without_colour() {
        let screen = Screen::piped();
        let out = screen.out();
        assert_eq!(out.paint(Tone::Removed, "a\u{1b}[0m").to_string(), r"a\u{1b}[0m");
        let screen = Screen::new(Presentation { color: true, ..Presentation::default() });
        let out = screen.out();
        assert_eq!(out.paint(Tone::Removed, "a").to_string(), "\u{1b}[31ma\u{1b}[0m");
        assert_eq!(out.paint(Tone::Plain, "a").to_string(), "a");
    }

    #[test]
    fn notes_are_harmless_and_can_be_silenced() {
        let screen = Screen::piped();
        screen.out().note("no \u{1b}[31mdevices");
        assert_eq!(screen.notes(), "no \\u{1b}[31mdevices\n");
        let screen = Screen::new(Presentation { quiet: true, ..Presentation::default() });
        screen.out().note("no devices");
        assert_eq!(screen.notes(), "");
    }
}
