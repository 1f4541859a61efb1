//! One exchange over HTTP: within limits of time and size, without redirects.

use std::sync::Arc;
use std::time::Duration;

use ureq::config::RedirectAuthHeaders;
use ureq::http::header::DATE;
use ureq::http::{HeaderMap, Request, Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy};

use super::addresses::{Addresses, Checked};
use super::loopback::is_loopback;
use super::lost::{Lost, lost};
use super::retry_after::date;
use crate::domain::model::Timestamp;

/// How long a connection may take, and to find out where to.
const CONNECT: Duration = Duration::from_secs(10);

/// Connections. Calls that are under way when it is dropped end at once.
#[derive(Debug)]
pub(crate) struct Transport {
    kept: Agent,
    /// Keeps no connection: one that was idle may be closed just when a call is sent, and then
    /// nobody can tell whether it arrived.
    fresh: Agent,
    proxy: Option<Proxy>,
    largest: u64,
}

/// What is sent.
pub(crate) struct Outgoing {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    /// Over a connection of its own.
    pub(crate) fresh: bool,
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// What may be different in tests.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) proxy: Option<Proxy>,
    pub(crate) roots: RootCerts,
    pub(crate) connect: Duration,
    /// How long an answer may take, from the beginning to its end.
    pub(crate) answer: Duration,
    /// Larger answers are none.
    pub(crate) largest: u64,
    pub(crate) addresses: Addresses,
}

impl Network {
    /// As the system has it: its certificates, and the proxy of its environment.
    pub(crate) fn of_system(answer: Duration, largest: u64) -> Self {
        Self {
            proxy: Proxy::try_from_env(),
            roots: RootCerts::PlatformVerifier,
            connect: CONNECT,
            answer,
            largest,
            addresses: Addresses::Any,
        }
    }
}

impl Transport {
    pub(crate) fn new(network: Network) -> Self {
        let Network { proxy, roots, connect, answer, largest, addresses } = network;
        let agent = |idle| -> Agent {
            let tls = TlsConfig::builder().root_certs(roots.clone()).build();
            let config = Agent::config_builder()
                .tls_config(tls)
                .proxy(proxy.clone())
                .max_redirects(0)
                .max_redirects_will_error(false)
                .redirect_auth_headers(RedirectAuthHeaders::Never)
                .http_status_as_error(false)
                .timeout_resolve(Some(connect))
                .timeout_connect(Some(connect))
                .timeout_global(Some(answer))
                .max_idle_connections(idle)
                .max_idle_connections_per_host(idle)
                .user_agent(concat!("fleetform/", env!("CARGO_PKG_VERSION")))
                .accept("application/json")
                .build();
            match &addresses {
                Addresses::Any => config.into(),
                Addresses::Public(allowed) => {
                    let at = proxy.as_ref().map(|proxy| (proxy.host().to_owned(), proxy.port()));
                    let resolver = Checked::new(allowed.clone(), at);
                    Agent::with_parts(config, DefaultConnector::default(), resolver)
                }
            }
        };
        Self { kept: agent(8), fresh: agent(0), proxy, largest }
    }

    /// The proxy through which it goes to a URL, if it does.
    pub(crate) fn proxy_to(&self, url: &str) -> Option<String> {
        leading_to(&url.parse().ok()?, self.proxy.as_ref())
    }

    /// Sends it on a thread of its own.
    ///
    /// # Errors
    /// If nothing comes back, or not all of it.
    pub(crate) async fn exchange(self: &Arc<Self>, outgoing: Outgoing) -> Result<Reply, Lost> {
        let agent = if outgoing.fresh { &self.fresh } else { &self.kept }.clone();
        let (proxy, largest) = (self.proxy.clone(), self.largest);
        // The thread holds no transport: whoever drops the last one must not wait for it.
        let send = move || exchange(&agent, outgoing, proxy.as_ref(), largest);
        tokio::task::spawn_blocking(send).await.unwrap_or_else(|error| {
            let why = format!("the thread that sends it ended: {error}");
            Err(Lost { why, sent: true, may_pass: false })
        })
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        for agent in [&self.kept, &self.fresh] {
            agent.clone().shutdown();
        }
    }
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The server's time.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        date(self.headers.get(DATE)?.to_str().ok()?)
    }
}

fn exchange(
    agent: &Agent,
    outgoing: Outgoing,
    proxy: Option<&Proxy>,
    largest: u64,
) -> Result<Reply, Lost> {
    let Outgoing { method, url, headers, body, fresh: _ } = outgoing;
    let invalid = |why: String| Lost { why, sent: false, may_pass: false };
    let uri: Uri = url.parse().map_err(|_| invalid("it is not a URL".into()))?;
    let host = uri.host().unwrap_or_default().to_owned();
    let direct = is_loopback(&uri);
    let by = leading_to(&uri, proxy);
    let lost = |error| lost(error, &host, by.as_deref());
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    // What the library says may quote a header.
    let unfit = |_| invalid("a header cannot be sent".into());
    let answer = match body {
        Some(body) => {
            let request = request.body(body).map_err(unfit)?;
            send(agent, request, direct)
        }
        None => {
            let request = request.body(()).map_err(unfit)?;
            send(agent, request, direct)
        }
    };
    let mut answer = answer.map_err(lost)?;
    let status = answer.status().as_u16();
    let read = answer.body_mut().with_config().limit(largest).read_to_vec();
    let body = match read {
        Ok(body) => body,
        // It says no all the same.
        Err(_) if status >= 400 => Vec::new(),
        Err(error) => return Err(lost(error)),
    };
    Ok(Reply { status, headers: answer.headers().clone(), body })
}

/// The proxy that leads there, if one does.
fn leading_to(uri: &Uri, proxy: Option<&Proxy>) -> Option<String> {
    let by = proxy.filter(|proxy| !is_loopback(uri) && !proxy.is_no_proxy(uri));
    by.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))
}

fn send(
    agent: &Agent,
    request: Request<impl ureq::AsSendBody>,
    direct: bool,
) -> Result<Response<Body>, ureq::Error> {
    if !direct || agent.config().proxy().is_none() {
        return agent.run(request);
    }
    agent.run(agent.configure_request(request).proxy(None).build())
}
