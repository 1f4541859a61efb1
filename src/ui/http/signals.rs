//! What receivers of shared signals look up: who sends, and the keys that sign. Anybody may: it gives
//! no rights.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::answer::{Failure, JSON, fail, respond};
use super::shared::Shared;
use crate::domain::notify_settings::{EventSettings, origin};
use crate::edges::notify::events::Documents;

/// Where the configuration is; behind it the path of an issuer that has one.
pub(super) const CONFIGURATION: &str = "/.well-known/ssf-configuration";
/// Where the keys are.
pub(super) const KEYS: &str = "/ssf/jwks.json";
/// How long what was read of the files of keys is good, here and for whoever asks.
const FRESH: Duration = Duration::from_secs(60);

/// What was read last: when, of which streams, by which issuer.
#[derive(Clone, Default)]
pub(super) struct Signals(Arc<Mutex<Option<Read>>>);

struct Read {
    at: Instant,
    streams: Vec<EventSettings>,
    issuer: String,
    documents: Arc<Documents>,
}

pub(super) async fn configuration(State(shared): State<Shared>) -> Response {
    answer(&shared, Some(""), |documents| &documents.configuration).await
}

pub(super) async fn configuration_of(
    State(shared): State<Shared>,
    Path(path): Path<String>,
) -> Response {
    answer(&shared, Some(&path), |documents| &documents.configuration).await
}

pub(super) async fn keys(State(shared): State<Shared>) -> Response {
    answer(&shared, None, |documents| &documents.keys).await
}

/// The document of the issuer with this path; without one, of any.
async fn answer(shared: &Shared, path: Option<&str>, which: fn(&Documents) -> &Value) -> Response {
    let view = shared.view();
    let streams = &view.config.notify.events;
    let mut issuers = streams.iter().filter_map(|stream| view.config.issuer(stream));
    let wanted = |issuer: &String| {
        let of = issuer[origin(issuer).len()..].trim_matches('/');
        path.is_none_or(|path| path.trim_matches('/') == of)
    };
    let Some(issuer) = issuers.find(wanted) else {
        return fail(StatusCode::NOT_FOUND, "no security events are sent under this name");
    };
    let documents = match shared.signals.fresh(streams, &issuer) {
        Some(documents) => documents,
        None => {
            let (streams, signals) = (streams.clone(), shared.signals.clone());
            let read = shared.heavy(move || {
                Documents::read(&streams, &issuer)
                    .map(|documents| signals.keep(streams, issuer, documents))
                    .map_err(|_| {
                        Failure::Internal("the keys of notify.events cannot be read".into())
                    })
            });
            match read.await {
                Ok(documents) => documents,
                Err(failed) => return failed.answer(),
            }
        }
    };
    let mut answer = respond(StatusCode::OK, JSON, Body::from(which(&documents).to_string()));
    let age = HeaderValue::from_static("public, max-age=60");
    answer.headers_mut().insert(header::CACHE_CONTROL, age);
    answer
}

impl Signals {
    fn fresh(&self, streams: &[EventSettings], issuer: &str) -> Option<Arc<Documents>> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let read = read.as_ref().filter(|read| {
            read.at.elapsed() < FRESH && read.streams == streams && read.issuer == issuer
        });
        read.map(|read| read.documents.clone())
    }

    fn keep(
        &self,
        streams: Vec<EventSettings>,
        issuer: String,
        documents: Documents,
    ) -> Arc<Documents> {
        let documents = Arc::new(documents);
        let read = Read { at: Instant::now(), streams, issuer, documents: documents.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        documents
    }
}
