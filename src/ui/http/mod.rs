//! What the daemon shows: read-only, the same JSON as `-o json`, and never in the way of a pass.
//!
//! Every answer comes from what was published after the last pass ([`View`]); the log is
//! read as any other reader reads it. Connections are few and short (`listener`), heavy
//! answers fewer still, and nobody's slowness is anyone else's. Beyond loopback a
//! client must know a token, and everywhere it must ask for a name that is known (`host`). [`remote`] is the other end: a client of our own.

mod answer;
mod api;
mod host;
mod listener;
mod metrics;
mod query;
pub mod secret;
pub mod state;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, Semaphore, watch};

use self::answer::{Room, Tagged, fail};
use self::host::Names;
use self::listener::Bounded;
use self::secret::Secret;
use crate::app::status::{Status, View};
use crate::domain::model::Digest;

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
    #[error("the token file {}: {why}", path.display())]
    Token {
        /// Its file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// What clients must know, where anything; whoever has a copy sees it change.
#[derive(Clone)]
pub struct Token {
    file: Option<PathBuf>,
    /// Only the digest is kept and compared: neither content nor length shows in the time.
    digest: watch::Sender<Option<Digest>>,
}

impl Token {
    /// From its file; without one clients need to know nothing.
    ///
    /// # Errors
    /// If the file cannot be read, or what it holds can be guessed.
    pub fn read(file: Option<PathBuf>) -> Result<Self, Error> {
        let token = Self { file, digest: watch::Sender::default() };
        token.read_again()?;
        Ok(token)
    }

    /// What the file holds by now counts from the next request on.
    ///
    /// # Errors
    /// As for [`Token::read`]; the old one stays.
    pub fn read_again(&self) -> Result<(), Error> {
        let read = |path: &PathBuf| {
            let secret = Secret::read(path).map(|secret| secret.digest());
            secret.map_err(|why| Error::Token { path: path.clone(), why })
        };
        let read = self.file.as_ref().map(read).transpose()?;
        self.digest.send_replace(read);
        Ok(())
    }

    fn admits(&self, given: &[u8]) -> bool {
        let Some(wanted) = *self.digest.borrow() else { return true };
        let given = Digest::of(given).to_string();
        given.as_bytes().ct_eq(wanted.to_string().as_bytes()).into()
    }
}

/// What all answers share.
#[derive(Clone)]
pub(crate) struct Shown {
    views: watch::Receiver<Arc<View>>,
    token: Token,
    heavy: Arc<Semaphore>,
    /// For answers that clients have not read yet.
    room: Room,
    /// The plan of the status that was asked for last: it is rendered for the first who asks, and
    /// all others share its bytes.
    plan: Arc<Mutex<Option<Rendered>>>,
    /// What takes as long as the client does.
    streams: Arc<Semaphore>,
}

/// Whose plan it is, and its bytes once somebody has asked.
type Rendered = (Arc<Status>, Arc<OnceCell<Tagged>>);

/// A server that is not running yet.
pub struct Server {
    listener: TcpListener,
    token: Token,
    names: Names,
}

impl Server {
    /// Takes the address. `names` are the host names that clients may ask for, beside those of
    /// loopback.
    ///
    /// # Errors
    /// If the address cannot be had, or a token is needed and there is none.
    pub async fn bind(address: SocketAddr, token: Token, names: &[String]) -> Result<Self, Error> {
        if token.file.is_none() && !address.ip().is_loopback() {
            return Err(Error::Open(address));
        }
        let listener =
            TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, token, names: Names::new(names) })
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
        let router = router(Shown::new(views, self.token), self.names);
        if let Err(error) = axum::serve(Bounded::new(self.listener), router).await {
            tracing::error!(%error, "HTTP ended");
        }
    }
}

impl Shown {
    fn new(views: watch::Receiver<Arc<View>>, token: Token) -> Self {
        Self {
            views,
            token,
            heavy: Arc::new(Semaphore::new(HEAVY)),
            room: Room::default(),
            plan: Arc::default(),
            streams: Arc::new(Semaphore::new(state::STREAMS)),
        }
    }
}

fn router(shown: Shown, names: Names) -> Router {
    Router::new()
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/api/v1/devices", get(api::devices))
        .route("/api/v1/devices/{id}", get(api::device))
        .route("/api/v1/plan", get(api::plan))
        .route("/api/v1/audit", get(api::audit))
        .route(state::PATH, get(state::state))
        .fallback(async || fail(StatusCode::NOT_FOUND, "there is no such resource"))
        .method_not_allowed_fallback(read_only)
        .layer(from_fn_with_state(shown.clone(), admit))
        // Says nothing but that the process lives, so anyone may ask.
        .route("/healthz", get(async || "ok\n").fallback(read_only))
        // Last, and so around everything.
        .layer(from_fn_with_state(names, host::check))
        .with_state(shown)
}

async fn read_only() -> Response {
    fail(StatusCode::METHOD_NOT_ALLOWED, "nothing can be changed here: GET and HEAD only")
}

/// The token of an `Authorization`: RFC 9110 §11.1, whose schemes have no case.
fn bearer(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = credentials.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii_start())
}

/// Who knows the token, in time.
async fn admit(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let given = given.and_then(|value| bearer(value.as_bytes()));
    if !shown.token.admits(given.unwrap_or_default()) {
        let mut refused = fail(StatusCode::UNAUTHORIZED, "a bearer token is needed");
        let scheme = header::HeaderValue::from_static("Bearer");
        refused.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        return refused;
    }
    match tokio::time::timeout(ANSWER, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => fail(StatusCode::SERVICE_UNAVAILABLE, "it takes too long; ask for less"),
    }
}

#[cfg(test)]
mod tests;
