//! From bytes to reports: one JSON object, or several one after another (JSON Lines).
//!
//! All or nothing, and strict: what a device says is judged by machines, so that a word
//! misspelt must not pass for a fact not given. Texts are made harmless here, since they
//! end up in the log and on terminals. Knows no files.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::outbox::CommandId;
use crate::model::{
    AntivirusFact, EncryptionFact, OsVersion, Report, ScreenLockFact, SerialNumber, Timestamp,
    is_deceptive,
};
use crate::object::Object;

/// More is a mistake or malice: an outbox holds a handful of commands.
const COMPLETED_LIMIT: usize = 1000;
/// Bytes of an enrolment error: a sentence or two; it must fit a line of the log.
const TEXT_LIMIT: usize = 512;
/// Bytes of what an error quotes.
const QUOTE_LIMIT: usize = 300;
/// Beyond these many problems the rest is not looked at: placing one costs a look at the
/// whole text, and nobody reads more.
const PROBLEM_LIMIT: usize = 20;

/// What is wrong with reports, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Which field, like `antivirus.enabled`; empty where the report as a whole is meant.
    pub field: String,
    /// What is wrong with it, every character harmless.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, field, message } = self;
        write!(f, "line {line}, column {column}: ")?;
        if !field.is_empty() {
            write!(f, "`{field}`: ")?;
        }
        f.write_str(message)
    }
}

/// At most `max` bytes of the text, with `�` for every deceptive character and `…` at a cut.
pub(super) fn harmless(text: &str, max: usize) -> String {
    let mut safe = String::new();
    for c in text.chars().map(|c| if is_deceptive(c) { '\u{FFFD}' } else { c }) {
        if safe.len() + c.len_utf8() > max {
            while safe.len() + '…'.len_utf8() > max {
                safe.pop();
            }
            safe.push('…');
            break;
        }
        safe.push(c);
    }
    safe
}

/// Every report in the order written.
///
/// # Errors
/// All that is wrong, in order; at most twenty problems.
pub fn parse(bytes: &[u8]) -> Result<Vec<Report>, Vec<Problem>> {
    // Windows writes a byte order mark where nobody asked for one.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            return Err(vec![problem(good, good.len() + 1, "", "is not UTF-8")]);
        }
    };
    let mut parser = Parser { text, reports: Vec::new(), problems: Vec::new() };
    parser.run();
    if parser.problems.is_empty() && parser.reports.is_empty() {
        parser.problems.push(problem(text, 0, "", "there is no report in it"));
    }
    if parser.problems.is_empty() { Ok(parser.reports) } else { Err(parser.problems) }
}

/// `end` is the offset just behind the character that is meant.
fn problem(text: &str, end: usize, field: &str, message: &str) -> Problem {
    let before = &text[..text.floor_char_boundary(end.saturating_sub(1))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        field: harmless(field, QUOTE_LIMIT),
        message: harmless(message, QUOTE_LIMIT),
    }
}

struct Parser<'a> {
    text: &'a str,
    reports: Vec<Report>,
    problems: Vec<Problem>,
}

