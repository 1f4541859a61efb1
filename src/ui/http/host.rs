//! The names this server answers to.
//!
//! A page in somebody's browser may point its own name at this machine (DNS rebinding) and then
//! read whatever answers here. The browser still sends the page's name as `Host`, so only known
//! names are answered. What proxies add (`Forwarded`, `X-Forwarded-Host`) is anybody's word and
//! is not read.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::answer::fail;

/// Always answered.
const OWN: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// `http.names`, beside the names of loopback.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<[String]>);

impl Names {
    /// Host names and addresses as they stand in a URL, without a port.
    #[must_use]
    pub(crate) fn new(names: &[String]) -> Self {
        Self(names.into())
    }

    /// Whether exactly this name is meant, with any port or none; letter case does not count.
    fn has(&self, authority: &str) -> bool {
        let Some(name) = without_port(authority) else { return false };
        let mut known = OWN.into_iter().chain(self.0.iter().map(String::as_str));
        known.any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether every place where the request names a host has a known one. There must be
    /// exactly one `Host`: of two, a proxy may have read the other.
    pub(crate) fn admit(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        let target = request.uri().authority();
        host.to_str().is_ok_and(|host| self.has(host))
            && target.is_none_or(|target| self.has(target.as_str()))
    }
}

fn without_port(authority: &str) -> Option<&str> {
    // The colons in the brackets of an IPv6 address begin no port.
    let after_address = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[after_address..].rfind(':') else { return Some(authority) };
    let (name, port) = authority.split_at(after_address + colon);
    port[1..].parse::<u16>().ok().filter(|_| port[1..].bytes().all(|b| b.is_ascii_digit()))?;
    Some(name)
}

/// Answers 421 to requests that are meant for another server.
pub(super) async fn check(State(names): State<Names>, request: Request, next: Next) -> Response {
    if names.admit(&request) {
        return next.run(request).await;
    }
    let why = "this server does not answer to that host name; list it in http.names of \
               fleetform.yaml, or ask as localhost";
    fail(StatusCode::MISDIRECTED_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn admitted(target: &str, hosts: &[&str]) -> bool {
        let names = Names::new(&["fleet.example.com".into(), "[fd00::7]".into()]);
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header("Host", *host);
        }
        // Only `Host` counts; a proxy's headers can be set by anyone.
        let request = request.header("X-Forwarded-Host", "localhost");
        let request = request.header("Forwarded", "host=localhost");
        names.admit(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn known_names_with_any_port_and_in_any_case() {
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:65535",
            "fleet.example.com",
            "FLEET.example.com:443",
            "[fd00::7]:8080",
            "[FD00::7]",
        ] {
            assert!(admitted("/", &[host]), "{host}");
            assert!(admitted(&format!("http://{host}/metrics"), &[host]), "absolute {host}");
        }
    }

    #[test]
    fn every_other_name_is_another_server() {
        for host in [
            "",
            ":8080",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "evil.localhost",
            "localhost.",
            "localhost:",
            "localhost:+80",
            "localhost:80:80",
            "localhost:65536",
            "localhost:http",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost, evil.example",
            " localhost",
            "127.0.0.2",
            "127.1",
            "0.0.0.0",
            "2130706433",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:0:0:1]",
            "example.com",
            "x.fleet.example.com",
            "fleet.example.com.",
            "fd00::7",
            "l\u{f6}calhost",
        ] {
            assert!(!admitted("/", &[host]), "{host:?}");
        }
        assert!(!admitted("/", &[]), "no Host");
        assert!(!admitted("/", &["localhost", "localhost"]), "two");
        assert!(!admitted("/", &["localhost", "evil.example"]), "two");
        assert!(!admitted("http://evil.example/", &["localhost"]), "another one in the target");
        assert!(!admitted("http://localhost/", &["evil.example"]), "another one in the header");
        assert!(!admitted("http://a@localhost/", &["localhost"]), "a user in the target");
    }
}
