//! Exemptions of `spec.access`, each with the place of its end.

use crate::domain::manifest::DeviceDraft;
use crate::domain::manifest::finding::Span;
use crate::domain::model::{Exemption, SerialNumber};

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
