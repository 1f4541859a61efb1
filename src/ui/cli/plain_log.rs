//! The log of a command that somebody watches: lines like those of errors, without times and keys.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::ui::render::out::Tone;
use crate::ui::render::text::safe;

/// `warning: what: why (file a.json)`
pub(super) struct Plain {
    pub(super) color: bool,
}

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = Said::default();
        event.record(&mut said);
        let (label, tone) = match *event.metadata().level() {
            Level::ERROR => ("error:", Tone::Removed),
            Level::WARN => ("warning:", Tone::Changed),
            Level::INFO => ("info:", Tone::Dim),
            Level::DEBUG | Level::TRACE => ("debug:", Tone::Dim),
        };
        writeln!(to, "{} {}", tone.paint(label, self.color), safe(&said.line()))?;
        match &said.help {
            Some(help) => {
                writeln!(to, "{} {}", Tone::Added.paint("help:", self.color), safe(help))
            }
            None => Ok(()),
        }
    }
}

/// What an event says, taken apart.
#[derive(Default)]
struct Said {
    message: String,
    why: Option<String>,
    help: Option<String>,
    others: Vec<(&'static str, String)>,
}

impl Said {
    fn line(&self) -> String {
        let Self { message, why, help: _, others } = self;
        let mut line = message.clone();
        if let Some(why) = why {
            // Writing to a String cannot fail.
            let _ = write!(line, ": {why}");
        }
        let others: Vec<_> = others.iter().map(|(key, value)| format!("{key} {value}")).collect();
        if !others.is_empty() {
            let _ = write!(line, " ({})", others.join(", "));
        }
        line
    }

    fn take(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            "why" | "error" => self.why = Some(value),
            "help" => self.help = Some(value),
            name => self.others.push((name, value)),
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        // A string that was written down for a log has quotes, which help nobody here.
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let bare = bare.map(|bare| bare.replace("\\\"", "\""));
        self.take(field, bare.unwrap_or(text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(say: impl FnOnce()) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::DEBUG)
            .with_writer(move || to.clone())
            .event_format(Plain { color: false })
            .finish();
        tracing::subscriber::with_default(subscriber, say);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_no_time_and_no_keys_where_words_will_do() {
        for (said, expected) in [
            (said(|| tracing::error!("{} left out", "1 manifest")), "error: 1 manifest left out\n"),
            (
                said(|| tracing::warn!(why = "no \"x\"", "cannot be used")),
                "warning: cannot be used: no \"x\"\n",
            ),
            (
                said(|| tracing::warn!(why = ?"no \"x\"", "cannot be used")),
                "warning: cannot be used: no \"x\"\n",
            ),
            (
                said(|| tracing::warn!(file = ?"a\u{1b}.json", serial = %"S1", more = 3, "odd")),
                "warning: odd (file a\\u{1b}.json, serial S1, more 3)\n",
            ),
            (
                said(|| tracing::error!(error = %"full", help = "make room", "failed")),
                "error: failed: full\nhelp: make room\n",
            ),
            (said(|| tracing::info!("a \u{1b}[2J")), "info: a \\u{1b}[2J\n"),
        ] {
            assert_eq!(said, expected);
        }
    }
}
