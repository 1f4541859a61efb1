//! Notices in the program's own log.

use super::notice::Notice;
use crate::app::reconcile::RefusedReport;
use crate::edges::provider::UnusableReport;

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
            cause = %why.cause, removed = why.removed, of = why.of, help = why.help(),
            "frozen: {}; only reports are processed", why.cause.explain()
        ),
        Notice::Thawed => {
            tracing::info!("no longer frozen: the fleet directory is plausible again");
        }
        Notice::Unusable(UnusableReport { origin, what, why, whole: _ }) => {
            tracing::warn!(file = ?file(origin), ?why, "{what}");
        }
        Notice::ReportRefused(RefusedReport { origin, serial, why }) => {
            tracing::warn!(file = ?file(origin), %serial, ?why, "a report is rejected");
        }
        Notice::RequestRefused { origin, why } => {
            tracing::warn!(file = ?file(origin), ?why, "a sync request is invalid");
        }
        Notice::Erased { device, serial, reason } => {
            tracing::error!(%device, %serial, "the device {reason}");
        }
        Notice::Missing { device, serial } => tracing::error!(
            %device, %serial,
            "the MDM no longer lists the device; nothing is done to it"
        ),
        Notice::Drifted { profile, what, by } => {
            let by = by.as_deref().unwrap_or("unknown");
            tracing::warn!(%profile, what, by, "the profile was changed in the MDM; the declared \
                                                state is restored");
        }
        Notice::AwaitsApproval { device, why } => {
            tracing::warn!(%device, ?why, "a wipe awaits approval in the MDM");
        }
        Notice::ProfileFailed { profile, class, why } => {
            tracing::warn!(%profile, %class, ?why, "the profile is incomplete in the MDM");
        }
        Notice::Odd(note) => tracing::warn!("{note}"),
        Notice::UnknownField(field) => {
            tracing::warn!(?field, "a field of reports is unknown and is ignored");
        }
        Notice::Unfinished(file) => tracing::warn!(
            %file,
            "a file of the inbox is ignored, since its name says that it is still being written: \
             rename it when it is complete"
        ),
        Notice::ClockBehind => tracing::warn!(
            "this machine's clock is behind the log's last entry: no wipe is issued; fix the clock"
        ),
        Notice::TrustBroken(why) => tracing::error!(
            ?why,
            "the trust files cannot be relied on: every wipe is refused until they can"
        ),
        Notice::TrustUsable => tracing::info!("the trust files can be relied on again"),
        Notice::Finding(finding) => tracing::warn!(?finding, "invalid input"),
        Notice::MoreFindings(more) => {
            tracing::warn!(more, "more findings: see `fleetform check`");
        }
        Notice::NoFindings => tracing::info!("no findings left"),
        Notice::Unobserved { why, again_in } => tracing::error!(
            ?why,
            ?again_in,
            "the provider cannot be observed: no commands are sent until it can"
        ),
        Notice::ObservedAgain => tracing::info!("the provider can be observed again"),
        Notice::EffectFailed { device, class, why } => {
            tracing::warn!(%device, %class, ?why, "the provider failed");
        }
        Notice::MoreEffectsFailed(more) => {
            tracing::warn!(more, "the provider failed for others");
        }
        Notice::WipeNotIssued { device, why } => {
            tracing::warn!(%device, ?why, "a planned wipe was not issued");
        }
        Notice::Done { done, left, took } => {
            tracing::info!(left, ?took, "reconciled: {done}");
        }
        Notice::PassFailed { error, help, again_in } => {
            tracing::error!(error, ?again_in, help, "reconciliation failed");
        }
        Notice::PassStillFails { error, again_in } => {
            tracing::debug!(error, wait = ?again_in, "still fails");
        }
    }
}
