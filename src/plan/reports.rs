//! What the provider has heard, sorted to the devices that it is about.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Inputs, Plan};
use crate::model::{DeviceId, Report};

/// A report dated further ahead than this would shut out all later ones: no device's clock
/// is right when it is a day ahead.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// Reports by device, each device's in order of date; what nobody can use is rejected.
pub(super) fn sort<'a>(
    inputs: &Inputs<'a>,
    plan: &mut Plan,
) -> HashMap<DeviceId, Vec<&'a super::Heard>> {
    let mut sorted: HashMap<DeviceId, Vec<&super::Heard>> = HashMap::new();
    for (index, heard) in inputs.heard.iter().enumerate() {
        let Report { serial_number, at, .. } = &heard.report;
        match inputs.recorded.by_serial(serial_number) {
            None => plan
                .rejected
                .push((index, format!("no device with serial number {serial_number} is recorded"))),
            Some(_) if *at - inputs.now > AHEAD => plan.rejected.push((
                index,
                format!("it is dated {at}, more than a day ahead of this machine's clock"),
            )),
            Some((id, _)) => sorted.entry(id).or_default().push(heard),
        }
    }
    for reports in sorted.values_mut() {
        reports.sort_by_key(|heard| heard.report.at);
    }
    sorted
}
