//! Whether a device is blocked, and when it will be (docs/access.md). Whoever shows it, answers with
//! it or acts on it asks here.

use crate::domain::model::{Exemption, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::{Block, Device};

/// Whether a device may reach corporate mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// Nothing is about to end its access.
    None,
    /// It is not compliant, and is blocked from then on unless it is compliant again.
    At(Timestamp),
    /// As `At`, and only its exemption has kept its access up to now.
    ExemptUntil(Timestamp),
    /// It has not been compliant for too long: it is to be blocked since then, and it is not known
    /// that it is.
    Due(Timestamp),
    /// It would be blocked from then on, but no manifest declares it: nothing new is done to it.
    Orphaned(Timestamp),
    /// It is blocked: the provider took the order.
    Since(Timestamp),
    /// Wiped: it has no user any more, and no access.
    Gone,
}

/// When a device is blocked whose episode of non-compliance goes on since then: once
/// `compliance.blockAfter` is over, but not before its exemption ends.
#[must_use]
pub(crate) fn blocks_at(
    since: Timestamp,
    exemption: Option<&Exemption>,
    settings: &Settings,
) -> Timestamp {
    let due = since + settings.block_after;
    exemption.map_or(due, |exemption| due.max(exemption.exempt_until))
}

/// How it stands. One that was blocked is so until access is restored, whatever the clock says.
#[must_use]
pub(crate) fn block(device: &Device, settings: &Settings, now: Timestamp) -> Blocking {
    if device.is_wiped() {
        return Blocking::Gone;
    }
    let block = device.episode.as_deref().and_then(|episode| episode.block.as_ref());
    if let Some(at) = block.and_then(Block::blocked_since) {
        return Blocking::Since(at);
    }
    let Some(open) = device.failing_episode() else { return Blocking::None };
    let at = blocks_at(open.since, device.spec.access.as_deref(), settings);
    let ordered = block.is_some_and(|block| block.blocked);
    if device.rare.orphaned_since.is_some() && !ordered {
        Blocking::Orphaned(at)
    } else if now >= at {
        Blocking::Due(at)
    } else if now >= blocks_at(open.since, None, settings) {
        Blocking::ExemptUntil(at)
    } else {
        Blocking::At(at)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::access::testing::{device, fail, now, spec};
    use crate::domain::model::Status;
    use crate::domain::state::BlockState;
    use crate::domain::state::event::ErrorClass;

    #[test]
    fn a_device_is_blocked_after_a_day_of_non_compliance_to_the_millisecond() {
        let settings = Settings::default();
        let mut device = device();
        assert_eq!(block(&device, &settings, now() + TimeDelta::days(9)), Blocking::None);
        fail(&mut device, now());
        let at = now() + TimeDelta::hours(24);
        let before = at + TimeDelta::milliseconds(-1);
        assert_eq!(block(&device, &settings, before), Blocking::At(at));
        assert_eq!(block(&device, &settings, at), Blocking::Due(at));
        // A clock that went back does not make it earlier.
        assert_eq!(block(&device, &settings, at + TimeDelta::days(-400)), Blocking::At(at));
        device.episode.as_mut().unwrap().ended = Some(at);
        assert_eq!(block(&device, &settings, at), Blocking::None);
        device.status = Status::Wiped;
        assert_eq!(block(&device, &settings, at), Blocking::Gone);
    }

    #[test]
    fn an_exemption_puts_the_block_off_until_its_end_and_never_brings_it_forward() {
        let settings = Settings::default();
        let mut device = device();
        fail(&mut device, now());
        let due = now() + TimeDelta::hours(24);
        let mut exempt = |hours| {
            let exempt_until = due + TimeDelta::hours(hours);
            let reason = "travels".into();
            spec(&mut device).access = Some(Box::new(Exemption { exempt_until, reason }));
            let at = |hours| block(&device, &settings, due + TimeDelta::hours(hours));
            [at(-1), at(0), at(2)]
        };
        let later = due + TimeDelta::hours(2);
        assert_eq!(
            exempt(2),
            [Blocking::At(later), Blocking::ExemptUntil(later), Blocking::Due(later)]
        );
        for over in [-1, -2000] {
            let since = Blocking::Due(due);
            assert_eq!(exempt(over), [Blocking::At(due), since, since]);
        }
    }

    #[test]
    fn it_is_blocked_once_the_provider_took_the_order_and_not_before() {
        use crate::domain::state::BlockState::{Done, Failed, Intended};
        let settings = Settings::default();
        let mut device = device();
        fail(&mut device, now());
        let due = now() + TimeDelta::hours(24);
        let (ordered, later) = (due + TimeDelta::minutes(5), due + TimeDelta::hours(1));
        for (state, expected) in [
            (Intended, Blocking::Due(due)),
            (Failed(ErrorClass::Permanent, "no".into()), Blocking::Due(due)),
            (Done, Blocking::Since(ordered)),
        ] {
            let order = Block { intent: 9, blocked: true, at: ordered, state };
            device.episode.as_mut().unwrap().block = Some(order);
            assert_eq!(block(&device, &settings, later), expected);
        }
    }

    #[test]
    fn nothing_new_is_announced_of_a_device_that_nobody_declares_or_that_was_erased() {
        let settings = Settings::default();
        let mut device = device();
        fail(&mut device, now());
        let due = now() + TimeDelta::hours(24);
        device.rare.orphaned_since = Some(now());
        assert_eq!(block(&device, &settings, due), Blocking::Orphaned(due));
        let order = Block { intent: 9, blocked: true, at: due, state: BlockState::Done };
        device.episode.as_mut().unwrap().block = Some(order);
        assert_eq!(block(&device, &settings, due), Blocking::Since(due), "it was before that");
        device.episode.as_mut().unwrap().block = None;
        (device.rare.orphaned_since, device.rare.unrequested_wipe) = (None, Some(now()));
        assert_eq!(block(&device, &settings, due), Blocking::None);
    }
}
