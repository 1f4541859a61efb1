//! What Graph answered.

use std::fmt;

use serde::de::DeserializeOwned;

use super::failure::Failure;

/// An answer that says yes. `Debug` does not show its body.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What was called.
    pub(crate) place: String,
    pub(crate) status: u16,
    /// JSON, or nothing.
    pub(crate) body: Vec<u8>,
    /// Of Multi Admin Approval.
    pub(crate) approval_code: Option<String>,
    /// Microsoft's number of the call.
    pub(crate) request_id: Option<String>,
    /// Our number of the call.
    pub(crate) client_request_id: String,
}

impl Answer {
    /// The body as what it should be.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // What the library says quotes the body, where it is about a word in it.
            let (line, column) = (error.line(), error.column());
            let why = match error.classify() {
                serde_json::error::Category::Data => "it has another shape than documented",
                _ => "it is not whole JSON",
            };
            self.unreadable(format!("{why}, at line {line}, column {column}"))
        })
    }

    /// That it is of no use.
    pub(crate) fn unreadable(&self, why: String) -> Failure {
        let Self { place, client_request_id, .. } = self;
        let client_request_id = client_request_id.clone();
        Failure::Unreadable { place: place.clone(), why, client_request_id }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, status, body, .. } = self;
        write!(f, "Answer({place}: {status}, {} bytes)", body.len())
    }
}
