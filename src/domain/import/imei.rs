//! IMEIs: numbers of the radio of a phone, which are no serial numbers.

/// Whether it is 15 digits whose last one checks the others (Luhn).
pub(super) fn is_imei(text: &str) -> bool {
    text.len() == 15
        && text.bytes().all(|b| b.is_ascii_digit())
        && checksum(text).is_multiple_of(10)
}

/// What the IMEIs of phones in use begin with: the body that allots them.
const BODIES: [&str; 6] = ["01", "35", "86", "91", "98", "99"];

/// Whether it is nearly one: a spreadsheet takes the leading zero away, and people the last digit.
pub(super) fn is_damaged_imei(text: &str) -> bool {
    let begins = BODIES.iter().any(|body| text.starts_with(body));
    let lost_zero = || text.starts_with('1') && is_imei(&format!("0{text}"));
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    is_number
        && match text.len() {
            14 => begins || lost_zero(),
            15 => begins && !is_imei(text),
            _ => false,
        }
}

fn checksum(digits: &str) -> u32 {
    let value = |(n, b): (usize, u8)| {
        let digit = u32::from(b - b'0');
        let double = digit * 2;
        match n % 2 {
            0 => digit,
            _ => double / 10 + double % 10,
        }
    };
    digits.bytes().rev().enumerate().map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_checks_the_others() {
        for text in ["490154203237518", "352099001761481", "000000000000000"] {
            assert!(is_imei(text), "{text}");
        }
        for text in ["490154203237517", "49015420323751", "4901542032375180", "49015420323751a", ""]
        {
            assert!(!is_imei(text), "{text}");
        }
    }

    #[test]
    fn a_digit_less_or_another_one_is_seen() {
        // The first lost its zero, the second its last digit; of the third a digit is another one.
        for text in ["12345000000005", "35693803564380", "356938035643808"] {
            assert!(is_damaged_imei(text), "{text}");
        }
        for text in [
            "356938035643809",
            "12345000000009",
            // Serial numbers of scanners begin with a year and a day.
            "22057522501234",
            "3569380356438",
            "35693803564380A",
            "",
        ] {
            assert!(!is_damaged_imei(text), "{text}");
        }
    }
}
