//! A list with a header of any kind: known names of columns, and what somebody said of the others.

use super::decode::decode;
use super::field::Field;
use super::problem::{Cell, Problem};
use super::record::{Draft, Mapping, Records, fold};
use super::table::rows;
use crate::domain::manifest::limits::MAX_LABEL_KEY;
use crate::domain::model::check_text;

/// The header of an export: what is read here again.
pub(crate) const HEADERS: [Field; 10] = [
    Field::Name,
    Field::SerialNumber,
    Field::UserEmail,
    Field::Profile,
    Field::Platform,
    Field::OsVersion,
    Field::Ownership,
    Field::Manufacturer,
    Field::Model,
    Field::AutopilotHash,
];

/// Which field a column is that is called so.
pub(super) fn known(header: &str) -> Option<Field> {
    if let Some(key) = header.strip_prefix("labels.").filter(|key| !key.is_empty()) {
        return Some(Field::Label(key.to_owned()));
    }
    Some(match fold(header).as_str() {
        "name" | "devicename" => Field::Name,
        "serialnumber" | "serial" | "serialno" | "deviceserialnumber" => Field::SerialNumber,
        "useremail"
        | "email"
        | "emailaddress"
        | "mail"
        | "user"
        | "upn"
        | "userprincipalname"
        | "assigneduser"
        | "primaryuserupn"
        | "primaryuseremailaddress" => Field::UserEmail,
        "profile" => Field::Profile,
        "platform" | "os" | "operatingsystem" => Field::Platform,
        "osversion" | "version" => Field::OsVersion,
        "ownership" | "ownertype" => Field::Ownership,
        "manufacturer" | "manufacturername" | "make" | "hardwaremanufacturer" => {
            Field::Manufacturer
        }
        "model" | "devicemodel" | "hardwaremodel" => Field::Model,
        "autopilothash" | "hardwarehash" | "hardwareautopilothash" => Field::AutopilotHash,
        _ => return None,
    })
}

/// Reads a list by its header.
pub(crate) fn read(bytes: &[u8], mapping: &Mapping) -> Records {
    read_by(bytes, mapping, known, |_| {})
}

/// Reads a list whose columns `known` knows, and adds to each row what its format means besides.
pub(super) fn read_by(
    bytes: &[u8],
    mapping: &Mapping,
    known: impl Fn(&str) -> Option<Field>,
    also: impl Fn(&mut Draft<'_>),
) -> Records {
    let mut read = Records::default();
    let rows = match text_rows(bytes) {
        Ok(rows) => rows,
        Err(problem) => return Records { problems: vec![problem], ..read },
    };
    let Some((header, rows)) = rows.split_first() else {
        let problem = Problem::new(&Cell::line(1), "the list is empty", "it begins with a header");
        return Records { problems: vec![problem], ..read };
    };
    let at = Cell::line(header.line);
    read.problems.extend(mapping.missing(&header.cells, &at));
    let fields: Vec<Option<Field>> =
        header.cells.iter().map(|name| mapping.find(name).unwrap_or_else(|| known(name))).collect();
    check_header(&header.cells, &fields, mapping, &at, &mut read);
    if !read.problems.is_empty() {
        return read;
    }
    let mut records = Vec::new();
    for row in rows {
        let mut draft = Draft::new(Cell::line(row.line), &mut read.problems);
        if row.cells.len() > header.cells.len() {
            let what = format!(
                "there are {} columns, and {} in the header",
                row.cells.len(),
                header.cells.len()
            );
            draft.refuse(
                &Cell::line(row.line),
                what,
                "put a text that has the separator in quotes",
            );
        }
        also(&mut draft);
        for (n, field) in fields.iter().enumerate() {
            if let Some(field) = field {
                let text = row.cells.get(n).map_or("", String::as_str);
                let at = Cell { line: row.line, column: n + 1, header: header.cells[n].clone() };
                draft.put(field.clone(), text, at);
            }
        }
        records.push(draft.finish());
    }
    read.keep(records);
    read
}

/// The rows of a list.
pub(super) fn text_rows(bytes: &[u8]) -> Result<Vec<super::table::Row>, Problem> {
    if let Some(what) = workbook(bytes) {
        let help = "in the spreadsheet, save it as \"CSV UTF-8\", and import that file";
        return Err(Problem::new(&Cell::line(1), what, help));
    }
    let Some(text) = decode(bytes) else {
        let what = "the list is not text in UTF-8, UTF-16 or Windows-1252";
        return Err(Problem::new(&Cell::line(1), what, "save it as CSV in UTF-8"));
    };
    rows(&text)
}

/// What the list is, if its bytes begin as a workbook does.
fn workbook(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => {
            Some("the list is a workbook (.xlsx, .ods) or a zip file, not text")
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Some("the list is a workbook (.xls), not text"),
        _ => None,
    }
}

fn check_header(
    headers: &[String],
    fields: &[Option<Field>],
    mapping: &Mapping,
    at: &Cell,
    read: &mut Records,
) {
    for (n, field) in fields.iter().enumerate() {
        let Some(field) = field else {
            if mapping.find(&headers[n]).is_none() {
                read.unused.push(headers[n].clone());
            }
            continue;
        };
        let at = Cell { column: n + 1, header: headers[n].clone(), ..at.clone() };
        if let Field::Label(key) = field
            && let Err(why) = check_text(key, MAX_LABEL_KEY)
        {
            let what = format!("the name of the label {why}");
            read.problems.push(Problem::new(&at, what, "give it another name with --map"));
        }
        if let Some(first) = fields[..n].iter().position(|other| other.as_ref() == Some(field)) {
            let what = format!("column {} ({}) is {field} already", first + 1, headers[first]);
            let help = format!("leave one of them out: --map {:?}", format!("{}=", headers[n]));
            read.problems.push(Problem::new(&at, what, help));
        }
    }
    if !fields.contains(&Some(Field::SerialNumber)) {
        let help =
            "say which column it is: --map COLUMN=serialNumber; the first line must be the header";
        read.problems.push(Problem::new(at, "no column is the serial number", help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_of_an_export_is_known_by_its_name_here_and_in_mappings() {
        for field in HEADERS {
            let name = field.to_string();
            assert_eq!(known(&name), Some(field.clone()), "{name}");
            assert_eq!(name.parse(), Ok(field), "{name}");
        }
        assert_eq!(known("labels.site"), Some(Field::Label("site".to_owned())));
    }
}
