//! Values of the configuration file: each says what it takes.

use std::fmt;
use std::net::SocketAddr;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Unexpected, Visitor};
use ureq::http::Uri;

use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::wipe::quorum::{Tier, Tiers};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenTier {
    up_to: Number<1, { u32::MAX }>,
    per: Span<1>,
    signers: Number<1, { u32::MAX }>,
}
/// A path: a string that is one, neither a number nor empty.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Path;
        impl Visitor<'_> for Path {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path (quote it if it looks like something else)")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() || text.contains('\0') {
                    return Err(E::invalid_value(Unexpected::Str(text), &self));
                }
                Ok(Text(text.into()))
            }
        }
        deserializer.deserialize_any(Path)
    }
}

/// A duration of at least `LEAST` milliseconds and at most a hundred years.
pub(super) struct Span<const LEAST: i64>(pub(super) TimeDelta);

impl<'de, const LEAST: i64> Deserialize<'de> for Span<LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Duration<const LEAST: i64>;
        impl<const LEAST: i64> Visitor<'_> for Duration<LEAST> {
            type Value = Span<LEAST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration like 30m, 8h or 7d, ")?;
                match LEAST {
                    0 => f.write_str("0s or more"),
                    1 => f.write_str("more than 0"),
                    least => {
                        let least = std::time::Duration::from_millis(least.unsigned_abs());
                        write!(f, "at least {}", humantime::format_duration(least))
                    }
                }
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                humantime::parse_duration(text)
                    .ok()
                    .and_then(|duration| TimeDelta::from_std(duration).ok())
                    .filter(|span| span.num_milliseconds() >= LEAST)
                    // Added to a date it must stay one.
                    .filter(|span| span.num_days() <= 36_525)
                    .map(Span)
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Duration)
    }
}

/// A whole number in bounds.
pub(super) struct Number<const LEAST: u32, const MOST: u32>(pub(super) u32);

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Number<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole<const LEAST: u32, const MOST: u32>;
        impl<const LEAST: u32, const MOST: u32> Visitor<'_> for Whole<LEAST, MOST> {
            type Value = Number<LEAST, MOST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match MOST {
                    u32::MAX => write!(f, "a whole number of at least {LEAST}"),
                    _ => write!(f, "a whole number from {LEAST} to {MOST}"),
                }
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number)
                    .ok()
                    .filter(|n| (LEAST..=MOST).contains(n))
                    .map(Number)
                    .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
            }
        }
        deserializer.deserialize_any(Whole)
    }
}

/// An address to listen at.
pub(super) struct Listen(pub(super) SocketAddr);

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Address;
        impl Visitor<'_> for Address {
            type Value = Listen;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address and a port like 127.0.0.1:8080 or \"[::1]:8080\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Listen, E> {
                let address = text.parse().map(Listen);
                address.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Address)
    }
}

/// Scheme and authority of a URL, without a final slash. Tokens go there, so it is encrypted, or this
/// machine.
///
/// # Errors
/// What is wrong with it: a sentence that goes after it.
pub(super) fn origin(written: &str) -> Result<String, &'static str> {
    let uri: Uri = written.parse().map_err(|_| "is not a URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is not a URL like https://graph.microsoft.com");
    };
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if !bare || authority.as_str().contains('@') || written.contains('#') {
        return Err("must have a scheme and a host only");
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => return Err("must begin with https://; plain http is for loopback only"),
        _ => return Err("must begin with https://"),
    }
    Ok(format!("{scheme}://{authority}"))
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// As the configuration takes it, exactly.
pub(super) fn spelled(span: &TimeDelta) -> String {
    humantime::format_duration(span.to_std().unwrap_or_default()).to_string()
}

/// Names of this server.
pub(super) struct HostNames(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for HostNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = HostNames;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of host names or addresses as they stand in a URL, without a port, \
                     like [fleet.example.com, \"[fd00::7]\"]",
                )
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HostNames, A::Error> {
                let mut names = Vec::new();
                while let Some(Text(name)) = seq.next_element()? {
                    if !is_host(&name) {
                        return Err(A::Error::invalid_value(Unexpected::Str(&name), &self));
                    }
                    names.push(name);
                }
                Ok(HostNames(names))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// A DNS name without a final dot, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// The tiers, judged together.
pub(super) struct Quorum(pub(super) Tiers);

impl<'de> Deserialize<'de> for Quorum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Quorum;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of at least one tier {upTo, per, signers}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Quorum, A::Error> {
                let mut tiers: Vec<Tier> = Vec::new();
                while let Some(StrictMap(written)) = seq.next_element::<StrictMap<WrittenTier>>()? {
                    let WrittenTier { up_to: Number(up_to), per: Span(per), signers } = written;
                    tiers.push(Tier { up_to, per, signers: signers.0 });
                }
                if tiers.is_empty() {
                    return Err(A::Error::invalid_length(0, &self));
                }
                Tiers::new(tiers).map(Quorum).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_seq(List)
    }
}
