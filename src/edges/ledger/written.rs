//! A line as this program writes it, read quickly: nearly all are.
//!
//! The keys of an entry stand in one order, and its values but for the data need no escapes. What is
//! anything else is left to [`line::read`], which takes it for the same entry, or says what
//! is wrong with it. Whatever is taken here, it takes too.

use std::str::FromStr;

use super::intern::Interner;
use super::line::{self, TOO_LONG};
use crate::domain::model::Digest;
use crate::domain::state::event::{DeviceProvisioned, Entry, Event, Source};

/// As [`line::read`], with what earlier lines had.
///
/// # Errors
/// As there.
pub(super) fn read(line: &[u8], share: &mut Interner) -> Result<(Entry, Digest), line::Error> {
    quickly(line, share).map_or_else(|| line::read(line), Ok)
}

/// `None` if it takes a closer look to tell.
pub(super) fn quickly(line: &[u8], share: &mut Interner) -> Option<(Entry, Digest)> {
    if line.len() >= TOO_LONG {
        return None;
    }
    let mut rest = Rest(std::str::from_utf8(line).ok()?);
    rest.skip("{\"seq\":")?;
    let seq = rest.number()?;
    rest.skip(",\"at\":")?;
    let at = rest.parsed::<24, _>()?;
    rest.skip(",\"kind\":")?;
    let kind = rest.text()?;
    let device = match rest.skip(",\"device\":") {
        Some(()) => Some(rest.text()?.parse().ok()?),
        None => None,
    };
    rest.skip(",\"actor\":")?;
    let actor = share.actor(rest.text()?);
    let source = match rest.skip(",\"source\":{\"path\":") {
        Some(()) => Some(source(&mut rest, share)?),
        None => None,
    };
    rest.skip(",\"data\":")?;
    // The data are all up to here, and have to be one JSON value.
    let prev = rest.0.len().checked_sub(",\"prev\":\"\"}".len() + 64)?;
    let (data, mut rest) = rest.0.split_at_checked(prev).map(|(data, rest)| (data, Rest(rest)))?;
    rest.skip(",\"prev\":")?;
    let prev = rest.parsed::<64, _>()?;
    if rest.0 != "}" {
        return None;
    }
    let event = if kind == "device.provisioned" {
        let new = DeviceProvisioned::read(data, |text| share.read_labels(text))?;
        Event::DeviceProvisioned(Box::new(new))
    } else {
        Event::parse(kind, data).ok()?
    };
    Some((Entry { seq, at, device, actor, source, event }, prev))
}

fn source(rest: &mut Rest<'_>, share: &mut Interner) -> Option<Source> {
    let path = share.path(rest.text()?);
    rest.skip(",\"digest\":")?;
    let digest = rest.parsed::<64, _>()?;
    let revision = match rest.skip(",\"revision\":") {
        Some(()) => Some(share.revision(rest.text()?)),
        None => None,
    };
    rest.skip("}")?;
    Some(Source { path, digest, revision })
}

/// What was not read yet.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, what: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(what)?;
        Some(())
    }

    /// A whole number as JSON writes it.
    fn number(&mut self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        let is_padded = digits > 1 && number.starts_with('0');
        number.parse().ok().filter(|_| !is_padded)
    }

    /// A string of so many bytes, read as what it stands for: none of these has anything to be escaped.
    fn parsed<const LENGTH: usize, T: FromStr>(&mut self) -> Option<T> {
        let (text, rest) = self.0.strip_prefix('"')?.split_at_checked(LENGTH)?;
        self.0 = rest.strip_prefix('"')?;
        text.parse().ok()
    }

    /// A string in which nothing is escaped.
    fn text(&mut self) -> Option<&'a str> {
        let text = self.0.strip_prefix('"')?;
        let end = text.bytes().position(|b| matches!(b, b'"' | b'\\' | ..b' '))?;
        let (text, rest) = text.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }
}
