//! What a test asserts against: what was called, what was accepted, and where things stand.

use serde_json::{Value, json};

use super::answer::{Done, Wrong};
use crate::ui::emulator::tenant::{Answer, Record, Tenant, fits};

/// `GET /emulator/mails`
pub(super) fn mails(tenant: &Tenant) -> Done {
    Ok(Answer::ok(json!({ "mails": tenant.sent })))
}

/// `GET /emulator/state`
pub(super) fn state(tenant: &Tenant) -> Done {
    let calls = &tenant.calls.all;
    let count = |test: fn(&Record) -> bool| calls.iter().filter(|call| test(call)).count();
    let today = tenant.day();
    let counted = |command: &str| {
        let mut today = tenant
            .counted
            .iter()
            .filter(|((day, one), _)| *day == today && one.as_str() == command);
        today.next().map_or(0, |(_, count)| *count)
    };
    let enrolled = tenant.hardware.iter().filter(|one| one.managed_device_id.is_some()).count();
    Ok(Answer::ok(json!({
        "now": tenant.now,
        "tenantId": tenant.id,
        "hardware": tenant.hardware.len(),
        "enrolled": enrolled,
        "managedDevices": tenant.records.len(),
        "policies": tenant.policies.all_current().count(),
        "registrations": tenant.registrations.all_current().count(),
        "identifiers": tenant.identifiers.all_current().count(),
        "groups": tenant.directory.groups.all_current().map(|group| {
            json!({
                "id": group.id,
                "displayName": group.display_name,
                "members": tenant.directory.member_count(&group.id),
            })
        }).collect::<Vec<_>>(),
        "calls": calls.len(),
        "writes": count(|call| call.effect),
        "accepted": tenant.accepted,
        "deletes": tenant.accepted.iter().filter(|one| one.command == "delete").count(),
        "today": {"wipes": counted("wipe"), "retires": counted("retire")},
    })))
}

/// `GET /emulator/calls`, with `method`, `path`, `app`, `writes` and `since`.
pub(super) fn calls(tenant: &Tenant, query: &[(String, String)]) -> Done {
    let mut shown: Vec<&Record> = tenant.calls.all.iter().collect();
    for (name, value) in query {
        match name.as_str() {
            "method" => shown.retain(|call| call.method.eq_ignore_ascii_case(value)),
            "path" => shown.retain(|call| fits(value, &call.path)),
            "app" => shown.retain(|call| call.app_id.as_deref() == Some(value)),
            "writes" => shown.retain(|call| call.writes.to_string() == *value),
            "since" => {
                let since: u64 = value.parse().map_err(|_| Wrong::bad("since: a number"))?;
                shown.retain(|call| call.number > since);
            }
            _ => return Err(Wrong::bad(format!("there is no parameter {name}"))),
        }
    }
    Ok(Answer::ok(json!({"calls": shown})))
}

/// `DELETE /emulator/calls`
pub(super) fn clear_calls(tenant: &mut Tenant) -> Done {
    tenant.calls.all.clear();
    Ok(Answer::nothing())
}

/// `GET /emulator/hardware`
pub(super) fn hardware(tenant: &Tenant, query: &[(String, String)]) -> Done {
    /// More would not be read by anybody.
    const MOST: usize = 1000;
    let skip = match query {
        [] => 0,
        [(name, value)] if name == "skip" => {
            value.parse().map_err(|_| Wrong::bad("skip: a number"))?
        }
        _ => return Err(Wrong::bad("skip is the only parameter")),
    };
    let all: Vec<Value> =
        tenant.hardware.iter().skip(skip).take(MOST).map(|one| json!(one)).collect();
    Ok(Answer::ok(json!({"count": tenant.hardware.len(), "hardware": all})))
}
