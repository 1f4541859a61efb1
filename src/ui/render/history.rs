//! Log entries as lines: a table that can be written while entries arrive, or JSON.
//!
//! Lines are never shortened: what a log says, it says whole.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::event::{Entry, Event, Source};
use crate::domain::summary::summary;
use crate::edges::ledger::Logged;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `SEQ  TIME  KIND  DEVICE  SUMMARY`.
    Text,
    /// `{"version": 1, "entries": […]}`.
    Json,
    /// One JSON object a line: for streams without an end.
    JsonLines,
}

/// An entry as its line in the log has it, with the keys in the same order.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView<'a> {
    seq: u64,
    at: Timestamp,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    actor: &'a Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Source>,
    data: &'a Event,
    prev: Digest,
}

impl<'a> From<&'a Logged> for EntryView<'a> {
    fn from(logged: &'a Logged) -> Self {
        let Logged { raw: _, entry, prev } = logged;
        let Entry { seq, at, device, actor, source, event } = entry;
        Self {
            seq: *seq,
            at: *at,
            kind: event.kind(),
            device: *device,
            actor,
            source: source.as_ref(),
            data: event,
            prev: *prev,
        }
    }
}

/// Writes entries as they come.
#[derive(Debug)]
pub(crate) struct Writer {
    style: Style,
    written: u64,
}

impl Writer {
    /// Nothing is written before the first entry.
    #[must_use]
    pub(crate) fn new(style: Style) -> Self {
        Self { style, written: 0 }
    }

    pub(crate) fn entry(&mut self, logged: &Logged, out: &mut Out) -> io::Result<()> {
        let first = self.written == 0;
        self.written += 1;
        match self.style {
            Style::Text => {
                if first {
                    let titles = line("SEQ", "TIME", "KIND", "DEVICE", "SUMMARY");
                    writeln!(out, "{}", out.paint(Tone::Strong, &titles))?;
                }
                text_line(&logged.entry, out)
            }
            Style::Json => {
                out.write_all(if first { b"{\"version\":1,\"entries\":[\n" } else { b",\n" })?;
                let mut text = Vec::new();
                json::line(&mut text, &EntryView::from(logged))?;
                out.write_all(text.trim_ascii_end())
            }
            Style::JsonLines => json::line(out, &EntryView::from(logged)),
        }
    }

    /// After the last entry; says how many there were.
    pub(crate) fn finish(self, out: &mut Out) -> io::Result<u64> {
        if self.style == Style::Json {
            let end = if self.written == 0 { "{\"version\":1,\"entries\":[]}\n" } else { "\n]}\n" };
            out.write_all(end.as_bytes())?;
        }
        Ok(self.written)
    }
}

/// `2026-11-22T10:00:00.000Z  device.status  Pending → Enrolled: …`: within `show`.
pub(super) fn brief(entry: &Entry, out: &mut Out) -> io::Result<()> {
    let kind = format!("{:<18}", entry.event.kind());
    let text = summary(&entry.event);
    let tone = tone(&entry.event);
    writeln!(
        out,
        "  {}  {}  {}",
        out.paint(Tone::Dim, &entry.at.to_string()),
        out.paint(tone, &kind),
        out.paint(Tone::Plain, &text)
    )
}

fn text_line(entry: &Entry, out: &mut Out) -> io::Result<()> {
    let device = entry.device.map_or_else(|| "-".into(), |id| id.to_string());
    let seq = entry.seq.to_string();
    let text = summary(&entry.event);
    if !out.color() {
        let text = line(&seq, &entry.at.to_string(), entry.event.kind(), &device, &text);
        return writeln!(out, "{}", out.paint(Tone::Plain, &text));
    }
    let kind = format!("{:<18}", entry.event.kind());
    writeln!(
        out,
        "{seq:<6}  {}  {}  {device:<6}  {}",
        out.paint(Tone::Dim, &entry.at.to_string()),
        out.paint(tone(&entry.event), &kind),
        out.paint(Tone::Plain, &text)
    )
}

/// Widths are fixed, since a stream has no widest line: they hold a million entries and every kind.
fn line(seq: &str, at: &str, kind: &str, device: &str, summary: &str) -> String {
    format!("{seq:<6}  {at:<24}  {kind:<18}  {device:<6}  {summary}")
}

