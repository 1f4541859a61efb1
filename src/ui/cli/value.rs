//! Values that only the command line has.

use std::str::FromStr;
use std::time::Duration;

use chrono::TimeDelta;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::model::{Digest, Invalid, Timestamp};
use crate::domain::state::event::Entry;

/// A closed set of words, whatever their case; clap shows them and suggests the nearest.
macro_rules! word {
    ($type:ty) => {{
        use clap::builder::TypedValueParser as _;
        clap::builder::PossibleValuesParser::new(<$type>::ALL.iter().map(|word| word.as_str()))
            .try_map(|text| {
                $crate::ui::cli::value::find_word(<$type>::ALL, |word| word.as_str(), &text)
            })
    }};
}
pub(super) use word;

/// The word that is `text`, whatever its case.
pub(super) fn find_word<T: Copy>(
    all: &[T],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T, Invalid> {
    let found = all.iter().copied().find(|word| name(*word).eq_ignore_ascii_case(text));
    found.ok_or_else(|| Invalid("is not one of the allowed values".into()))
}

/// A length of time, at most a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        // A day is more than anyone waits, and fits every clock.
        .filter(|duration| *duration <= Duration::from_secs(86_400))
        .ok_or_else(|| "is not a duration like 300ms, 60s or 5m, at most a day".into())
}

/// A length of time in which something can happen.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration < Duration::from_millis(10) { Err("is too short".into()) } else { Ok(duration) }
}

/// A kind of log entry.
pub(super) fn kind() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(crate::domain::state::event::Event::KINDS)
}

/// `--plan DIGEST`
pub(super) fn digest(text: &str) -> Result<Digest, Invalid> {
    text.parse().map_err(|Invalid(why)| {
        Invalid(format!(
            "{why}: copy all of it from the last line of `fleetform plan`, or take the \
             `digest` of `fleetform plan -o json`"
        ))
    })
}

/// `--label k=v`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Before the first `=`.
    pub(crate) key: String,
    /// After it; may be empty.
    pub(crate) value: String,
}

impl FromStr for Label {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.into(), value: value.into() })
            }
            _ => Err(Invalid("is not a label like site=madrid".into())),
        }
    }
}

/// `--since`: where to begin in the log, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    At(Timestamp),
    /// So long before now.
    Ago(TimeDelta),
    /// A sequence number.
    Seq(u64),
}

impl Since {
    /// Whether the entry is not before it.
    #[must_use]
    pub(crate) fn admits(self, entry: &Entry, now: Timestamp) -> bool {
        match self {
            Self::At(at) => entry.at >= at,
            Self::Ago(span) => now - entry.at <= span,
            Self::Seq(seq) => entry.seq >= seq,
        }
    }
}

impl FromStr for Since {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Ok(seq) = text.parse() {
            return Ok(Self::Seq(seq));
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let span = humantime::parse_duration(text).ok().and_then(|d| TimeDelta::from_std(d).ok());
        span.map(Self::Ago).ok_or_else(|| {
            let examples =
                "2026-11-22T10:00:00Z, a duration like 2h, or a sequence number like 117";
            Invalid(format!("is not a time like {examples}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::render::testing::{log, now, time};

    #[test]
    fn since() {
        for (text, expected) in [
            ("117", Since::Seq(117)),
            ("2h", Since::Ago(TimeDelta::hours(2))),
            ("1day 12h", Since::Ago(TimeDelta::hours(36))),
            ("2026-11-22T10:00:00+01:00", Since::At(time("2026-11-22T09:00:00Z"))),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
        for bad in ["", "yesterday", "-1", "2026-11-22", "99999999999999999999y"] {
            assert!(bad.parse::<Since>().is_err(), "{bad}");
        }
    }

    #[test]
    fn since_is_inclusive() {
        let log = log();
        let first = |since: Since| log.iter().find(|e| since.admits(e, now())).unwrap().seq;
        assert_eq!(first(Since::Seq(4)), 4);
        assert_eq!(first(Since::At(time("2026-11-20T08:00:01Z"))), 7);
        assert_eq!(first(Since::At(time("2026-11-20T08:00:01.001Z"))), 8);
        assert_eq!(first(Since::Ago(TimeDelta::minutes(10))), 12);
    }

    #[test]
    fn labels() {
        let label = |key: &str, value: &str| Ok(Label { key: key.into(), value: value.into() });
        assert_eq!("site=madrid".parse(), label("site", "madrid"));
        assert_eq!("a=b=c".parse(), label("a", "b=c"));
        assert_eq!("a=".parse(), label("a", ""));
        assert!("site".parse::<Label>().is_err());
        assert!("=madrid".parse::<Label>().is_err());
    }
}
