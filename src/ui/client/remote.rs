//! Asks a running daemon what it has recorded, for its log and for its settings.
//!
//! Only ever reads. The token goes to the address that was named and nowhere else: redirects are
//! not followed, and beyond loopback plain HTTP is refused unless the caller says otherwise.
//! Time and size are bounded; half an answer is no answer.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use ureq::config::RedirectAuthHeaders;
use ureq::http::header::{AUTHORIZATION, LOCATION};
use ureq::http::{Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy};

use crate::domain::access::Rules;
use crate::domain::model::DeviceId;
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::is_loopback_host;
use crate::edges::ledger::snapshot;
use crate::ui::wire::state::{KIND, PATH};
use crate::ui::wire::{log, settings};

/// Twice what a million devices take.
const LARGEST: u64 = 2 << 30;
/// An explanation that is longer is none.
const LONGEST_WHY: u64 = 4096;
/// Between two attempts where the daemon is busy.
const PAUSE: Duration = Duration::from_secs(1);

/// Why there is no state. Each names the address, and none the token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be asked there.
    #[error("{url:?} is not the address of a daemon: {why}")]
    Address {
        /// As given.
        url: String,
        why: &'static str,
    },
    /// Anyone on the way could read the token.
    #[error("the token would go to {0} unencrypted")]
    Plain(String),
    /// Nobody answers, or not in the way that was asked for.
    #[error("cannot ask {url}: {why}")]
    Unreachable { url: String, why: String },
    /// The daemon wants a token, or another one.
    #[error("{url} wants {}", if *.sent { "another token" } else { "a token" })]
    Unauthorized {
        url: String,
        /// Whether there was a token.
        sent: bool,
    },
    /// It points elsewhere.
    #[error("{url} points to {to:?}, and redirects are not followed")]
    Redirect { url: String, to: String },
    /// Something answered, but not with a state.
    #[error("{url} answers {status}{}", .why.as_deref().map(|w| format!(": {w}")).unwrap_or_default())]
    Status {
        url: String,
        /// A status other than 200.
        status: StatusCode,
        /// What the daemon says, if it is one.
        why: Option<String>,
    },
    /// It is something else.
    #[error("{url} is not a fleetform daemon: its answer is not {what}")]
    Foreign { url: String, what: &'static str },
    /// The daemon speaks an older or newer version of this format.
    #[error("{url} answers in {found:?}; this fleetform reads {wanted:?}")]
    Version { url: String, found: String, wanted: &'static str },
    /// The answer broke off, or went on without end.
    #[error("the answer of {url} did not arrive completely: {why}")]
    Broken { url: String, why: String },
}

impl Error {
    /// What to do about it: a sentence without a full stop.
    #[must_use]
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Address { .. } => {
                "write it like https://fleet.example.com or http://127.0.0.1:8080"
            }
            Self::Plain(_) => {
                "put TLS in front of the daemon and use https://, or, where the network may be \
                 trusted with the token, give --unencrypted"
            }
            Self::Unreachable { .. } => {
                "see whether the daemon runs and answers where --listen or http.listen says; if it only \
                 takes long, give it more time with --timeout"
            }
            Self::Unauthorized { sent: false, .. } => {
                "name its file with --token-file, or set FLEETFORM_TOKEN"
            }
            Self::Unauthorized { sent: true, .. } => {
                "the daemon read its own from --token-file or http.tokenFile when it was started"
            }
            Self::Redirect { .. } => "name that address, if the token is meant for it",
            Self::Status { status, .. } if status.as_u16() == 404 => {
                "the daemon is older than this fleetform, or the address is not its own"
            }
            Self::Status { .. } => "look at /readyz and at the daemon's log, and try again",
            Self::Foreign { .. } => "name the address that the daemon says it answers at",
            Self::Version { .. } => "use the fleetform that the daemon runs",
            Self::Broken { .. } => "try again; give it more time with --timeout",
        }
    }

    /// Whether the daemon does not know the resource: it is older than this program.
    #[must_use]
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Status { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}

/// Where to ask, and how.
#[derive(Debug)]
pub(crate) struct Remote {
    url: String,
    token: Option<Secret>,
    proxy: Option<Proxy>,
    timeout: Duration,
    largest: u64,
}

impl Remote {
    /// A daemon at `url`: `http` or `https`, a host, perhaps a port and the path below which a
    /// proxy shows it. `timeout` is for everything together; a proxy is not used for loopback.
    ///
    /// # Errors
    /// If it is no such address, or if the token would go beyond loopback in plain HTTP, but
    /// for `plain`.
    pub(crate) fn new(
        url: &str,
        token: Option<Secret>,
        plain: bool,
        proxy: Option<Proxy>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let bad = |why| Error::Address { url: url.to_owned(), why };
        let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad("it begins neither with https:// nor with http://")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(bad("it names no host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            // Not quoted: it may hold a password.
            let url = format!("…@{host}");
            return Err(Error::Address { url, why: "it names a user; give a token instead" });
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(bad("it has a query or a fragment"));
        }
        let loopback = is_loopback_host(host);
        if token.is_some() && !encrypted && !loopback && !plain {
            return Err(Error::Plain(url.to_owned()));
        }
        let url = url.trim_end_matches('/').to_owned();
        let proxy = proxy.filter(|_| !loopback);
        Ok(Self { url, token, proxy, timeout, largest: LARGEST })
    }

    /// Its address, as it was given.
    #[must_use]
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the daemon recorded in its last pass. Where it is busy, or has not made its first
    /// pass, it is asked again until the time is over.
    ///
    /// # Errors
    /// If it does not answer in time, does not answer with a state, or not with all of it.
    pub(crate) fn recorded(&self) -> Result<State, Error> {
        self.patiently(|time| {
            let (url, body) = self.ask(PATH, KIND, time)?;
            let mut body = body.into_with_config().limit(self.largest).reader();
            let state = snapshot::read_state(&mut body).map_err(|error| broken(&url, error))?;
            state.ok_or(Error::Foreign { url, what: "a state" })
        })
    }

    /// Lines of its log from this number on, as many as it gives at once; those about one device,
    /// if one is named.
    ///
    /// # Errors
    /// As [`Remote::recorded`].
    pub(crate) fn log(&self, since: u64, device: Option<DeviceId>) -> Result<Vec<u8>, Error> {
        let device = device.map_or_else(String::new, |id| format!("&device={id}"));
        let path = format!("{}?since={since}&limit={}{device}", log::PATH, log::PAGE);
        self.whole(&path, log::KIND)
    }

    /// The settings that its verdicts depend on.
    ///
    /// # Errors
    /// As [`Remote::recorded`].
    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        self.of_settings(settings::Document::settings)
    }

