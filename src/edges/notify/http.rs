//! One exchange with a receiver, and what to make of an answer that does not say yes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts};

use super::secret::{blocking, unusable};
use crate::domain::model::{AddressRange, Digest, Timestamp};
use crate::domain::notice::Attempt;
use crate::edges::fs::guarded::Guarded;
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::{
    Addresses, Lost, Network, Outgoing, Reply, Transport, clean, is_loopback, retry_after,
};

/// How long an answer may take, from the beginning to its end.
const ANSWER: Duration = Duration::from_secs(30);
/// Of a file with certificates of authorities.
const LARGEST_CA: usize = 1 << 20;

/// How receivers are reached: over a new connection each time, since one that was idle may be closed
/// just when something is sent, and then nobody can tell whether it arrived.
#[derive(Debug)]
pub(crate) struct Http {
    network: Network,
    /// Certificates of the authorities that count, in place of the system's.
    ca_file: Option<PathBuf>,
    /// Of which certificates it is made.
    made: Mutex<Option<(Option<Digest>, Arc<Transport>)>>,
    pub(crate) now: fn() -> Timestamp,
}

/// Where something goes. `Debug` shows no more than its host.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: String,
    /// Scheme, host and port.
    pub(crate) shown: String,
}

impl Address {
    /// # Errors
    /// What is wrong, without the URL itself: it may be a secret.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.trim().parse().map_err(|_| "is not a URL")?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("is not a URL like https://hooks.example.com/…".into());
        };
        if authority.as_str().contains('@') || url.contains('#') {
            return Err("is a URL with a user or a fragment: leave that out".into());
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(&uri) => {}
            _ => return Err("must begin with https://; plain http is for loopback only".into()),
        }
        Ok(Self { url: uri.to_string(), shown: format!("{scheme}://{authority}") })
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(self.url.as_bytes())
    }

    /// The same host, another path.
    pub(crate) fn at(&self, path: &str) -> Self {
        Self { url: format!("{}{path}", self.shown), shown: self.shown.clone() }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Address({}/…)", self.shown)
    }
}

impl Http {
    /// Over the network of the system, to public addresses and `private` ones.
    pub(crate) fn new(
        largest: u64,
        private: &[AddressRange],
        ca_file: Option<PathBuf>,
        now: fn() -> Timestamp,
    ) -> Self {
        let mut network = Network::of_system(ANSWER, largest);
        network.addresses = Addresses::Public(private.to_vec());
        Self::over(network, ca_file, now)
    }

    pub(crate) fn over(network: Network, ca_file: Option<PathBuf>, now: fn() -> Timestamp) -> Self {
        Self { network, ca_file, made: Mutex::default(), now }
    }

