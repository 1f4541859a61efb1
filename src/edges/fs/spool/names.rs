//! Names of files: those that are not whole yet, and how any of them is shown.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::domain::model::is_deceptive;

/// What copies and editors give a file that is not whole yet.
const UNFINISHED: &[&str] = &["~", ".tmp", ".part", ".swp", ".filepart"];

/// Whether a file of this name is not to be looked at yet.
pub(crate) fn is_unfinished(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
        || UNFINISHED.iter().any(|end| name.as_bytes().ends_with(end.as_bytes()))
}

/// A file name fit for people: `%XX` for bytes that are not UTF-8 or deceive, and for `%`,
/// so that no two names are spelled alike.
pub(crate) fn spell(name: &OsStr) -> String {
    let mut spelled = String::new();
    let escape = |bytes: &[u8]| bytes.iter().map(|b| format!("%{b:02X}")).collect::<String>();
    for chunk in name.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || is_deceptive(c) {
                spelled.push_str(&escape(c.encode_utf8(&mut [0; 4]).as_bytes()));
            } else {
                spelled.push(c);
            }
        }
        spelled.push_str(&escape(chunk.invalid()));
    }
    spelled
}
