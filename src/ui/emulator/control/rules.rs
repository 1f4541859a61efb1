//! Time, settings, faults, and the decisions of a second administrator.

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Done, Wrong, merge, read};
use crate::domain::model::Timestamp;
use crate::ui::emulator::tenant::{
    Answer, ApprovalPolicy, ApprovalStatus, FaultAsked, Protected, Settings, Tenant,
};

/// `GET /emulator/clock`
pub(super) fn clock(tenant: &Tenant) -> Done {
    let planned = tenant.agenda.len();
    let speed = tenant.pace.speed;
    Ok(Answer::ok(json!({"now": tenant.now, "speed": speed, "planned": planned})))
}

/// `POST /emulator/clock`
pub(super) fn move_clock(tenant: &mut Tenant, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        advance: Option<String>,
        now: Option<Timestamp>,
        speed: Option<f64>,
    }
    let given: Given = read(body)?;
    let advance = given.advance.as_deref().map(humantime::parse_duration).transpose();
    let advance = advance.map_err(|error| Wrong::bad(format!("advance: {error}, as 8h or 90m")))?;
    let then = match (advance, given.now) {
        (Some(_), Some(_)) => return Err(Wrong::bad("either advance or now")),
        (Some(advance), None) => tenant.now + delta(advance),
        (None, Some(now)) if now < tenant.now => {
            let now = tenant.now;
            return Err(Wrong::bad(format!("now: time does not go back; it is {now}")));
        }
        (None, Some(now)) => now,
        (None, None) => tenant.now,
    };
    let speed = given.speed.unwrap_or(tenant.pace.speed);
    if !(0.0..=1e6).contains(&speed) {
        return Err(Wrong::bad("speed: 0 to 1000000"));
    }
    tenant.advance(then);
    tenant.pace.go_on(tenant.now, speed);
    clock(tenant)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::days(36_500)).min(TimeDelta::days(36_500))
}

/// `GET /emulator/settings`
pub(super) fn settings(tenant: &Tenant) -> Done {
    Ok(Answer::ok(json!(tenant.settings)))
}

/// `PATCH /emulator/settings`
pub(super) fn change_settings(tenant: &mut Tenant, body: &Value) -> Done {
    let mut merged = json!(tenant.settings);
    merge(&mut merged, body);
    let changed: Settings = read(&merged)?;
    changed.check().map_err(Wrong::bad)?;
    tenant.settings = changed;
    settings(tenant)
}

/// `GET /emulator/faults`
pub(super) fn faults(tenant: &Tenant) -> Done {
    Ok(Answer::ok(json!({"faults": tenant.faults.rules})))
}

/// `POST /emulator/faults`
pub(super) fn add_fault(tenant: &mut Tenant, body: &Value) -> Done {
    let asked: FaultAsked = read(body)?;
    if asked.action.status.is_some_and(|status| !(400..600).contains(&status)) {
        return Err(Wrong::bad("action.status: between 400 and 599"));
    }
    let id = tenant.faults.add(asked);
    Ok(Answer::json(201, json!({"id": id})))
}

/// `DELETE /emulator/faults`
pub(super) fn clear_faults(tenant: &mut Tenant) -> Done {
    tenant.faults.rules.clear();
    Ok(Answer::nothing())
}

/// `DELETE /emulator/faults/{id}`
pub(super) fn remove_fault(tenant: &mut Tenant, id: &str) -> Done {
    let before = tenant.faults.rules.len();
    tenant.faults.rules.retain(|rule| rule.id.to_string() != id);
    if tenant.faults.rules.len() == before {
        return Err(Wrong::missing(format!("there is no fault {id}")));
    }
    Ok(Answer::nothing())
}

/// `GET /emulator/approvals`
pub(super) fn approvals(tenant: &Tenant) -> Done {
    let requests = tenant.approvals.requests.values().map(|request| {
        json!({
            "code": request.id,
            "about": request.about,
            "path": request.path,
            "app": request.app,
            "justification": request.justification,
            "status": request.status(tenant.now),
            "requested": request.requested,
            "expires": request.expires(),
        })
    });
    let requests: Vec<_> = requests.collect();
    Ok(Answer::ok(json!({"policies": tenant.approvals.policies, "requests": requests})))
}

/// `POST /emulator/approvals/policies`
pub(super) fn add_approval_policy(tenant: &mut Tenant, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        policy_type: Protected,
        #[serde(default)]
        excluded_apps: Vec<String>,
    }
    let given: Given = read(body)?;
    let policy = ApprovalPolicy {
        id: tenant.dice.id(),
        display_name: format!("Approve each {}", given.policy_type),
        policy_type: given.policy_type,
        excluded_apps: given.excluded_apps,
        modified: tenant.now,
    };
    let shown = json!(policy);
    tenant.approvals.policies.push(policy);
    Ok(Answer::json(201, shown))
}

/// `DELETE /emulator/approvals/policies`
pub(super) fn clear_approval_policies(tenant: &mut Tenant) -> Done {
    tenant.approvals.policies.clear();
    Ok(Answer::nothing())
}

/// `POST /emulator/approvals/{code}`; `latest` is the one that was asked for last.
pub(super) fn decide(tenant: &mut Tenant, code: &str, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        decision: String,
        justification: Option<String>,
    }
    let given: Given = read(body)?;
    let status = match given.decision.as_str() {
        "approve" => ApprovalStatus::Approved,
        "reject" => ApprovalStatus::Rejected,
        "cancel" => ApprovalStatus::Cancelled,
        "expire" => ApprovalStatus::Expired,
        _ => return Err(Wrong::bad("decision: approve, reject, cancel or expire")),
    };
    let now = tenant.now;
    let requests = &mut tenant.approvals.requests;
    let latest = requests.values().max_by_key(|request| request.requested);
    let latest = latest.map(|request| request.id.clone());
    let code = if code == "latest" { latest.unwrap_or_default() } else { code.to_owned() };
    let request = requests.get_mut(&code);
    let request =
        request.ok_or_else(|| Wrong::missing(format!("there is no approval request {code}")))?;
    request.decide(status, now);
    request.answer = Some(given.justification.unwrap_or_else(|| given.decision.clone()));
    Ok(Answer::ok(json!({"code": code, "status": request.status(now)})))
}
