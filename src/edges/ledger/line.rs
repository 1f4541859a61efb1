//! An entry as a line of `audit.jsonl`, and back.
//!
//! Compact JSON with the keys in a fixed order; what is absent is left out. `prev` is the
//! chain's, so an entry only ever meets it here.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::state::event::{Entry, Event, Source};

/// Lines stay under this many bytes (docs/reference.md), so that any tool can read them whole.
pub(crate) const TOO_LONG: usize = 64 * 1024;

/// How deep the free-form data of an entry may nest: less than the 128 levels at which the JSON
/// reader gives up, with room for what is around them in a line and in the snapshot.
const MAX_DEPTH: usize = 100;

/// Why an entry is not written, or a line is no entry; the sentence is fit for an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    pub(crate) what: String,
    /// Whether it has a kind, field or word that only a later version may know.
    pub(crate) newer: bool,
}

impl Error {
    fn new(what: String) -> Self {
        Self { what, newer: false }
    }

    /// From what the JSON reader says; `around` says where.
    fn of_reader(said: &str, around: impl FnOnce(&str) -> String) -> Self {
        let newer = ["unknown field ", "unknown variant ", "unknown kind "];
        let newer = newer.iter().any(|word| said.starts_with(word));
        let asked = if newer { ": was it written by a newer fleetform?" } else { "" };
        Self { what: around(&format!("{}{asked}", unplaced(said))), newer }
    }
}

#[derive(Serialize)]
struct Out<'a> {
    seq: u64,
    at: Timestamp,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    actor: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a Source>,
    data: &'a Event,
    prev: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In<'a> {
    seq: u64,
    at: Timestamp,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    device: Option<DeviceId>,
    actor: Arc<str>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(borrow)]
    data: &'a RawValue,
    prev: Digest,
}

/// What a line says of its place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    /// Hash of the line before it.
    pub(crate) prev: Digest,
}

/// As [`In`], where only the shape and the place in the chain matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape<'a> {
    seq: u64,
    #[serde(rename = "at")]
    _at: IgnoredAny,
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(default, rename = "device")]
    _device: IgnoredAny,
    #[serde(rename = "actor")]
    _actor: IgnoredAny,
    #[serde(default, rename = "source")]
    _source: IgnoredAny,
    #[serde(rename = "data")]
    _data: IgnoredAny,
    prev: Digest,
}

