//! What a spreadsheet makes of a text that looks like something else to it.

use super::dates::{is_date, is_date_not_version};

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
    if is_date(text) {
        Some(DATE)
    } else if is_decimal(text) {
        Some("is a number with decimals, which a spreadsheet made of it")
    } else if is_logical(text) {
        Some("is what a spreadsheet writes for true or false")
    } else {
        damage(text)
    }
}

/// As [`damage`], of a version.
pub(super) fn version_damage(text: &str) -> Option<&'static str> {
    damage(text).or_else(|| is_date_not_version(text).then_some(DATE))
}

const DATE: &str = "was turned into a date or time by a spreadsheet";

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

/// `45424.5` and `0,520833` are a date with a time and a time, and `4711.0` is what is left of a number.
fn is_decimal(text: &str) -> bool {
    let Some((whole, part)) = text.split_once(['.', ',']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // The days from 1982 to 2064.
    let is_day = whole.len() == 5 && ("30000"..="59999").contains(&whole);
    let is_zero = part.bytes().all(|b| b == b'0');
    digits(whole) && digits(part) && (is_day || whole == "0" || is_zero)
}

fn is_logical(text: &str) -> bool {
    let words = ["TRUE", "FALSE", "WAHR", "FALSCH", "VERDADERO", "FALSO"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
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
            "12. Mai",
            "12:30",
            "45424.5",
            "45424,520833",
            "0.5208333",
            "4711.0",
            "TRUE",
            "Falsch",
            "VERDADERO",
        ] {
            assert!(serial_damage(text).is_some(), "{text}");
        }
        for text in [
            "PF3XK9Q2",
            "5CD1234567",
            "1E5",
            "12E34",
            "E+5",
            "MAY24",
            "12.34",
            "60001.5",
            "45424",
            "TRUE1",
            "..CN1374012345.",
            "0000-0012-3456-7890-1234-5678-90",
            "C02ZL1XYMD6T",
            "#1",
        ] {
            assert_eq!(serial_damage(text), None, "{text}");
        }
        assert!(version_damage("12.05.2024").is_some());
        assert_eq!(version_damage("10.0.26100"), None);
        assert_eq!(unwrapped("=\"0123\""), "0123");
        assert_eq!(unwrapped("=\"a\"&\"b\""), "=\"a\"&\"b\"");
    }
}
