//! Reading what a test asks for, and answering it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::ui::emulator::tenant::Answer;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrong {
    status: u16,
    why: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

pub(super) type Done = Result<Answer, Wrong>;

impl Wrong {
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self { status: 400, why: why.into() }
    }

    pub(super) fn missing(what: impl Into<String>) -> Self {
        Self { status: 404, why: what.into() }
    }

    pub(super) fn answer(self) -> Answer {
        Answer::json(self.status, json!({"error": self.why}))
    }
}

/// What the body says; nothing unknown may be in it.
pub(super) fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Wrong> {
    let body = if body.is_null() { json!({}) } else { body.clone() };
    serde_json::from_value(body).map_err(|error| Wrong::bad(error.to_string()))
}

/// Fields of the second in place of those of the first, as RFC 7396 merges them.
pub(super) fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (name, value) in change {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}
