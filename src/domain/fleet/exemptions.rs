//! Exemptions of `spec.access` that last too long: whether one does is a matter of the time at
//! which it is read, so reading it is no finding yet.

use super::desired::Desired;
use crate::domain::manifest::DeviceDraft;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::{Exemption, SerialNumber, Timestamp};

/// An exemption in a manifest, and where its end is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exempted {
    pub(crate) exemption: Exemption,
    pub(crate) span: Span,
}

/// Whom the draft of a device exempts, and how.
pub(super) fn exempted(draft: &DeviceDraft) -> Option<(SerialNumber, Exempted)> {
    let (exemption, span) = draft.exemption()?;
    let exempted = Exempted { exemption: exemption.clone(), span: span.clone() };
    Some((draft.serial_number().clone(), exempted))
}

impl Desired {
    /// The findings on exemptions that would last too long from `now` on; a plan holds their
    /// devices.
    pub(crate) fn long_exemptions(&self, now: Timestamp) -> impl Iterator<Item = Finding> {
        self.exemptions.values().filter_map(move |exempted| {
            let why = exempted.exemption.too_long(now)?;
            Some(Finding {
                code: Code::InvalidValue,
                severity: Severity::Error,
                message: format!("`spec.access.exemptUntil`: {why}"),
                help: "choose an earlier end; where it is still needed then, extend it in a new change"
                    .to_owned(),
                span: exempted.span.clone(),
                related: None,
            })
        })
    }

    /// With what is a finding at this time among its own findings, for whoever shows them and
    /// makes no plan.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        let long: Vec<_> = self.long_exemptions(now).collect();
        if !long.is_empty() {
            self.findings.extend(long);
            self.findings.sort_by(|a, b| a.key().cmp(&b.key()));
        }
        self
    }
}
