//! Errors as Graph answers them.

use serde_json::{Value, json};

use crate::domain::model::Timestamp;
use crate::ui::emulator::tenant::Answer;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), headers: Vec::new() }
    }

    /// 400, of a request that makes no sense.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404, from the directory.
    pub(crate) fn missing(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are \
             not present."
        );
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// 404, from Intune.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "ResourceNotFound", format!("{what} was not found."))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The code that usually goes with a status.
    pub(crate) fn usual_code(status: u16) -> &'static str {
        match status {
            400 => "BadRequest",
            401 => "InvalidAuthenticationToken",
            403 => "Forbidden",
            404 => "ResourceNotFound",
            409 => "Conflict",
            429 => "TooManyRequests",
            500 => "InternalServerError",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            _ => "UnknownError",
        }
    }

    /// As it is answered. Intune wraps its messages in JSON once more.
    pub(crate) fn answer(self, of_intune: bool, now: Timestamp, ids: Ids<'_>) -> Answer {
        let wrapped = of_intune && matches!(self.status, 400 | 403 | 404 | 500);
        let message = if wrapped && self.code != "ApprovalRequired" {
            wrap(&self.message, ids.request)
        } else {
            self.message
        };
        let body = json!({
            "error": {
                "code": self.code,
                "message": message,
                "innerError": {
                    "date": now.short().trim_end_matches('Z'),
                    "request-id": ids.request,
                    "client-request-id": ids.client,
                },
            },
        });
        Answer { status: self.status, headers: self.headers, body: Some(body) }
    }
}

/// The ids of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<'a> {
    pub(crate) request: &'a str,
    pub(crate) client: &'a str,
}

fn wrap(message: &str, request: &str) -> String {
    let message = format!(
        "{message} - Operation ID (for customer support): \
         00000000-0000-0000-0000-000000000000 - Activity ID: {request} - Url: (emulated)"
    );
    let inside = json!({
        "_version": 3,
        "Message": message,
        "CustomApiErrorPhrase": "",
        "RetryAfter": Value::Null,
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    });
    inside.to_string()
}
