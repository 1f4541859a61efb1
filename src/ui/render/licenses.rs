//! The licenses of users, as a table and as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use super::table::{Cell, Column, Table};
use crate::domain::licensing::{LicenseStanding, UserLicense};
use crate::domain::model::Timestamp;

/// `{"version": 1, "licenses": [{"standing", "sku", "user", "since", "devices", …}]}`.
pub(crate) fn json(licenses: &[UserLicense], out: &mut Out) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        licenses: &'a [UserLicense],
    }
    json::pretty(out, &Document { version: 1, licenses })
}

pub(crate) fn text(licenses: &[UserLicense], out: &mut Out) -> io::Result<()> {
    if licenses.is_empty() {
        return writeln!(out, "No license was assigned, and none is missing.");
    }
    let mut table = Table::new([
        Column::whole("STANDING"),
        Column::whole("LICENSE"),
        Column::cut("USER", 12),
        Column::whole("SINCE").or_hide(1),
        Column::cut("DEVICES", 8).or_hide(2),
        Column::cut("REASON", 12),
    ]);
    for UserLicense { standing, sku, user, since, devices, reason } in licenses {
        let (word, tone) = match standing {
            LicenseStanding::Missing => ("missing", Tone::Removed),
            LicenseStanding::NotNeeded => ("not needed", Tone::Changed),
            LicenseStanding::Assigned => ("assigned", Tone::Plain),
        };
        let devices: Vec<_> = devices.iter().map(ToString::to_string).collect();
        table.push([
            Cell::toned(word, tone),
            sku.as_str().into(),
            user.as_str().into(),
            since.map(Timestamp::short).unwrap_or_default().into(),
            devices.join(", ").into(),
            reason.as_deref().unwrap_or_default().into(),
        ]);
    }
    table.write(out)
}
