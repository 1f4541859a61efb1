//! Which addresses a server may have. A name that leads into the network behind this machine would
//! make it speak to what others cannot reach: the metadata of a cloud, an administrator's console.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::loopback::is_loopback_host;
use crate::domain::model::AddressRange;

/// Which addresses the servers that are called may have. Where a proxy leads to them, it is the
/// proxy that looks them up, and that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// Any: they are named by whoever runs this program, and nothing else leads there.
    Any,
    /// Public ones, these, and the one that stands in the URL itself.
    Public(Vec<AddressRange>),
}

/// What a resolver says instead of an address.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} leads to the private address {address}: a name could lead anywhere behind this machine; \
     if it is meant, name it in privateAddresses"
)]
pub(crate) struct Private {
    host: String,
    address: IpAddr,
}

/// Looks names up, and passes over addresses that may not be called.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    inner: DefaultResolver,
    allowed: Vec<AddressRange>,
    /// Where the proxy is, which may have any.
    proxy: Option<(String, u16)>,
}

impl Checked {
    pub(crate) fn new(allowed: Vec<AddressRange>, proxy: Option<(String, u16)>) -> Self {
        Self { inner: DefaultResolver::default(), allowed, proxy }
    }

    fn admits(&self, address: IpAddr) -> bool {
        !is_private(address) || self.allowed.iter().any(|range| range.contains(address))
    }
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        let is_proxy = self
            .proxy
            .as_ref()
            .is_some_and(|(proxy, port)| host == proxy && uri.port_u16() == Some(*port));
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        if is_proxy || literal || is_loopback_host(host) {
            return Ok(found);
        }
        let mut admitted = self.empty();
        for address in found.iter().filter(|address| self.admits(address.ip())) {
            admitted.push(*address);
        }
        match found.iter().next() {
            Some(address) if admitted.is_empty() => {
                let refused = Private { host: host.to_owned(), address: address.ip() };
                Err(ureq::Error::Io(std::io::Error::other(refused)))
            }
            _ => Ok(admitted),
        }
    }
}

/// Whether it is not one of the public internet (the IANA registries of special addresses).
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared by the customers of a provider; protocol assignments; benchmarks.
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let inner = |high: u16, low: u16| {
        is_private_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    };
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        // Unique local, link local, site local.
        || parts[0] & 0xfe00 == 0xfc00
        || parts[0] & 0xff80 == 0xfe80
        // They lead to the IPv4 address inside: translated (RFC 6052), 6to4, and compatible ones.
        || (parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] && inner(parts[6], parts[7]))
        || (parts[..3] == [0x64, 0xff9b, 1])
        || (parts[0] == 0x2002 && inner(parts[1], parts[2]))
        || parts[..6] == [0; 6]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_public_internet_is_private_however_it_is_dressed() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fd00::7",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:0a00:0001::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["93.184.216.34", "100.128.0.1", "2606:4700::1111", "64:ff9b::5db8:d822"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
