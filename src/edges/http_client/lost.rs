//! What stands in the way of a connection, in words that an administrator can act on.

use std::io;

use rustls::{AlertDescription, CertificateError};
use ureq::Timeout;

use super::addresses::Private;

/// A call that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) why: String,
    /// Whether anything of it may have arrived.
    pub(crate) sent: bool,
    /// Whether trying again may help.
    pub(crate) may_pass: bool,
}

/// What the library says, of a call to `host`, through `proxy` if there is one.
pub(crate) fn lost(error: ureq::Error, host: &str, proxy: Option<&str>) -> Lost {
    let (why, sent) = words(&error, host, proxy);
    let why = match proxy {
        Some(proxy) if !why.contains(proxy) => format!("{why} (through the proxy {proxy})"),
        _ => why,
    };
    let may_pass = !matches!(error, ureq::Error::BodyExceedsLimit(_));
    Lost { why, sent, may_pass }
}

fn words(error: &ureq::Error, host: &str, proxy: Option<&str>) -> (String, bool) {
    use ureq::Error as E;
    match error {
        E::HostNotFound => no_host(proxy.unwrap_or(host)),
        E::Timeout(Timeout::Resolve) => {
            ("DNS does not answer: check the resolver of this machine".into(), false)
        }
        E::Timeout(Timeout::Connect) => {
            (format!("{host} cannot be connected to in time: {}", way_out(proxy)), false)
        }
        E::Timeout(_) => (format!("{host} does not answer in time"), true),
        E::ConnectProxyFailed(why) => {
            let proxy = proxy.unwrap_or("the proxy");
            let why = super::text::clean(why, None);
            (
                format!("{proxy} does not lead to {host}: {why}; check HTTPS_PROXY and NO_PROXY"),
                false,
            )
        }
        E::BodyExceedsLimit(limit) => (format!("the answer is larger than {limit} bytes"), true),
        E::Rustls(error) => tls(error, host),
        E::Io(error) => io(error, host, proxy),
        E::ConnectionFailed => (format!("{host} cannot be connected to"), false),
        error => (format!("what answers is no HTTP server as expected: {error}"), true),
    }
}

fn no_host(name: &str) -> (String, bool) {
    let advice = "check its name, and that DNS works on this machine";
    (format!("there is no host {name:?}, or DNS does not know it: {advice}"), false)
}

fn way_out(proxy: Option<&str>) -> String {
    match proxy {
        Some(_) => "check HTTPS_PROXY and NO_PROXY".to_owned(),
        None => "check that the firewall lets this machine out to it, or set HTTPS_PROXY to the \
                 proxy that does"
            .to_owned(),
    }
}

fn io(error: &io::Error, host: &str, proxy: Option<&str>) -> (String, bool) {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(error, host);
    }
    if let Some(private) = error.get_ref().and_then(|inner| inner.downcast_ref::<Private>()) {
        return (private.to_string(), false);
    }
    // The standard library has no kind for it.
    let said = error.to_string();
    if said.starts_with("failed to lookup address information") {
        return no_host(proxy.unwrap_or(host));
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            let whose = proxy.unwrap_or(host);
            (format!("{whose} refuses the connection: {}", way_out(proxy)), false)
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            (format!("there is no route to {host}: check the network of this machine"), true)
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => (format!("{host} closed the connection"), true),
        _ => (format!("the connection to {host} failed: {said}"), true),
    }
}

/// What was refused before a byte of the call was sent is told apart.
fn tls(error: &rustls::Error, host: &str) -> (String, bool) {
    use CertificateError as C;
    let (why, sent) = match error {
        rustls::Error::InvalidCertificate(certificate) => {
            let why = match certificate {
                C::Expired | C::ExpiredContext { .. } => {
                    "it has expired; if it has not, the clock of this machine is wrong"
                }
                C::NotValidYet | C::NotValidYetContext { .. } => {
                    "it is not valid yet: check the clock of this machine"
                }
                C::UnknownIssuer => {
                    "this system does not trust who issued it; where a proxy inspects TLS, add its \
                     CA to the certificates of the system, or name it in SSL_CERT_FILE"
                }
                C::NotValidForName | C::NotValidForNameContext { .. } => {
                    "it is for another name: check the URL, and who answers in its place"
                }
                C::Revoked => "it was revoked",
                _ => return (format!("the TLS certificate of {host}: {certificate}"), false),
            };
            return (format!("the TLS certificate of {host} is not accepted: {why}"), false);
        }
        rustls::Error::InvalidMessage(_) => {
            ("what answers does not speak TLS: check the URL and its port".to_owned(), false)
        }
        rustls::Error::PeerIncompatible(why) => {
            (format!("it offers no TLS that is safe enough ({why:?})"), false)
        }
        rustls::Error::AlertReceived(alert) => {
            // These end a handshake; others can come later.
            let handshake = matches!(
                alert,
                AlertDescription::HandshakeFailure
                    | AlertDescription::ProtocolVersion
                    | AlertDescription::UnrecognisedName
            );
            (format!("it breaks TLS off ({alert:?})"), !handshake)
        }
        error => (error.to_string(), true),
    };
    (format!("TLS with {host}: {why}"), sent)
}
