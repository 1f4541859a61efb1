//! Text in a URL or a form (RFC 3986 §2.1).

/// RFC 3986 §2.3, and what else may stay as it is.
pub(crate) fn encode(into: &mut String, value: &str, also: &[u8]) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}
