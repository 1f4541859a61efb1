//! The routes, who is let in, and what of a request is read.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;

use super::evaluate::{Answers, Asking};
use crate::app::status::View;
use crate::domain::access::Directory;
use crate::edges::clock;
use crate::ui::http::answer::{JSON, respond};
use crate::ui::http::door::let_in;
use crate::ui::http::shared::Shared;

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
pub(in crate::ui::http) const METADATA: &str = "/.well-known/authzen-configuration";
const REQUEST_ID: &str = "x-request-id";
/// A hundred long questions: with its head it stays below what a connection may send.
const LONGEST: usize = 48 << 10;

/// The routes that need the token of those who ask.
pub(in crate::ui::http) fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route(EVALUATION, post(evaluation))
        .route(EVALUATIONS, post(evaluations))
        .method_not_allowed_fallback(async || {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "ask with POST")
        })
        .layer(from_fn_with_state(shared.clone(), admit))
        .layer(from_fn(echo))
}

/// Lets in who sends the token of `access`, or where it has none, that of everything else.
async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let token = shared.access_token.clone().unwrap_or_else(|| shared.token.clone());
    let_in(&token, refuse, request, next).await
}

/// Gives a request's id back, on errors as well.
async fn echo(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).cloned();
    let mut answer = next.run(request).await;
    if let Some(id) = id {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

async fn evaluation(State(shared): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    answer(&shared, &headers, body, |asking, body| asking.one(body)).await
}

async fn evaluations(State(shared): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    answer(&shared, &headers, body, |asking, body| asking.several(body)).await
}

async fn answer(
    shared: &Shared,
    headers: &HeaderMap,
    body: Body,
    ask: impl FnOnce(&Asking<'_>, &[u8]) -> Result<Answers, String>,
) -> Response {
    let wrong = |(status, why): (StatusCode, &str)| {
        shared.decisions.count_mistake();
        refuse(status, why)
    };
    let body = match read(headers, body).await {
        Ok(body) => body,
        Err(why) => return wrong(why),
    };
    let view = shared.view();
    let nobody = Directory::default();
    let Some(judge) = view.judge(&nobody, clock::now()) else { return not_configured() };
    let asking = Asking { judge, decisions: &shared.decisions };
    match ask(&asking, &body) {
        Ok(answers) => json(StatusCode::OK, &answers),
        Err(why) => wrong((StatusCode::BAD_REQUEST, &why)),
    }
}

/// The body, whose length is given before it: what comes in pieces has no end that is known.
async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, (StatusCode, &'static str)> {
    let bad = |why| (StatusCode::BAD_REQUEST, why);
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err((StatusCode::LENGTH_REQUIRED, "send a Content-Length, and no pieces"));
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    if length.is_some_and(|length| length > LONGEST) {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too long: send it in parts"));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(JSON) {
        return Err(bad("Content-Type must be application/json"));
    }
    let body = to_bytes(body, LONGEST).await.map_err(|_| {
        bad("the body did not arrive \
                                                              completely")
    })?;
    if body.is_empty() { Err(bad("the body is empty")) } else { Ok(body) }
}

/// What there is, for clients that know only the public URL.
pub(in crate::ui::http) async fn metadata(State(shared): State<Shared>) -> Response {
    #[derive(Serialize)]
    struct Metadata<'a> {
        policy_decision_point: &'a str,
        access_evaluation_endpoint: String,
        access_evaluations_endpoint: String,
    }
    let view: Arc<View> = shared.view();
    let Some(access) = &view.config.access else { return not_configured() };
    let Some(url) = access.public_url.as_deref() else {
        return refuse(StatusCode::NOT_FOUND, "access.publicUrl is not configured");
    };
    let metadata = Metadata {
        policy_decision_point: url,
        access_evaluation_endpoint: format!("{url}{EVALUATION}"),
        access_evaluations_endpoint: format!("{url}{EVALUATIONS}"),
    };
    json(StatusCode::OK, &metadata)
}

fn not_configured() -> Response {
    refuse(StatusCode::NOT_FOUND, "access is not configured: no resource is")
}

/// An error as the specification has it: a string.
fn refuse(status: StatusCode, why: &str) -> Response {
    json(status, &why)
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => respond(status, JSON, Body::from(body)),
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, JSON, Body::from("\"no answer\"")),
    }
}
