//! What a spreadsheet makes of a text that looks like something else to it.

/// What the text was before cannot be told: why, as what comes after its quotation.
pub(super) fn damage(text: &str) -> Option<&'static str> {
    if is_scientific(text) {
        Some("is a number that a spreadsheet shortened: digits are lost")
    } else if is_error(text) {
        Some("is an error value of a spreadsheet")
    } else {
        None
    }
}

/// As [`damage`], of a serial number.
pub(super) fn serial_damage(text: &str) -> Option<&'static str> {
    damage(text).or_else(|| is_date(text).then_some("was turned into a date by a spreadsheet"))
}

/// How to have it whole.
pub(super) const HELP: &str =
    "export the list again, and in the spreadsheet import that column as text";

/// Whether a spreadsheet takes the cell for a formula.
pub(crate) fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@'])
}

/// The text of `="0123"`, by which programs keep spreadsheets from taking a text for a number.
pub(super) fn unwrapped(text: &str) -> &str {
    let inner = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

/// `1.23457E+14`
fn is_scientific(text: &str) -> bool {
    let Some((number, power)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, "0"));
    let power = power.strip_prefix('+');
    power.is_some_and(digits) && digits(whole) && digits(part)
}

/// `#N/A`, `########`
fn is_error(text: &str) -> bool {
    let known = ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"];
    known.iter().any(|error| text.eq_ignore_ascii_case(error))
        || text.len() > 1 && text.bytes().all(|b| b == b'#')
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// `3-Mar`, `Mar-03`, `03/04/2026`, `2026-03-04`, with or without a time.
fn is_date(text: &str) -> bool {
    let date = text.split(' ').next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['-', '/']).collect();
    let number = |text: &str, lengths: &[usize]| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let month = |text: &str| MONTHS.contains(&text.to_ascii_lowercase().as_str());
    let in_year = |text: &str, most: u32| {
        number(text, &[1, 2]) && text.parse().is_ok_and(|n: u32| (1..=most).contains(&n))
    };
    match parts[..] {
        [a, b] => (number(a, &[1, 2]) && month(b)) || (month(a) && number(b, &[2, 4])),
        [a, b, c] if month(b) => number(a, &[1, 2]) && number(c, &[2, 4]),
        [a, b, c] if number(a, &[4]) => in_year(b, 12) && in_year(c, 31),
        [a, b, c] => in_year(a, 31) && in_year(b, 31) && number(c, &[2, 4]) && date.contains('/'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_made_of_a_serial_number_is_seen() {
        for text in [
            "1.23457E+14",
            "1,23457E+14",
            "5E+10",
            "#N/A",
            "########",
            "3-Mar",
            "03-Mar-26",
            "Mar-03",
            "03/04/2026",
            "3/4/26",
            "2026-03-04",
            "2026-03-04 00:00:00",
            "2026/3/4",
        ] {
            assert!(serial_damage(text).is_some(), "{text}");
        }
        for text in [
            "PF3XK9Q2",
            "5CD1234567",
            "1E5",
            "12E34",
            "E+5",
            "3-Max",
            "2026-13-04",
            "1234-56-78",
            "0000-0012-3456-7890-1234-5678-90",
            "C02ZL1XYMD6T",
            "#1",
            "MAR-1",
            "5-12",
            "1-2-3",
        ] {
            assert_eq!(serial_damage(text), None, "{text}");
        }
        assert_eq!(unwrapped("=\"0123\""), "0123");
        assert_eq!(unwrapped("=\"a\"&\"b\""), "=\"a\"&\"b\"");
    }
}
