//! What an answer that says no says: Graph wraps its errors in several ways.

use std::time::Duration;

use serde_json::Value;

use super::failure::Refusal;
use crate::domain::model::Timestamp;
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::retry_after;
use crate::edges::http_client::{clean, id};

/// Where Multi Admin Approval puts its code.
pub(crate) const APPROVAL_CODE: &str = "x-msft-approval-code";
/// Errors within errors, as far as they are followed.
const DEPTH: usize = 4;

/// An answer that says no, before it is understood.
pub(crate) struct Said<'a> {
    pub(crate) place: String,
    pub(crate) status: u16,
    /// The value of a header.
    pub(crate) header: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) client_request_id: String,
    /// The server's own time.
    pub(crate) date: Option<Timestamp>,
    /// What it might repeat.
    pub(crate) known: Option<&'a Secret>,
}

/// What it says.
pub(crate) fn refusal(said: Said<'_>) -> Refusal {
    let Said { place, status, header, body, client_request_id, date, known } = said;
    let mut found = Found::default();
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => found.look(&value, DEPTH),
        Err(_) => found.message = plain(&text),
    }
    if let Some(to) = header("location").filter(|_| (300..400).contains(&status)) {
        found.message = format!("it points to {to:?}, and redirects are not followed");
    }
    let approval_code = header(APPROVAL_CODE)
        .and_then(id)
        .or_else(|| code_in(&found.message))
        .or_else(|| code_in(&text));
    let asked = header("retry-after").and_then(|value| retry_after(value, date));
    Refusal {
        place,
        status,
        code: clean(&found.code, known),
        message: clean(&found.message, known),
        retry_after: asked.or(found.retry_after),
        approval_code,
        request_id: header("request-id").and_then(id).or(found.request_id),
        client_request_id,
    }
}

#[derive(Default)]
struct Found {
    code: String,
    message: String,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl Found {
    /// An error, what it is wrapped in, or what is wrapped in it.
    fn look(&mut self, value: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str());
        if let Some(code) = text(&["code"]).filter(|_| self.code.is_empty()) {
            self.code = code.to_owned();
        }
        if let Some(message) = text(&["message", "Message"]) {
            self.message = message.to_owned();
            // Intune writes JSON into the message.
            if let Ok(inner @ Value::Object(_)) = serde_json::from_str(message) {
                self.look(&inner, depth - 1);
            }
        }
        if let Some(request) = text(&["request-id", "requestId"]).and_then(id) {
            self.request_id.get_or_insert(request);
        }
        let asked = value.get("RetryAfter").and_then(|asked| match asked {
            Value::String(text) => retry_after(text, None),
            Value::Number(number) => retry_after(&number.to_string(), None),
            _ => None,
        });
        self.retry_after = self.retry_after.or(asked);
        match value.get("error") {
            Some(Value::String(text)) => self.message = text.clone(),
            Some(inner) => self.look(inner, depth - 1),
            None => {}
        }
        for name in ["innerError", "innererror"] {
            if let Some(inner) = value.get(name) {
                let message = self.message.clone();
                self.look(inner, depth - 1);
                // What is inside is for Microsoft; it only helps where nothing else is said.
                if !message.is_empty() {
                    self.message = message;
                }
            }
        }
    }
}

/// Text, or what a page says.
fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let title = lower.find("<title>").map(|start| start + "<title>".len());
    let end = title.and_then(|start| Some(start + lower[start..].find("</title>")?));
    match title.zip(end) {
        Some((start, end)) => format!("a page with the title {:?}", text[start..end].trim()),
        None => "a page, and no answer of Graph's".to_owned(),
    }
}

