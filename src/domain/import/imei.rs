//! IMEIs: numbers of the radio of a phone, which are no serial numbers.

/// Whether it is 15 digits whose last one checks the others (Luhn).
pub(super) fn is_imei(text: &str) -> bool {
    text.len() == 15
        && text.bytes().all(|b| b.is_ascii_digit())
        && checksum(text).is_multiple_of(10)
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
}
