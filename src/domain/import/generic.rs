//! A list with a header of any kind: known names of columns, and what somebody said of the others.

use super::decode::decode;
use super::field::Field;
use super::problem::{Cell, Problem};
use super::record::{Draft, Mapping, Records, fold};
use super::table::rows;

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
        let mut draft = Draft::new(row.line, &mut read.problems);
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
        for ((n, text), field) in row.cells.iter().enumerate().zip(&fields) {
            if let Some(field) = field {
                let at = Cell { line: row.line, column: n + 1, header: header.cells[n].clone() };
                draft.put(field.clone(), text, at);
            }
        }
        records.extend(draft.finish());
    }
    read.keep(records);
    read
}

/// The rows of a list.
pub(super) fn text_rows(bytes: &[u8]) -> Result<Vec<super::table::Row>, Problem> {
    let Some(text) = decode(bytes) else {
        let what = "the list is not text in UTF-8, UTF-16 or Windows-1252";
        return Err(Problem::new(&Cell::line(1), what, "save it as CSV in UTF-8"));
    };
    rows(&text)
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
        if let Some(first) = fields[..n].iter().position(|other| other.as_ref() == Some(field)) {
            let at = Cell { column: n + 1, header: headers[n].clone(), ..at.clone() };
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