/// The code of Multi Admin Approval in a message.
fn code_in(text: &str) -> Option<String> {
    let start = text.to_ascii_lowercase().find(APPROVAL_CODE)? + APPROVAL_CODE.len();
    let rest = text[start..].trim_start_matches([':', ' ', '=', '"', '\'', '\\']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
    id(&rest[..end]).filter(|code| code.len() >= 8)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        let header =
            |name: &str| headers.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        refusal(Said {
            place: "GET https://graph.microsoft.com/v1.0/users".into(),
            status,
            header: &header,
            body: body.as_bytes(),
            client_request_id: "c-1".into(),
            date: None,
            known: None,
        })
    }

    #[test]
    fn however_an_error_is_wrapped_it_says_what_it_says() {
        let inside = json!({
            "_version": 3, "Message": "Device is gone - Operation ID: 1", "RetryAfter": 2.5,
            "CustomApiErrorPhrase": "",
        });
        let inner = json!({"date": "2026-11-26", "request-id": "r-2", "client-request-id": "c-2"});
        for (body, code, message, request) in [
            (
                json!({"error": {"code": "Forbidden", "message": "no", "innerError": inner}})
                    .to_string(),
                "Forbidden",
                "no",
                Some("r-2"),
            ),
            (
                json!({"error": {"code": "BadRequest", "message": inside.to_string(),
                    "innererror": inner}})
                .to_string(),
                "BadRequest",
                "Device is gone - Operation ID: 1",
                Some("r-2"),
            ),
            (
                json!({"error": {"message": json!({"error": {"code": "X", "message": "deep"}})
                    .to_string()}})
                .to_string(),
                "X",
                "deep",
                None,
            ),
            (
                json!({"error": {"code": "X", "message": "",
                    "innerError": {"code": "Y", "message": "why"}}})
                .to_string(),
                "X",
                "why",
                None,
            ),
            ("Service\r\nunavailable".to_owned(), "", "Service unavailable", None),
            (
                "<!DOCTYPE html><TITLE>Our services\n aren't available</TITLE><p>x".to_owned(),
                "",
                "a page with the title \"Our services\\n aren't available\"",
                None,
            ),
            ("<html><p>x".to_owned(), "", "a page, and no answer of Graph's", None),
            (String::new(), "", "", None),
            ("{\"error\": \"x\"}".to_owned(), "", "x", None),
            ("[1]".to_owned(), "", "", None),
        ] {
            let refusal = said(403, &[], &body);
            assert_eq!(refusal.code, code, "{body}");
            assert_eq!(refusal.message, message, "{body}");
            assert_eq!(refusal.request_id.as_deref(), request, "{body}");
        }
        let refusal =
            said(503, &[], &json!({"error": {"message": inside.to_string()}}).to_string());
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(2500)));
        let headers = [("request-id", "r-1"), ("retry-after", "7")];
        let body = json!({"error": {"innerError": inner, "message": inside.to_string()}});
        let refusal = said(429, &headers, &body.to_string());
        assert_eq!(refusal.request_id.as_deref(), Some("r-1"), "the header is closer");
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(7)));
        let refusal = said(302, &[("location", "https://evil.example.com/")], "");
        assert!(refusal.message.contains("evil.example.com"), "{refusal}");
    }

    #[test]
    fn the_code_of_an_approval_is_found_wherever_it_is() {
        let message = "Approval needed. x-msft-approval-code: aabb1234-0000-4000-8000-000000000001";
        let body = |message: &str| {
            json!({"error": {"code": "ApprovalRequired", "message": message}}).to_string()
        };
        let found = |headers: &[(&str, &str)], body: &str| said(412, headers, body).approval_code;
        let header = [(APPROVAL_CODE, "ccdd5678-0000-4000-8000-000000000002")];
        assert_eq!(
            found(&header, &body(message)).as_deref(),
            Some("ccdd5678-0000-4000-8000-000000000002"),
            "the header first"
        );
        let expected = Some("aabb1234-0000-4000-8000-000000000001");
        assert_eq!(found(&[], &body(message)).as_deref(), expected);
        let inside = json!({"Message": message}).to_string();
        assert_eq!(found(&[], &body(&inside)).as_deref(), expected);
        assert_eq!(found(&[], message).as_deref(), expected, "in plain text");
        assert_eq!(found(&[], &body("Forbidden")), None);
        assert_eq!(found(&[], &body("x-msft-approval-code: ?")), None);
    }
}
