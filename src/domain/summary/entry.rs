//! One line for people about each kind of log entry.
//!
//! Every struct is taken apart without `..`: data added to the log has to be put into
//! words, or left out on purpose, here.

use serde_json::Value;

use super::consequence::consequence;
use super::rights::rights;
use crate::domain::model::{ComplianceState, DeviceSpec, Profile};
use crate::domain::state::event::{
    Change, ComplianceChanged, DeviceMissing, DeviceProvisioned, DeviceStatus, DeviceUpdated,
    Event, LedgerCreated, LedgerRestored, LogRepaired, Nothing, PassFrozen, PassThawed,
    ProfileDrifted, ProfileFailed, ProfilePrepared, ProfilePush, SyncFailed, SyncRequested,
    TrustChanged, TrustFiles, WipeAccepted, WipeConfirmed, WipeDeferred, WipeFailed, WipeIssued,
    WipeProgress, WipeStopped, WipeSubject, WipeUnrequested,
};
use crate::domain::wording::{count, people, short};

/// What happened, without a full stop. Not yet made harmless: that is up to who prints it.
#[must_use]
pub(crate) fn summary(event: &Event) -> String {
    match event {
        Event::LedgerCreated(created) => {
            let LedgerCreated { version, lineage } = created;
            format!("the ledger begins: lineage {lineage}, format {version}")
        }
        Event::LedgerRestored(restored) => {
            let LedgerRestored { backup_at, lineage, previous } = restored;
            let made = backup_at.short();
            format!(
                "the ledger continues from a backup made at {made}: lineage {lineage}, before \
                 {previous}"
            )
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
        Event::DeviceOrphaned(Nothing {}) => "its manifest is gone; the device keeps its \
                                              settings"
            .into(),
        Event::DeviceArchived(Nothing {}) => "archived: lists leave it out from now on".into(),
        Event::DeviceAdopted(Nothing {}) => "a manifest with its serial number is back".into(),
        Event::DeviceMissing(DeviceMissing { last_sync }) => {
            let last = last_sync.map_or_else(|| "never".to_owned(), |at| at.short().to_string());
            format!("the MDM no longer has it; last sync {last}; nothing is done to it")
        }
        Event::DeviceFound(Nothing {}) => "the MDM has it again".into(),
        Event::ProfileDrifted(drifted) => {
            let ProfileDrifted { intent, profile, what, by } = drifted.as_ref();
            let by = by.as_ref().map(|by| format!(", changed by {by}")).unwrap_or_default();
            format!(
                "profile {profile} drifted: {}{by}; about to restore it [intent {intent}]",
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
            format!("a sync was requested by {} [intent {intent}]", requested.asker())
        }
        Event::SyncFailed(failed) => {
            let SyncFailed { intent, class, error } = &**failed;
            format!("the provider did not accept the sync ({class}): {error} [intent {intent}]")
        }
        Event::LicenseIntended(_)
        | Event::LicenseAssigned(_)
        | Event::LicenseFailed(_)
        | Event::EvidenceMissing(_)
        | Event::EvidenceReturned(_)
        | Event::AccessIntended(_)
        | Event::AccessBlocked(_)
        | Event::AccessRestored(_)
        | Event::AccessFailed(_)
        | Event::AlertBegan(_)
        | Event::AlertEnded(_)
        | Event::NoticeBegun(_)
        | Event::NoticeIntended(_)
        | Event::NoticeSent(_)
        | Event::NoticeFailed(_)
        | Event::NoticeDropped(_)
        | Event::TicketOpened(_)
        | Event::TicketNoted(_) => consequence(event),
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
                "{serial_number} reported{at} that it was erased without a wipe request ({origin})"
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
                Some(n) => format!(
                    "no longer frozen: an operator accepted \
                                    {}",
                    count(*n, "removal")
                ),
                None => "no longer frozen: the fleet directory is plausible again".into(),
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
        access,
    } = spec.as_ref();
    let exempt = access.as_ref().map_or_else(String::new, |exemption| {
        format!(", exempt until {}: {}", exemption.exempt_until.short(), exemption.reason)
    });
    let again = if *enrollment == 1 { String::new() } else { format!(", enrollment {enrollment}") };
    format!(
        "{name} ({serial_number}) for {user_email}: {ownership} {platform} {os_version}{again}, \
         profile {profile} {}{exempt} [intent {intent}]",
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
    let ComplianceChanged { from, to, failing, missing, episode } = changed;
    let mut text = if from == to { to.to_string() } else { format!("{from} → {to}") };
    for (what, checks) in [("failing", failing), ("not reported", missing)] {
        if !checks.is_empty() {
            text.push_str(&format!("; {what}: {}", checks.join(", ")));
        }
    }
    if text == ComplianceState::Unknown.as_str() {
        text.push_str(": no report yet");
    }
    if let Some(episode) = episode {
        text.push_str(&format!("; as since entry {episode}"));
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
mod tests;
