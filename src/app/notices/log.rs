//! Notices in the program's own log.

use super::notice::Notice;
use crate::app::reconcile::RefusedReport;
use crate::edges::provider::Unusable;

/// Tells all of them.
pub(crate) fn tell(notices: impl IntoIterator<Item = Notice>) {
    notices.into_iter().for_each(|notice| tell_one(&notice));
}

/// Without the directory that all of them lie in.
fn file(origin: &str) -> &str {
    origin.rsplit('/').next().unwrap_or(origin)
}

fn tell_one(notice: &Notice) {
    match notice {
        Notice::Frozen(why) => tracing::warn!(
            cause = %why.cause, removed = why.removed, of = why.of, help = why.cause.help(),
            "frozen: {}; nothing but reports is taken in", why.cause.explain()
        ),
        Notice::Thawed => {
            tracing::info!("no longer frozen: the fleet directory is plausible again");
        }
        Notice::Unusable(Unusable { origin, what, why, whole: _ }) => {
            tracing::warn!(file = ?file(origin), ?why, "{what}");
        }
        Notice::ReportRefused(RefusedReport { origin, serial, why }) => {
            tracing::warn!(file = ?file(origin), %serial, ?why, "a report is refused");
        }
        Notice::RequestRefused { origin, why } => {
            tracing::warn!(file = ?file(origin), ?why, "a request cannot be used");
        }
        Notice::Erased { device, serial, reason } => {
            tracing::error!(%device, %serial, "the device {reason}");
        }
        Notice::Missing { device, serial } => tracing::error!(
            %device, %serial,
            "the MDM does not list the device any more; nothing is done to it"
        ),
        Notice::Drifted { profile, what, by } => {
            let by = by.as_deref().unwrap_or("unknown");
            tracing::warn!(%profile, what, by, "the profile was changed in the MDM; it is put right");
        }
        Notice::AwaitsApproval { device, why } => {
            tracing::warn!(%device, ?why, "a wipe awaits approval in the MDM");
        }
        Notice::ProfileFailed { profile, class, why } => {
            tracing::warn!(%profile, %class, ?why, "the MDM does not have all of the profile");
        }
        Notice::Odd(note) => tracing::warn!("{note}"),
        Notice::UnknownField(field) => {
            tracing::warn!(?field, "a field of reports is not known, and is passed over");
        }
        Notice::Unfinished(file) => tracing::warn!(
            %file,
            "a file of the inbox is passed over, since its name says that it is still being \
             written: rename it once it is whole"
        ),
        Notice::ClockBehind => tracing::warn!(
            "this machine's clock is behind the log's last entry: no wipe is issued; fix the clock"
        ),
        Notice::TrustBroken(why) => tracing::error!(
            ?why,
            "the trust files cannot be relied on: every wipe is refused until they can"
        ),
        Notice::TrustUsable => tracing::info!("the trust files can be relied on again"),
        Notice::Finding(finding) => tracing::warn!(?finding, "a finding"),
        Notice::MoreFindings(more) => {
            tracing::warn!(more, "more findings: see `fleetform check`");
        }
        Notice::NoFindings => tracing::info!("no findings any more"),
        Notice::Unobserved { why, again_in } => tracing::error!(
            ?why,
            ?again_in,
            "the provider cannot be observed: devices get no commands until it can"
        ),
        Notice::ObservedAgain => tracing::info!("the provider can be observed again"),
        Notice::EffectFailed { device, class, why } => {
            tracing::warn!(%device, %class, ?why, "the provider failed");
        }
        Notice::MoreEffectsFailed(more) => {
            tracing::warn!(more, "the provider failed for others");
        }
        Notice::WipeNotIssued { device, why } => {
            tracing::warn!(%device, ?why, "a wipe was planned and is not issued");
        }
        Notice::Done { done, left, took } => tracing::info!(done, left, ?took, "a pass"),
        Notice::PassFailed { error, help, again_in } => {
            tracing::error!(error, ?again_in, help, "the pass failed");
        }
        Notice::PassStillFails { error, again_in } => {
            tracing::debug!(error, wait = ?again_in, "still the same");
        }
    }
}
