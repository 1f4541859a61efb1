//! Corporate identifiers, as Intune takes them: no header, one kind a file.

use super::field::Field;
use super::generic::text_rows;
use super::imei::{is_damaged_imei, is_imei};
use super::problem::{Cell, Problem};
use super::record::{Draft, Records};
use crate::domain::wording::quote;

const COLUMNS: [(Field, &str); 3] = [
    (Field::Manufacturer, "manufacturer"),
    (Field::Model, "model"),
    (Field::SerialNumber, "serial number"),
];

/// The label that the details of an identifier become.
const DETAILS: &str = "details";

/// Reads them: `SERIAL,details`, or `Manufacturer,Model,Serial` of Windows.
pub(crate) fn read(bytes: &[u8]) -> Records {
    let mut read = Records::default();
    let rows = match text_rows(bytes) {
        Ok(rows) => rows,
        Err(problem) => return Records { problems: vec![problem], ..read },
    };
    let is_windows = |cells: &[String]| cells.len() >= COLUMNS.len();
    let windows = rows.first().is_some_and(|row| is_windows(&row.cells));
    if rows.is_empty() {
        let problem = Problem::new(&Cell::line(1), "the list is empty", "it has no header");
        return Records { problems: vec![problem], ..read };
    }
    let mut records = Vec::new();
    for row in rows {
        let mut draft = Draft::new(Cell::line(row.line), &mut read.problems);
        let cell = |n: usize, header: &str| Cell {
            line: row.line,
            column: n + 1,
            header: header.to_owned(),
        };
        let line = Cell::line(row.line);
        if is_windows(&row.cells) != windows || row.cells.len() > COLUMNS.len() {
            let (this, first) = (row.cells.len(), if windows { "3" } else { "2" });
            let what = format!("there are {this} columns, and {first} in the first line");
            let help = "one kind of identifiers a file, and no commas within a value";
            draft.refuse_field(Field::SerialNumber, line, what, help);
        } else if windows {
            draft.put(Field::Platform, "windows", Cell::default());
            for (n, (field, name)) in COLUMNS.into_iter().enumerate() {
                draft.put(field, row.cells.get(n).map_or("", String::as_str), cell(n, name));
            }
        } else {
            let text = row.cells.first().map_or("", String::as_str);
            let at = cell(0, "identifier");
            if is_imei(text) {
                let help = "Fleetform knows devices by serial number: list those instead, or import a \
                    CSV with both and --map IMEI=labels.imei";
                let what = "this is an IMEI, not a serial number";
                draft.refuse_field(Field::SerialNumber, at, what, help);
            } else if is_damaged_imei(text) {
                let what = format!(
                    "{} seems to be an IMEI that lost or changed a digit, not a serial number",
                    quote(text)
                );
                let help = "list serial numbers; if this is one, import the list with `import csv`, under \
                    the header `serialNumber,labels.details`";
                draft.refuse_field(Field::SerialNumber, at, what, help);
            } else {
                draft.put(Field::SerialNumber, text, at);
            }
            if let Some(text) = row.cells.get(1) {
                draft.put(Field::Label(DETAILS.to_owned()), text, cell(1, DETAILS));
            }
        }
        records.push(draft.finish());
    }
    read.keep(records);
    read
}
