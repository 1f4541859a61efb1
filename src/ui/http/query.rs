//! The part of an address after `?`, read strictly: what is not known is refused.

use std::str::FromStr;

use crate::domain::model::DeviceId;
use crate::ui::render::filter::Filter;

/// As many devices or entries an answer has unless asked for fewer, and at most.
pub(super) const PAGE: usize = 1000;

/// Names and values, decoded, in their order.
///
/// # Errors
/// If an escape is none, or gives no UTF-8.
fn pairs(query: &str) -> Result<Vec<(String, String)>, String> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, String> {
    let bad = || format!("{text:?} is not valid percent-encoding");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
                u8::try_from(high * 16 + low).map_err(|_| bad())?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// Which devices, and which page of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Devices {
    pub(crate) filter: Filter,
    /// Devices after this one.
    pub(crate) after: Option<DeviceId>,
    pub(crate) limit: Option<usize>,
}

impl FromStr for Devices {
    type Err = String;
    fn from_str(query: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        let filter = &mut wanted.filter;
        for (name, value) in pairs(query)? {
            match name.as_str() {
                "user" => filter.user = Some(value),
                "profile" => filter.profile = Some(value),
                "status" => filter.status = Some(parse(&name, &value)?),
                "compliance" => filter.compliance = Some(parse(&name, &value)?),
                "platform" => filter.platform = Some(parse(&name, &value)?),
                "label" => match value.split_once('=') {
                    Some((key, value)) if !key.is_empty() => {
                        filter.labels.push((key.into(), value.into()));
                    }
                    _ => return Err("label: is not a label like site=madrid".into()),
                },
                "selector" => filter.selector = parse(&name, &value)?,
                "orphaned" => filter.orphaned = flag(&name, &value)?,
                "archived" => filter.archived = flag(&name, &value)?,
                "overdue" => filter.overdue = flag(&name, &value)?,
                "after" => wanted.after = Some(parse(&name, &value)?),
                "limit" => wanted.limit = Some(limit(&value)?),
                _ => return Err(format!("there is no parameter {name:?}")),
            }
        }
        Ok(wanted)
    }
}

/// From where in the log, and how many entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Audit {
    /// A sequence number, inclusive.
    pub(crate) since: u64,
    pub(crate) limit: Option<usize>,
}

impl FromStr for Audit {
    type Err = String;
    fn from_str(query: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        for (name, value) in pairs(query)? {
            match name.as_str() {
                "since" => wanted.since = since(&value)?,
                "limit" => wanted.limit = Some(limit(&value)?),
                _ => return Err(format!("there is no parameter {name:?}")),
            }
        }
        Ok(wanted)
    }
}

/// From where in the log, about whom, and how many lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// A sequence number, inclusive.
    pub(crate) since: u64,
    /// Only lines about this device.
    pub(crate) device: Option<DeviceId>,
    pub(crate) limit: Option<usize>,
}

impl FromStr for Log {
    type Err = String;
    fn from_str(query: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        for (name, value) in pairs(query)? {
            match name.as_str() {
                "since" => wanted.since = since(&value)?,
                "device" => wanted.device = Some(parse(&name, &value)?),
                "limit" => wanted.limit = Some(limit(&value)?),
                _ => return Err(format!("there is no parameter {name:?}")),
            }
        }
        Ok(wanted)
    }
}

fn parse<T: FromStr<Err: std::fmt::Display>>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|error| format!("{name}: {error}"))
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{name}: is neither true nor false")),
    }
}

fn since(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| "since: is not a sequence number".to_owned())
}

fn limit(value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|n| (1..=PAGE).contains(n));
    number.ok_or_else(|| format!("limit: is not a number from 1 to {PAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Status;

    #[test]
    fn filters_and_pages() {
        let wanted: Devices =
            "status=Enrolled&label=site%3Dmadrid&label=a=b+c&after=D007&limit=5&overdue"
                .parse()
                .unwrap();
        assert_eq!(wanted.filter.status, Some(Status::Enrolled));
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(wanted.filter.labels, [label("site", "madrid"), label("a", "b c")]);
        assert_eq!((wanted.after, wanted.limit), ("D007".parse().ok(), Some(5)));
        assert!(wanted.filter.overdue && !wanted.filter.orphaned);
        assert_eq!("".parse(), Ok(Devices::default()));
        assert_eq!("since=12&limit=3".parse(), Ok(Audit { since: 12, limit: Some(3) }));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (query, why) in [
            ("stat=Enrolled", "no parameter \"stat\""),
            ("status=enroled", "status: must be one of"),
            ("label=site", "label: "),
            ("after=7", "after: is not a device id"),
            ("limit=0", "limit: "),
            ("limit=1001", "limit: "),
            ("orphaned=maybe", "orphaned: "),
            ("user=%zz", "not valid percent-encoding"),
            ("user=%f", "not valid percent-encoding"),
            ("user=%ff", "not valid percent-encoding"),
        ] {
            let error = query.parse::<Devices>().unwrap_err();
            assert!(error.contains(why), "{query}: {error}");
        }
        assert!("since=-1".parse::<Audit>().is_err());
    }
}
