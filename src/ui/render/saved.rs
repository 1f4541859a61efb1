//! What `audit snapshot` wrote.

use std::io::{self, Write};

use serde::Serialize;

use super::json;
use super::out::Out;
use crate::domain::model::Digest;
use crate::domain::state::State;
use crate::domain::wording::count;

pub(crate) fn text(state: &State, out: &mut Out) -> io::Result<()> {
    let State { seq, head, devices, .. } = state;
    let devices = count(devices.len() as u64, "device");
    writeln!(out, "state.json says all up to entry {seq} ({}): {devices}", head.0)
}

/// `{"version": 1, "seq": 18, "head": "998e…", "devices": 4}`.
pub(crate) fn json(state: &State, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document {
        version: u32,
        seq: u64,
        head: Digest,
        devices: usize,
    }
    let State { seq, head, devices, .. } = state;
    json::pretty(out, &Document { version: 1, seq: *seq, head: head.0, devices: devices.len() })
}