fn tone(event: &Event) -> Tone {
    match event {
        Event::DeviceProvisioned(_)
        | Event::DeviceAdopted(_)
        | Event::DeviceFound(_)
        | Event::ProfilePrepared(_)
        | Event::ProfilePushed(_)
        | Event::EvidenceReturned(_)
        | Event::AccessRestored(_)
        | Event::LicenseAssigned(_)
        | Event::AlertEnded(_)
        | Event::PassThawed(_) => Tone::Added,
        Event::DeviceUpdated(_)
        | Event::DeviceStatus(_)
        | Event::DeviceOrphaned(_)
        | Event::DeviceArchived(_)
        | Event::ComplianceChanged(_)
        | Event::TrustChanged(_)
        | Event::ConfigChanged(_)
        | Event::WipeHeld(_)
        | Event::WipeDeferred(_)
        | Event::WipeProgress(_)
        | Event::ProfileDrifted(_)
        | Event::SyncRequested(_)
        | Event::EvidenceMissing(_)
        | Event::AccessBlocked(_)
        | Event::WipeExpired(_)
        | Event::WipeVetoed(_) => Tone::Changed,
        Event::ProfileFailed(_)
        | Event::SyncFailed(_)
        | Event::AccessFailed(_)
        | Event::LicenseFailed(_)
        | Event::NoticeFailed(_)
        | Event::AlertBegan(_)
        | Event::DeviceMissing(_)
        | Event::PassFrozen(_)
        | Event::LedgerRestored(_)
        | Event::LogRepaired(_)
        | Event::WipeAccepted(_)
        | Event::WipeRefused(_)
        | Event::WipeIssued(_)
        | Event::WipeConfirmed(_)
        | Event::WipeUnrequested(_)
        | Event::WipeFailed(_) => Tone::Removed,
        Event::LedgerCreated(_)
        | Event::ProfileRecorded(_)
        | Event::ProfileIntended(_)
        | Event::AccessIntended(_)
        | Event::LicenseIntended(_)
        | Event::NoticeBegun(_)
        | Event::NoticeIntended(_)
        | Event::NoticeSent(_)
        | Event::NoticeDropped(_)
        | Event::TicketOpened(_)
        | Event::TicketNoted(_) => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::ui::render::out::Presentation;
    use crate::ui::render::testing::{Screen, entry, event, logged};

    fn written(style: Style, entries: &[Logged], screen: &Screen) -> String {
        let mut writer = Writer::new(style);
        let mut out = screen.out();
        for entry in entries {
            writer.entry(entry, &mut out).unwrap();
        }
        assert_eq!(writer.finish(&mut out).unwrap(), entries.len() as u64);
        screen.results()
    }

    #[test]
    fn text() {
        let text = written(Style::Text, &logged()[6..12], &Screen::piped());
        expect![[r#"
            SEQ     TIME                      KIND                DEVICE  SUMMARY
            7       2026-11-20T08:00:01.000Z  profile.pushed      D001    pushed profile Standard 1900eab6c028 [intent 2]
            8       2026-11-20T09:30:00.000Z  device.status       D001    Pending → Enrolled: the device reported
            9       2026-11-20T09:30:00.000Z  compliance.changed  D001    unknown → nonCompliant; failing: encryption; not reported: antivirus
            10      2026-11-20T09:31:00.000Z  device.status       D002    Pending → Enrolled: the device reported
            11      2026-11-21T09:00:00.000Z  device.orphaned     D002    its manifest is gone; the device keeps its settings
            12      2026-11-22T09:50:00.000Z  device.status       D003    Pending → Failed: the enrollment deadline of 30m passed
        "#]].assert_eq(&text);
        let colored = Screen::new(Presentation { color: true, ..Presentation::default() });
        let colored = written(Style::Text, &logged()[6..12], &colored);
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), text);
        assert!(Event::KINDS.iter().all(|kind| kind.len() <= 18));
        assert_eq!(written(Style::Text, &[], &Screen::piped()), "");
    }

    #[test]
    fn json_is_one_document_and_lines_are_many() {
        let document = written(Style::Json, &logged(), &Screen::piped());
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        let lines: Vec<serde_json::Value> = written(Style::JsonLines, &logged(), &Screen::piped())
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(document["version"], 1);
        assert_eq!(document["entries"], serde_json::Value::Array(lines));
        expect![[r#"{"actor":"ops@example.com","at":"2026-11-20T09:30:00.000Z","data":{"from":"Pending","reason":"the device reported","to":"Enrolled"},"device":"D001","kind":"device.status","prev":"39045f39d3b751ed412a081efab9551e2329831dddf2b7444ce5586de13d5886","seq":8,"source":{"digest":"05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f","path":"madrid/ana.yaml"}}"#]].assert_eq(&document["entries"][7].to_string());
        let none = written(Style::Json, &[], &Screen::piped());
        assert_eq!(none, "{\"version\":1,\"entries\":[]}\n");
    }

    #[test]
    fn hostile_entries_stay_on_their_line() {
        let data = serde_json::json!({
            "from": "Pending", "to": "Failed", "reason": "\u{1b}[2J\n99  forged\u{202e}",
        });
        let hostile =
            [entry(1, "2026-11-22T10:00:00Z", Some("D001"), event("device.status", &data)).into()];
        for style in [Style::Text, Style::Json, Style::JsonLines] {
            let text = written(style, &hostile, &Screen::piped());
            assert!(
                !text.chars().any(|c| c != '\n' && crate::domain::model::is_deceptive(c)),
                "{text}"
            );
        }
        assert_eq!(written(Style::Text, &hostile, &Screen::piped()).lines().count(), 2);
    }
}