    /// What resources ask of devices.
    ///
    /// # Errors
    /// As [`Remote::recorded`].
    pub(crate) fn access(&self) -> Result<Rules, Error> {
        self.of_settings(settings::Document::access)
    }

    fn of_settings<T>(&self, part: impl Fn(settings::Document) -> Option<T>) -> Result<T, Error> {
        let url = format!("{}{}", self.url, settings::PATH);
        let bytes = self.whole(settings::PATH, JSON)?;
        let document: Option<settings::Document> = serde_json::from_slice(&bytes).ok();
        document.and_then(part).ok_or(Error::Foreign { url, what: "settings" })
    }

    /// A document of its, as JSON.
    ///
    /// # Errors
    /// As [`Remote::recorded`].
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let url = format!("{}{path}", self.url);
        serde_json::from_slice(&self.whole(path, JSON)?)
            .map_err(|_| Error::Foreign { url, what: "JSON" })
    }

    fn whole(&self, path: &str, kind: &'static str) -> Result<Vec<u8>, Error> {
        self.patiently(|time| {
            let (url, body) = self.ask(path, kind, time)?;
            let mut bytes = Vec::new();
            let mut body = body.into_with_config().limit(self.largest).reader();
            body.read_to_end(&mut bytes).map_err(|error| broken(&url, error))?;
            Ok(bytes)
        })
    }

    /// Asks again while the daemon is busy and there is time.
    fn patiently<T>(&self, ask: impl Fn(Duration) -> Result<T, Error>) -> Result<T, Error> {
        let end = Instant::now() + self.timeout;
        loop {
            match ask(end.saturating_duration_since(Instant::now())) {
                Err(Error::Status { status: StatusCode::SERVICE_UNAVAILABLE, .. })
                    if Instant::now() + PAUSE < end =>
                {
                    std::thread::sleep(PAUSE);
                }
                answer => return answer,
            }
        }
    }

    /// The whole address, and the body of an answer of this kind.
    fn ask(&self, path: &str, kind: &'static str, time: Duration) -> Result<(String, Body), Error> {
        let url = format!("{}{path}", self.url);
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent: Agent = Agent::config_builder()
            .tls_config(tls)
            .proxy(self.proxy.clone())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::Never)
            .http_status_as_error(false)
            .timeout_global(Some(time))
            .user_agent(concat!("fleetform/", env!("CARGO_PKG_VERSION")))
            .accept(kind)
            .build()
            .into();
        let mut request = agent.get(&url);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.bearer());
        }
        let unreachable = |error| Error::Unreachable { url: url.clone(), why: said(error) };
        let mut answer = request.call().map_err(unreachable)?;
        self.judge(&url, kind, &mut answer)?;
        Ok((url, answer.into_body()))
    }

    /// Whether the body is of this kind, and of this version.
    fn judge(
        &self,
        url: &str,
        wanted: &'static str,
        answer: &mut Response<Body>,
    ) -> Result<(), Error> {
        let url = url.to_owned();
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        match answer.status() {
            StatusCode::OK => match header(ureq::http::header::CONTENT_TYPE) {
                Some(kind) if kind == wanted => Ok(()),
                Some(kind) if kind.split(';').next() == wanted.split(';').next() => {
                    Err(Error::Version { url, found: kind.to_owned(), wanted })
                }
                _ => Err(Error::Foreign { url, what: "a state" }),
            },
            StatusCode::UNAUTHORIZED => {
                Err(Error::Unauthorized { url, sent: self.token.is_some() })
            }
            status if status.is_redirection() => {
                let to = header(LOCATION).unwrap_or("nowhere").to_owned();
                Err(Error::Redirect { url, to })
            }
            status => Err(Error::Status { url, status, why: explanation(answer.body_mut()) }),
        }
    }
}

/// What the daemon answers with, where nothing else is said.
const JSON: &str = "application/json";

fn broken(url: &str, error: io::Error) -> Error {
    Error::Broken { url: url.to_owned(), why: said(ureq::Error::from(error)) }
}

/// The `error` of a daemon's own answers.
fn explanation(body: &mut Body) -> Option<String> {
    let mut text = String::new();
    body.as_reader().take(LONGEST_WHY).read_to_string(&mut text).ok()?;
    let answer: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(answer.get("error")?.as_str()?.to_owned())
}

/// What the library says, without the names that it has for its own parts.
fn said(error: ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it takes too long".into(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "there is no such host".into(),
        ureq::Error::BodyExceedsLimit(limit) => format!("it is larger than {limit} bytes"),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
