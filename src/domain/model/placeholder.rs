//! Serial numbers that are none: what firmware says where the vendor wrote nothing.
//!
//! Thousands of machines have the same one, so a command for one of them would be a command for
//! all. The words are those that inventory tools pass over (GLPI, OCS Inventory, Fleet), and the
//! rules cover the shapes behind them: one character repeated, digits counted up or down.

use super::ids::SerialNumber;

/// In capitals, letters and digits only.
const WORDS: &[&str] = &[
    "0123456789ABCDEF",
    // The UUID that boards have where the vendor wrote none.
    "03000200040005000006000700080009",
    "123456789000",
    "DEFAULT",
    "DEFAULTSTRING",
    "EMPTY",
    "EVAL",
    "FILLBYOEM",
    "IATPASS",
    "INVALID",
    "INVALIDSERIAL",
    "NA",
    "NIL",
    "NONE",
    "NOSERIAL",
    "NOTAPPLICABLE",
    "NOTAVAILABLE",
    "NOTDEFINED",
    "NOTPRESENT",
    "NOTPROVIDED",
    "NOTSET",
    "NOTSPECIFIED",
    "NULL",
    "NULLSTRING",
    "OEM",
    "OEMSERIAL",
    "SERIAL",
    "SERIALNO",
    "SERIALNUM",
    "SN123456FVGV3I0B8O5N6N7K",
    "STRING",
    "SYSTEMSERIAL",
    "SYSTEMSERIALNUMB",
    "TBD",
    "TULIPCOMPUTERS",
    "UNDEFINED",
    "UNKNOW",
    "UNKNOWN",
    "UNSPECIFIED",
];

/// What some vendors put before a number that is none.
const LABELS: &[&str] = &["SYS", "SN", "MB", "SERIALNUMBER", "SERIAL", "VMWARE"];

impl SerialNumber {
    /// Whether it only stands for a serial number that is missing, so that many machines have it:
    /// `To be filled by O.E.M.`, `0`, `123456789`, `xxxxxxx`, `.`.
    #[must_use]
    pub(crate) fn is_placeholder(&self) -> bool {
        let bare = bare(self.as_str());
        bare.is_empty()
            || WORDS.contains(&&*bare)
            || bare.starts_with("TOBEFILLED")
            // `Chassis Serial Number`, `Base Board Serial Number`: the name of the field.
            || (bare.ends_with("SERIALNUMBER") && bare.bytes().all(|b| b.is_ascii_alphabetic()))
            || is_one_digit(&bare)
            || is_repeated(&bare)
            || is_counted(&bare)
            || self.is_labelled_nothing()
    }

    /// `SN-12345`; but `SN012345` may be one of a hundred thousand that a company numbered itself.
    fn is_labelled_nothing(&self) -> bool {
        let between = self.as_str().match_indices(|c: char| !c.is_ascii_alphanumeric());
        between.map(|(at, _)| (bare(&self.as_str()[..at]), bare(&self.as_str()[at..]))).any(
            |(label, rest)| LABELS.contains(&&*label) && (is_repeated(&rest) || is_counted(&rest)),
        )
    }
}

/// In capitals, letters and digits only.
fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn is_one_digit(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|b| b.is_ascii_digit())
}

/// One character, at least twice.
fn is_repeated(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|b| b == text.as_bytes()[0])
}

/// At least five digits, each one more, or each one less, than the one before; 0 follows 9.
///
/// More than ten only where they begin with 1, as whoever fills a field does: `01234567890123` is a
/// serial number in the documentation of Intune.
fn is_counted(text: &str) -> bool {
    let step = |by: u8| text.as_bytes().windows(2).all(|w| (w[0] - b'0' + by) % 10 == w[1] - b'0');
    let is_short = text.len() <= 10 || text.starts_with('1');
    text.len() >= 5 && is_short && text.bytes().all(|b| b.is_ascii_digit()) && (step(1) || step(9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(text: &str) -> SerialNumber {
        text.parse().unwrap_or_else(|why| panic!("{text:?} {why}"))
    }

    #[test]
    fn what_many_machines_have_is_a_placeholder() {
        for text in [
            "To be filled by O.E.M.",
            "To Be Filled By O.E.M.",
            "TO-BE-FILLED-BY-OEM",
            "To Be Filled By O.E.M. by More String",
            "System-Serial-Number",
            "System Serial Number",
            "SystemSerialNumb",
            "Chassis Serial Number",
            "Base Board Serial Number",
            "Default string",
            "0",
            "1",
            "00000000",
            "1111111",
            "0123456789",
            "0123456789ABCDEF",
            "12345",
            "123456789",
            "1234567890",
            "123456789000",
            "12345678901234567",
            "123456789012",
            "987654321",
            "None",
            "none",
            "N/A",
            "INVALID",
            "Not Specified",
            "Not Applicable",
            "xxxxxxxxxxx",
            "NNNNNNN",
            "EVAL",
            "SYS-1234567890",
            "SYS-9876543210",
            "SN-12345",
            "MB-1234567890",
            "Serial Number xxxxxx",
            "VMware-00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00",
            "empty",
            "Unknown",
            "OEM",
            ".",
            "..",
            "..........",
            "..0000000.",
            "-",
            "---",
            "0000-0000",
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "03000200-0400-0500-0006-000700080009",
        ] {
            assert!(serial(text).is_placeholder(), "{text}");
        }
    }

    #[test]
    fn serial_numbers_of_vendors_are_none() {
        for text in [
            "PF3XK9Q2",
            "C02XL0GAJGH5",
            "5CD1234567",
            "1234",
            "0123",
            "12340",
            "A",
            "1e5",
            "NONE7",
            "SN-1",
            "SN012345",
            "01234567890123",
            "SN0000",
            "S1",
            "SN-PF3XK9",
            "OEM12",
            "VMware-56 4d fa 72 69 7a 39 13-aa 0e 17 06 9b 09 42 c8",
            "VM5vodACsc+k",
            "/77NDZ12/CN70163475007C/",
            "..CN1374012345.",
            ".ABC1234.CN7220012345.",
            "0000-0012-3456-7890-1234-5678-90",
            "ec2e1916-9099-7caf-fd21-012345abcdef",
        ] {
            assert!(!serial(text).is_placeholder(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_serial_numbers() {
        for text in [
            "", " A1", "A1 ", "A  1", "A\t1", "A\n1", "A;1", "A|1", "A&1", "A$1", "A`1", "A'1",
            "A\"1", "A\\1", "A<1", "A>1", "A*1", "A%1", "A=1", "A,1", "A#1", "A(1)", "+", "/ /",
            "/", "é1",
        ] {
            assert!(text.parse::<SerialNumber>().is_err(), "{text:?}");
        }
        assert!("x".repeat(64).parse::<SerialNumber>().is_ok());
        assert!("x".repeat(65).parse::<SerialNumber>().is_err());
    }
}
