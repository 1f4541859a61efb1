//! What `audit verify` checked and found.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::domain::model::Digest;
use crate::domain::wording::count;
use crate::edges::ledger::{Problem, Verified};

pub(crate) fn text(verified: &Verified, out: &mut Out) -> io::Result<()> {
    let Verified { lines, bytes, head, seq, snapshot_seq, problems, more } = verified;
    for Problem { seq, message } in problems {
        let place = seq.map_or_else(|| "snapshot".into(), |seq| format!("entry {seq}"));
        let label = format!("error: {place}:");
        let message = out.paint(Tone::Plain, message).to_string();
        writeln!(out, "{} {message}", out.paint(Tone::Removed, &label))?;
    }
    let (verdict, tone) = if problems.is_empty() {
        ("good".into(), Tone::Added)
    } else {
        let more = if *more { "more than " } else { "" };
        (format!("BROKEN, {more}{}", count(problems.len() as u64, "problem")), Tone::Removed)
    };
    let snapshot = match snapshot_seq {
        None => "none".into(),
        Some(at) if at == seq => format!("up to entry {at}, the last"),
        Some(at) => format!("up to entry {at}"),
    };
    writeln!(out, "Chain:     {}", out.paint(tone, &verdict))?;
    writeln!(out, "Lines:     {lines} ({})", count(*bytes, "byte"))?;
    writeln!(out, "Head:      {head} (entry {seq})")?;
    writeln!(out, "Snapshot:  {snapshot}")
}

/// `{"version": 1, "ok": …, "lines", "bytes", "seq", "head", "snapshotSeq", "problems": […], "more"}`.
pub(crate) fn json(verified: &Verified, out: &mut Out) -> io::Result<()> {
    let Verified { lines, bytes, head, seq, snapshot_seq, problems, more } = verified;
    let problems = problems.iter().map(|Problem { seq, message }| View { seq: *seq, message });
    let document = Document {
        version: 1,
        ok: verified.problems.is_empty(),
        lines: *lines,
        bytes: *bytes,
        seq: *seq,
        head: *head,
        snapshot_seq: *snapshot_seq,
        problems: problems.collect(),
        more: *more,
    };
    json::pretty(out, &document)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    ok: bool,
    lines: u64,
    bytes: u64,
    seq: u64,
    head: Digest,
    snapshot_seq: Option<u64>,
    problems: Vec<View<'a>>,
    more: bool,
}

#[derive(Serialize)]
struct View<'a> {
    seq: Option<u64>,
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::testing::Screen;

    fn good() -> Verified {
        Verified {
            lines: 16,
            bytes: 4_711,
            seq: 16,
            head: Digest::of(b"16"),
            snapshot_seq: Some(16),
            problems: Vec::new(),
            more: false,
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
        super::text(verified, &mut screen.out()).unwrap();
        screen.results()
    }

    #[test]
    fn as_text() {
        expect![[r#"
            Chain:     good
            Lines:     16 (4711 bytes)
            Head:      b17ef6d19c7a5b1ee83b907c595526dcb1eb06db8227d650d5dda0a9f4ce8cd9 (entry 16)
            Snapshot:  up to entry 16, the last
        "#]]
        .assert_eq(&text(&good()));
        expect![[r#"
            error: entry 9: its `prev` is not the hash of the line before it\u{1b}[2J
            error: snapshot: the snapshot is ahead of the log
            Chain:     BROKEN, 2 problems
            Lines:     16 (4711 bytes)
            Head:      b17ef6d19c7a5b1ee83b907c595526dcb1eb06db8227d650d5dda0a9f4ce8cd9 (entry 8)
            Snapshot:  none
        "#]]
        .assert_eq(&text(&broken()));
    }

    #[test]
    fn as_json() {
        let screen = Screen::piped();
        json(&broken(), &mut screen.out()).unwrap();
        expect![[r#"
            {
              "version": 1,
              "ok": false,
              "lines": 16,
              "bytes": 4711,
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
              ],
              "more": false
            }
        "#]]
        .assert_eq(&screen.results());
    }
}
