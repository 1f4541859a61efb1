//! What `audit verify` checked and found.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::text::count;
use crate::model::Digest;

/// The outcome of a check of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Lines that were read.
    pub lines: u64,
    /// Of the last good line; 0 where there is none.
    pub seq: u64,
    /// Hash of the last good line; 64 zeros where there is none.
    pub head: Digest,
    /// Up to which line the snapshot goes, where there is one.
    pub snapshot_seq: Option<u64>,
    /// What is wrong, in the order of the log.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line that is meant, where it is one.
    pub seq: Option<u64>,
    /// A sentence without a full stop that says what was found and where.
    pub message: String,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    /// For people.
    ///
    /// # Errors
    /// If writing fails.
    pub fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { lines, seq, head, snapshot_seq, problems } = self;
        for Problem { seq, message } in problems {
            let place = seq.map_or_else(|| "log".into(), |seq| format!("entry {seq}"));
            let label = format!("error: {place}:");
            writeln!(
                out,
                "{} {}",
                out.paint(Tone::Removed, &label),
                out.paint(Tone::Plain, message)
            )?;
        }
        let verdict = match problems.len() as u64 {
            0 => ("good", Tone::Added),
            _ => ("BROKEN", Tone::Removed),
        };
        let snapshot = match snapshot_seq {
            None => "none".into(),
            Some(at) if at == seq => format!("up to entry {at}, the last"),
            Some(at) => format!("up to entry {at}"),
        };
        let wrong = match problems.len() as u64 {
            0 => String::new(),
            n => format!(", {}", count(n, "problem")),
        };
        writeln!(out, "Chain:     {}{wrong}", out.paint(verdict.1, verdict.0))?;
        writeln!(out, "Lines:     {lines}")?;
        writeln!(out, "Head:      {head} (entry {seq})")?;
        writeln!(out, "Snapshot:  {snapshot}")
    }

    /// `{"version": 1, "ok": …, "lines", "seq", "head", "snapshotSeq", "problems": […]}`.
    ///
    /// # Errors
    /// If writing fails.
    pub fn json(&self, out: &mut Out) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            ok: bool,
            #[serde(flatten)]
            verified: &'a Verified,
        }
        json::pretty(out, &Document { version: 1, ok: self.is_good(), verified: self })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::testing::Screen;

    fn good() -> Verified {
        Verified {
            lines: 16,
            seq: 16,
            head: Digest::of(b"16"),
            snapshot_seq: Some(16),
            problems: Vec::new(),
        }
    }

    fn broken() -> Verified {
        let problem = |seq, message: &str| Problem { seq, message: message.into() };
        Verified {
            seq: 8,
            snapshot_seq: None,
            problems: vec![
                problem(Some(9), "its `prev` is not the hash of the line before it\u{1b}[2J"),
                problem(None, "the snapshot is ahead of the log"),
            ],
            ..good()
        }
    }

    fn text(verified: &Verified) -> String {
        let screen = Screen::piped();
        verified.text(&mut screen.out()).unwrap();
        screen.results()
    }

    #[test]
    fn as_text() {
        expect![[r#"
            Chain:     good
            Lines:     16
            Head:      b17ef6d19c7a5b1ee83b907c595526dcb1eb06db8227d650d5dda0a9f4ce8cd9 (entry 16)
            Snapshot:  up to entry 16, the last
        "#]]
        .assert_eq(&text(&good()));
        expect![[r#"
            error: entry 9: its `prev` is not the hash of the line before it\u{1b}[2J
            error: log: the snapshot is ahead of the log
            Chain:     BROKEN, 2 problems
            Lines:     16
            Head:      b17ef6d19c7a5b1ee83b907c595526dcb1eb06db8227d650d5dda0a9f4ce8cd9 (entry 8)
            Snapshot:  none
        "#]]
        .assert_eq(&text(&broken()));
    }

    #[test]
    fn as_json() {
        let screen = Screen::piped();
        broken().json(&mut screen.out()).unwrap();
        expect![[r#"
            {
              "version": 1,
              "ok": false,
              "lines": 16,
              "seq": 8,
              "head": "b17ef6d19c7a5b1ee83b907c595526dcb1eb06db8227d650d5dda0a9f4ce8cd9",
              "snapshotSeq": null,
              "problems": [
                {
                  "seq": 9,
                  "message": "its `prev` is not the hash of the line before it\u001b[2J"
                },
                {
                  "seq": null,
                  "message": "the snapshot is ahead of the log"
                }
              ]
            }
        "#]]
        .assert_eq(&screen.results());
    }
}
