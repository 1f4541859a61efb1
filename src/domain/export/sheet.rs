//! Lists as they are uploaded: plain ASCII, no quotes, so many rows a file.

use crate::domain::import::is_formula;
use crate::domain::model::{DesiredDevice, Place};
use crate::domain::wording::quote;

/// A device that is not in the list, and why: a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) why: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// What tells it from files of another kind; empty where there is one kind.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// A list, in as many files as it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exported {
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) refused: Vec<Refused>,
    /// Devices in it.
    pub(crate) devices: u64,
    /// Devices that the list is not about.
    pub(crate) others: u64,
}

impl Exported {
    pub(super) fn refuse(&mut self, device: &DesiredDevice, why: impl Into<String>) {
        let name = device.spec.name.to_string();
        self.refused.push(Refused { name, place: device.place.clone(), why: why.into() });
    }
}

/// How much a file of the list may have.
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

/// The rows as files, each within limits.
pub(super) fn sheets(
    kind: &'static str,
    header: &str,
    rows: &[String],
    limits: &Limits,
) -> Vec<Sheet> {
    let mut sheets: Vec<(Sheet, usize)> = Vec::new();
    for row in rows {
        let has_room = sheets.last().is_some_and(|(sheet, n)| {
            *n < limits.rows && sheet.text.len() + row.len() + 2 <= limits.bytes
        });
        if !has_room {
            sheets.push((Sheet { kind, text: header.to_owned() }, 0));
        }
        if let Some((sheet, n)) = sheets.last_mut() {
            sheet.text.push_str(row);
            sheet.text.push_str("\r\n");
            *n += 1;
        }
    }
    sheets.into_iter().map(|(sheet, _)| sheet).collect()
}

/// One row of values that may stand in such a list.
///
/// # Errors
/// Why one of them may not.
pub(super) fn row(cells: &[(&str, &str)]) -> Result<String, String> {
    for (field, text) in cells {
        let why = match *text {
            text if text.contains([',', '"']) => {
                "has a comma or a quote, which such a list cannot have"
            }
            text if !text.bytes().all(|b| matches!(b, b' '..=b'~')) => {
                "has characters that are not plain ASCII"
            }
            text if is_formula(text) => "is a formula to a spreadsheet",
            _ => continue,
        };
        return Err(format!("{field} {} {why}", quote(text)));
    }
    Ok(cells.iter().map(|(_, text)| *text).collect::<Vec<_>>().join(","))
}
