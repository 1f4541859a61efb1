//! One line for people about each kind of log entry.
//!
//! Every struct is taken apart without `..`: data added to the log has to be put into
//! words, or left out on purpose, here.

use serde_json::Value;

use super::rights::rights;
use super::text::{count, people, short};
use crate::domain::model::{ComplianceState, DeviceSpec, Profile};
use crate::domain::state::event::{
    Change, ComplianceChanged, DeviceMissing, DeviceProvisioned, DeviceStatus, DeviceUpdated,
    Event, LedgerCreated, LogRepaired, Nothing, PassFrozen, PassThawed, ProfileDrifted,
    ProfileFailed, ProfilePrepared, ProfilePush, SyncFailed, SyncRequested, TrustChanged,
    TrustFiles, WipeAccepted, WipeConfirmed, WipeDeferred, WipeFailed, WipeIssued, WipeProgress,
    WipeStopped, WipeSubject, WipeUnrequested,
};

/// What happened, without a full stop. Not yet made harmless: that is up to who prints it.
#[must_use]
pub(crate) fn summary(event: &Event) -> String {
    match event {
        Event::LedgerCreated(created) => {
            let LedgerCreated { version, lineage } = created;
            format!("the ledger begins: lineage {lineage}, format {version}")
        }
        Event::DeviceProvisioned(new) => provisioned(new),
        Event::DeviceUpdated(updated) => {
            let DeviceUpdated { changes } = updated;
            changes.iter().map(change).collect::<Vec<_>>().join("; ")
        }
        Event::DeviceStatus(status) => {
            let DeviceStatus { from, to, reason, enrollment, last_sync: _ } = status;
            let again = enrollment.map(|n| format!(" (enrollment {n})")).unwrap_or_default();
            format!("{from} → {to}{again}: {reason}")
        }
        Event::DeviceOrphaned(Nothing {}) => "its manifest is gone; nothing is done to it".into(),
        Event::DeviceArchived(Nothing {}) => "archived: lists leave it out from now on".into(),
        Event::DeviceAdopted(Nothing {}) => "a manifest with its serial number is back".into(),
        Event::DeviceMissing(DeviceMissing { last_sync }) => {
            let last = last_sync.map_or_else(|| "never".to_owned(), |at| at.short().to_string());
            format!("the MDM does not have it any more; last sync {last}; nothing is done to it")
        }
        Event::DeviceFound(Nothing {}) => "the MDM has it again".into(),
        Event::ProfileDrifted(drifted) => {
            let ProfileDrifted { intent, profile, what, by } = drifted.as_ref();
            let by = by.as_ref().map(|by| format!(", changed by {by}")).unwrap_or_default();
            format!(
                "profile {profile} drifted: {}{by}; about to put it right [intent {intent}]",
                what.join("; ")
            )
        }
        Event::ProfilePrepared(prepared) => {
            let ProfilePrepared { intent, profile, digest, policies, written } = prepared.as_ref();
            let written =
                if written.is_empty() { "nothing written".into() } else { written.join("; ") };
            format!(
                "the MDM has profile {profile} {} ({}): {written} [intent {intent}]",
                short(*digest),
                count(policies.len() as u64, "compliance policy"),
            )
        }
        Event::WipeProgress(progress) => {
            let WipeProgress { request, intent, stage, target, client_request_id, detail } =
                progress.as_ref();
            let intent = intent.map(|intent| format!(" [intent {intent}]")).unwrap_or_default();
            let target = target.as_ref().map(|id| format!(" to {id}")).unwrap_or_default();
            let call = client_request_id.as_ref().map(|id| format!(" (call {id})"));
            format!(
                "request {} {stage}{target}: {detail}{}{intent}",
                short(*request),
                call.unwrap_or_default()
            )
        }
        Event::SyncRequested(requested) => {
            let SyncRequested { intent, request: _, by: _, claims: _, last_sync: _ } = &**requested;
            format!("a sync was asked for by {} [intent {intent}]", requested.asker())
        }
        Event::SyncFailed(failed) => {
            let SyncFailed { intent, class, error } = &**failed;
            format!("the provider did not take the sync ({class}): {error} [intent {intent}]")
        }
        Event::ProfileRecorded(profile) => recorded(profile),
        Event::ProfileIntended(push) => pushed(push, "about to push"),
        Event::ProfilePushed(push) => pushed(push, "pushed"),
        Event::ProfileFailed(failed) => {
            let ProfileFailed { intent, class, error } = failed;
            format!("the push failed ({class}): {error} [intent {intent}]")
        }
        Event::ComplianceChanged(changed) => compliance(changed),
        Event::WipeAccepted(accepted) => {
            let WipeAccepted { subject, signers, issue_at, trust: _ } = accepted.as_ref();
            let from = issue_at.short();
            format!(
                "accepted: {}, signed by {}; issued from {from}",
                wipe(subject),
                people(signers)
            )
        }
        Event::WipeRefused(stopped) => wipe_stopped("refused", stopped),
        Event::WipeHeld(stopped) => wipe_stopped("held", stopped),
        Event::WipeExpired(stopped) => wipe_stopped("expired", stopped),
        Event::WipeVetoed(stopped) => wipe_stopped("stopped for good", stopped),
        Event::WipeIssued(issued) => {
            let WipeIssued { request, intent, scope, signers, needed } = issued.as_ref();
            format!(
                "issued: {scope} wipe by request {}, signed by {} (needs {needed}) [intent {intent}]",
                short(*request),
                people(signers)
            )
        }
        Event::WipeConfirmed(confirmed) => {
            let WipeConfirmed { request, intent, reported_at } = confirmed;
            let at = reported_at.short();
            format!(
                "request {}: the device reported at {at} that it is erased [intent {intent}]",
                short(*request)
            )
        }
        Event::WipeDeferred(deferred) => {
            let WipeDeferred { request, intent, reason, until, approval } = deferred.as_ref();
            let approval = approval.as_ref().map(|code| format!(" (approval {code})"));
            format!(
                "request {} did not reach the provider: {reason}{}; issued again from {} on [intent {intent}]",
                short(*request),
                approval.unwrap_or_default(),
                until.short()
            )
        }
        Event::WipeUnrequested(unrequested) => {
            let WipeUnrequested { serial_number, origin, reported_at } = unrequested.as_ref();
            let at = reported_at.map_or_else(String::new, |at| format!(" at {}", at.short()));
            format!(
                "{serial_number} reported{at} that it was erased, and nobody here asked for it ({origin})"
            )
        }
        Event::WipeFailed(failed) => {
            let WipeFailed { request, intent, class, error } = failed;
            format!(
                "request {} failed ({class}), never repeated: {error} [intent {intent}]",
                short(*request)
            )
        }
        Event::TrustChanged(changed) => {
            let TrustChanged { from: _, to: TrustFiles { allowed_signers, revoked_keys } } =
                changed;
            let revoked = revoked_keys.map(|digest| format!(", revoked keys {}", short(digest)));
            format!(
                "trust: allowed signers {}{}",
                short(*allowed_signers),
                revoked.unwrap_or_default()
            )
        }
        Event::ConfigChanged(changed) => rights(&changed.to),
        Event::PassFrozen(frozen) => {
            let PassFrozen { cause, removed, of } = frozen;
            let all = count(*of, "device");
            format!("frozen: {}; {removed} of {all} would be orphaned", cause.explain())
        }
        Event::PassThawed(thawed) => {
            let PassThawed { accepted_removals } = thawed;
            match accepted_removals {
                Some(n) => format!("thawed: an operator accepted {}", count(*n, "removal")),
                None => "thawed: the fleet directory is plausible again".into(),
            }
        }
        Event::LogRepaired(repaired) => {
            let LogRepaired { bytes, digest } = repaired;
            let moved = count(*bytes, "byte");
            let digest = short(*digest);
            format!(
                "an unfinished last line was cut: {moved} moved to audit.jsonl.broken ({digest})"
            )
        }
    }
}

