//! A request and its answer, without sockets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::settling::AsOf;
use crate::domain::model::Timestamp;

/// When a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Emulated time.
    pub(crate) now: Timestamp,
    /// Real time: throttling counts it, and clients date their assertions by it.
    pub(crate) real: Timestamp,
}

/// One request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// In upper case.
    pub(crate) method: String,
    /// As it was sent, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// By names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// `http://127.0.0.1:8090`, as the client knows it: links begin with it.
    pub(crate) base: String,
    /// The id of its part, if it came in a batch.
    pub(crate) part: Option<String>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn nothing() -> Self {
        Self { status: 204, headers: Vec::new(), body: None }
    }
}

/// Names and values of a query or a form, decoded; what is no encoding stays as it is.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect()
}

/// Without percent signs.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = (byte == b'%').then(|| after.get(..2)).flatten();
        let decoded = digits
            .and_then(|two| std::str::from_utf8(two).ok())
            .filter(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = if decoded.is_some() { &after[2..] } else { after };
        bytes.push(decoded.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// With percent signs for all but letters, digits and what never needs them.
pub(crate) fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'$' | b',' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// How a call to Graph was met: what is sent, and how.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) answer: Answer,
    pub(crate) request_id: String,
    pub(crate) client_request_id: Option<String>,
    /// Nothing is sent, or only half of it.
    pub(crate) cut: Option<super::faults::When>,
    pub(crate) delay_ms: Option<u64>,
}

impl Delivery {
    /// An answer as it is, at once.
    pub(crate) fn of(answer: Answer, request_id: String, request: &Request) -> Self {
        Self {
            answer,
            request_id,
            client_request_id: request.header("client-request-id").map(str::to_owned),
            cut: None,
            delay_ms: None,
        }
    }
}

/// What readers see.
pub(crate) fn as_of(now: Timestamp, settings: &super::settings::Settings) -> AsOf {
    AsOf { now, lag: settings.lag() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["a b+c&d=e%f", "Größe 'x'", "", "%zz", "100%", "$select,top"] {
            assert_eq!(decoded(&encoded(text)), text);
        }
        assert_eq!(decoded("a%2"), "a%2");
        assert_eq!(decoded("%+1"), "%+1");
        let expected = [("a b".to_owned(), "c d".to_owned()), ("x".to_owned(), String::new())];
        assert_eq!(pairs("a+b=c%20d&&x"), expected);
    }
}
