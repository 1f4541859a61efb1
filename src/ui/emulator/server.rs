//! The emulator's sockets and its clock: one lock around the tenant, and nothing decided here.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::control::{act, serve_control};
use super::graph::serve_graph;
use super::tenant::{Answer, Delivery, Request, Tenant, When};
use super::token::{asks_for_metadata, metadata, serve_token};
use super::wire::{Line, Wires};
use crate::edges::clock;
use crate::ui::http::Names;

/// The longest body that is read.
const LONGEST: usize = 64 << 20;
/// How often time is let go by while nobody asks.
const TICK: Duration = Duration::from_secs(1);

/// Why there is no emulator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the emulator listens on loopback only, on 127.0.0.1 or [::1], and not on {0}")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// An emulator that does not answer yet.
pub(crate) struct Emulator {
    listener: TcpListener,
    tenant: Tenant,
}

#[derive(Clone)]
struct Shared {
    tenant: Arc<Mutex<Tenant>>,
    names: Names,
}

impl Emulator {
    /// Takes the address.
    ///
    /// # Errors
    /// If it is not one of loopback, or cannot be had.
    pub(crate) async fn bind(address: SocketAddr, tenant: Tenant) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, tenant })
    }

    /// Where it listens: with the port, where any would do.
    ///
    /// # Errors
    /// If the system does not say.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is told to stop.
    ///
    /// # Errors
    /// If the listener fails.
    pub(crate) async fn run(self, stop: Arc<Notify>) -> io::Result<()> {
        let shared = Shared { tenant: Arc::new(Mutex::new(self.tenant)), names: Names::default() };
        let ticking = tokio::spawn(tick(shared.clone()));
        let router = Router::new().fallback(answer).with_state(shared);
        let service = router.into_make_service_with_connect_info::<Line>();
        let served = axum::serve(Wires(self.listener), service)
            .with_graceful_shutdown(async move { stop.notified().await });
        let ended = served.await;
        ticking.abort();
        ended
    }
}

async fn tick(shared: Shared) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        let mut tenant = shared.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        tenant.arrive(clock::now());
    }
}

/// Answers any request.
async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: HttpRequest,
) -> Response {
    if !shared.names.admit(&request) {
        let why = "the emulator answers to names of loopback only: ask for 127.0.0.1 or localhost";
        return plain(StatusCode::MISDIRECTED_REQUEST, why);
    }
    let request = match read(request).await {
        Ok(request) => request,
        Err(why) => return plain(StatusCode::BAD_REQUEST, &why),
    };
    let (delivery, date) = {
        let mut tenant = shared.tenant.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = tenant.arrive(clock::now());
        let delivery = serve(&mut tenant, &request, moment);
        let status = delivery.answer.status;
        tracing::debug!(method = request.method, path = request.path, status, "answered");
        (delivery, http_date(tenant.now))
    };
    if let Some(delay) = delivery.delay_ms {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let cut = delivery.cut;
    let (response, length) = response(delivery, &date);
    match cut {
        Some(When::Before | When::After) => line.cut_after(0),
        // A head of an answer has more than these bytes.
        Some(When::During) => line.cut_after(length / 2 + 64),
        None => {}
    }
    response
}

fn serve(tenant: &mut Tenant, request: &Request, moment: super::tenant::Moment) -> Delivery {
    let path = request.path.as_str();
    if path == "/emulator" || path.starts_with("/emulator/") {
        let answer = serve_control(tenant, request);
        return Delivery::of(answer, tenant.dice.id(), request);
    }
    if let Some(named) = asks_for_metadata(request) {
        let answer = metadata(tenant, named, &request.base);
        return Delivery::of(answer, tenant.dice.id(), request);
    }
    if path.ends_with("/oauth2/v2.0/token") {
        return serve_token(tenant, request, moment);
    }
    serve_graph(tenant, request, moment, act)
}

/// Takes a request off its connection.
async fn read(request: HttpRequest) -> Result<Request, String> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LONGEST).await.map_err(|error| format!("the body: {error}"))?;
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let host = text(header::HOST);
    // Behind something that speaks TLS, which some libraries insist on.
    let tls = text(HeaderName::from_static("x-forwarded-proto")) == Some("https");
    Ok(Request {
        method: parts.method.as_str().to_ascii_uppercase(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        base: format!("{}://{}", if tls { "https" } else { "http" }, host.unwrap_or("localhost")),
        headers: headers.collect(),
        body: body.to_vec(),
        part: None,
    })
}

const GRAPH_JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8";

/// The answer with its headers, and how long its body is.
fn response(delivery: Delivery, date: &str) -> (Response, i64) {
    let Delivery { answer: Answer { status, headers, body }, .. } = &delivery;
    let bytes = body.as_ref().map(|body| format!("{body}\n").into_bytes()).unwrap_or_default();
    let length = i64::try_from(bytes.len()).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
    let client = delivery.client_request_id.as_deref().unwrap_or(&delivery.request_id);
    let mut set = |name: &str, value: &str| {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    if body.is_some() {
        set("content-type", GRAPH_JSON);
    }
    set("cache-control", "no-store");
    set("x-fleetform-emulator", "1");
    set("request-id", &delivery.request_id);
    set("client-request-id", client);
    set("date", date);
    for (name, value) in headers {
        set(name, value);
    }
    (response, length)
}

/// Emulated time as HTTP spells it.
fn http_date(now: crate::domain::model::Timestamp) -> String {
    let date = chrono::DateTime::from_timestamp_millis(now.millis()).unwrap_or_default();
    date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn plain(status: StatusCode, why: &str) -> Response {
    let body = serde_json::json!({"error": why});
    let mut response = Response::new(Body::from(format!("{body}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-fleetform-emulator", HeaderValue::from_static("1"));
    response
}
