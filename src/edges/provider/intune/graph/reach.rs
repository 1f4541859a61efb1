//! Whether the hosts answer at all: to whom is not said, and no token is sent.

use super::client::Graph;
use super::failure::Failure;
use crate::edges::http_client::Lost;
use crate::edges::http_client::Outgoing;

/// A host that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// Where tokens come from.
    Login,
    /// Where they go to.
    Graph,
}

/// A host that answered; what it said does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Scheme, name and port.
    pub(crate) origin: String,
    /// The proxy that led there.
    pub(crate) proxy: Option<String>,
}

impl Graph {
    /// Asks a host for what it tells everybody; once, over a new connection.
    ///
    /// # Errors
    /// If nothing came back.
    pub(crate) async fn reach(&self, host: Host) -> Result<Reached, Failure> {
        let tenant = self.tenant();
        let endpoints = &tenant.endpoints;
        let (origin, url) = match host {
            Host::Login => (endpoints.login().url(), endpoints.about_tenant_url()),
            Host::Graph => (endpoints.graph().url(), format!("{}/v1.0/", endpoints.graph().url())),
        };
        let proxy = tenant.transport.proxy_to(&url);
        let place = format!("GET {url}");
        let outgoing =
            Outgoing { method: "GET", url, headers: Vec::new(), body: None, fresh: true };
        match tenant.transport.exchange(outgoing).await {
            Ok(reply) => {
                if host == Host::Graph {
                    tenant.note_date(reply.date());
                }
                Ok(Reached { origin, proxy })
            }
            Err(Lost { why, .. }) => Err(Failure::NotSent { place, why }),
        }
    }
}
