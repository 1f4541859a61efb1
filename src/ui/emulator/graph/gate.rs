//! One call to Graph: who calls, whether they may, what goes wrong on command, and the record of it.

use super::call::{Call, Outcome};
use super::refusal::{Ids, Refusal};
use super::routes::find;
use crate::ui::emulator::tenant::{
    Answer, Bearer, Delivery, FaultAction, Moment, Record, Request, Tenant, When, without_secrets,
};

/// Below which version an address is, and the rest of it.
pub(super) fn version(path: &str) -> Option<(bool, &str)> {
    let (version, rest) = path.trim_start_matches('/').split_once('/')?;
    match version {
        "v1.0" => Some((false, rest)),
        "beta" => Some((true, rest)),
        _ => None,
    }
}

/// Who bears the token of a request.
fn bearer(tenant: &Tenant, request: &Request, moment: Moment) -> Result<Bearer, Refusal> {
    let refused = |message: &str| Refusal::new(401, "InvalidAuthenticationToken", message);
    let given = request.header("authorization").unwrap_or_default();
    let token = given.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| refused("Access token is empty."))?;
    let bearer = tenant.apps.tokens.get(token);
    let bearer = bearer.ok_or_else(|| refused("IDX14100: JWT is not well formed."))?;
    if !bearer.holds(moment, tenant.settings.tokens.emulated_time) {
        return Err(refused("Lifetime validation failed, the token is expired."));
    }
    Ok(bearer.clone())
}

/// A call on its way, with what its record will say.
pub(super) struct Passage {
    fault: Option<(u64, FaultAction)>,
    app: Option<String>,
    writes: bool,
    effect: bool,
}

impl Passage {
    fn action(&self) -> Option<&FaultAction> {
        self.fault.as_ref().map(|(_, action)| action)
    }
}

/// Whether anything of this method can change something.
fn may_write(method: &str, path: &str) -> bool {
    method != "GET"
        && !["/searchExistingIdentities", "/$batch"].iter().any(|end| path.ends_with(end))
}

/// Does what a rule asks for.
pub(super) type Control = fn(&mut Tenant, &str, &str, &serde_json::Value);

/// Does what a call asks for, once it is let in; `true` leaves a page out.
pub(super) type Run<'a> = &'a dyn Fn(&mut Tenant, &Request, Bearer, bool) -> Outcome;

/// Serves one call: whoever calls, whatever goes wrong, it is answered and written down.
pub(super) fn serve(
    tenant: &mut Tenant,
    request: &Request,
    moment: Moment,
    control: Control,
    run: Run<'_>,
) -> Delivery {
    let (request_id, client_id) = ids(tenant, request);
    let who = bearer(tenant, request, moment);
    let app = who.as_ref().ok().map(|bearer| bearer.client_id.clone());
    let known = app.clone().unwrap_or_default();
    let fault = tenant.faults.meet(&request.method, &request.path, &known);
    let writes = may_write(&request.method, &request.path);
    let mut passage = Passage { fault, app, writes, effect: false };
    let deed = passage.action().and_then(|action| action.deed.clone());
    if let Some(deed) = deed.as_ref().filter(|deed| deed.when == When::Before) {
        control(tenant, &deed.method, &deed.path, &deed.body);
    }
    let outcome = pass(tenant, request, who, &mut passage, run);
    if let Some(deed) = deed.as_ref().filter(|deed| deed.when != When::Before) {
        control(tenant, &deed.method, &deed.path, &deed.body);
    }
    let of_intune = request.path.to_ascii_lowercase().contains("/device");
    let ids = Ids { request: &request_id, client: client_id.as_deref().unwrap_or(&request_id) };
    let answer = outcome.unwrap_or_else(|refusal| refusal.answer(of_intune, tenant.now, ids));
    let action = passage.action();
    let (cut, delay_ms) = action.map(|one| (one.cut, one.delay_ms)).unwrap_or_default();
    let delivery = Delivery {
        answer,
        request_id,
        client_request_id: client_id,
        cut: cut.filter(|_| request.part.is_none()),
        delay_ms,
    };
    record(tenant, request, &passage, &delivery);
    delivery
}