    /// Sends it once.
    ///
    /// # Errors
    /// If nothing came back: whether it may have arrived is said.
    pub(crate) async fn send(
        self: &Arc<Self>,
        method: &'static str,
        to: &Address,
        headers: Vec<(&'static str, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Reply, Attempt> {
        let http = self.clone();
        let transport = blocking(move || http.transport()).await?;
        let url = to.url.clone();
        let outgoing = Outgoing { method, url, headers, body, fresh: true };
        transport.exchange(outgoing).await.map_err(|Lost { why, sent, may_pass }| {
            let why = format!("{}: {why}", to.shown);
            match (sent, may_pass) {
                (true, _) => Attempt::InDoubt { why },
                (false, true) => Attempt::Retry { why, after: None },
                (false, false) => Attempt::Misconfigured { why },
            }
        })
    }

    /// Made anew where the file of certificates is another one.
    fn transport(&self) -> Result<Arc<Transport>, Attempt> {
        let pem = match &self.ca_file {
            None => None,
            Some(path) => {
                let read = Guarded::up_to(LARGEST_CA).read(path);
                Some(read.map_err(|why| Attempt::Misconfigured { why: why.to_string() })?)
            }
        };
        let digest = pem.as_ref().map(|pem| Digest::of(pem));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, transport)) = &*made
            && *of == digest
        {
            return Ok(transport.clone());
        }
        let mut network = self.network.clone();
        if let (Some(pem), Some(path)) = (pem, &self.ca_file) {
            let certificates: Result<Vec<CertificateDer<'static>>, _> =
                CertificateDer::pem_slice_iter(&pem).collect();
            let certificates = certificates.unwrap_or_default();
            if certificates.is_empty() {
                return Err(unusable(path, "holds no certificate in PEM (BEGIN CERTIFICATE)"));
            }
            let owned = certificates.iter().map(|der| Certificate::from_der(der).to_owned());
            network.roots = RootCerts::Specific(Arc::new(owned.collect()));
        }
        let transport = Arc::new(Transport::new(network));
        *made = Some((digest, transport.clone()));
        Ok(transport)
    }

    /// What an answer comes to that does not say yes, where a repeat bears the same id and so does no
    /// harm; `known` is what the receiver was told and might repeat.
    pub(crate) fn declined(&self, to: &Address, reply: &Reply, known: Option<&Secret>) -> Attempt {
        let why = said(to, reply, known);
        let after = self.after(reply);
        match reply.status {
            408 | 429 | 503 => Attempt::Retry { why, after },
            500.. if after.is_some() => Attempt::Retry { why, after },
            500.. => Attempt::InDoubt { why },
            400 | 406 | 411..=415 | 422 => Attempt::Refused { why },
            _ => Attempt::Misconfigured { why },
        }
    }

    /// How long the far side wants to be left alone.
    pub(crate) fn after(&self, reply: &Reply) -> Option<Duration> {
        let server = reply.date().or_else(|| Some((self.now)()));
        reply.header("retry-after").and_then(|value| retry_after(value, server))
    }
}

/// What an answer says, fit to be shown.
pub(crate) fn said(to: &Address, reply: &Reply, known: Option<&Secret>) -> String {
    let shown = &to.shown;
    let status = reply.status;
    if (300..400).contains(&status) {
        // Where to may hold a secret of the receiver's.
        let host = reply.header("location").and_then(|url| url.parse::<Uri>().ok());
        let host = host.as_ref().and_then(|uri| uri.host()).unwrap_or("another path");
        let host = clean(host, known);
        return format!(
            "{shown} answers {status} and points to {host}: redirects are not followed, so the URL has \
             to be the last one"
        );
    }
    let text = String::from_utf8_lossy(&reply.body);
    let said = match serde_json::from_str::<Value>(&text) {
        Ok(value) => message(&value).unwrap_or_default(),
        Err(_) if is_html(reply) => String::new(),
        Err(_) => text.into_owned(),
    };
    let said = clean(&said, known);
    if said.is_empty() {
        format!("{shown} answers {status}")
    } else {
        format!("{shown} answers {status}: {said}")
    }
}

/// What the error of an API says.
fn message(value: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    if let Some(error) = value.get("error").filter(|error| error.is_object()) {
        let parts = [text(error, "message"), text(error, "detail")];
        // An instance may end its message as if the details followed, and give none.
        let parts = parts.into_iter().flatten();
        let parts = parts.map(|text| text.trim_end().trim_end_matches(':').to_owned());
        let parts: Vec<_> = parts.filter(|text| !text.is_empty()).collect();
        return Some(parts.join(": "));
    }
    let names = ["error_description", "description", "message", "detail", "error", "err"];
    names.into_iter().find_map(|name| text(value, name))
}

/// Whether an answer is a page for people.
pub(crate) fn is_html(reply: &Reply) -> bool {
    reply.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
}

/// Whether an answer is JSON by what it says of itself.
pub(crate) fn is_json(reply: &Reply) -> bool {
    reply.header("content-type").is_some_and(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_are_reached_at_public_addresses_and_those_that_are_named() {
        let now = || "2026-11-25T09:00:00Z".parse().unwrap();
        let named: Vec<AddressRange> = vec!["10.2.0.0/16".parse().unwrap()];
        let http = Http::new(1, &named, None, now);
        assert_eq!(http.network.addresses, Addresses::Public(named));
    }
}
