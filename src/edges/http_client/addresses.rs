//! Which addresses a server may have. A name that leads into the network behind this machine would
//! make it speak to what others cannot reach: the metadata of a cloud, an administrator's console.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::loopback::is_loopback_host;

/// Which addresses the servers that are called may have. Where a proxy leads to them, it is the
/// proxy that looks them up, and that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Addresses {
    /// Any: they are named by whoever runs this program, and nothing else leads there.
    Any,
    /// Public ones, these, and the one that stands in the URL itself.
    Public(Vec<Range>),
}

/// One address, or those that begin alike: `10.2.0.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    first: IpAddr,
    bits: u8,
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
    allowed: Vec<Range>,
    /// Where the proxy is, which may have any.
    proxy: Option<(String, u16)>,
}

impl Checked {
    pub(crate) fn new(allowed: Vec<Range>, proxy: Option<(String, u16)>) -> Self {
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

impl Range {
    fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, of: u32| {
            let rest = of - u32::from(self.bits);
            rest >= of || a >> rest == b >> rest
        };
        match (self.first, plain(address)) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) if self.bits > 0 => same(a.to_bits(), b.to_bits(), 128),
            (IpAddr::V6(_), IpAddr::V6(_)) => true,
            _ => false,
        }
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is neither an address like 10.2.0.7 nor a range like 10.0.0.0/8");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?,
            None => most,
        };
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// An IPv4 address that is dressed as an IPv6 one, undressed.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether it is not one of the public internet (the IANA registries of special addresses).
fn is_private(address: IpAddr) -> bool {
    match plain(address) {
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

    #[test]
    fn a_range_has_the_addresses_that_begin_alike() {
        for (range, inside, outside) in [
            ("10.2.0.7", "10.2.0.7", "10.2.0.8"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.255.0.1", "::ffff:11.0.0.1"),
            ("fd00::/8", "fdff::1", "fc00::1"),
            ("0.0.0.0/0", "10.0.0.1", "fd00::1"),
            ("::/0", "fd00::1", "10.0.0.1"),
        ] {
            let range: Range = range.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{range} {outside}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "siem", "fd00::/129", "10.0.0.0/"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }
}