/// The ids of a call: the client's is echoed.
fn ids(tenant: &mut Tenant, request: &Request) -> (String, Option<String>) {
    (tenant.dice.id(), request.header("client-request-id").map(str::to_owned))
}

fn pass(
    tenant: &mut Tenant,
    request: &Request,
    who: Result<Bearer, Refusal>,
    passage: &mut Passage,
    run: Run<'_>,
) -> Outcome {
    let action = passage.action().cloned().unwrap_or_default();
    let instead = action.status.map(|status| {
        let code = action.code.as_deref().unwrap_or(Refusal::usual_code(status));
        let message = action.message.as_deref().unwrap_or(usual_message(status));
        let refusal = Refusal::new(status, code, message);
        match &action.retry_after {
            Some(wait) => refusal.header("Retry-After", wait),
            None => refusal,
        }
    });
    let cut_before = action.cut == Some(When::Before);
    if cut_before {
        return Err(Refusal::new(503, "ServiceUnavailable", "The connection is cut."));
    }
    if let Some(refusal) = instead.clone().filter(|_| !action.takes_effect) {
        return Err(refusal);
    }
    let answer = run(tenant, request, who?, action.drop_page)?;
    passage.effect = passage.writes;
    instead.map_or(Ok(answer), Err)
}

fn usual_message(status: u16) -> &'static str {
    match status {
        401 => "Access token has expired or is not yet valid.",
        403 => "Application is not authorized to perform this operation.",
        429 => "Please retry again later.",
        503 => "The service is temporarily unavailable.",
        _ => "An internal server error has occurred.",
    }
}

/// Finds the operation, asks whether it is permitted and not too much, and does it.
pub(super) fn admit_and_run(
    tenant: &mut Tenant,
    request: &Request,
    moment: Moment,
    who: Bearer,
    drops_a_page: bool,
) -> Outcome {
    let (beta, path) = version(&request.path)
        .ok_or_else(|| Refusal::bad("Invalid version: v1.0 and beta are known."))?;
    let (route, params) = find(&request.method, path, beta)?;
    let permitted = route.permissions.iter().any(|one| who.roles.contains(*one));
    if !permitted {
        let message = format!(
            "Application is not authorized to perform this operation. Application must have one of \
             the following scopes: {}",
            route.permissions.join(", ")
        );
        return Err(Refusal::new(403, "Forbidden", message));
    }
    let limits = tenant.settings.throttle.clone();
    let now = if limits.emulated_time { moment.now } else { moment.real };
    let writes = may_write(&request.method, &request.path);
    if let Err(wait) = tenant.lately.admit(&who.client_id, writes, now, &limits) {
        let refusal = Refusal::new(429, "TooManyRequests", usual_message(429));
        return Err(refusal.header("Retry-After", format!("{wait:.3}")));
    }
    let call = Call { request, params, beta, client_id: &who.client_id, drops_a_page };
    (route.run)(tenant, &call)
}

fn record(tenant: &mut Tenant, request: &Request, passage: &Passage, delivery: &Delivery) {
    let Answer { status, body, .. } = &delivery.answer;
    let error = body.as_ref().and_then(|body| body.get("error")).filter(|_| *status >= 400);
    let record = Record {
        number: 0,
        at: tenant.now,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        app_id: passage.app.clone(),
        part: request.part.clone(),
        status: *status,
        writes: passage.writes,
        effect: passage.effect,
        cut: delivery.cut.is_some(),
        fault: passage.fault.as_ref().map(|(id, _)| *id),
        client_request_id: delivery.client_request_id.clone(),
        request_id: delivery.request_id.clone(),
        body: without_secrets(&request.body),
        error: error.cloned().unwrap_or_default(),
    };
    tenant.calls.add(record);
}
