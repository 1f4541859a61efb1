//! Corporate identifiers, as Intune takes them: no header, one kind a file.

use super::field::Field;
use super::generic::text_rows;
use super::imei::is_imei;
use super::problem::{Cell, Problem};
use super::record::{Draft, Records};

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
        let mut draft = Draft::new(row.line, &mut read.problems);
        let cell = |n: usize, header: &str| Cell {
            line: row.line,
            column: n + 1,
            header: header.to_owned(),
        };
        let line = Cell::line(row.line);
        if is_windows(&row.cells) != windows || row.cells.len() > COLUMNS.len() {
            let (this, first) = (row.cells.len(), if windows { "3" } else { "2" });
            let what = format!("there are {this} columns, and {first} in the first line");
            draft.refuse(
                &line,
                what,
                "one kind of identifiers a file, and no commas within a value",
            );
        } else if windows {
            draft.put(Field::Platform, "windows", Cell::default());
            for ((n, text), (field, name)) in row.cells.iter().enumerate().zip(COLUMNS) {
                draft.put(field, text, cell(n, name));
            }
        } else {
            let text = row.cells.first().map_or("", String::as_str);
            if is_imei(text) {
                let help = "Fleetform knows devices by serial number: list those instead, or import a \
                    CSV with both and --map IMEI=labels.imei";
                draft.refuse(&cell(0, "identifier"), "this is an IMEI, not a serial number", help);
            } else {
                draft.put(Field::SerialNumber, text, cell(0, "identifier"));
            }
            if let Some(text) = row.cells.get(1) {
                draft.put(Field::Label(DETAILS.to_owned()), text, cell(1, DETAILS));
            }
        }
        records.extend(draft.finish());
    }
    read.keep(records);
    read
}
