//! One call of Graph, as it is to be made.

use std::fmt;

use serde_json::Value;

use crate::edges::http_client::encode;

/// Which of Graph's two interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    Beta,
}

impl Version {
    const fn word(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A call. `Debug` shows neither its query, nor its body, nor its headers.
#[derive(Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    version: Version,
    /// Encoded, with a slash before it.
    path: String,
    /// Encoded.
    query: String,
    pub(crate) body: Option<Value>,
    /// A body that is text and no JSON.
    pub(crate) text: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Call {
    /// Of v1.0. What varies in the path must have gone through [`segment`].
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path.into(), None)
    }

    /// Likewise, with a body.
    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Post, path.into(), Some(body))
    }

    /// Likewise, with text for a body.
    pub(crate) fn post_text(path: impl Into<String>, text: String) -> Self {
        Self { text: Some(text), ..Self::new(Method::Post, path.into(), None) }
    }

    /// Likewise, without a body.
    pub(crate) fn post_empty(path: impl Into<String>) -> Self {
        Self::new(Method::Post, path.into(), None)
    }

    /// Likewise, to change what is there.
    pub(crate) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::Patch, path.into(), Some(body))
    }

    /// Likewise, to remove what is there; never a device.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path.into(), None)
    }

    fn new(method: Method, path: String, body: Option<Value>) -> Self {
        assert!(path.starts_with('/') && !path.contains(['?', '#', ' ']), "{path} is not a path");
        // Intune takes it for a retirement, and on some platforms for a wipe.
        let device = path.to_ascii_lowercase().contains("/manageddevices");
        assert!(!(method == Method::Delete && device), "a device is never deleted");
        let (query, headers) = (String::new(), Vec::new());
        Self { method, version: Version::V1, path, query, body, text: None, headers }
    }

    /// Of the beta, where v1.0 has no such call.
    pub(crate) fn of(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// With a parameter of the query, such as `$select`.
    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(name);
        self.query.push('=');
        encode(&mut self.query, value, b"$,()':/@*");
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    /// Behind the host: version, path, query.
    pub(crate) fn target(&self) -> String {
        format!("/{}{}{}", self.version.word(), self.path, self.query)
    }

    /// As a part of a batch, which says the version itself.
    pub(crate) fn relative(&self) -> String {
        format!("{}{}", self.path, self.query)
    }

    /// What may be shown of it: the query can name people.
    pub(crate) fn place(&self) -> String {
        format!("{} /{}{}", self.method.word(), self.version.word(), self.path)
    }

    /// Whether it erases a device, or takes the organization's data from it.
    pub(crate) fn is_destructive(&self) -> bool {
        let last = self.path.trim_end_matches('/').rsplit(['/', '.']).next().unwrap_or_default();
        let actions = ["wipe", "retire", "cleanWindowsDevice"];
        self.method == Method::Post && actions.iter().any(|word| last.eq_ignore_ascii_case(word))
    }

    /// Whether it may be a part of a batch: one that reads, or asks a device to come by.
    pub(crate) fn is_batchable(&self) -> bool {
        let sync = self.method == Method::Post && self.path.ends_with("/syncDevice");
        self.method == Method::Get || sync
    }

    /// Whether it counts as one that writes.
    pub(crate) fn writes(&self) -> bool {
        self.method != Method::Get
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.place())
    }
}

/// A value as one segment of a path.
pub(crate) fn segment(value: &str) -> String {
    let mut encoded = String::new();
    encode(&mut encoded, value, b"@");
    // As a segment it would be the directory above.
    if !value.is_empty() && value.bytes().all(|b| b == b'.') {
        encoded = "%2E".repeat(value.len());
    }
    encoded
}

/// A text as `$filter` quotes it.
pub(crate) fn odata_text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_varies_cannot_lead_elsewhere() {
        for (value, encoded) in [
            ("705c034c-034c-705c-4c03-5c704c035c70", "705c034c-034c-705c-4c03-5c704c035c70"),
            ("ana.ruiz@contoso.com", "ana.ruiz@contoso.com"),
            ("a/../b?c#d&e%f", "a%2F..%2Fb%3Fc%23d%26e%25f"),
            ("..", "%2E%2E"),
            ("ä b+c", "%C3%A4%20b%2Bc"),
            ("", ""),
        ] {
            assert_eq!(segment(value), encoded);
        }
        let call = Call::get("/users")
            .query("$filter", &format!("userPrincipalName eq {}", odata_text("o'neil&x@b.c")))
            .query("$select", "id,mail")
            .of(Version::Beta);
        assert_eq!(
            call.target(),
            "/beta/users?$filter=userPrincipalName%20eq%20'o''neil%26x@b.c'&$select=id,mail"
        );
        assert_eq!(call.place(), "GET /beta/users");
    }

    #[test]
    fn which_calls_destroy_and_which_may_be_batched() {
        let device = "/deviceManagement/managedDevices/1";
        for (call, destructive, batchable) in [
            (Call::get(device), false, true),
            (Call::post_empty(format!("{device}/syncDevice")), false, true),
            (Call::post_empty(format!("{device}/retire")), true, false),
            (Call::post(format!("{device}/wipe"), json!({})), true, false),
            (Call::post(format!("{device}/Wipe/"), json!({})), true, false),
            (Call::post(format!("{device}/microsoft.graph.wipe"), json!({})), true, false),
            (Call::post(format!("{device}/cleanWindowsDevice"), json!({})), true, false),
            (Call::patch(device, json!({})), false, false),
            (Call::delete("/groups/1/members/2/$ref"), false, false),
        ] {
            assert_eq!(call.is_destructive(), destructive, "{call:?}");
            assert_eq!(call.is_batchable(), batchable, "{call:?}");
        }
    }

    #[test]
    #[should_panic(expected = "a device is never deleted")]
    fn a_device_cannot_be_deleted() {
        let _ = Call::delete("/deviceManagement/ManagedDevices/1");
    }

    #[test]
    fn debug_shows_no_body_no_query_and_no_header() {
        let call = Call::post("/users", json!({"password": "hunter2"}))
            .query("$filter", "hunter3")
            .header("x-msft-approval-justification", "hunter4");
        assert_eq!(format!("{call:?}"), "Call(POST /v1.0/users)");
    }
}
