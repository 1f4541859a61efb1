//! One thing that an operator should know.

use std::sync::Arc;
use std::time::Duration;

use crate::app::reconcile::{Decision, RefusedReport};
use crate::domain::model::{DeviceId, Name, SerialNumber};
use crate::domain::state::event::{ErrorClass, PassFrozen};
use crate::edges::provider::UnusableReport;

/// Of one kind, more than so many in a pass are only counted.
pub(crate) const SHOWN: usize = 20;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    Frozen(PassFrozen),
    Thawed,
    /// Something came in that is no report.
    Unusable(UnusableReport),
    ReportRefused(RefusedReport),
    /// A file asks for something that nobody can do, or for nothing.
    RequestRefused {
        /// Where it came from.
        origin: Arc<str>,
        /// A sentence without a full stop.
        why: String,
    },
    /// A device was erased, and nobody here asked for it.
    Erased {
        device: DeviceId,
        serial: SerialNumber,
        /// A clause whose subject is the device.
        reason: String,
    },
    /// The MDM does not list a device any more.
    Missing {
        device: DeviceId,
        serial: SerialNumber,
    },
    /// Somebody changed a profile in the MDM.
    Drifted {
        profile: Name,
        what: String,
        by: Option<String>,
    },
    /// The MDM wants another administrator's approval of a wipe.
    AwaitsApproval {
        device: DeviceId,
        why: String,
    },
    ProfileFailed {
        profile: Name,
        class: ErrorClass,
        why: String,
    },
    /// Something about reports is odd, in a sentence without a full stop.
    Odd(String),
    UnknownField(String),
    /// A file that is passed over, since its name says that it is still being written.
    Unfinished(String),
    /// This machine's clock is behind the last entry of the log.
    ClockBehind,
    /// Why the trust files that are configured cannot be relied on.
    TrustBroken(String),
    TrustUsable,
    Finding(String),
    MoreFindings(usize),
    NoFindings,
    /// Why the provider cannot be observed, and when it is asked again.
    Unobserved {
        why: String,
        again_in: Duration,
    },
    ObservedAgain,
    EffectFailed {
        device: DeviceId,
        class: ErrorClass,
        why: String,
    },
    MoreEffectsFailed(usize),
    /// A wipe was planned, and did not hold any more when it was to be issued.
    WipeNotIssued {
        device: DeviceId,
        why: String,
    },
    Done {
        done: String,
        left: usize,
        took: Duration,
    },
    PassFailed {
        error: String,
        help: &'static str,
        again_in: Duration,
    },
    PassStillFails {
        error: String,
        again_in: Duration,
    },
}

/// What a decision says of reports and requests: all files that nobody can use, and some of the rest.
pub(crate) fn of_reports(decision: &Decision) -> impl Iterator<Item = Notice> {
    let whole = decision.unusable().iter().filter(|unusable| unusable.whole);
    let parts = decision.unusable().iter().filter(|unusable| !unusable.whole).take(SHOWN);
    let refused = decision.refused().iter().take(SHOWN);
    let requests = decision.refused_requests().take(SHOWN);
    let requests = requests.map(|(origin, why)| Notice::RequestRefused {
        origin: origin.clone(),
        why: why.to_owned(),
    });
    whole
        .chain(parts)
        .map(|unusable| Notice::Unusable(unusable.clone()))
        .chain(refused.map(|refused| Notice::ReportRefused(refused.clone())))
        .chain(requests)
}
