//! The listener, the routes, and who is let in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::answer::fail;
use super::door::let_in;
use super::error::Error;
use super::host::Names;
use super::listener::Bounded;
use super::shared::Shared;
use super::token::Token;
use super::{access, api, documents, host, signals, state};
use crate::app::status::View;
use crate::ui::wire;
use crate::ui::wire::state::PATH;

/// A server that is not running yet.
pub(crate) struct Server {
    listener: TcpListener,
    token: Token,
    access_token: Option<Token>,
    names: Names,
}

impl Server {
    /// Takes the address. `names` are the host names that clients may ask for, beside those of
    /// loopback.
    ///
    /// # Errors
    /// If the address cannot be had, or a token is needed and there is none.
    pub(crate) async fn bind(
        address: SocketAddr,
        token: Token,
        names: &[String],
    ) -> Result<Self, Error> {
        if !token.is_needed() && !address.ip().is_loopback() {
            return Err(Error::Open(address));
        }
        let listener =
            TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, token, access_token: None, names: Names::new(names) })
    }

    /// With a token of its own for those who ask whether a device may come in.
    #[must_use]
    pub(crate) fn with_access_token(self, token: Option<Token>) -> Self {
        Self { access_token: token, ..self }
    }

    /// Where it listens: with the port, where any would do.
    ///
    /// # Errors
    /// If the system does not say.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers from what is published, until it is dropped.
    pub(crate) async fn run(self, views: watch::Receiver<Arc<View>>) {
        let shared = Shared { access_token: self.access_token, ..Shared::new(views, self.token) };
        let router = router(shared, self.names);
        if let Err(error) = axum::serve(Bounded::new(self.listener), router).await {
            tracing::error!(%error, "HTTP ended");
        }
    }
}

fn router(shared: Shared, names: Names) -> Router {
    Router::new()
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/api/v1/devices", get(api::devices))
        .route("/api/v1/devices/{id}", get(api::device))
        .route("/api/v1/devices/{id}/why", get(api::why))
        .route("/api/v1/plan", get(api::plan))
        .route("/api/v1/audit", get(api::audit))
        .route(wire::log::PATH, get(api::log))
        .route(wire::settings::PATH, get(api::settings))
        .route(wire::documents::DELIVERIES, get(documents::deliveries))
        .route(wire::documents::REJECTED, get(documents::rejected))
        .route(wire::documents::TRUST, get(documents::trust))
        .route(wire::documents::UNMANAGED, get(documents::unmanaged))
        .route(PATH, get(state::state))
        .fallback(async || fail(StatusCode::NOT_FOUND, "not found"))
        .method_not_allowed_fallback(read_only)
        .layer(from_fn_with_state(shared.clone(), admit))
        // Those who ask have a token of their own.
        .merge(access::router(&shared))
        // What follows says nothing of the fleet, so anyone may ask.
        .route(access::METADATA, get(access::metadata).fallback(read_only))
        .route("/healthz", get(async || "ok\n").fallback(read_only))
        // These are for everybody too: whoever gets our events looks up who signs them.
        .route(signals::CONFIGURATION, get(signals::configuration).fallback(read_only))
        .route(
            &format!("{}/{{*path}}", signals::CONFIGURATION),
            get(signals::configuration_of).fallback(read_only),
        )
        .route(signals::KEYS, get(signals::keys).fallback(read_only))
        // Last, and so around everything.
        .layer(from_fn_with_state(names, host::check))
        .with_state(shared)
}

async fn read_only() -> Response {
    fail(StatusCode::METHOD_NOT_ALLOWED, "this server is read-only: GET and HEAD only")
}

/// Lets in who sends the token.
async fn admit(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let_in(&shared.token, fail, request, next).await
}
