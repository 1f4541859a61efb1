//! Devices that the MDM has and the fleet does not declare.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::device::ago;
use super::json;
use super::list::inert;
use super::out::Out;
use super::table::{Column, Table};
use crate::domain::model::Timestamp;
use crate::edges::provider::unmanaged::{Unmanaged, UnmanagedDevice};

/// What was seen last, and when it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Undeclared<'a> {
    /// Nothing where no look was made.
    pub(crate) unmanaged: Option<&'a Unmanaged>,
    pub(crate) now: Timestamp,
}

/// `{"version": 1, "looked", "count", "devices": […]}`: more may be counted than listed, and nothing is
/// known where nobody looked.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    looked: bool,
    count: usize,
    devices: &'a [UnmanagedDevice],
}

/// The same, as a client reads it.
#[derive(Deserialize)]
pub(crate) struct Received {
    looked: bool,
    count: usize,
    devices: Vec<UnmanagedDevice>,
}

impl Received {
    /// What was seen last; nothing where no look was made.
    pub(crate) fn unmanaged(self) -> Option<Unmanaged> {
        let Self { looked, count, devices } = self;
        looked.then_some(Unmanaged { count, devices })
    }
}

impl Undeclared<'_> {
    pub(crate) fn text(self, out: &mut Out) -> io::Result<()> {
        let mut table = Table::new([
            Column::cut("SERIAL", 12),
            Column::cut("NAME", 12),
            Column::cut("USER", 12),
            Column::cut("PLATFORM", 8).or_hide(1),
            Column::cut("OS-VERSION", 10).or_hide(2),
            Column::whole("OWNER"),
            Column::whole("LAST-SYNC"),
            Column::cut("MDM-ID", 12).or_hide(3),
        ]);
        for device in self.devices() {
            let [serial, name, user, platform, version, owner, last, id] = self.row(device);
            let last = if out.width().is_some() { ago(device.last_sync, self.now) } else { last };
            table.push([serial, name, user, platform, version, owner, last, id].map(Into::into));
        }
        if table.is_empty() { Ok(()) } else { table.write(out) }
    }

    fn row(self, device: &UnmanagedDevice) -> [String; 8] {
        let UnmanagedDevice {
            id,
            last_sync,
            name,
            os_version,
            ownership,
            platform,
            serial_number,
            user,
        } = device;
        let text = |text: &Option<compact_str::CompactString>| {
            text.as_deref().filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
        };
        [
            text(serial_number),
            text(name),
            text(user),
            text(platform),
            text(os_version),
            ownership.to_string(),
            last_sync.map_or_else(|| "never".into(), Timestamp::short),
            id.to_string(),
        ]
    }

    fn devices(&self) -> &[UnmanagedDevice] {
        self.unmanaged.map_or(&[], |seen| &seen.devices)
    }

    fn document(&self) -> Document<'_> {
        let count = self.unmanaged.map_or(0, |seen| seen.count);
        Document { version: 1, looked: self.unmanaged.is_some(), count, devices: self.devices() }
    }

    pub(crate) fn json(self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, &self.document())
    }

    pub(crate) fn yaml(self, out: &mut Out) -> io::Result<()> {
        json::yaml(out, &self.document())
    }

    /// As of declared devices: what a spreadsheet would take for a formula is made harmless.
    pub(crate) fn csv(self, out: &mut Out) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(&mut *out);
        csv.write_record([
            "serialNumber",
            "name",
            "user",
            "platform",
            "osVersion",
            "ownership",
            "lastSync",
            "id",
        ])?;
        for device in self.devices() {
            csv.write_record(self.row(device).map(|field| inert(&field)))?;
        }
        csv.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::MdmOwnership;
    use crate::ui::render::testing::{Screen, now};

    #[test]
    fn what_nobody_declared_is_a_table_and_harmless_in_a_spreadsheet() {
        let device = UnmanagedDevice {
            id: "705c-1".into(),
            last_sync: None,
            name: Some("=cmd()".into()),
            os_version: None,
            ownership: MdmOwnership::Personal,
            platform: Some("Windows".into()),
            serial_number: Some("PF3".into()),
            user: Some("\u{1b}[2J".into()),
        };
        let unmanaged = Unmanaged { count: 7, devices: vec![device] };
        let undeclared = Undeclared { unmanaged: Some(&unmanaged), now: now() };
        let screen = Screen::piped();
        undeclared.text(&mut screen.out()).unwrap();
        let text = screen.results();
        assert!(
            text.contains("PF3") && text.contains("personal") && text.contains("never"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let screen = Screen::piped();
        undeclared.csv(&mut screen.out()).unwrap();
        assert!(screen.results().contains("PF3,'=cmd(),"), "{}", screen.results());
        let screen = Screen::piped();
        undeclared.json(&mut screen.out()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&screen.results()).unwrap();
        assert_eq!((&json["version"], &json["count"]), (&1.into(), &7.into()));
        assert_eq!(json["devices"][0]["serialNumber"], "PF3");
    }
}
