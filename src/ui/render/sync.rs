//! Syncs that somebody asked for: what was requested, and what became of it.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::device::ago;
use super::json;
use super::mdm::Row;
use super::out::{Out, Tone};
use crate::domain::model::{DeviceId, DeviceSpec, Name, SerialNumber, Timestamp};
use crate::domain::state::{Device, SyncStanding};
use crate::domain::wording::count;

/// What was requested just now.
#[derive(Debug, Default)]
pub(crate) struct Requested<'a> {
    /// By id.
    pub(crate) devices: Vec<(DeviceId, &'a DeviceSpec)>,
    /// Devices that were asked before and have not answered.
    pub(crate) waiting: Vec<AskedAlready<'a>>,
    /// Where the request is; nothing where there is none.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    id: DeviceId,
    serial_number: &'a SerialNumber,
    name: &'a Name,
}

impl<'a> Named<'a> {
    fn new(id: DeviceId, spec: &'a DeviceSpec) -> Self {
        Self { id, serial_number: &spec.serial_number, name: &spec.name }
    }
}

/// A device that was asked before and has not answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskedAlready<'a> {
    #[serde(flatten)]
    device: Named<'a>,
    requested_at: Timestamp,
    by: String,
}

impl<'a> AskedAlready<'a> {
    pub(crate) fn new(id: DeviceId, spec: &'a DeviceSpec, at: Timestamp, by: String) -> Self {
        Self { device: Named::new(id, spec), requested_at: at, by }
    }
}

/// Devices beyond this many are only counted, in text.
const SHOWN: usize = 20;

impl Requested<'_> {
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { devices, waiting, path } = self;
        for (id, spec) in devices.iter().take(SHOWN) {
            let line = format!("{id}  {}  {}", spec.serial_number, spec.name);
            writeln!(out, "{}", out.paint(Tone::Plain, &line))?;
        }
        for AskedAlready { device, requested_at, by } in waiting.iter().take(SHOWN) {
            let line = format!(
                "{}  {}  {}  already requested at {} by {by}",
                device.id,
                device.serial_number,
                device.name,
                requested_at.short()
            );
            writeln!(out, "{}", out.paint(Tone::Changed, &line))?;
        }
        let shown = devices.len().min(SHOWN) + waiting.len().min(SHOWN);
        let more = devices.len() + waiting.len() - shown;
        if more > 0 {
            writeln!(out, "… and {more} more")?;
        }
        if let Some(path) = path {
            let line = format!(
                "Sync of {} requested as {}; a running daemon takes it at once, else the next \
                 `fleetform apply` does.",
                count(devices.len() as u64, "device"),
                path.display()
            );
            writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        } else if !waiting.is_empty() {
            let line = "Nothing is requested: every device waits for an earlier request.";
            writeln!(out, "{}", out.paint(Tone::Strong, line))?;
        }
        Ok(())
    }

    /// `{"version": 1, "path": …, "requested": […], "waiting": […]}`
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        struct Document<'a> {
            version: u32,
            path: Option<String>,
            requested: Vec<Named<'a>>,
            waiting: &'a [AskedAlready<'a>],
        }
        let Self { devices, waiting, path } = self;
        let document = Document {
            version: 1,
            path: path.as_ref().map(|path| path.display().to_string()),
            requested: devices.iter().map(|(id, spec)| Named::new(*id, spec)).collect(),
            waiting,
        };
        json::pretty(out, &document)
    }
}

/// The last sync of a device that somebody asked for.
pub(super) fn of_device(device: &Device, now: Timestamp) -> Option<Row> {
    let (asked, standing) = device.sync()?;
    let (text, tone) = match standing {
        SyncStanding::Waiting => ("waits for the device".to_owned(), Tone::Changed),
        SyncStanding::Done(at) => (
            format!(
                "done: the device reported at \
                                            {}",
                at.short()
            ),
            Tone::Plain,
        ),
        SyncStanding::Failed(class, error) => {
            let text = format!("the provider did not accept it ({class}): {error}; ask again");
            (text, Tone::Removed)
        }
    };
    let at = format!("{} ({})", asked.at.short(), ago(Some(asked.at), now));
    Some(("  Sync", format!("requested at {at} by {}; {text}", asked.by), tone))
}
