//! One request, verified by the rules that it has to keep by itself.

use std::collections::BTreeSet;

use super::ownership::Ownerships;
use crate::domain::model::Email;
use crate::domain::plan::inputs::Inputs;
use crate::domain::wipe::Namespace;
use crate::domain::wipe::WipeFile;
use crate::domain::wipe::target::{LedgerId, LoggedHead};
use crate::domain::wipe::verify::{Evidence, Judgement, Recorded, Rule, verify};

/// The code of a request that a signer objects to.
pub(super) const VETO: &str = "veto";

/// Verifies one request by the rules that it has to keep by itself; what other wipes mean for it
/// only the whole plan says.
#[must_use]
pub(crate) fn verify_request(inputs: &Inputs<'_>, file: &WipeFile) -> Judgement {
    verify_with(inputs, &Ownerships::new(inputs), file)
}

/// As [`verify_request`], for many requests of one plan.
pub(super) fn verify_with(
    inputs: &Inputs<'_>,
    ownerships: &Ownerships<'_>,
    file: &WipeFile,
) -> Judgement {
    let device = inputs.recorded.devices.get(&file.request.device_id);
    let device = device.map(|device| Recorded {
        id: file.request.device_id,
        serial: device.spec.serial_number.clone(),
        ownership: ownerships.strictest(device),
        wiped: device.is_wiped(),
        unclear: ownerships.unclear(device),
    });
    verify(&Evidence {
        request: &file.request,
        bytes: &file.bytes,
        signatures: &file.signatures,
        vetoes: &file.vetoes,
        unreadable: &ownerships.unreadable(file),
        trust: inputs.trust,
        ledger: inputs.recorded.lineage.map(LedgerId),
        logged: named(inputs, file),
        require_head: inputs.settings.wipes.require_head,
        device: device.as_ref(),
        now: inputs.now,
        max_validity: inputs.settings.wipes.max_validity,
    })
}

/// The entry that the request names, as the log has it.
fn named(inputs: &Inputs<'_>, file: &WipeFile) -> Option<LoggedHead> {
    let seq = file.request.head?.seq;
    inputs.heads.iter().find(|logged| logged.head.seq == seq).copied()
}

impl Judgement {
    /// The people whose signatures hold, sorted, each once.
    #[must_use]
    pub(crate) fn signers(&self) -> Vec<Email> {
        let people: BTreeSet<&Email> = self
            .files
            .iter()
            .filter(|file| file.purpose == Namespace::Wipe)
            .filter_map(|file| file.outcome.as_ref().ok())
            .collect();
        people.into_iter().cloned().collect()
    }

    /// What the first rule that does not hold found, and what is wrong with the files beside it.
    pub(super) fn why(&self) -> String {
        let first = self.checks.iter().find(|check| !check.holds);
        let mut why = first.map(|check| check.detail.clone()).unwrap_or_default();
        if first.is_some_and(|check| check.rule == Rule::Signatures) {
            for file in &self.files {
                if let Err(discounted) = &file.outcome {
                    why.push_str(&format!("; {}: {}", file.name, discounted.detail));
                }
                if why.len() > 1_000 {
                    break;
                }
            }
        }
        why
    }
}
