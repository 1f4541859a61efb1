//! Devices that no manifest declares any more.

use std::io::{self, Write};

use serde::Serialize;

use super::device::{DeviceView, ago};
use super::json;
use super::out::Out;
use super::table::{Column, Table};
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::plan::archives_at;
use crate::domain::settings::Settings;
use crate::domain::state::{Device, State};

/// Orphaned devices, those that have been so longest first.
#[derive(Debug)]
pub(crate) struct Orphans<'a> {
    devices: Vec<(Timestamp, DeviceId, &'a Device)>,
    settings: &'a Settings,
    now: Timestamp,
}

/// Devices without a manifest that are not orphaned yet.
#[derive(Debug, Default)]
pub(crate) struct NotYetOrphaned {
    pub(crate) devices: u64,
    /// They are held by a freeze, which is recorded or comes.
    pub(crate) frozen: bool,
    /// Files that cannot be used may hide manifests.
    pub(crate) hidden: bool,
}

impl NotYetOrphaned {
    /// What is said of them, or of there being none; `empty` where no device is orphaned.
    #[must_use]
    pub(crate) fn note(this: Option<&Self>, empty: bool) -> Option<String> {
        let none = |more: &str| empty.then(|| format!("No device is orphaned{more}."));
        let Some(Self { devices, frozen, hidden }) = this else { return none("") };
        let (has, becomes) = match devices {
            1 => ("1 device has".to_owned(), "becomes"),
            n => (format!("{n} devices have"), "become"),
        };
        match (devices, frozen) {
            (0, false) if !hidden => none(": each has a manifest"),
            (0, _) => none(""),
            (_, false) => Some(format!(
                "{has} no manifest, and {becomes} orphaned with the next reconciliation."
            )),
            (_, true) => Some(format!(
                "{has} no manifest: too many are gone, so the fleet is frozen and none of them \
                 becomes orphaned. `fleetform plan` says what to do."
            )),
        }
    }
}

impl<'a> Orphans<'a> {
    /// Those that are archived, or those that are not.
    #[must_use]
    pub(crate) fn of(
        state: &'a State,
        archived: bool,
        settings: &'a Settings,
        now: Timestamp,
    ) -> Self {
        let wanted = |device: &Device| {
            !device.is_wiped() && device.rare.archived_since.is_some() == archived
        };
        let mut devices: Vec<_> = state
            .devices
            .iter()
            .filter(|(_, device)| wanted(device))
            .filter_map(|(id, device)| Some((device.rare.orphaned_since?, *id, device)))
            .collect();
        devices.sort_by_key(|(since, id, _)| (*since, *id));
        Self { devices, settings, now }
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let mut table = Table::new([
            Column::whole("ID"),
            Column::cut("NAME", 12).or_hide(2),
            Column::whole("SERIAL"),
            Column::cut("USER", 12),
            Column::whole("STATUS"),
            Column::whole("ORPHANED"),
            Column::whole("LAST-SYNC"),
            Column::whole("ARCHIVED").or_hide(3),
            Column::cut("MANIFEST", 12).or_hide(1),
        ]);
        let terminal = out.width().is_some();
        let time = |at: Option<Timestamp>| match at {
            at if terminal => ago(at, self.now),
            at => at.map_or_else(|| "never".into(), Timestamp::short),
        };
        for (since, id, device) in &self.devices {
            let spec = &device.spec;
            let archived = match (device.rare.archived_since, archives_at(device, self.settings)) {
                (Some(at), _) => time(Some(at)),
                (None, Some(at)) => format!("at {}", at.short()),
                (None, None) => String::new(),
            };
            table.push([
                id.to_string().into(),
                spec.name.as_str().into(),
                spec.serial_number.as_str().into(),
                spec.user_email.as_str().into(),
                device.status.as_str().into(),
                time(Some(*since)).into(),
                time(device.last_sync).into(),
                archived.into(),
                device.manifest.path.as_ref().into(),
            ]);
        }
        if table.is_empty() { Ok(()) } else { table.write(out) }
    }

    /// `{"version": 1, "devices": […]}`, each as in `list`, with `archivesAt` where that is set.
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            devices: Vec<Orphan<'a>>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Orphan<'a> {
            #[serde(flatten)]
            device: DeviceView<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            archives_at: Option<Timestamp>,
        }
        let devices = self.devices.iter().map(|(_, id, device)| Orphan {
            device: DeviceView::new(*id, device, self.settings, self.now),
            archives_at: archives_at(device, self.settings),
        });
        json::pretty(out, &Document { version: 1, devices: devices.collect() })
    }
}
