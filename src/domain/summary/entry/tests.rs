use expect_test::expect;
use serde_json::{Value, json};

use super::*;
use crate::domain::model::Digest;
use crate::ui::render::testing::{event, log};

fn with(subject: &Value, more: Value) -> Value {
    let mut data = subject.clone();
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    data
}

#[test]
fn every_kind_has_a_line() {
    let at = "2026-11-22T10:00:00.000Z";
    let subject = json!({
        "request": Digest::of(b"request"), "name": "lost", "deviceId": "D007",
        "serialNumber": "PF3", "scope": "full", "reason": "lost",
        "requestedBy": "b@example.com", "expiresAt": at,
    });
    let stopped = json!({"code": "veto", "detail": "c@example.com objects", "signers": []});
    let digest = Digest::of(b"x");
    let mut events: Vec<Event> = log().into_iter().map(|entry| entry.event).collect();
    for (kind, data) in [
        (
            "device.updated",
            json!({"changes": [
                {"field": "profile", "from": "Standard", "to": "Executive"},
                {"field": "labels", "from": {}, "to": {"site": "madrid", "floor": "2"}},
                {"field": "hardware", "from": null, "to": {"model": "X1"}},
                {"field": "enrollment", "from": 1, "to": 2},
            ]}),
        ),
        (
            "device.status",
            json!({"from": "Failed", "to": "Pending", "reason": "enrollment was raised", "enrollment": 2}),
        ),
        ("device.adopted", json!({})),
        ("device.archived", json!({})),
        ("device.missing", json!({"lastSync": at})),
        ("device.found", json!({})),
        ("profile.intended", json!({"intent": 7, "profile": "Standard", "digest": digest})),
        (
            "profile.drifted",
            json!({"intent": 9, "profile": "Standard", "what": ["its policy is gone"], "by": "eve@example.com"}),
        ),
        (
            "profile.prepared",
            json!({"intent": 9, "profile": "Standard", "digest": digest,
                "policies": {"windows": "0f3c-1"}, "written": ["created a policy (call 5c)"]}),
        ),
        ("license.intended", json!({"intent": 9, "sku": "SPE_E3", "user": "ana@example.com"})),
        ("license.assigned", json!({"intent": 9, "sku": "SPE_E3", "user": "ana@example.com"})),
        (
            "license.failed",
            json!({"intent": 9, "sku": "SPE_E3", "user": "ana@example.com", "class": "transient",
                "error": "no unit is free"}),
        ),
        (
            "sync.requested",
            json!({"intent": 9, "request": uuid::Uuid::nil(), "by": "uid=1001", "claims": "uid=0(root)"}),
        ),
        ("sync.failed", json!({"intent": 9, "class": "permanent", "error": "no"})),
        (
            "compliance.changed",
            json!({"from": "unknown", "to": "unknown", "failing": [], "missing": []}),
        ),
        ("alert.began", json!({"alert": "sinkStuck", "about": "mail", "detail": "535 no"})),
        ("alert.ended", json!({"alert": "frozen", "detail": "no longer frozen"})),
        ("evidence.missing", json!({"cause": "silent", "since": at})),
        ("evidence.returned", json!({})),
        ("access.intended", json!({"intent": 9, "blocked": true})),
        ("access.blocked", json!({"intent": 9, "blocked": true})),
        ("access.restored", json!({"intent": 9, "blocked": false})),
        ("access.failed", json!({"intent": 9, "class": "transient", "error": "503"})),
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
        (
            "wipe.accepted",
            with(&subject, json!({"signers": ["b@example.com"], "issueAt": at, "trust": digest})),
        ),
        ("wipe.refused", with(&subject, stopped.clone())),
        ("wipe.held", with(&subject, stopped.clone())),
        ("wipe.expired", with(&subject, stopped.clone())),
        ("wipe.vetoed", with(&subject, stopped)),
        (
            "wipe.issued",
            json!({"request": digest, "intent": 9, "scope": "full", "signers": ["b@example.com", "c@example.com"], "needed": 2}),
        ),
        ("wipe.deferred", json!({"request": digest, "intent": 9, "reason": "busy", "until": at})),
        (
            "wipe.progress",
            json!({"request": digest, "intent": 9, "stage": "delivered", "target": "705c-1",
                "clientRequestId": "5c", "detail": "the MDM took the command"}),
        ),
        (
            "wipe.progress",
            json!({"request": digest, "stage": "approved", "detail": "approved in the MDM"}),
        ),
        ("wipe.confirmed", json!({"request": digest, "intent": 9, "reportedAt": at})),
        (
            "wipe.unrequested",
            json!({"serialNumber": "PF3", "origin": "inbox/r1", "reportedAt": at}),
        ),
        (
            "wipe.failed",
            json!({"request": digest, "intent": 9, "class": "permanent", "error": "no"}),
        ),
        ("trust.changed", json!({"to": {"allowedSigners": digest, "revokedKeys": digest}})),
        (
            "config.changed",
            json!({"to": {"digest": digest, "provider": "local", "allowedSigners": "/etc/f/signers",
                "maxValidity": "3days", "delay": "30m",
                "quorum": [{"upTo": 3, "per": "1day", "signers": 1}]}}),
        ),
        (
            "config.changed",
            json!({"to": {"provider": "intune", "maxValidity": "3days", "delay": "30m", "quorum": [],
                "tenant": {"name": "contoso.example", "clientId": "a1", "wipeClientId": "b2",
                    "graphUrl": "https://graph.microsoft.com",
                    "loginUrl": "https://login.microsoftonline.com"}}}),
        ),
        ("pass.frozen", json!({"cause": "shrunken", "removed": 8, "of": 14})),
        ("pass.thawed", json!({"acceptedRemovals": 8})),
        ("pass.thawed", json!({})),
        (
            "ledger.restored",
            json!({"backupAt": at, "lineage": "5f2d7c1e-0000-4000-8000-000000000002", "previous": "5f2d7c1e-0000-4000-8000-000000000001"}),
        ),
        ("log.repaired", json!({"bytes": 117, "digest": digest})),
    ] {
        events.push(event(kind, &data));
    }
    for kind in Event::KINDS {
        assert!(events.iter().any(|event| event.kind() == *kind), "{kind} is not tested");
    }
    let text: String =
        events.iter().map(|event| format!("{}: {}\n", event.kind(), summary(event))).collect();
    expect![[r#"
        ledger.created: the ledger begins: lineage 5f2d7c1e-0000-4000-8000-000000000001, format 1
        profile.recorded: profile Standard 1900eab6c028 for windows: 2 apps, 1 license
        device.provisioned: ana-ruiz-laptop (PF3XK9Q2) for ana.ruiz@example.com: corporate windows 10.0.26100.2314, profile Standard 1900eab6c028 [intent 2]
        device.provisioned: bo-li-phone (C39ZZ1) for bo.li@example.com: corporate ios 10.0.26100.2314, profile Mobile 1900eab6c028 [intent 2]
        device.provisioned: cem-kaya-tablet (R52T) for cem.kaya@example.com: corporate android 10.0.26100.2314, profile Mobile 1900eab6c028 [intent 2]
        device.provisioned: dora-novak-laptop (PF9) for dora.novak@example.com: corporate windows 10.0.26100.2314, profile Executive 1900eab6c028 [intent 2]
        profile.pushed: pushed profile Standard 1900eab6c028 [intent 2]
        device.status: Pending → Enrolled: the device reported
        compliance.changed: unknown → nonCompliant; failing: encryption; not reported: antivirus
        device.status: Pending → Enrolled: the device reported
        device.orphaned: its manifest is gone; the device keeps its settings
        device.status: Pending → Failed: the enrollment deadline of 30m passed
        profile.failed: the push failed (permanent): no such group [intent 2]
        device.status: Pending → Enrolled: the device reported
        compliance.changed: unknown → compliant
        device.status: Enrolled → Wiped: the wipe was confirmed
        device.updated: profile: Standard → Executive; labels: none → floor=2,site=madrid; hardware: none → model=X1; enrollment: 1 → 2
        device.status: Failed → Pending (enrollment 2): enrollment was raised
        device.adopted: a manifest with its serial number is back
        device.archived: archived: lists leave it out from now on
        device.missing: the MDM no longer has it; last sync 2026-11-22T10:00:00Z; nothing is done to it
        device.found: the MDM has it again
        profile.intended: about to push profile Standard 2d711642b726 [intent 7]
        profile.drifted: profile Standard drifted: its policy is gone, changed by eve@example.com; about to restore it [intent 9]
        profile.prepared: the MDM has profile Standard 2d711642b726 (1 compliance policy): created a policy (call 5c) [intent 9]
        license.intended: about to assign license SPE_E3 to ana@example.com [intent 9]
        license.assigned: ana@example.com was assigned license SPE_E3 [intent 9]
        license.failed: ana@example.com does not have license SPE_E3 (transient): no unit is free [intent 9]
        sync.requested: a sync was requested by uid=1001 (who claims to be uid=0(root)) [intent 9]
        sync.failed: the provider did not accept the sync (permanent): no [intent 9]
        compliance.changed: unknown: no report yet
        alert.began: alert sinkStuck: 535 no
        alert.ended: alert frozen is over: no longer frozen
        evidence.missing: no report since 2026-11-22T10:00:00Z
        evidence.returned: it can be judged again
        access.intended: about to block access to corporate mail [intent 9]
        access.blocked: access to corporate mail is blocked [intent 9]
        access.restored: access to corporate mail is restored [intent 9]
        access.failed: access to corporate mail is not changed (transient): 503 [intent 9]
        notice.begun: mail is told from here on
        notice.intended: about to tell mail (a@b.example) of nonCompliant [intent 9]
        notice.sent: told mail (a@b.example) of nonCompliant as <nc-8@b.example> [intent 9]
        notice.failed: failed to tell mail of nonCompliant: 550 no [intent 9]
        notice.dropped: did not tell mail of nonCompliant: wiped
        ticket.opened: opened ticket INC0012345 in serviceNow: nonCompliant [intent 9]
        ticket.noted: noted on ticket INC0012345 in serviceNow: compliant [intent 9]
        wipe.accepted: accepted: lost (1f58b9145b24): full wipe of D007 (PF3), lost, by b@example.com, signed by b@example.com; issued from 2026-11-22T10:00:00Z
        wipe.refused: refused (veto): lost (1f58b9145b24): full wipe of D007 (PF3), lost, by b@example.com; c@example.com objects; signed by nobody
        wipe.held: held (veto): lost (1f58b9145b24): full wipe of D007 (PF3), lost, by b@example.com; c@example.com objects; signed by nobody
        wipe.expired: expired (veto): lost (1f58b9145b24): full wipe of D007 (PF3), lost, by b@example.com; c@example.com objects; signed by nobody
        wipe.vetoed: stopped for good (veto): lost (1f58b9145b24): full wipe of D007 (PF3), lost, by b@example.com; c@example.com objects; signed by nobody
        wipe.issued: issued: full wipe by request 2d711642b726, signed by b@example.com, c@example.com (needs 2) [intent 9]
        wipe.deferred: request 2d711642b726 did not reach the provider: busy; issued again from 2026-11-22T10:00:00Z on [intent 9]
        wipe.progress: request 2d711642b726 delivered to 705c-1: the MDM took the command (call 5c) [intent 9]
        wipe.progress: request 2d711642b726 approved: approved in the MDM
        wipe.confirmed: request 2d711642b726: the device reported at 2026-11-22T10:00:00Z that it is erased [intent 9]
        wipe.unrequested: PF3 reported at 2026-11-22T10:00:00Z that it was erased without a wipe request (inbox/r1)
        wipe.failed: request 2d711642b726 failed (permanent), never repeated: no [intent 9]
        trust.changed: trust: allowed signers 2d711642b726, revoked keys 2d711642b726
        config.changed: configuration file 2d711642b726: provider local, allowed signers /etc/f/signers, revoked keys none, requests valid for 3d, delay 30m, signatures needed: 1 for up to 3 in 1d
        config.changed: configuration file none, the defaults hold: provider intune (tenant contoso.example at https://graph.microsoft.com, login at https://login.microsoftonline.com, as a1, wipes as b2), allowed signers none, revoked keys none, requests valid for 3d, delay 30m, signatures needed: 
        pass.frozen: frozen: too many devices are gone from the fleet directory at once; 8 of 14 devices would be orphaned
        pass.thawed: no longer frozen: an operator accepted 8 removals
        pass.thawed: no longer frozen: the fleet directory is plausible again
        ledger.restored: the ledger continues from a backup made at 2026-11-22T10:00:00Z: lineage 5f2d7c1e-0000-4000-8000-000000000002, before 5f2d7c1e-0000-4000-8000-000000000001
        log.repaired: an unfinished last line was cut: 117 bytes moved to audit.jsonl.broken (2d711642b726)
    "#]].assert_eq(&text);
}

#[test]
fn values() {
    for (json, text) in [
        (Value::Null, "none"),
        (json!({}), "none"),
        (json!("a"), "a"),
        (json!({"b": "2", "a": "1"}), "a=1,b=2"),
        (json!({"a": [1]}), r#"{"a":[1]}"#),
    ] {
        assert_eq!(value(&json), text);
    }
}
