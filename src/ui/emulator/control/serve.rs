//! Which call under `/emulator/` is meant.

use serde_json::Value;

use super::answer::{Done, Wrong};
use super::{apps, directory, hardware, index, observed, policies, rules};
use crate::ui::emulator::tenant::{Answer, Request, Tenant, decoded, pairs};

/// Serves a request under `/emulator`.
pub(crate) fn serve_control(tenant: &mut Tenant, request: &Request) -> Answer {
    let body = match request.body.as_slice() {
        [] => Ok(Value::Null),
        bytes => serde_json::from_slice(bytes).map_err(|error| Wrong::bad(error.to_string())),
    };
    let query = pairs(&request.query);
    let done = body.and_then(|body| call(tenant, &request.method, &request.path, &query, &body));
    done.unwrap_or_else(Wrong::answer)
}

/// Does what a rule asks for. What it asks wrongly is told in the log.
pub(crate) fn act(tenant: &mut Tenant, method: &str, path: &str, body: &Value) {
    if let Err(wrong) = call(tenant, &method.to_ascii_uppercase(), path, &[], body) {
        tracing::warn!(method, path, ?wrong, "a fault could not do what it is to do");
    }
}

fn call(
    tenant: &mut Tenant,
    method: &str,
    path: &str,
    query: &[(String, String)],
    body: &Value,
) -> Done {
    let parts: Vec<String> =
        path.split('/').filter(|part| !part.is_empty()).skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (method, parts.as_slice()) {
        ("GET", []) => index::index(),
        ("GET", ["clock"]) => rules::clock(tenant),
        ("POST", ["clock"]) => rules::move_clock(tenant, body),
        ("GET", ["state"]) => observed::state(tenant),
        ("GET", ["calls"]) => observed::calls(tenant, query),
        ("DELETE", ["calls"]) => observed::clear_calls(tenant),
        ("GET", ["settings"]) => rules::settings(tenant),
        ("PATCH", ["settings"]) => rules::change_settings(tenant, body),
        ("GET", ["faults"]) => rules::faults(tenant),
        ("POST", ["faults"]) => rules::add_fault(tenant, body),
        ("DELETE", ["faults"]) => rules::clear_faults(tenant),
        ("DELETE", ["faults", id]) => rules::remove_fault(tenant, id),
        ("GET", ["hardware"]) => observed::hardware(tenant, query),
        ("POST", ["hardware"]) => hardware::add(tenant, body),
        ("GET", ["hardware", serial]) => hardware::one(tenant, serial),
        ("PATCH", ["hardware", serial]) => hardware::change(tenant, serial, body),
        ("POST", ["hardware", serial, "check-in"]) => hardware::check_in(tenant, serial),
        ("POST", ["hardware", serial, "enroll"]) => hardware::enroll(tenant, serial),
        ("POST", ["hardware", serial, "lose"]) => hardware::lose(tenant, serial),
        ("POST", ["hardware", serial, "duplicate"]) => hardware::duplicate(tenant, serial),
        ("GET", ["apps"]) => apps::list(tenant),
        ("PUT", ["apps", id]) => apps::put(tenant, id, body),
        ("DELETE", ["apps", id, "tokens"]) => apps::void_tokens(tenant, id),
        ("POST", ["users"]) => directory::add_user(tenant, body),
        ("GET", ["users", word]) => directory::one_user(tenant, word),
        ("PATCH", ["users", word]) => directory::change_user(tenant, word, body),
        ("POST", ["groups"]) => directory::add_group(tenant, body),
        ("GET", ["groups", id]) => directory::one_group(tenant, id),
        ("DELETE", ["groups", id]) => directory::remove_group(tenant, id),
        ("PUT", ["groups", id, "members", member]) => directory::put_member(tenant, id, member),
        ("DELETE", ["groups", id, "members", member]) => {
            directory::remove_member(tenant, id, member)
        }
        ("POST", ["skus"]) => directory::put_sku(tenant, body),
        ("GET", ["mails"]) => observed::mails(tenant),
        ("GET", ["policies"]) => policies::list(tenant),
        ("POST", ["policies"]) => policies::add(tenant, body),
        ("GET", ["policies", id]) => policies::one(tenant, id),
        ("PATCH", ["policies", id]) => policies::change(tenant, id, body),
        ("DELETE", ["policies", id]) => policies::remove(tenant, id),
        ("GET", ["approvals"]) => rules::approvals(tenant),
        ("POST", ["approvals", "policies"]) => rules::add_approval_policy(tenant, body),
        ("DELETE", ["approvals", "policies"]) => rules::clear_approval_policies(tenant),
        ("POST", ["approvals", code]) => rules::decide(tenant, code, body),
        _ => Err(Wrong::missing(format!(
            "{method} {path} is not a call: GET /emulator lists \
                                         them"
        ))),
    }
}
