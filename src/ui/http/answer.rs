//! Bodies with their type and ETag; errors as JSON.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::model::Digest;

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
            Self::Busy => later("too many requests at once; try again"),
            Self::NotYet => later("the first reconciliation is not done"),
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

/// So many KiB of answers may wait for their clients, all together: dozens of the largest pages.
const ROOM: u32 = 64 << 10;

/// The memory for answers that clients have not read yet. Who asks and does not read takes it
/// from others who ask, for as long as a connection may idle, and never from the passes.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM as usize)))
    }
}

/// Bytes that give their room back once the last client has read them.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// # Errors
    /// If there is no room now.
    pub(super) fn hold(&self, mut bytes: Vec<u8>) -> Result<Bytes, Failure> {
        bytes.shrink_to_fit();
        // One that is larger than all the room gets all of it.
        let size = u32::try_from(bytes.len() >> 10).unwrap_or(ROOM).saturating_add(1).min(ROOM);
        let room = self.0.clone().try_acquire_many_owned(size);
        let _room = room.map_err(|_| Failure::Busy)?;
        Ok(Bytes::from_owner(Held { bytes, _room }))
    }
}

/// A body and the tag by which a client knows that it has it. Copies share the bytes.
#[derive(Debug, Clone)]
pub(super) struct Tagged {
    body: Bytes,
    tag: String,
}

impl Tagged {
    /// # Errors
    /// If there is no room now.
    pub(super) fn new(body: Vec<u8>, room: &Room) -> Result<Self, Failure> {
        let body = room.hold(body)?;
        Ok(Self { tag: format!("\"{}\"", Digest::of(&body)), body })
    }

    /// The body, or only that it is the one that the client has.
    pub(super) fn answer(self, asked: &HeaderMap, kind: &'static str) -> Response {
        let (status, body) = if is_known(asked, &self.tag) {
            (StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            (StatusCode::OK, Body::from(self.body))
        };
        let mut answer = respond(status, kind, body);
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            answer.headers_mut().insert(header::ETAG, tag);
        }
        answer
    }
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
