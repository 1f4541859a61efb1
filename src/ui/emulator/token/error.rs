//! Errors as Entra answers them.

use serde_json::json;

use crate::domain::model::Timestamp;
use crate::ui::emulator::tenant::Answer;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Denied {
    status: u16,
    error: &'static str,
    /// Of `AADSTS`.
    number: u32,
    message: String,
}

impl Denied {
    pub(super) fn new(
        status: u16,
        error: &'static str,
        number: u32,
        message: impl Into<String>,
    ) -> Self {
        Self { status, error, number, message: message.into() }
    }

    /// 401, of a client that is not who it says it is.
    pub(super) fn client(number: u32, message: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", number, message)
    }

    /// 400, of a request that makes no sense.
    pub(super) fn request(number: u32, message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", number, message)
    }

    pub(super) fn answer(self, now: Timestamp, trace: &str) -> Answer {
        let time = now.short().replace('T', " ");
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {trace} Timestamp: {time}",
            self.number, self.message
        );
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": trace,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        });
        Answer::json(self.status, body)
    }
}
