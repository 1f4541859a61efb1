//! The few fields of a certificate that matter here, found by walking through its DER (X.690, of
//! RFC 5280). Nothing is verified: it is our own.

use chrono::{NaiveDate, NaiveDateTime};

use crate::domain::model::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The tag and content of the first element, and what is behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let bytes = rest.get(..length & 0x7f).filter(|bytes| bytes.len() <= 4)?;
        rest = &rest[bytes.len()..];
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    }
    let (content, behind) = rest.split_at_checked(length)?;
    Some((*tag, content, behind))
}

/// The content of the first element, which has this tag, and what is behind it.
fn expect(der: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(tag, ..)| *tag == expected).map(|(_, content, behind)| (content, behind))
}

/// Until when a certificate is valid.
pub(crate) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut rest, _) = expect(certificate, SEQUENCE)?;
    if let Some((_, behind)) = expect(rest, VERSION) {
        rest = behind;
    }
    // The serial number, the algorithm, the issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (_, _, not_after) = element(validity)?;
    let (tag, time, _) = element(not_after)?;
    moment(tag, std::str::from_utf8(time).ok()?)
}

fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i32 = text.get(..2)?.parse().ok()?;
            (year + if year < 50 { 2000 } else { 1900 }, &text[2..])
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, &text[4..]),
        _ => return None,
    };
    let first = NaiveDate::from_ymd_opt(year, 1, 1)?;
    let text = format!("{}{rest}", first.format("%Y"));
    let moment = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some(Timestamp::from_millis(moment.and_utc().timestamp_millis()))
}
