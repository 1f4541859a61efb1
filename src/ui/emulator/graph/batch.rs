//! `$batch`: up to twenty calls in one, each admitted and throttled alone, answered in any order.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, check};
use super::gate::{Control, admit_and_run, serve, version};
use super::refusal::{Ids, Refusal};
use crate::ui::emulator::tenant::{Answer, Bearer, Delivery, Moment, Request, Tenant};

/// The most parts.
const MOST: usize = 20;

/// Serves a request below `/v1.0` or `/beta`.
pub(crate) fn serve_graph(
    tenant: &mut Tenant,
    request: &Request,
    moment: Moment,
    control: Control,
) -> Delivery {
    let is_batch = version(&request.path).is_some_and(|(_, rest)| {
        rest.trim_end_matches('/') == "$batch" && request.method == "POST"
    });
    if is_batch {
        let whole = |tenant: &mut Tenant, request: &Request, who: Bearer, _| {
            batch(tenant, request, &who, moment, control)
        };
        return serve(tenant, request, moment, control, &whole);
    }
    one(tenant, request, moment, control)
}

/// Serves what is no batch.
fn one(tenant: &mut Tenant, request: &Request, moment: Moment, control: Control) -> Delivery {
    let run = |tenant: &mut Tenant, request: &Request, who: Bearer, drops_a_page| {
        admit_and_run(tenant, request, moment, who, drops_a_page)
    };
    serve(tenant, request, moment, control, &run)
}

/// A part that was read.
struct Part {
    id: String,
    depends_on: Vec<String>,
    request: Request,
}

fn batch(
    tenant: &mut Tenant,
    request: &Request,
    who: &Bearer,
    moment: Moment,
    control: Control,
) -> Outcome {
    let call = Call {
        request,
        params: Vec::new(),
        beta: false,
        client_id: &who.client_id,
        drops_a_page: false,
    };
    let body = call.body("the batch", &["requests"])?;
    let parts = super::call::objects(&body, "requests")?;
    if parts.is_empty() || parts.len() > MOST {
        let count = parts.len();
        let why = format!("A batch has 1 to {MOST} requests; this one has {count}.");
        return Err(Refusal::bad(why));
    }
    let parts = parts.into_iter().map(|part| read(part, request)).collect::<Result<Vec<_>, _>>()?;
    let mut answers: Vec<(String, Answer)> = Vec::new();
    for part in parts {
        if answers.iter().any(|(id, _)| *id == part.id) {
            return Err(Refusal::bad(format!("The id '{}' is used twice.", part.id)));
        }
        let failed = part
            .depends_on
            .iter()
            .any(|id| answers.iter().all(|(done, answer)| done != id || answer.status >= 400));
        let answer = if failed {
            let refusal = Refusal::new(424, "FailedDependency", "A request before it failed.");
            let id = tenant.dice.id();
            refusal.answer(false, tenant.now, Ids { request: &id, client: &id })
        } else {
            one(tenant, &part.request, moment, control).answer
        };
        answers.push((part.id, answer));
    }
    tenant.dice.shuffle(&mut answers);
    let responses = answers.into_iter().map(|(id, answer)| shown(&id, answer));
    Ok(Answer::ok(json!({"responses": responses.collect::<Vec<_>>()})))
}

fn read(part: &Map<String, Value>, outer: &Request) -> Result<Part, Refusal> {
    check(part, "the batch request", &["body", "dependsOn", "headers", "id", "method", "url"])?;
    let word = |name: &str| part.get(name).and_then(Value::as_str);
    let missing = |name: &str| Refusal::bad(format!("A request of the batch has no '{name}'."));
    let id = word("id").ok_or_else(|| missing("id"))?;
    let method = word("method").ok_or_else(|| missing("method"))?;
    let url = word("url").ok_or_else(|| missing("url"))?;
    if url.contains("://") {
        return Err(Refusal::bad(format!("The address '{url}' of a batch must be relative.")));
    }
    let beta = version(&outer.path).is_some_and(|(beta, _)| beta);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let prefix = if beta { "beta" } else { "v1.0" };
    let mut headers = outer.headers.clone();
    headers.remove("client-request-id");
    headers.remove("content-type");
    for (name, value) in part.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(name.to_ascii_lowercase(), value);
    }
    let body = part.get("body").filter(|body| !body.is_null());
    if body.is_some() && !headers.contains_key("content-type") {
        let why = "A request of the batch with a body needs the header Content-Type.";
        return Err(Refusal::bad(why));
    }
    let depends = part.get("dependsOn").and_then(Value::as_array);
    let depends = depends.into_iter().flatten().filter_map(Value::as_str);
    Ok(Part {
        id: id.to_owned(),
        depends_on: depends.map(str::to_owned).collect(),
        request: Request {
            method: method.to_ascii_uppercase(),
            path: format!("/{prefix}/{}", path.trim_start_matches('/')),
            query: query.to_owned(),
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            base: outer.base.clone(),
            part: Some(id.to_owned()),
        },
    })
}

fn shown(id: &str, answer: Answer) -> Value {
    let mut shown = json!({"id": id, "status": answer.status});
    let headers = answer.headers.iter();
    let mut headers: Map<String, Value> =
        headers.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    if let Some(body) = answer.body {
        headers.insert("Content-Type".into(), json!("application/json"));
        shown["body"] = body;
    }
    if !headers.is_empty() {
        shown["headers"] = Value::Object(headers);
    }
    shown
}
