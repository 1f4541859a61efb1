//! What the provider has heard, sorted to the devices that it is about, and when it counts.
//!
//! Clocks of devices lie (docs/concepts.md). A date is believed if it is at most five minutes ahead
//! of this machine's clock, not before 2020 (no device made such a report then: it is the date
//! that a clock begins with), and not more than thirty days before the last report of the
//! device or before its wipe was issued (nothing is under way for so long). A report whose date
//! is not believed counts as of its arrival.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::decision::Plan;
use super::inputs::{Heard, Inputs};
use crate::domain::model::{DeviceId, Timestamp};
use crate::domain::state::{Device, State, WipeState};

/// So much may two good clocks differ.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// The longest that a report is under way: a laptop that was off over a holiday.
const BEHIND: TimeDelta = TimeDelta::days(30);
/// 2020-01-01T00:00:00Z.
const FIRST: Timestamp = Timestamp::from_millis(1_577_836_800_000);

/// A report, and when it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dated<'a> {
    pub(crate) heard: &'a Heard,
    /// Its own date where that is believed, else the time of its arrival.
    pub(crate) at: Timestamp,
    /// Whether it is its own date.
    pub(crate) believed: bool,
}

/// Reports by device; what nobody can use is rejected. They come in the order of their arrival,
/// but that reports one after another whose dates are believed are in the order of these.
pub(super) fn sort<'a>(inputs: &Inputs<'a>, plan: &mut Plan) -> HashMap<DeviceId, Vec<Dated<'a>>> {
    let mut sorted: HashMap<DeviceId, Vec<Dated<'a>>> = HashMap::new();
    for heard in inputs.heard {
        let serial = &heard.report.serial_number;
        let Some((id, device)) = inputs.recorded.by_serial(serial) else {
            let why = format!("no device with serial number {serial} is recorded");
            plan.rejected.push((heard.id.clone(), why));
            continue;
        };
        let floor = floor(inputs.recorded, id, device);
        let dated = date(heard, inputs.now, floor);
        if let (false, Some(at)) = (dated.believed, heard.report.at) {
            plan.notes.push(format!(
                "{id} (serial {serial}): a report is dated {}, which cannot be: it counts as of its arrival",
                at.short()
            ));
        }
        for (field, text) in &heard.report.unreadable {
            let unknown = match field.as_str() {
                "at" => "the report counts as of its arrival",
                "wiped" => "whether the device was erased is unknown",
                "completed" => "what the device has done is known in part",
                _ => "that fact is unknown",
            };
            plan.notes.push(format!(
                "{id} (serial {serial}): `{field}` of a report cannot be read: {text}; {unknown}"
            ));
        }
        sorted.entry(id).or_default().push(dated);
    }
    for reports in sorted.values_mut() {
        for run in reports.chunk_by_mut(|a, b| a.believed && b.believed) {
            run.sort_by_key(|dated| dated.at);
        }
    }
    sorted
}

/// Before which no date is believed.
fn floor(recorded: &State, id: DeviceId, device: &Device) -> Timestamp {
    let issued = device.rare.wipe.and_then(|_| {
        let issued = recorded.wipes_of(id).filter(|wipe| wipe.state == WipeState::Issued);
        issued.filter_map(|wipe| wipe.issued_at).max()
    });
    let known = [device.last_sync, issued].into_iter().flatten().map(|at| at + -BEHIND);
    known.chain([FIRST]).max().unwrap_or(FIRST)
}

fn date(heard: &Heard, now: Timestamp, floor: Timestamp) -> Dated<'_> {
    let believed = heard.report.at.filter(|at| *at >= floor && *at - now <= AHEAD);
    Dated { heard, at: believed.unwrap_or(now), believed: believed.is_some() }
}

#[cfg(test)]
mod tests;
