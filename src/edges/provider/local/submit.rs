//! Handing reports in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::records::{self, Records, Stretch};
use crate::domain::model::Timestamp;
use crate::edges::fs::spool::{Dir, is_unfinished};

/// Hands the reports among these bytes to the inbox, byte for byte: they are there durably on
/// return, under a name that sorts by `now` and that nothing else ever has. `hint` becomes a
/// part of the name. What is no report is an error, and not handed in.
///
/// # Errors
/// `Error` if there is no report among them, else if the inbox cannot be written.
pub fn submit(
    data: &Path,
    hint: &str,
    bytes: &[u8],
    now: Timestamp,
) -> Result<(PathBuf, Records), Error> {
    let read = records::parse(bytes);
    if read.good.is_empty() {
        return Err(Error::NoReports(read.bad.into_iter().map(|(_, problem)| problem).collect()));
    }
    let mut good = Vec::with_capacity(bytes.len());
    for (Stretch { start, end }, _) in &read.good {
        let range = usize::try_from(*start).unwrap_or(0)..usize::try_from(*end).unwrap_or(0);
        good.extend_from_slice(bytes.get(range).unwrap_or_default());
        if !good.ends_with(b"\n") {
            good.push(b'\n');
        }
    }
    let dir = Dir::create(&data.join("inbox"), "submit")?;
    let name = fresh_name(now, hint);
    let mut temp = OsString::from(".");
    temp.push(&name);
    dir.write_new(&temp, &good)?;
    let named = dir.sync_contents(&[&temp]).and_then(|()| dir.replace(&temp, &name));
    if let Err(error) = named {
        dir.discard(&temp);
        return Err(error.into());
    }
    dir.sync()?;
    Ok((dir.path(&name), read))
}

/// A name that sorts by `now` and that nothing else ever has; `hint` is a part of it.
pub(super) fn fresh_name(now: Timestamp, hint: &str) -> OsString {
    let time: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let hint: String = bare(hint).chars().filter(plain).take(64).collect();
    let mut name = OsString::from(format!("{time}-{}-{hint}", uuid::Uuid::new_v4().simple()));
    if is_unfinished(&name) {
        name.push(".json");
    }
    name
}

/// A name without what [`fresh_name`] put before it, which would grow at every try.
fn bare(mut name: &str) -> &str {
    let is_time = |text: &str| {
        let digits = text.strip_suffix('Z').and_then(|text| text.split_once('T'));
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        digits.is_some_and(|(day, time)| day.len() == 8 && is_number(day) && is_number(time))
    };
    let is_id = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    while let Some((time, rest)) = name.split_once('-')
        && let Some((id, rest)) = rest.split_once('-')
        && is_time(time)
        && is_id(id)
    {
        name = rest;
    }
    name
}
