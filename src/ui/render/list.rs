//! Many devices: as a table, JSON, CSV and YAML, in the order of their ids.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::custom_columns::Columns;
use super::deliveries::Delivery;
use super::device::{DeviceView, ago, exemption, notes, wipes_by_device};
use super::json;
use super::jsonpath::Template;
use super::out::{Out, Tone};
use super::table::{Cell, Column, Table};
use super::text::safe;
use crate::domain::model::{ComplianceState, DeviceId, Digest, Status, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Device, Wipe};
use crate::domain::wipe::target::LedgerId;

/// What to show, and what it is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing<'a> {
    /// In the order of their ids.
    pub(crate) devices: &'a [(DeviceId, &'a Device)],
    /// Every wipe request that the ledger knows.
    pub(crate) wipes: &'a BTreeMap<Digest, Wipe>,
    /// Which ledger this is: what a wipe request has to name.
    pub(crate) ledger: Option<LedgerId>,
    /// What has not been told yet of which devices, though it is time.
    pub(crate) undelivered: &'a BTreeMap<DeviceId, Vec<Delivery>>,
    /// For what is overdue or blocked.
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
}

impl Listing<'_> {
    /// A table, first the devices that were erased without a request; on a terminal times are shown as
    /// ages, in a pipe as times. Id, serial number and status are always whole.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        self.table(out.width().is_some()).write(out)
    }

    /// As [`Listing::text`], without the line of titles: for rows that follow others.
    pub(crate) fn rows(&self, out: &mut Out) -> io::Result<()> {
        self.table(out.width().is_some()).write_rows(out)
    }

    /// All columns, none of them cut or hidden.
    pub(crate) fn wide(&self, out: &mut Out) -> io::Result<()> {
        self.wide_table(out.width().is_some()).write(out)
    }

    /// As [`Listing::wide`], without the line of titles.
    pub(crate) fn wide_rows(&self, out: &mut Out) -> io::Result<()> {
        self.wide_table(out.width().is_some()).write_rows(out)
    }

    /// Ids, one a line.
    pub(crate) fn names(&self, out: &mut Out) -> io::Result<()> {
        self.devices.iter().try_for_each(|(id, _)| writeln!(out, "{id}"))
    }

    fn table(&self, ages: bool) -> Table<10> {
        let mut table = Table::new([
            Column::whole("ID"),
            Column::cut("NAME", 8).or_hide(6),
            Column::whole("SERIAL"),
            Column::cut("USER", 8).or_hide(3),
            Column::cut("PROFILE", 8).or_hide(2),
            Column::whole("PLATFORM").or_hide(1),
            Column::whole("STATUS"),
            Column::whole("COMPLIANCE").or_hide(5),
            Column::whole("LAST-SYNC").or_hide(4),
            Column::cut("NOTES", 8),
        ]);
        self.each(ages, |cells| table.push(cells));
        table
    }

    fn wide_table(&self, ages: bool) -> Table<16> {
        let mut table = Table::new([
            Column::whole("ID"),
            Column::whole("NAME"),
            Column::whole("SERIAL"),
            Column::whole("USER"),
            Column::whole("PROFILE"),
            Column::whole("PLATFORM"),
            Column::whole("STATUS"),
            Column::whole("COMPLIANCE"),
            Column::whole("LAST-SYNC"),
            Column::whole("NOTES"),
            Column::whole("OS-VERSION"),
            Column::whole("REPORTED"),
            Column::whole("OWNERSHIP"),
            Column::whole("ENROLLMENT"),
            Column::whole("LABELS"),
            Column::whole("MANIFEST"),
        ]);
        let mut ordered = self.ordered().into_iter();
        self.each(ages, |cells| {
            let Some((_, device)) = ordered.next() else { return };
            let spec = &device.spec;
            let reported = device.facts.as_ref().and_then(|facts| facts.os_version.as_ref());
            let labels: Vec<_> = spec.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let [a, b, c, d, e, f, g, h, i, j] = cells;
            table.push([
                a,
                b,
                c,
                d,
                e,
                f,
                g,
                h,
                i,
                j,
                spec.os_version.as_str().into(),
                reported.map_or_else(Cell::default, |version| version.as_str().into()),
                spec.ownership.as_str().into(),
                device.enrollment.to_string().into(),
                labels.join(",").into(),
                device.manifest.path.as_ref().into(),
            ]);
        });
        table
    }

    /// What needs a person at once comes first, each in the order of the devices.
    fn ordered(&self) -> Vec<(DeviceId, &Device)> {
        let mut devices = self.devices.to_vec();
        devices
            .sort_by_key(|(_, device)| device.is_wiped() || device.rare.unrequested_wipe.is_none());
        devices
    }

    fn notes(
        &self,
        id: DeviceId,
        device: &Device,
        wipe: Option<&'static str>,
    ) -> Vec<&'static str> {
        let late = self.undelivered.contains_key(&id);
        notes(device, (wipe, late), self.settings, self.now)
    }

    fn each(&self, ages: bool, mut row: impl FnMut([Cell; 10])) {
        let wipes = wipes_by_device(self.wipes);
        for (id, device) in self.ordered() {
            let wipe = wipes.get(&id).copied();
            let last_sync = match device.last_sync {
                at if ages => ago(at, self.now),
                at => at.map_or_else(|| "never".into(), Timestamp::short),
            };
            let spec = &device.spec;
            row([
                id.to_string().into(),
                spec.name.as_str().into(),
                spec.serial_number.as_str().into(),
                spec.user_email.as_str().into(),
                spec.profile.as_str().into(),
                spec.platform.as_str().into(),
                Cell::toned(device.status.as_str(), status_tone(device.status)),
                Cell::toned(
                    device.compliance.state.as_str(),
                    compliance_tone(device.compliance.state),
                ),
                last_sync.into(),
                Cell::toned(&self.notes(id, device, wipe).join(", "), Tone::Changed),
            ]);
        }
    }

    /// What a template says of the JSON.
    pub(crate) fn template(&self, template: &Template, out: &mut Out) -> io::Result<()> {
        let document = serde_json::to_value(self).map_err(io::Error::other)?;
        writeln!(out, "{}", template.fill(&document))
    }

    /// A table of columns that the caller named, each a path from a device.
    pub(crate) fn columns(&self, columns: &Columns, out: &mut Out) -> io::Result<()> {
        let views = self
            .devices
            .iter()
            .map(|(id, device)| DeviceView::new(*id, device, self.settings, self.now));
        let rows: Result<Vec<_>, _> = views.map(serde_json::to_value).collect();
        columns.write(&rows.map_err(io::Error::other)?, out)
    }

    /// One device a line, in JSON.
    pub(crate) fn json_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.devices.iter().try_for_each(|(id, device)| {
            json::line(out, &DeviceView::new(*id, device, self.settings, self.now))
        })
    }

    /// `{"version": 1, "devices": […], "ledger": {"lineage": …}, …}`.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::pretty(out, self)
    }

    /// As [`Listing::json`].
    pub(crate) fn yaml(&self, out: &mut Out) -> io::Result<()> {
        json::yaml(out, self)
    }

    /// One line a device after a header line, for spreadsheets.
    ///
    /// A value that a spreadsheet would run as a formula gets an apostrophe in front (an e-mail
    /// address may begin with `=`): programs that need the exact value read JSON.
    pub(crate) fn csv(&self, out: &mut Out) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(&mut *out);
        csv.write_record(CSV_HEADER)?;
        for (id, device) in self.devices {
            csv.write_record(csv_row(*id, device, self).map(|field| inert(&field)))?;
        }
        csv.flush()
    }
}

impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            devices: Devices<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ledger: Option<Lineage>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            undelivered: Vec<&'a Delivery>,
        }
        #[derive(Serialize)]
        struct Lineage {
            lineage: LedgerId,
        }
        struct Devices<'a>(&'a Listing<'a>);
        impl Serialize for Devices<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Listing { devices, wipes: _, ledger: _, undelivered: _, settings, now } =
                    *self.0;
                serializer.collect_seq(
                    devices.iter().map(|(id, d)| DeviceView::new(*id, d, settings, now)),
                )
            }
        }
        let ledger = self.ledger.map(|lineage| Lineage { lineage });
        let of = |(id, _): &(DeviceId, &Device)| self.undelivered.get(id);
        let undelivered = self.devices.iter().filter_map(of).flatten().collect();
        Document { version: 1, devices: Devices(self), ledger, undelivered }.serialize(serializer)
    }
}

/// The tone of a status.
#[must_use]
pub(crate) fn status_tone(status: Status) -> Tone {
    match status {
        Status::Pending => Tone::Changed,
        Status::Enrolled => Tone::Added,
        Status::Failed => Tone::Removed,
        Status::Wiped => Tone::Dim,
    }
}

/// The tone of a verdict.
#[must_use]
pub(crate) fn compliance_tone(state: ComplianceState) -> Tone {
    match state {
        ComplianceState::Compliant => Tone::Added,
        ComplianceState::NonCompliant => Tone::Removed,
        ComplianceState::Unknown => Tone::Dim,
    }
}

const CSV_HEADER: [&str; 22] = [
    "id",
    "name",
    "serialNumber",
    "userEmail",
    "profile",
    "platform",
    "osVersion",
    "reportedOsVersion",
    "ownership",
    "labels",
    "status",
    "statusSince",
    "statusReason",
    "enrollment",
    "compliance",
    "complianceSince",
    "failing",
    "lastSync",
    "overdue",
    "orphanedSince",
    "manifest",
    "exemptUntil",
];

fn csv_row(id: DeviceId, device: &Device, listing: &Listing) -> [String; 22] {
    let spec = &device.spec;
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let reported = device.facts.as_ref().and_then(|facts| facts.os_version.as_ref());
    let labels: Vec<_> = spec.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let overdue = super::device::overdue_since(device, listing.settings, listing.now).is_some();
    [
        id.to_string(),
        spec.name.to_string(),
        spec.serial_number.to_string(),
        spec.user_email.to_string(),
        spec.profile.to_string(),
        spec.platform.to_string(),
        spec.os_version.to_string(),
        reported.map(ToString::to_string).unwrap_or_default(),
        spec.ownership.to_string(),
        labels.join(";"),
        device.status.to_string(),
        device.status_since.to_string(),
        device.status_reason.to_string(),
        device.enrollment.to_string(),
        device.compliance.state.to_string(),
        device.compliance.since.to_string(),
        device.compliance.checks.failing.join(";"),
        time(device.last_sync),
        overdue.to_string(),
        time(device.rare.orphaned_since),
        device.manifest.path.to_string(),
        time(exemption(device).map(|exemption| exemption.exempt_until)),
    ]
}

/// Harmless to terminals and to spreadsheets.
pub(super) fn inert(field: &str) -> String {
    let text = safe(field);
    // The escapes of `safe` leave no tab or newline that could begin a formula.
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.into_owned() }
}

#[cfg(test)]
mod tests;
