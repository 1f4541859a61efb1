//! Texts of others, as they may be shown: short, on one line, without what gives rights.

use crate::domain::model::is_deceptive;
use crate::edges::fs::secret::Secret;

/// Characters of a message of Graph's that are shown.
const LONGEST: usize = 500;
/// Base64 that is longer may be a token or the hash of some hardware; ids are shorter.
const LONGEST_RUN: usize = 80;
const LONGEST_ID: usize = 128;

/// What may be shown of a text; `known` is what its author was told and might repeat.
pub(crate) fn clean(text: &str, known: Option<&Secret>) -> String {
    let text = match known {
        Some(secret) => &text.replace(secret.expose(), "…"),
        None => text,
    };
    let mut cleaned = String::new();
    let mut credentials = false;
    let words = text.split(|c: char| c.is_whitespace() || is_deceptive(c));
    for word in words.filter(|word| !word.is_empty()) {
        if !cleaned.is_empty() {
            cleaned.push(' ');
        }
        cleaned.push_str(&if credentials { "…".to_owned() } else { without_secrets(word) });
        credentials = word.trim_start_matches(['"', '\'', '(']).eq_ignore_ascii_case("bearer");
    }
    match cleaned.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &cleaned[..end]),
        None => cleaned,
    }
}

/// A word without JSON Web Tokens and long base64.
fn without_secrets(word: &str) -> String {
    let in_run = |c: char| c.is_ascii_alphanumeric() || "+/-_.".contains(c);
    let mut shown = String::new();
    let mut rest = word;
    while !rest.is_empty() {
        let run = &rest[..rest.find(|c| !in_run(c)).unwrap_or(rest.len())];
        // The header of a token is JSON, and base64 of `{"` begins so.
        let is_token = run.contains("eyJ") && run.len() > 20;
        let too_long = run.split('.').any(|part| part.len() > LONGEST_RUN);
        shown.push_str(if is_token || too_long { "…" } else { run });
        rest = &rest[run.len()..];
        if let Some(other) = rest.chars().next() {
            shown.push(other);
            rest = &rest[other.len_utf8()..];
        }
    }
    shown
}

/// A number or code of Graph's, if it looks like one.
pub(crate) fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    let fine = (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(plain);
    fine.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_short_on_one_line_and_gives_no_rights() {
        let hash = "T0FzAQAwAAA/".repeat(300);
        let jwt = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.eyJhdWQiOiIxIn0.c2ln";
        for (text, shown) in [
            ("a  b\r\nc\u{7}\u{202e}d\u{1b}[31m", "a b c d [31m".to_owned()),
            ("got Bearer opaque-token-1, no", "got Bearer … no".to_owned()),
            ("\"bearer opaque\"", "\"bearer …".to_owned()),
            (&format!("token={jwt};x"), "token=…;x".to_owned()),
            (&format!("[{hash}] is no hash"), "[…] is no hash".to_owned()),
            (
                "device 705c034c-034c-705c-4c03-5c704c035c70",
                "device 705c034c-034c-705c-4c03-5c704c035c70".to_owned(),
            ),
            (&"é ".repeat(600), format!("{}…", "é ".repeat(250))),
            ("", String::new()),
        ] {
            assert_eq!(clean(text, None), shown);
        }
    }

    #[test]
    fn what_the_author_was_told_is_not_repeated() {
        let secret = Secret::of("s3cr3t", 1..=9).unwrap();
        assert_eq!(clean("you said s3cr3t!", Some(&secret)), "you said …!");
    }

    #[test]
    fn an_id_is_one() {
        assert_eq!(id(" aabb1234-x ").as_deref(), Some("aabb1234-x"));
        for bad in ["", "a b", "a\nb", "<script>", &"x".repeat(129)] {
            assert_eq!(id(bad), None);
        }
    }
}
