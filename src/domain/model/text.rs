//! Texts from outside: which are harmless to show, and why a text is not the value that it was taken for.

/// Why a text is not the value it was taken for; the sentence is fit for a finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub(crate) String);

impl Invalid {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Control characters and bidirectional controls can make a line read otherwise than it is.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Free text of at most `max` bytes without deceptive characters.
///
/// # Errors
/// Says which character or how many bytes are too much.
pub(crate) fn check_text(text: &str, max: usize) -> Result<(), Invalid> {
    if let Some(c) = text.chars().find(|c| is_deceptive(*c)) {
        return Err(Invalid::new(format!(
            "contains the control or bidirectional character U+{:04X}",
            u32::from(c)
        )));
    }
    if text.len() > max {
        return Err(Invalid::new(format!(
            "is {} bytes long; at most {max} are allowed",
            text.len()
        )));
    }
    Ok(())
}
