//! What the Table API answers: rows whose values are all texts.

use serde_json::Value;

use crate::domain::notice::TicketKey;

/// The fields of a ticket that are asked for.
pub(crate) const FIELDS: &str = "sys_id,number,state,active,correlation_id";

/// A ticket, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) sys_id: String,
    pub(crate) number: String,
    pub(crate) state: String,
    pub(crate) active: bool,
    pub(crate) correlation_id: String,
    /// Numbers of others with the same one, where somebody copied it.
    pub(crate) others: Vec<String>,
}

impl Row {
    /// How people and programs call it, and how people call others like it, for the log.
    pub(crate) fn reference(&self) -> String {
        let names = [&self.number, &self.sys_id].into_iter().chain(&self.others);
        names.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| text(value.get(name)?);
        let sys_id = text("sys_id")?;
        let plain =
            (1..=64).contains(&sys_id.len()) && sys_id.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then(|| Self {
            sys_id,
            number: short(&text("number").unwrap_or_default()),
            state: text("state").unwrap_or_default(),
            // A table without the field has no tickets that are over.
            active: text("active").is_none_or(|active| active != "false"),
            correlation_id: text("correlation_id").unwrap_or_default(),
            others: Vec::new(),
        })
    }

    /// Whether it is the one that was asked for.
    pub(crate) fn is_of(&self, key: &TicketKey) -> bool {
        self.correlation_id.as_bytes() == key.as_str().as_bytes()
    }
}

/// As an instance writes it: a text, or with its link.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Object(map) => map.get("value").and_then(text),
        Value::Null | Value::Array(_) => None,
    }
}

fn short(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(40).collect()
}

/// The rows of an answer to a query; `None` where it is no such answer.
pub(crate) fn rows(body: &[u8]) -> Option<Vec<Row>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    answer.get("result")?.as_array()?.iter().map(Row::read).collect()
}

/// The one row of an answer to a change.
pub(crate) fn row(body: &[u8]) -> Option<Row> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    Row::read(answer.get("result")?)
}

/// A field of the one row.
pub(crate) fn field(body: &[u8], name: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    text(answer.get("result")?.get(name)?)
}
