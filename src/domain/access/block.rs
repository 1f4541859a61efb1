//! Whether a device is blocked, and when it will be (sop.md §5). Whoever shows it, answers with
//! it or acts on it asks here.

use crate::domain::model::{ComplianceState, Exemption, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::Device;

/// Whether a device may reach corporate mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Block {
    /// Nothing is about to end its access.
    None,
    /// It is not compliant, and is blocked from then on unless it is compliant again.
    At(Timestamp),
    /// As `At`, and only its exemption has kept its access up to now.
    ExemptUntil(Timestamp),
    /// It has not been compliant for too long.
    Since(Timestamp),
    /// Wiped: it has no user any more, and no access.
    Gone,
}

/// A device that has not been compliant for `compliance.blockAfter` is blocked, but not before
/// its exemption ends. A clock that was set back blocks nobody early.
#[must_use]
pub(crate) fn block(device: &Device, settings: &Settings, now: Timestamp) -> Block {
    if device.is_wiped() {
        return Block::Gone;
    }
    match device.compliance.state {
        ComplianceState::Compliant | ComplianceState::Unknown => return Block::None,
        ComplianceState::NonCompliant => {}
    }
    let due = device.compliance.since + settings.block_after;
    let exempt = device.spec.access.as_deref().map(|Exemption { exempt_until, .. }| *exempt_until);
    let at = due.max(exempt.unwrap_or(due));
    if now >= at {
        Block::Since(at)
    } else if now >= due {
        Block::ExemptUntil(at)
    } else {
        Block::At(at)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::domain::access::testing::device;
    use crate::domain::model::Status;

    #[test]
    fn a_device_is_blocked_after_a_day_of_non_compliance_to_the_millisecond() {
        let settings = Settings::default();
        let mut device = device();
        device.compliance.state = ComplianceState::NonCompliant;
        let at = device.compliance.since + TimeDelta::hours(24);
        let before = at + TimeDelta::milliseconds(-1);
        assert_eq!(block(&device, &settings, before), Block::At(at));
        assert_eq!(block(&device, &settings, at), Block::Since(at));
        // A clock that went back does not make it earlier.
        assert_eq!(block(&device, &settings, at + TimeDelta::days(-400)), Block::At(at));
        for state in [ComplianceState::Unknown, ComplianceState::Compliant] {
            device.compliance.state = state;
            assert_eq!(block(&device, &settings, at), Block::None);
        }
        device.status = Status::Wiped;
        assert_eq!(block(&device, &settings, at), Block::Gone);
    }

    #[test]
    fn an_exemption_puts_the_block_off_until_its_end_and_never_brings_it_forward() {
        let settings = Settings::default();
        let mut device = device();
        device.compliance.state = ComplianceState::NonCompliant;
        let due = device.compliance.since + TimeDelta::hours(24);
        let mut exempt = |hours| {
            let exempt_until = due + TimeDelta::hours(hours);
            let reason = "travels".into();
            Arc::make_mut(&mut device.spec).access =
                Some(Box::new(Exemption { exempt_until, reason }));
            let at = |hours| block(&device, &settings, due + TimeDelta::hours(hours));
            [at(-1), at(0), at(2)]
        };
        let later = due + TimeDelta::hours(2);
        assert_eq!(exempt(2), [Block::At(later), Block::ExemptUntil(later), Block::Since(later)]);
        for over in [-1, -2000] {
            assert_eq!(exempt(over), [Block::At(due), Block::Since(due), Block::Since(due)]);
        }
    }
}
