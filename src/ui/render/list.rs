//! Many devices: as a table, JSON, CSV and YAML, in the order of their ids.

use std::collections::BTreeMap;
use std::io;

use serde::{Serialize, Serializer};

use super::device::{DeviceView, ago, exemption, notes, wipes_by_device};
use super::json;
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
    /// For what is overdue or blocked.
    pub(crate) settings: &'a Settings,
    pub(crate) now: Timestamp,
}

impl Listing<'_> {
    /// A table, first the devices that were erased without a request; on a terminal times are shown as
    /// ages, in a pipe as times.
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let mut table = Table::new([
            Column::whole("ID"),
            Column::cut("NAME", 12),
            Column::cut("SERIAL", 8).or_hide(3),
            Column::cut("USER", 12),
            Column::cut("PROFILE", 8).or_hide(2),
            Column::whole("PLATFORM").or_hide(1),
            Column::whole("STATUS"),
            Column::whole("COMPLIANCE"),
            Column::whole("LAST-SYNC"),
            Column::cut("NOTES", 8),
        ]);
        let wipes = wipes_by_device(self.wipes);
        // What needs a person at once comes first, each in the order of the ids.
        let mut devices: Vec<_> = self.devices.iter().collect();
        devices.sort_by_key(|(_, device)| device.is_wiped() || device.unrequested_wipe.is_none());
        for (id, device) in devices {
            let wipe = wipes.get(id).copied();
            let last_sync = match device.last_sync {
                at if out.width().is_some() => ago(at, self.now),
                at => at.map_or_else(|| "never".into(), Timestamp::short),
            };
            let spec = &device.spec;
            table.push([
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
                Cell::toned(
                    &notes(device, wipe, self.settings, self.now).join(", "),
                    Tone::Changed,
                ),
            ]);
        }
        if table.is_empty() { Ok(()) } else { table.write(out) }
    }

    /// `{"version": 1, "devices": […], "ledger": {"lineage": …}}`.
    pub(crate) fn json(&self, out: &mut dyn io::Write) -> io::Result<()> {
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
        }
        #[derive(Serialize)]
        struct Lineage {
            lineage: LedgerId,
        }
        struct Devices<'a>(&'a Listing<'a>);
        impl Serialize for Devices<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Listing { devices, wipes: _, ledger: _, settings, now } = *self.0;
                serializer.collect_seq(
                    devices.iter().map(|(id, d)| DeviceView::new(*id, d, settings, now)),
                )
            }
        }
        let ledger = self.ledger.map(|lineage| Lineage { lineage });
        Document { version: 1, devices: Devices(self), ledger }.serialize(serializer)
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
        device.compliance.failing.join(";"),
        time(device.last_sync),
        overdue.to_string(),
        time(device.orphaned_since),
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