/// What a request asks for.
fn wipe(subject: &WipeSubject) -> String {
    let WipeSubject {
        request,
        name,
        ledger: _,
        device_id,
        serial_number,
        scope,
        reason,
        requested_by,
        expires_at: _,
    } = subject;
    format!(
        "{name} ({}): {scope} wipe of {device_id} ({serial_number}), {reason}, by {requested_by}",
        short(*request)
    )
}

fn wipe_stopped(how: &str, stopped: &WipeStopped) -> String {
    let WipeStopped { subject, code, detail, signers, for_good, intent } = stopped;
    let how = if *for_good { format!("{how} for good") } else { how.to_owned() };
    let intent = intent.map(|intent| format!(" [intent {intent}]")).unwrap_or_default();
    let (wipe, people) = (wipe(subject), people(signers));
    format!("{how} ({code}): {wipe}; {detail}; signed by {people}{intent}")
}

fn provisioned(new: &DeviceProvisioned) -> String {
    let DeviceProvisioned { spec, enrollment, intent, profile_digest } = new;
    let DeviceSpec {
        name,
        serial_number,
        user_email,
        profile,
        platform,
        os_version,
        ownership,
        labels: _,
        hardware: _,
    } = spec.as_ref();
    let again = if *enrollment == 1 { String::new() } else { format!(", enrollment {enrollment}") };
    format!(
        "{name} ({serial_number}) for {user_email}: {ownership} {platform} {os_version}{again}, \
         profile {profile} {} [intent {intent}]",
        short(*profile_digest)
    )
}

fn recorded(recorded: &Profile) -> String {
    let Profile {
        name,
        description: _,
        platforms,
        apps,
        settings: _,
        licenses,
        compliance: _,
        intune: _,
        digest,
    } = recorded;
    let platforms: Vec<_> = platforms.iter().map(|platform| platform.as_str()).collect();
    format!(
        "profile {name} {} for {}: {}, {}",
        short(*digest),
        platforms.join(", "),
        count(apps.len() as u64, "app"),
        count(licenses.len() as u64, "license"),
    )
}

