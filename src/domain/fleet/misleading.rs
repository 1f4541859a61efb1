//! Names and serial numbers that can be taken for something else: findings that hold nothing
//! back, since commands refuse a word that fits several devices anyway.

use crate::domain::manifest::DeviceDraft;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::{DeviceId, SerialNumber};

/// Longer numbers are serial numbers of some vendors, and ids only after a million devices.
const MOST_DIGITS: usize = 6;

/// A finding for each such word. The devices are sorted by serial number; `prefixes` are those of these.
pub(super) fn misleading(drafts: &[DeviceDraft], prefixes: &[u128]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        let (name, serial) = (draft.name().as_str(), draft.serial_number().as_str());
        let own = draft.name().as_str().eq_ignore_ascii_case(serial);
        if DeviceId::is_like(name) {
            let what = format!("the device name `{name}` looks like a device id");
            let help = "choose a name that no id can have, like ana-ruiz-laptop";
            findings.push(finding(Code::LooksLikeId, what, help, name_at(draft), None));
        }
        if DeviceId::is_like(serial) && serial.len() <= 1 + MOST_DIGITS {
            let what = format!("the serial number `{serial}` looks like a device id");
            let help =
                "if the device can report itself by another one, an asset tag say, write that";
            findings.push(finding(Code::LooksLikeId, what, help, serial_at(draft), None));
        }
        if let Some(other) = bearer(drafts, prefixes, name).filter(|other| *other != at && !own) {
            let what = format!("the device name `{name}` is the serial number of another device");
            let related = (serial_at(&drafts[other]), "the serial number is given here".to_owned());
            let help = "choose another name";
            findings.push(finding(Code::NameIsSerial, what, help, name_at(draft), Some(related)));
        }
    }
    findings
}

/// Which device bears this name as its serial number.
fn bearer(drafts: &[DeviceDraft], prefixes: &[u128], name: &str) -> Option<usize> {
    let serial: SerialNumber = name.parse().ok()?;
    let prefix = serial.prefix();
    let first = prefixes.partition_point(|other| *other < prefix);
    let same = prefixes[first..].iter().take_while(|other| **other == prefix).count();
    drafts[first..first + same]
        .binary_search_by(|draft| draft.serial_number().cmp(&serial))
        .ok()
        .map(|at| first + at)
}

fn name_at(draft: &DeviceDraft) -> Span {
    draft.name_at.span(&draft.place().path, "name", draft.name().as_str())
}

fn serial_at(draft: &DeviceDraft) -> Span {
    draft.serial_at.span(&draft.place().path, "serialNumber", draft.serial_number().as_str())
}

fn finding(
    code: Code,
    message: String,
    help: &str,
    span: Span,
    related: Option<(Span, String)>,
) -> Finding {
    let severity = Severity::Warning;
    Finding { code, severity, message, help: help.to_owned(), span, related }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{device, profile};
    use crate::domain::fleet::{Desired, assemble};
    use crate::domain::manifest::parse_file;

    fn fleet(devices: &[(&str, &str)]) -> Desired {
        let file = |n: usize, (name, serial): &(&str, &str)| {
            parse_file(&format!("{n}.yaml").into(), device(name, serial, "P", "").as_bytes())
        };
        let devices = devices.iter().enumerate().map(|(n, device)| file(n, device));
        let profiles = parse_file(&"p.yaml".into(), profile("P", "ios").as_bytes());
        assemble(devices.chain([profiles]))
    }

    #[test]
    fn names_and_serials_that_fit_two_things_are_found_and_hold_nothing() {
        for (devices, found) in [
            (vec![("D002", "AAA1")], vec!["looks-like-id"]),
            (vec![("d002", "AAA1")], vec!["looks-like-id"]),
            (vec![("D0000000002", "AAA1")], vec!["looks-like-id"]),
            (vec![("zed", "D001")], vec!["looks-like-id"]),
            (vec![("zed", "d000001")], vec!["looks-like-id"]),
            (vec![("zed", "D1234567"), ("D12", "D01"), ("D00x", "D-001")], vec![]),
            (vec![("AAA1", "AAA2"), ("zed", "AAA1")], vec!["name-is-serial"]),
            (vec![("aaa1", "AAA2"), ("zed", "AAA1")], vec!["name-is-serial"]),
            (
                vec![("A-serial-longer-than-16-b", "A"), ("z", "a-serial-longer-than-16-B")],
                vec!["name-is-serial"],
            ),
            (vec![("A-serial-longer-than-16-c", "A"), ("z", "a-serial-longer-than-16-B")], vec![]),
            (vec![("AAA1", "AAA2"), ("AAA2", "AAA1")], vec!["name-is-serial", "name-is-serial"]),
            (vec![("AAA1", "aaa1"), ("AAA2", "AAA2")], vec![]),
        ] {
            let desired = fleet(&devices);
            let codes: Vec<_> = desired.findings.iter().map(|f| f.code.as_str()).collect();
            assert_eq!(codes, found, "{devices:?}");
            assert_eq!((desired.devices.len(), desired.unusable.len()), (devices.len(), 0));
        }
    }
}
