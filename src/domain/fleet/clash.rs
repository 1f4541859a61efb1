//! Names and serial numbers that are given twice.

use std::collections::HashSet;

use super::misleading::misleading;
use crate::domain::manifest::DeviceDraft;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::shares;

/// A finding on each of a group of equals, related to another of them.
pub(super) fn clash<T>(
    group: &[T],
    findings: &mut Vec<Finding>,
    code: Code,
    describe: impl Fn(&T) -> (Span, String, &'static str),
) {
    let [first, second, ..] = group else { return };
    for (n, member) in group.iter().enumerate() {
        let (span, what, help) = describe(member);
        let (other, ..) = describe(if n == 0 { second } else { first });
        findings.push(Finding {
            code,
            severity: Severity::Error,
            message: format!("{what} is given {} times", group.len()),
            help: help.to_owned(),
            span,
            related: Some((other, "also given here".to_owned())),
        });
    }
}

/// For each draft, whether another one has its serial number or its name. They are sorted by serial number;
/// `prefixes` are those of these.
pub(super) fn clashing(
    drafts: &[DeviceDraft],
    prefixes: &[u128],
    findings: &mut Vec<Finding>,
) -> Vec<bool> {
    // Clashes are rare, and hashing is cheaper than sorting: beside the others it takes no time.
    let names_differ = || {
        let mut seen = HashSet::with_capacity(drafts.len());
        drafts.iter().all(|draft| seen.insert(draft.name()))
    };
    let mut clashing = vec![false; drafts.len()];
    let serials = || {
        serials_clash(drafts, &mut clashing, findings);
        misleading(drafts, prefixes)
    };
    let (names_differ, misleading) = shares::join(drafts.len(), names_differ, serials);
    findings.extend(misleading);
    if !names_differ {
        names_clash(drafts, &mut clashing, findings);
    }
    clashing
}

fn serials_clash(drafts: &[DeviceDraft], clashing: &mut [bool], findings: &mut Vec<Finding>) {
    let mut start = 0;
    for group in drafts.chunk_by(|a, b| a.serial_number() == b.serial_number()) {
        if group.len() > 1 {
            clashing[start..start + group.len()].fill(true);
            clash(group, findings, Code::DuplicateSerial, |draft| {
                let serial = draft.serial_number().as_str();
                let span = draft.serial_at.span(&draft.place().path, "serialNumber", serial);
                let what = format!("the serial number `{serial}`");
                (span, what, "a device has one manifest: delete or correct the others")
            });
        }
        start += group.len();
    }
}

fn names_clash(drafts: &[DeviceDraft], clashing: &mut [bool], findings: &mut Vec<Finding>) {
    let mut by_name: Vec<usize> = (0..drafts.len()).collect();
    by_name.sort_unstable_by_key(|n| (drafts[*n].name(), drafts[*n].place()));
    for group in by_name.chunk_by(|a, b| drafts[*a].name() == drafts[*b].name()) {
        if group.len() > 1 {
            group.iter().for_each(|n| clashing[*n] = true);
            clash(group, findings, Code::DuplicateName, |n| {
                let draft = &drafts[*n];
                let name = draft.name().as_str();
                let span = draft.name_at.span(&draft.place().path, "name", name);
                (span, format!("the device name `{name}`"), "rename one of them")
            });
        }
    }
}