fn pushed(push: &ProfilePush, what: &str) -> String {
    let ProfilePush { intent, profile, digest, former_users } = push;
    let former: Vec<_> =
        former_users.iter().map(|user| format!(", not {user}'s any more")).collect();
    format!("{what} profile {profile} {}{} [intent {intent}]", short(*digest), former.concat())
}

fn compliance(changed: &ComplianceChanged) -> String {
    let ComplianceChanged { from, to, failing, missing } = changed;
    let mut text = if from == to { to.to_string() } else { format!("{from} → {to}") };
    for (what, checks) in [("failing", failing), ("not reported", missing)] {
        if !checks.is_empty() {
            text.push_str(&format!("; {what}: {}", checks.join(", ")));
        }
    }
    if text == ComplianceState::Unknown.as_str() {
        text.push_str(": no report yet");
    }
    text
}

/// `profile: Standard → Executive`.
fn change(change: &Change) -> String {
    let Change { field, from, to } = change;
    format!("{field}: {} → {}", value(from), value(to))
}

/// Short values as they are written; an object by its entries, so that labels stay readable.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => "none".into(),
        Value::Object(map) if map.values().all(Value::is_string) => {
            let entry = |(key, value): (&String, &Value)| {
                format!("{key}={}", value.as_str().unwrap_or_default())
            };
            map.iter().map(entry).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
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
            (
                "sync.requested",
                json!({"intent": 9, "request": uuid::Uuid::nil(), "by": "uid=1001", "claims": "uid=0(root)"}),
            ),
            ("sync.failed", json!({"intent": 9, "class": "permanent", "error": "no"})),
            (
                "compliance.changed",
                json!({"from": "unknown", "to": "unknown", "failing": [], "missing": []}),
            ),
            (
                "wipe.accepted",
                with(
                    &subject,
                    json!({"signers": ["b@example.com"], "issueAt": at, "trust": digest}),
                ),
            ),
            ("wipe.refused", with(&subject, stopped.clone())),
            ("wipe.held", with(&subject, stopped.clone())),
            ("wipe.expired", with(&subject, stopped.clone())),
            ("wipe.vetoed", with(&subject, stopped)),
            (
                "wipe.issued",
                json!({"request": digest, "intent": 9, "scope": "full", "signers": ["b@example.com", "c@example.com"], "needed": 2}),
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
            device.orphaned: its manifest is gone; nothing is done to it
            device.status: Pending → Failed: the enrollment deadline of 30m passed
            profile.failed: the push failed (permanent): no such group [intent 2]
            device.status: Pending → Enrolled: the device reported
            compliance.changed: unknown → compliant
            device.status: Enrolled → Wiped: the wipe was confirmed
            device.updated: profile: Standard → Executive; labels: none → floor=2,site=madrid; hardware: none → model=X1; enrollment: 1 → 2
            device.status: Failed → Pending (enrollment 2): enrollment was raised
            device.adopted: a manifest with its serial number is back
            device.archived: archived: lists leave it out from now on
            device.missing: the MDM does not have it any more; last sync 2026-11-22T10:00:00Z; nothing is done to it
            device.found: the MDM has it again
            profile.intended: about to push profile Standard 2d711642b726 [intent 7]
            profile.drifted: profile Standard drifted: its policy is gone, changed by eve@example.com; about to put it right [intent 9]
            profile.prepared: the MDM has profile Standard 2d711642b726 (1 compliance policy): created a policy (call 5c) [intent 9]
            sync.requested: a sync was asked for by uid=1001 (who claims to be uid=0(root)) [intent 9]
            sync.failed: the provider did not take the sync (permanent): no [intent 9]
            compliance.changed: unknown: no report yet
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
            wipe.unrequested: PF3 reported at 2026-11-22T10:00:00Z that it was erased, and nobody here asked for it (inbox/r1)
            wipe.failed: request 2d711642b726 failed (permanent), never repeated: no [intent 9]
            trust.changed: trust: allowed signers 2d711642b726, revoked keys 2d711642b726
            config.changed: configuration file 2d711642b726: provider local, allowed signers /etc/f/signers, revoked keys none, requests valid for 3days, delay 30m, signatures needed: 1 for up to 3 in 1day
            config.changed: configuration file none, the defaults hold: provider intune (tenant contoso.example at https://graph.microsoft.com, login at https://login.microsoftonline.com, as a1, wipes as b2), allowed signers none, revoked keys none, requests valid for 3days, delay 30m, signatures needed: 
            pass.frozen: frozen: too many devices are gone from the fleet directory at once; 8 of 14 devices would be orphaned
            pass.thawed: thawed: an operator accepted 8 removals
            pass.thawed: thawed: the fleet directory is plausible again
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
}
