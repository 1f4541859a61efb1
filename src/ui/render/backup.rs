//! What a backup holds, and what restoring one means.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::json;
use super::out::{Out, Tone};
use crate::app::backup::{Made, Restored};
use crate::domain::model::{DeviceId, Digest, Timestamp};
use crate::domain::wipe::target::LedgerId;
use crate::domain::wording::count;

/// A backup that was made just now.
pub(crate) struct Backup<'a> {
    pub(crate) file: &'a Path,
    pub(crate) data: &'a Path,
    pub(crate) now: Timestamp,
    pub(crate) made: &'a Made,
}

/// A backup that was restored just now.
pub(crate) struct Restore<'a> {
    pub(crate) file: &'a Path,
    pub(crate) data: &'a Path,
    pub(crate) restored: &'a Restored,
}

#[derive(Serialize)]
struct Ledger {
    lineage: LedgerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<LedgerId>,
    seq: u64,
    head: Digest,
}

impl Backup<'_> {
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { file, data, now: _, made } = self;
        let Made { bytes, devices, lineage, head } = made;
        let line = format!(
            "Backed up the ledger in {} to {}: {}, entries 1 to {}, {}.",
            data.display(),
            file.display(),
            count(*devices as u64, "device"),
            head.seq,
            count(*bytes, "byte"),
        );
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        writeln!(out, "Lineage: {lineage}\nHead:    {head}")
    }

    /// `{"version": 1, "file": …, "madeAt": …, "bytes": …, "devices": …, "ledger": {…}}`
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document {
            version: u32,
            file: String,
            made_at: Timestamp,
            bytes: u64,
            devices: usize,
            ledger: Ledger,
        }
        let Self { file, data: _, now, made } = self;
        let Made { bytes, devices, lineage, head } = **made;
        let ledger = Ledger { lineage, previous: None, seq: head.seq, head: head.hash };
        let file = file.display().to_string();
        json::pretty(out, &Document { version: 1, file, made_at: *now, bytes, devices, ledger })
    }
}

impl Restore<'_> {
    pub(crate) fn text(&self, out: &mut Out) -> io::Result<()> {
        let Self { file, data, restored } = self;
        let Restored { made_at, devices, lineage, previous, head, wipes_under_way } = restored;
        let line = format!(
            "Restored {} into {}: {}, entries 1 to {}. It was made at {}.",
            file.display(),
            data.display(),
            count(*devices as u64, "device"),
            head.seq,
            made_at.short()
        );
        writeln!(out, "{}", out.paint(Tone::Strong, &line))?;
        writeln!(out, "Lineage: {lineage} (until now {previous})\nHead:    {head}")?;
        let line = format!(
            "Whatever happened after {} is forgotten. Every wipe request that was written before now \
             is refused, because a wipe could be issued a second time: write those that are still \
             needed again, with `fleetform wipe new`.",
            made_at.short()
        );
        writeln!(out, "{}", out.paint(Tone::Changed, &line))?;
        if !wipes_under_way.is_empty() {
            let ids: Vec<_> = wipes_under_way.iter().map(DeviceId::to_string).collect();
            let line = format!(
                "Wipes were in progress when the backup was made: {}. Check these devices \
                 yourself.",
                ids.join(", ")
            );
            writeln!(out, "{}", out.paint(Tone::Removed, &line))?;
        }
        writeln!(out, "Next: fleetform plan")
    }

    /// `{"version": 1, "data": …, "madeAt": …, "devices": …, "ledger": {…}, "wipesUnderWay": […]}`
    pub(crate) fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            version: u32,
            data: String,
            made_at: Timestamp,
            devices: usize,
            ledger: Ledger,
            wipes_under_way: &'a [DeviceId],
        }
        let Self { file: _, data, restored } = self;
        let Restored { made_at, devices, lineage, previous, head, wipes_under_way } = restored;
        let ledger =
            Ledger { lineage: *lineage, previous: Some(*previous), seq: head.seq, head: head.hash };
        let document = Document {
            version: 1,
            data: data.display().to_string(),
            made_at: *made_at,
            devices: *devices,
            ledger,
            wipes_under_way,
        };
        json::pretty(out, &document)
    }
}
