//! Commands to copy, as a shell takes them.

/// A path or word as a shell takes it.
pub(super) fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-~+@:,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn commands_to_copy_are_quoted() {
        for (text, quoted) in [
            ("fleet/wipes/d007-lost.yaml", "fleet/wipes/d007-lost.yaml"),
            ("", "''"),
            ("my fleet/x", "'my fleet/x'"),
            ("it's $(rm)", r"'it'\''s $(rm)'"),
        ] {
            assert_eq!(shell(text), quoted);
        }
    }
}
