//! Dates and times as spreadsheets write them in English, German and Spanish.

/// The months, each with its names in lower case.
const MONTHS: [&[&str]; 12] = [
    &["jan", "january", "januar", "ene", "enero"],
    &["feb", "february", "februar", "febrero"],
    &["mar", "march", "mrz", "mär", "märz", "marzo"],
    &["apr", "april", "abr", "abril"],
    &["may", "mai", "mayo"],
    &["jun", "june", "juni", "junio"],
    &["jul", "july", "juli", "julio"],
    &["aug", "august", "ago", "agosto"],
    &["sep", "sept", "september", "septiembre"],
    &["oct", "october", "okt", "oktober", "octubre"],
    &["nov", "november", "noviembre"],
    &["dec", "december", "dez", "dezember", "dic", "diciembre"],
];

/// Whether the text is a date, a time of day, or both. `MAY24` is none: no spreadsheet writes a date
/// without something between its parts.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.to_lowercase();
    match without_time(&text) {
        Some("") => true,
        Some(date) => is_day(date),
        None => is_day(&text),
    }
}

/// As [`is_date`], of a text that may be a version: `12.11.24` can be one, `12.05.24` is none.
pub(super) fn is_date_not_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_short = parts.len() == 3 && parts.iter().all(|part| part.len() <= 2);
    is_date(text) && !(is_short && parts.iter().all(|part| !part.starts_with('0')))
}

/// What comes before the time of day at the end; none where there is no time.
fn without_time(text: &str) -> Option<&str> {
    let bare = [" am", " pm", " a.m.", " p.m."].iter().find_map(|half| text.strip_suffix(half));
    let bare = bare.unwrap_or(text);
    let (date, time) = bare.rsplit_once([' ', 't']).unwrap_or(("", bare));
    is_time(time).then(|| date.trim_end())
}

/// `12:30`, `12:30:00`
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let within = |text: &str, lengths: &[usize], most| number(text, lengths, 0..=most);
    match parts[..] {
        [hour, minute] => within(hour, &[1, 2], 24) && within(minute, &[2], 59),
        [hour, minute, second] => {
            let second = second.split(['.', 'z']).next().unwrap_or_default();
            within(hour, &[1, 2], 24) && within(minute, &[2], 59) && within(second, &[2], 59)
        }
        _ => false,
    }
}

/// `3-Mar`, `12. Mai`, `may-24`, `12.05.2024`, `03/04/2026`, `2026-03-04`
fn is_day(text: &str) -> bool {
    let text = text.replace(". ", " ").replace(".-", "-").replace(" de ", " ");
    let text = text.trim_end_matches('.');
    let parts: Vec<&str> = text.split([' ', '-', '/', '.']).collect();
    let month = |text: &str| MONTHS.iter().any(|names| names.contains(&text));
    let day = |text: &str| number(text, &[1, 2], 1..=31);
    let in_year = |text: &str| number(text, &[1, 2], 1..=12);
    let year = |text: &str| number(text, &[2], 0..=99) || number(text, &[4], 0..=9999);
    let this_age = |text: &str| number(text, &[4], 1900..=2099);
    match parts[..] {
        [a, b] => (day(a) && month(b)) || (month(a) && year(b)),
        [a, b, c] if month(b) => day(a) && year(c),
        [a, b, c] if month(a) => day(b) && year(c),
        [a, b, c] if a.len() == 4 => {
            let is_dotted = text.contains('.');
            in_year(b) && day(c) && if is_dotted { this_age(a) } else { year(a) }
        }
        [a, b, c] if text.contains('/') => day(a) && day(b) && year(c),
        [a, b, c] => {
            let is_padded = parts.iter().all(|part| part.len() == 2) && text.contains('.');
            day(a) && in_year(b) && (this_age(c) || (is_padded && year(c)))
        }
        _ => false,
    }
}

fn number(text: &str, lengths: &[usize], range: std::ops::RangeInclusive<u32>) -> bool {
    lengths.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse().is_ok_and(|n| range.contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreadsheets_write_is_a_date_and_what_vendors_write_is_none() {
        for text in [
            "3-Mar",
            "03-Mar-26",
            "Mar-03",
            "03/04/2026",
            "3/4/26",
            "2026-03-04",
            "2026-03-04 00:00:00",
            "2026-03-04T00:00:00Z",
            "2026/3/4",
            "May 12 2024",
            "12.05.2024",
            "12.5.2024",
            "12.05.24",
            "12.05.2024 12:30",
            "2024.05.12",
            "12-05-2024",
            "12. Mai",
            "12. Mai 24",
            "12. Mai 2024",
            "Mai 24",
            "Mrz 24",
            "1. März",
            "01. Dez",
            "12-may",
            "may-24",
            "may.-24",
            "12-ene-24",
            "12 de mayo de 2024",
            "12:30",
            "9:05:00",
            "12:30 PM",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "MAY24",
            "12MAI",
            "SEP2024X",
            "3-Max",
            "MAR-1",
            "MAY-X24",
            "2026-13-04",
            "1234-56-78",
            "1-2-3",
            "5-12",
            "12-05-24",
            "32.05.2024",
            "12.13.2024",
            "12.05.3024",
            "1.2.34",
            "12.05",
            "25:61",
            "00:11:22:33:44:55",
            "",
            ".",
            "PF3XK9Q2",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }

    #[test]
    fn versions_are_no_dates() {
        for text in ["12.05.2024", "12.05.24", "1.1.2024", "12-May", "12:30"] {
            assert!(is_date_not_version(text), "{text}");
        }
        for text in ["10.0.26100", "10.0.2009", "12.11.24", "15.1 (24B83)", "18.1", "14"] {
            assert!(!is_date_not_version(text), "{text}");
        }
    }
}
