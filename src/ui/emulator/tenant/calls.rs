//! What was called: what a test looks at.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use crate::domain::model::Timestamp;

/// The most calls that are remembered.
const MOST: usize = 100_000;
/// Bodies longer than this are not kept.
const LONGEST: usize = 64 << 10;

/// One call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) query: String,
    pub(crate) app_id: Option<String>,
    /// The id of its part, within a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) part: Option<String>,
    pub(crate) status: u16,
    /// Whether it can change something.
    pub(crate) writes: bool,
    /// Whether it has changed something.
    pub(crate) effect: bool,
    /// The client got no answer, or none that is whole.
    pub(crate) cut: bool,
    /// The rule that it has met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_request_id: Option<String>,
    pub(crate) request_id: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) body: Value,
    /// The error that was answered, if it was one.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) error: Value,
}

/// All calls since the start or since they were last cleared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls {
    pub(crate) all: VecDeque<Record>,
    made: u64,
}

impl Calls {
    /// Numbers the call and keeps it.
    pub(crate) fn add(&mut self, mut record: Record) {
        self.made += 1;
        record.number = self.made;
        self.all.push_back(record);
        if self.all.len() > MOST {
            self.all.pop_front();
        }
    }
}

/// Names of what must not be kept.
const SECRET: [&str; 5] =
    ["client_secret", "client_assertion", "hardwareIdentifier", "macOsUnlockCode", "secret"];

/// A body without its secrets.
pub(crate) fn without_secrets(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    if bytes.len() > LONGEST {
        return Value::String(format!("{} bytes", bytes.len()));
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => harmless(value),
        Err(_) => Value::String(format!("{} bytes that are no JSON", bytes.len())),
    }
}

/// The same without what must not be kept.
fn harmless(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().map(|(name, value)| {
                let kept = if SECRET.contains(&name.as_str()) && value.is_string() {
                    Value::String("(removed)".into())
                } else {
                    harmless(value)
                };
                (name, kept)
            });
            Value::Object(fields.collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(harmless).collect()),
        other => other,
    }
}

/// A form without its secrets.
pub(crate) fn form_without_secrets(pairs: &[(String, String)]) -> Value {
    let fields = pairs.iter().map(|(name, value)| {
        let kept = if SECRET.contains(&name.as_str()) { "(removed)" } else { value };
        (name.clone(), Value::String(kept.to_owned()))
    });
    Value::Object(fields.collect())
}
