//! What a scalar without quotes means.

/// A scalar by the YAML 1.2 core schema (§10.3.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'n> {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Saturates beyond 128 bits.
    Int(i128),
    /// Perhaps not finite.
    Float(f64),
    /// Everything else.
    Text(&'n str),
}

pub(super) fn resolve(text: &str) -> Scalar<'_> {
    // Nearly every scalar of a manifest begins as none of those below do.
    let first = text.bytes().next().unwrap_or(b'~');
    if !matches!(
        first,
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'.' | b'+' | b'-' | b'0'..=b'9'
    ) {
        return Scalar::Text(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        _ => {}
    }
    number(text).unwrap_or(Scalar::Text(text))
}

fn number(text: &str) -> Option<Scalar<'_>> {
    let (negative, rest) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        b'0'..=b'9' | b'.' => (false, text),
        _ => return None,
    };
    let all =
        |digits: &str, ok: fn(&u8) -> bool| !digits.is_empty() && digits.bytes().all(|b| ok(&b));
    let int =
        |digits, radix| Some(Scalar::Int(i128::from_str_radix(digits, radix).unwrap_or(i128::MAX)));
    if let Some(hex) = text.strip_prefix("0x") {
        return if all(hex, u8::is_ascii_hexdigit) { int(hex, 16) } else { None };
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return if all(octal, |b| (b'0'..=b'7').contains(b)) { int(octal, 8) } else { None };
    }
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(Scalar::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    if all(rest, u8::is_ascii_digit) {
        let magnitude = rest.parse().unwrap_or(i128::MAX);
        return Some(Scalar::Int(if negative { -magnitude } else { magnitude }));
    }
    // What is left of Rust's grammar for floats after this is that of the core schema.
    let float = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
    if !all(text, float) {
        return None;
    }
    text.parse().ok().map(Scalar::Float)
}

/// The place after the closing quote of a quoted scalar: of characters, each with its place, from
/// the opening quote to the end of the line. Nothing where it does not begin or end here.
pub(crate) fn past_quotes(chars: impl Iterator<Item = (usize, char)>) -> Option<usize> {
    let mut chars = chars.peekable();
    let (_, quote) = chars.next().filter(|(_, c)| matches!(c, '"' | '\''))?;
    while let Some((at, c)) = chars.next() {
        let doubled = quote == '\'' && c == quote && chars.peek().is_some_and(|n| n.1 == quote);
        if (quote == '"' && c == '\\') || doubled {
            chars.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    None
}
