//! What the daemon shows: read-only, the same JSON as `-o json`, and never in the way of a pass.
//!
//! Every answer comes from what was published after the last pass ([`view::View`]); the log is
//! read as any other reader reads it. Connections are few and short (`listener`), heavy
//! answers fewer still, and nobody's slowness is anyone else's. Beyond loopback a
//! client must know a token. [`remote`] is the other end: a client of our own.

mod answer;
mod api;
mod listener;
pub mod metrics;
mod query;
pub mod remote;
mod state;
mod token;
pub mod view;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::answer::fail;
use self::listener::Bounded;
use self::view::View;
use crate::model::Digest;

pub use self::token::Token;

/// An answer that takes longer is given up.
const ANSWER: Duration = Duration::from_secs(30);
/// Answers that read the log or plan: each takes a core, and a pass needs one too.
const HEAVY: usize = 2;

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be had.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Anyone could read the fleet.
    #[error(
        "{0} is not loopback: name a file with a bearer token (--token-file or http.tokenFile)"
    )]
    Open(SocketAddr),
    /// The token cannot be used.
    #[error("{}: {why}", path.display())]
    Token {
        /// Its file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What all answers share.
#[derive(Clone)]
pub(crate) struct Shown {
    views: watch::Receiver<Arc<View>>,
    /// Only the digest is compared, so that neither content nor length shows in the time.
    token: Option<Digest>,
    heavy: Arc<Semaphore>,
    /// What takes as long as the client does.
    streams: Arc<Semaphore>,
}

/// A server that is not running yet.
pub struct Server {
    listener: TcpListener,
    token: Option<Digest>,
}

impl Server {
    /// Takes the address and reads the token.
    ///
    /// # Errors
    /// If the address cannot be had, or a token is needed and there is none that serves.
    pub async fn bind(address: SocketAddr, token_file: Option<&Path>) -> Result<Self, Error> {
        let read = |path: &Path| {
            let token = Token::read(path).map(|token| token.digest());
            token.map_err(|why| Error::Token { path: path.into(), why })
        };
        let token = token_file.map(read).transpose()?;
        if token.is_none() && !address.ip().is_loopback() {
            return Err(Error::Open(address));
        }
        let listener =
            TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, token })
    }

    /// Where it listens: with the port, where any would do.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers from what is published, until it is dropped.
    pub async fn run(self, views: watch::Receiver<Arc<View>>) {
        let heavy = Arc::new(Semaphore::new(HEAVY));
        let streams = Arc::new(Semaphore::new(state::STREAMS));
        let shown = Shown { views, token: self.token, heavy, streams };
        let router = router(shown);
        if let Err(error) = axum::serve(Bounded::new(self.listener), router).await {
            tracing::error!(%error, "HTTP ended");
        }
    }
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/api/v1/devices", get(api::devices))
        .route("/api/v1/devices/{id}", get(api::device))
        .route("/api/v1/plan", get(api::plan))
        .route("/api/v1/audit", get(api::audit))
        .route(state::PATH, get(state::state))
        .fallback(async || fail(StatusCode::NOT_FOUND, "there is no such resource"))
        .layer(from_fn_with_state(shown.clone(), admit))
        // Says nothing but that the process lives, so anyone may ask.
        .route("/healthz", get(async || "ok\n"))
        .with_state(shown)
}

/// Who knows the token, in time.
async fn admit(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    if let Some(token) = shown.token {
        let given = request.headers().get(header::AUTHORIZATION);
        let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let given = Digest::of(given.unwrap_or_default()).to_string();
        if !bool::from(given.as_bytes().ct_eq(token.to_string().as_bytes())) {
            let mut refused = fail(StatusCode::UNAUTHORIZED, "a bearer token is needed");
            let scheme = header::HeaderValue::from_static("Bearer");
            refused.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            return refused;
        }
    }
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => fail(StatusCode::SERVICE_UNAVAILABLE, "it takes too long; ask for less"),
    }
}