/// Appends the line of an entry to `buffer`, with its newline, and gives its hash.
///
/// # Errors
/// If the line would be 64 KiB or longer, or its data nest too deep to be read back; `buffer`
/// is then as it was.
pub(crate) fn write(entry: &Entry, prev: Digest, buffer: &mut Vec<u8>) -> Result<Digest, Error> {
    let start = buffer.len();
    let refused =
        |what| Err(Error::new(format!("entry {} ({}) {what}", entry.seq, entry.event.kind())));
    if let Event::ProfileRecorded(profile) = &entry.event
        && depth(&profile.settings) > MAX_DEPTH
    {
        return refused(format!("nests deeper than {MAX_DEPTH} levels"));
    }
    let out = Out {
        seq: entry.seq,
        at: entry.at,
        kind: entry.event.kind(),
        device: entry.device,
        actor: &entry.actor,
        source: entry.source.as_ref(),
        data: &entry.event,
        prev,
    };
    if let Err(e) = serde_json::to_writer(&mut *buffer, &out) {
        buffer.truncate(start);
        return refused(format!("cannot be written as JSON: {e}"));
    }
    let length = buffer.len() - start;
    if length >= TOO_LONG {
        buffer.truncate(start);
        return refused(format!("is {length} bytes long; a line has to stay under {TOO_LONG}"));
    }
    let hash = Digest::of(&buffer[start..]);
    buffer.push(b'\n');
    Ok(hash)
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(items) => 1 + items.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The entry of a line (without its newline), and the hash of the line before it.
///
/// # Errors
/// If it is not an entry that this program writes.
pub(crate) fn read(line: &[u8]) -> Result<(Entry, Digest), Error> {
    let raw: In<'_> = parse(line)?;
    let wrong = |what: &str| format!("the data of its {} are wrong: {what}", raw.kind);
    let event = Event::parse(&raw.kind, raw.data).map_err(|e| Error::of_reader(&e, wrong))?;
    let In { seq, at, kind: _, device, actor, source, data: _, prev } = raw;
    Ok((Entry { seq, at, device, actor, source, event }, prev))
}

/// The place of a line (without its newline) in the chain; its data only have to be JSON.
///
/// # Errors
/// If it has not the shape of an entry.
pub(crate) fn link(line: &[u8]) -> Result<Link, Error> {
    let shape: Shape<'_> = parse(line)?;
    Ok(Link { seq: shape.seq, prev: shape.prev })
}

pub(super) fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Error> {
    if line.len() >= TOO_LONG {
        return Err(Error::new(format!("it is longer than {TOO_LONG} bytes")));
    }
    serde_json::from_slice(line).map_err(|e| {
        let column = e.column();
        Error::of_reader(&e.to_string(), |what| {
            format!("it is not an entry of this log: {what} (column {column})")
        })
    })
}

/// What the JSON reader says, without the line number that is always 1.
fn unplaced(text: &str) -> &str {
    text.rsplit_once(" at line 1 column ").map_or(text, |(what, _)| what)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A line of every kind, as it has to stand in the log for ever.
    fn examples() -> Vec<(&'static str, serde_json::Value)> {
        let at = "2026-11-22T10:00:00.000Z";
        let subject = json!({
            "request": Digest::of(b"request"), "name": "lost", "deviceId": "D007",
            "serialNumber": "PF3", "scope": "full", "reason": "lost",
            "requestedBy": "b@example.com", "expiresAt": at,
        });
        let stopped = json!({"code": "veto", "detail": "no", "signers": []});
        let digest = Digest::of(b"x").to_string();
        let license = json!({"intent": 9, "sku": "SPE_E3", "user": "ana@example.com"});
        let push = json!({"intent": 3, "profile": "Standard", "digest": digest});
        vec![
            (
                "ledger.created",
                json!({"version": 1, "lineage": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3e"}),
            ),
            (
                "device.provisioned",
                json!({
                    "name": "ana", "serialNumber": "PF3XK9Q2", "userEmail": "a@example.com",
                    "profile": "Standard", "platform": "windows", "osVersion": "10.0",
                    "ownership": "corporate", "labels": {"site": "madrid"},
                    "hardware": {"manufacturer": "Lenovo", "autopilotHash": format!("sha256:{digest}")},
                    "enrollment": 1, "intent": 3, "profileDigest": digest,
                }),
            ),
            (
                "device.updated",
                json!({"changes": [{"field": "labels", "from": {}, "to": {"a": "b"}}]}),
            ),
            (
                "device.status",
                json!({"from": "Failed", "to": "Pending", "reason": "enrollment 2", "enrollment": 2}),
            ),
            ("device.orphaned", json!({})),
            ("device.adopted", json!({})),
            ("device.archived", json!({})),
            ("device.missing", json!({"lastSync": at})),
            ("device.found", json!({})),
            (
                "profile.recorded",
                json!({
                    "name": "Standard", "description": "d", "platforms": ["windows"], "apps": ["VPN"],
                    "settings": {"a": [1, 2.5, null, {"ñ": "\u{1}"}]}, "licenses": [],
                    "compliance": {"minimumOsVersion": {"ios": "18"}, "encryption": {"required": true}},
                    "digest": digest,
                }),
            ),
            ("profile.intended", push.clone()),
            ("profile.pushed", push),
            ("profile.failed", json!({"intent": 3, "class": "transient", "error": "503\n"})),
            (
                "profile.drifted",
                json!({"intent": 9, "profile": "Standard", "what": ["its policy is gone"], "by": "eve@example.com"}),
            ),
            (
                "profile.prepared",
                json!({"intent": 9, "profile": "Standard", "digest": digest,
                    "policies": {"windows": "0f3c-1"}, "written": ["created a policy (call 5c)"]}),
            ),
            ("license.intended", license.clone()),
            ("license.assigned", with(&license, json!({"had": true}))),
            ("license.failed", with(&license, json!({"class": "transient", "error": "none free"}))),
            (
                "sync.requested",
                json!({"intent": 9, "request": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3e",
                    "by": "uid=1001", "claims": "uid=0(root)", "lastSync": at}),
            ),
            ("sync.failed", json!({"intent": 9, "class": "permanent", "error": "no"})),
            (
                "compliance.changed",
                json!({"from": "unknown", "to": "nonCompliant", "failing": ["a"], "missing": ["b"]}),
            ),
            ("evidence.missing", json!({"cause": "silent", "since": at})),
            ("evidence.returned", json!({})),
            ("access.intended", json!({"intent": 9, "blocked": true})),
            ("access.blocked", json!({"intent": 9, "blocked": true})),
            ("access.restored", json!({"intent": 9, "blocked": false})),
            ("access.failed", json!({"intent": 9, "class": "transient", "error": "503"})),
            (
                "wipe.accepted",
                with(
                    &subject,
                    json!({"signers": ["b@example.com"], "issueAt": at, "trust": digest}),
                ),
            ),
            ("wipe.refused", with(&subject, stopped.clone())),
            ("wipe.held", with(&subject, stopped.clone())),
            (
                "wipe.issued",
                json!({"request": digest, "intent": 9, "scope": "full", "signers": ["b@example.com"], "needed": 1}),
            ),
            (
                "wipe.deferred",
                json!({"request": digest, "intent": 9, "reason": "busy", "until": at}),
            ),
            (
                "wipe.progress",
                json!({"request": digest, "intent": 9, "stage": "delivered", "target": "705c-1",
                    "clientRequestId": "5c", "detail": "the MDM took the command"}),
            ),
            ("wipe.confirmed", json!({"request": digest, "intent": 9, "reportedAt": at})),
            (
                "wipe.failed",
                json!({"request": digest, "intent": 9, "class": "permanent", "error": "no"}),
            ),
            ("wipe.expired", with(&subject, stopped.clone())),
            ("wipe.vetoed", with(&subject, stopped)),
            (
                "wipe.unrequested",
                json!({"serialNumber": "PF3", "origin": "inbox/r1", "reportedAt": at}),
            ),
            ("notice.begun", json!({"sink": "mail"})),
            (
                "notice.intended",
                json!({"intent": 9, "sink": "mail", "topic": "nonCompliant", "ids": ["nc-8"], "to": "a@b.example"}),
            ),
            (
                "notice.sent",
                json!({"intent": 9, "sink": "mail", "topic": "nonCompliant", "ids": ["nc-8"],
                    "to": "a@b.example", "reference": "<nc-8@b.example>"}),
            ),
            (
                "notice.failed",
                json!({"intent": 9, "sink": "mail", "topic": "nonCompliant", "ids": ["nc-8"], "reason": "550 no"}),
            ),
            (
                "notice.dropped",
                json!({"sink": "mail", "topic": "nonCompliant", "ids": ["nc-8"], "reason": "wiped"}),
            ),
            (
                "ticket.opened",
                json!({"intent": 9, "sink": "serviceNow", "topic": "nonCompliant", "ids": ["nc-8"],
                    "ticket": "9d38", "number": "INC0012345"}),
            ),
            (
                "ticket.noted",
                json!({"intent": 9, "sink": "serviceNow", "topic": "compliant", "ids": ["c-8"],
                    "ticket": "9d38", "number": "INC0012345"}),
            ),
            ("alert.began", json!({"alert": "sinkStuck", "about": "mail", "detail": "535 no"})),
            ("alert.ended", json!({"alert": "frozen", "detail": "no longer frozen"})),
            ("trust.changed", json!({"to": {"allowedSigners": digest, "revokedKeys": digest}})),
            (
                "config.changed",
                json!({"to": {
                    "allowedSigners": "/etc/fleetform/allowed_signers", "delay": "0s",
                    "digest": digest, "maxValidity": "3days", "provider": "local",
                    "quorum": [{"per": "1day", "signers": 1, "upTo": 3}], "requireHead": false,
                    "revokedKeys": "/etc/fleetform/revoked_keys",
                }}),
            ),
            ("pass.frozen", json!({"cause": "shrunken", "removed": 5, "of": 12})),
            ("pass.thawed", json!({"acceptedRemovals": 5})),
            (
                "ledger.restored",
                json!({
                    "backupAt": at, "lineage": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3f",
                    "previous": "0b2f5c1e-93a2-4b58-9d53-5d7b0a1c2d3e",
                }),
            ),
            ("log.repaired", json!({"bytes": 17, "digest": digest})),
        ]
    }

    fn with(subject: &serde_json::Value, more: serde_json::Value) -> serde_json::Value {
        let mut data = subject.clone();
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    }

    fn entry(kind: &str, data: &serde_json::Value) -> Entry {
        let raw = serde_json::value::to_raw_value(data).unwrap();
        Entry {
            seq: 7,
            at: Timestamp::from_millis(1_763_800_000_123),
            device: None,
            actor: "bob".into(),
            source: None,
            event: Event::parse(kind, &raw).unwrap(),
        }
    }

    #[test]
    fn every_kind_comes_back_as_it_was_written() {
        let examples = examples();
        let kinds: Vec<_> = examples.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, Event::KINDS);
        let prev = Digest::of(b"prev");
        for (kind, data) in examples {
            for (device, path) in [(Some("D007"), Some("a/ñ.yaml")), (None, None)] {
                let entry = Entry {
                    device: device.map(|id| id.parse().unwrap()),
                    source: path.map(|path| Source {
                        path: path.into(),
                        digest: prev,
                        revision: None,
                    }),
                    ..entry(kind, &data)
                };
                let mut buffer = b"before\n".to_vec();
                let hash = write(&entry, prev, &mut buffer).unwrap();
                let line = buffer.strip_prefix(b"before\n").unwrap();
                let line = line.strip_suffix(b"\n").unwrap();
                assert_eq!(hash, Digest::of(line));
                assert_eq!(read(line).unwrap(), (entry, prev));
                assert_eq!(link(line).unwrap(), Link { seq: 7, prev });
                let value: serde_json::Value = serde_json::from_slice(line).unwrap();
                assert_eq!(value["data"], data);
            }
        }
    }

    #[test]
    fn the_keys_stand_in_the_order_of_the_contract() {
        let source =
            Source { path: "a.yaml".into(), digest: Digest::ZERO, revision: Some("r".into()) };
        let entry = Entry {
            device: Some("D001".parse().unwrap()),
            source: Some(source),
            ..entry("device.orphaned", &json!({}))
        };
        let mut buffer = Vec::new();
        write(&entry, Digest::ZERO, &mut buffer).unwrap();
        let zero = Digest::ZERO;
        assert_eq!(
            String::from_utf8(buffer).unwrap(),
            format!(
                "{{\"seq\":7,\"at\":\"2025-11-22T08:26:40.123Z\",\"kind\":\"device.orphaned\",\"device\":\"D001\",\
                 \"actor\":\"bob\",\"source\":{{\"path\":\"a.yaml\",\"digest\":\"{zero}\",\"revision\":\"r\"}},\
                 \"data\":{{}},\"prev\":\"{zero}\"}}\n"
            )
        );
    }

    #[test]
    fn a_line_is_at_most_one_byte_short_of_64_kib() {
        let of = |length: usize| {
            let data = json!({"intent": 3, "class": "transient", "error": "x".repeat(length)});
            entry("profile.failed", &data)
        };
        let mut buffer = Vec::new();
        write(&of(0), Digest::ZERO, &mut buffer).unwrap();
        let room = TOO_LONG - 1 - (buffer.len() - 1);
        buffer.clear();
        write(&of(room), Digest::ZERO, &mut buffer).unwrap();
        assert_eq!(buffer.len(), TOO_LONG);
        read(&buffer[..TOO_LONG - 1]).unwrap();
        let error = write(&of(room + 1), Digest::ZERO, &mut buffer).unwrap_err();
        assert!(error.to_string().contains("is 65536 bytes long"), "{error}");
        assert_eq!(buffer.len(), TOO_LONG, "nothing was added");
    }

    #[test]
    fn what_nests_too_deep_to_be_read_back_is_not_written() {
        let nested = |depth: usize| {
            let mut settings = json!(1);
            for _ in 0..depth {
                settings = json!([settings]);
            }
            let (_, mut data) = examples().swap_remove(9);
            data["settings"] = settings;
            let mut entry = entry("profile.recorded", &examples()[9].1);
            if let Event::ProfileRecorded(profile) = &mut entry.event {
                profile.settings = data["settings"].take();
            }
            entry
        };
        let mut buffer = Vec::new();
        write(&nested(MAX_DEPTH), Digest::ZERO, &mut buffer).unwrap();
        read(buffer.strip_suffix(b"\n").unwrap()).unwrap();
        let error = write(&nested(MAX_DEPTH + 1), Digest::ZERO, &mut buffer).unwrap_err();
        assert!(error.to_string().contains("nests deeper than 100"), "{error}");
    }

    #[test]
    fn what_is_no_entry_is_refused_and_says_why() {
        let mut buffer = Vec::new();
        write(&entry("device.orphaned", &json!({})), Digest::ZERO, &mut buffer).unwrap();
        let good = String::from_utf8(buffer).unwrap();
        let good = good.trim_end();
        let cases = [
            (good.replace("\"data\":{}", "\"data\":{},\"more\":1"), "unknown field `more`"),
            (good.replace("\"data\":{}", "\"data\":{\"a\":1}"), "unknown field `a`"),
            (good.replace("\"data\":{},", ""), "missing field `data`"),
            (good.replace("\"seq\":7", "\"seq\":7,\"seq\":7"), "duplicate field `seq`"),
            (good.replace("\"seq\":7", "\"seq\":\"7\""), "expected u64"),
            (good.replace("device.orphaned", "device.lost"), "unknown kind \"device.lost\""),
            (good.replace("\"prev\":\"0", "\"prev\":\"A"), "is not a SHA-256"),
            (format!("{good}{good}"), "trailing characters"),
            (String::new(), "EOF"),
            ("[".repeat(60_000), "invalid type"),
            ("x".repeat(TOO_LONG), "longer than"),
        ];
        for (line, message) in cases {
            let Error { what: error, newer } = read(line.as_bytes()).unwrap_err();
            assert!(error.contains(message), "{message}: {error}");
            assert_eq!(newer, message.starts_with("unknown"), "{error}");
            assert!(!error.contains("line 1"), "{error}");
        }
    }
}
