//! Bodies with their type and ETag; errors as JSON.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::model::Digest;

pub(super) const JSON: &str = "application/json";
/// Of the Prometheus text format.
pub(super) const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why there is no answer, though the request is right.
#[derive(Debug)]
pub(super) enum Failure {
    /// Others are being answered.
    Busy,
    /// The first pass is not done.
    NotYet,
    /// Something that ought to work did not.
    Internal(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Failure {
    pub(super) fn answer(self) -> Response {
        match self {
            Self::Busy => later("too many at once; try again"),
            Self::NotYet => later("the first pass is not done"),
            Self::Internal(why) => {
                tracing::warn!(%why, "a request failed");
                fail(StatusCode::INTERNAL_SERVER_ERROR, &why)
            }
        }
    }
}

fn later(why: &str) -> Response {
    let mut answer = fail(StatusCode::SERVICE_UNAVAILABLE, why);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// Whether the client has what bears this tag.
pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked.get_all(header::IF_NONE_MATCH).iter().any(|given| {
        let given = given.to_str().unwrap_or_default();
        given
            .split(',')
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == "*" || one == tag)
    })
}

/// A body, or only that it is the one that the client has.
pub(super) fn tagged(asked: &HeaderMap, kind: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", Digest::of(&body));
    let (status, body) = if is_known(asked, &tag) {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(body))
    };
    let mut answer = respond(status, kind, body);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// `{"version": 1, "error": "…"}`.
pub(super) fn fail(status: StatusCode, why: &str) -> Response {
    let body = serde_json::json!({"version": 1, "error": why});
    respond(status, JSON, Body::from(format!("{body}\n")))
}

/// A JSON body whose every answer differs by its status alone.
pub(super) fn respond(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // It changes with every pass; a cache asks each time, and gets no more than a 304.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
