//! Which hosts are this machine.

use std::net::IpAddr;

use ureq::http::Uri;

/// Whether a host, as it stands in a URL, is this machine. `localhost` is never anything else
/// (RFC 6761 §6.3).
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a URL is one of this machine, to which no proxy leads.
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    uri.host().is_some_and(is_loopback_host)
}
