//! What stands in a line, and what is refused.

use serde_json::json;

use super::*;
use crate::edges::ledger::intern::Interner;
use crate::edges::ledger::written;

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
        ("device.updated", json!({"changes": [{"field": "labels", "from": {}, "to": {"a": "b"}}]})),
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
            with(&subject, json!({"signers": ["b@example.com"], "issueAt": at, "trust": digest})),
        ),
        ("wipe.refused", with(&subject, stopped.clone())),
        ("wipe.held", with(&subject, stopped.clone())),
        (
            "wipe.issued",
            json!({"request": digest, "intent": 9, "scope": "full", "signers": ["b@example.com"], "needed": 1}),
        ),
        ("wipe.deferred", json!({"request": digest, "intent": 9, "reason": "busy", "until": at})),
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
    Entry {
        seq: 7,
        at: Timestamp::from_millis(1_763_800_000_123),
        device: None,
        actor: "bob".into(),
        source: None,
        event: Event::parse(kind, &data.to_string()).unwrap(),
    }
}

fn write(entry: &Entry, prev: Digest, buffer: &mut Vec<u8>) -> Result<Digest, Error> {
    let start = buffer.len();
    begin(entry, buffer)?;
    Ok(end(start, prev, buffer))
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
                source: path.map(|path| Source { path: path.into(), digest: prev, revision: None }),
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

/// Read quickly, a line is what it is otherwise, or nothing.
#[track_caller]
fn quickly_the_same(line: &[u8], share: &mut Interner) -> bool {
    let quick = written::quickly(line, share);
    let said = || String::from_utf8_lossy(line).into_owned();
    assert!(quick.is_none() || quick.as_ref() == read(line).as_ref().ok(), "{}", said());
    quick.is_some()
}

fn lines() -> Vec<Vec<u8>> {
    let prev = Digest::of(b"prev");
    let mut lines = Vec::new();
    for (kind, data) in examples() {
        for (path, revision) in
            [(Some("a/ñ.yaml"), Some("0a1b")), (Some("b.yaml"), None), (None, None)]
        {
            let source = path.map(|path| Source {
                path: path.into(),
                digest: prev,
                revision: revision.map(Into::into),
            });
            let device = path.map(|_| "D007".parse().unwrap());
            let mut line = Vec::new();
            write(&Entry { device, source, ..entry(kind, &data) }, prev, &mut line).unwrap();
            line.pop();
            lines.push(line);
        }
    }
    lines
}

#[test]
fn every_kind_is_read_quickly_and_what_it_is_otherwise() {
    let mut share = Interner::default();
    for line in lines() {
        assert!(quickly_the_same(&line, &mut share), "{}", String::from_utf8_lossy(&line));
        for at in 0..line.len() {
            for b in *b"\"\\\n 0{}[],:\x01" {
                let mut other = line.clone();
                other[at] = b;
                quickly_the_same(&other, &mut share);
                other.insert(at, b);
                quickly_the_same(&other, &mut share);
            }
            quickly_the_same(&[&line[..at], &line[at + 1..]].concat(), &mut share);
            quickly_the_same(&line[..at], &mut share);
        }
    }
}

#[test]
fn what_only_looks_like_an_entry_is_not_read_quickly() {
    let mut share = Interner::default();
    let good = String::from_utf8(lines().swap_remove(3)).unwrap();
    assert!(good.contains("device.provisioned"), "{good}");
    for (from, to) in [
        ("\"seq\":7", "\"seq\":07"),
        ("\"seq\":7", "\"seq\":"),
        ("\"seq\":7", "\"seq\":99999999999999999999"),
        ("\"labels\":{\"site\":\"madrid\"}", "\"labels\":null"),
        ("\"labels\":{\"site\":\"madrid\"}", "\"labels\":{\"site\":7}"),
        ("\"labels\":{", "\"labels\":{},\"labels\":{"),
        ("\"enrollment\":1", "\"enrollment\":1,\"more\":1"),
        ("\"enrollment\":1", "\"enrollment\":1.0"),
        ("\"data\":{", "\"data\":{},\"data\":{"),
        ("\"data\":{", "\"data\":1,\"x\":{"),
        ("\"actor\":\"bob\"", "\"actor\":\"bob\",\"actor\":\"bob\""),
        ("\"actor\":\"bob\"", "\"actor\":\"b\tob\""),
        ("D007", "D0007"),
        ("\"prev\":", "\"more\":1,\"prev\":"),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert!(!quickly_the_same(bad.as_bytes(), &mut share), "{bad}");
        read(bad.as_bytes()).unwrap_err();
    }
}

#[test]
fn the_keys_stand_in_the_order_of_the_contract() {
    let source = Source { path: "a.yaml".into(), digest: Digest::ZERO, revision: Some("r".into()) };
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