impl Parser<'_> {
    fn run(&mut self) {
        let mut start = 0;
        while start < self.text.len() && self.problems.len() < PROBLEM_LIMIT {
            let rest = &self.text[start..];
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            let end = loop {
                match values.next() {
                    None => return,
                    Some(Ok(raw)) => {
                        let end = start + values.byte_offset();
                        self.report(end - raw.get().len(), raw.get());
                        if self.problems.len() >= PROBLEM_LIMIT {
                            return;
                        }
                    }
                    Some(Err(error)) => break start + self.syntax(start, rest, &error),
                }
            };
            // In JSON Lines one broken line says nothing about the next, which may be the one
            // whose beginning did not fit.
            let from = self.text.floor_char_boundary(end.saturating_sub(2)).max(start);
            match self.text[from..].find("\n{") {
                Some(next) => start = from + next + 1,
                None => return,
            }
        }
    }

    /// Notes that the text is no JSON; gives the offset in `rest` up to where it was read.
    fn syntax(&mut self, start: usize, rest: &str, error: &serde_json::Error) -> usize {
        let end = offset(rest, error);
        let message = if error.is_eof() {
            "the report breaks off: was it written whole?".to_owned()
        } else {
            format!("is not JSON: {}", without_place(error))
        };
        self.problems.push(problem(self.text, start + end, "", &message));
        // A boundary, so that the search for the next line can go on from it.
        rest.floor_char_boundary(end)
    }

    fn report(&mut self, start: usize, raw: &str) {
        match serde_json::from_str::<Object<Written>>(raw) {
            Ok(Object(written)) => self.reports.push(written.into()),
            Err(error) => {
                let end = offset(raw, &error);
                let field = field_at(&raw[..raw.floor_char_boundary(end)]);
                let message = without_place(&error);
                self.problems.push(problem(self.text, start + end, &field, &message));
            }
        }
    }
}

/// Just behind the last byte that the error is about.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// The path to where a JSON text breaks off: serde's errors do not say it.
fn field_at(json: &str) -> String {
    enum Level<'a> {
        Object(Option<&'a str>),
        List(usize),
    }
    let (mut levels, mut word, mut at) = (Vec::new(), "", 0);
    let bytes = json.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match (byte, levels.last_mut()) {
            (b'"', _) => {
                let start = at + 1;
                at = start;
                while bytes.get(at).is_some_and(|b| *b != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                word = json.get(start..at).unwrap_or_default();
            }
            (b'{', _) => levels.push(Level::Object(None)),
            (b'[', _) => levels.push(Level::List(0)),
            (b'}' | b']', _) => drop(levels.pop()),
            (b':', Some(Level::Object(key))) => *key = Some(word),
            (b',', Some(Level::Object(key))) => *key = None,
            (b',', Some(Level::List(index))) => *index += 1,
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(Some(key)) if path.is_empty() => path.push_str(key),
            Level::Object(Some(key)) => path.push_str(&format!(".{key}")),
            Level::Object(None) => {}
            Level::List(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// A report as it is written (contract §7).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    serial_number: SerialNumber,
    at: Timestamp,
    os_version: Option<OsVersion>,
    antivirus: Option<Object<AntivirusFact>>,
    encryption: Option<Object<EncryptionFact>>,
    screen_lock: Option<Object<ScreenLockFact>>,
    enrollment_error: Option<String>,
    #[serde(default)]
    wiped: bool,
    #[serde(default)]
    completed: Completed,
}

impl From<Written> for Report {
    fn from(written: Written) -> Self {
        let Written {
            serial_number,
            at,
            os_version,
            antivirus,
            encryption,
            screen_lock,
            enrollment_error,
            wiped,
            completed,
        } = written;
        Self {
            serial_number,
            at,
            os_version,
            antivirus: antivirus.map(|Object(fact)| fact),
            encryption: encryption.map(|Object(fact)| fact),
            screen_lock: screen_lock.map(|Object(fact)| fact),
            // An agent that fills in every field says "" where there was no error.
            enrollment_error: enrollment_error
                .filter(|text| !text.trim().is_empty())
                .map(|text| harmless(&text, TEXT_LIMIT)),
            wiped,
            completed: completed.0.iter().map(CommandId::to_string).collect(),
        }
    }
}

#[derive(Default)]
struct Completed(Vec<CommandId>);

impl<'de> Deserialize<'de> for Completed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> serde::de::Visitor<'de> for List {
            type Value = Completed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {COMPLETED_LIMIT} ids of commands")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Completed, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = seq.next_element()? {
                    if ids.len() == COMPLETED_LIMIT {
                        return Err(serde::de::Error::invalid_length(ids.len() + 1, &self));
                    }
                    ids.push(id);
                }
                Ok(Completed(ids))
            }
        }
        deserializer.deserialize_seq(List)
    }
}
