//! Requests that nobody trusted has signed: whoever can write to the fleet directory can write any
//! number of them, and neither log nor state may grow with it.

use chrono::TimeDelta;

use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::model::Place;
use crate::domain::plan::inputs::Inputs;
use crate::domain::plan::wipe_stop::WipeStop;
use crate::domain::state::Wipe;
use crate::domain::wipe::WipeFile;

/// So many requests that nobody trusted has signed are recorded at a time: open ones, and those of
/// the last day. Those beyond are a finding. A signed request is always recorded.
const MAX_UNSIGNED: usize = 1_000;

/// Keeps count of them, for one plan.
pub(super) struct Unsigned {
    /// How many more are recorded.
    room: usize,
    /// Those that are not recorded.
    surplus: Vec<Place>,
}

impl Unsigned {
    pub(super) fn new(inputs: &Inputs<'_>) -> Self {
        let recent =
            |wipe: &Wipe| wipe.state.is_open() || wipe.since + TimeDelta::days(1) > inputs.now;
        let unsigned = |wipe: &&Wipe| wipe.signers.is_empty() && recent(wipe);
        let known = inputs.recorded.wipes.values().filter(unsigned).count();
        Self { room: MAX_UNSIGNED.saturating_sub(known), surplus: Vec::new() }
    }

    /// Whether a request that nobody trusted has signed is recorded: when it is first seen, if
    /// there is room, and when it ends.
    pub(super) fn records(
        &mut self,
        file: &WipeFile,
        stop: WipeStop,
        known: Option<&Wipe>,
    ) -> bool {
        match known {
            Some(wipe) => !stop.state().is_open() || !wipe.signers.is_empty(),
            None if stop == WipeStop::Vetoed => true,
            // Nothing to record: an expired request is refused whenever it is read again.
            None if stop == WipeStop::Expired => false,
            None if self.room == 0 => {
                self.surplus.push(file.place.clone());
                false
            }
            None => {
                self.room -= 1;
                true
            }
        }
    }

    /// One finding for all requests that are not recorded.
    pub(super) fn finding(&self) -> Option<Finding> {
        let first = self.surplus.iter().min()?;
        Some(Finding {
            code: Code::TooManyWipeRequests,
            severity: Severity::Error,
            message: format!(
                "{} unsigned wipe requests are not recorded: there are already {MAX_UNSIGNED}",
                self.surplus.len()
            ),
            help: "remove the requests that will not be signed; a signed request is recorded"
                .to_owned(),
            span: Span::whole(&first.path),
            related: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::wipes::tests::requests::{ANA, ask, world};
    use crate::domain::state::WipeState;

    #[test]
    fn what_nobody_signed_is_recorded_while_there_is_room_and_when_it_ends() {
        let mut world = world(&["A1"]);
        let request = ask(&mut world, "lost", "A1", &[]);
        assert_eq!(world.settle(), ["holdWipe D001"]);
        let file = world.desired.wipes[0].clone();
        let unsigned = world.state.wipes[&request].clone();
        let signed = Wipe { signers: vec![ANA.parse().unwrap()], ..unsigned.clone() };
        let refused = |for_good| WipeStop::Refused { for_good };
        for (stop, known, recorded) in [
            (WipeStop::Held, None, true),
            (refused(false), None, true),
            (refused(true), None, true),
            (WipeStop::Vetoed, None, true),
            (WipeStop::Expired, None, false),
            // Its end is said, and that a signature does not count any more.
            (WipeStop::Held, Some(&unsigned), false),
            (refused(false), Some(&unsigned), false),
            (refused(true), Some(&unsigned), true),
            (WipeStop::Vetoed, Some(&unsigned), true),
            (WipeStop::Expired, Some(&unsigned), true),
            (WipeStop::Held, Some(&signed), true),
            (WipeStop::Expired, Some(&signed), true),
        ] {
            let mut unsigned = Unsigned { room: 1, surplus: vec![] };
            assert_eq!(unsigned.records(&file, stop, known), recorded, "{stop:?} {known:?}");
            assert_eq!(unsigned.finding(), None);
        }
        let mut unsigned = Unsigned { room: 2, surplus: vec![] };
        let mut records = |stop| unsigned.records(&file, stop, None);
        assert!(records(WipeStop::Held) && records(refused(false)), "there is room for two");
        assert!(!records(WipeStop::Held) && !records(refused(false)) && !records(refused(true)));
        assert!(records(WipeStop::Vetoed), "a veto needs no room");
        assert!(!records(WipeStop::Expired));
        let finding = unsigned.finding().unwrap();
        assert_eq!(finding.code, Code::TooManyWipeRequests);
        assert!(finding.message.starts_with("3 unsigned wipe requests"), "{}", finding.message);
    }

    #[test]
    fn open_requests_and_those_of_the_last_day_take_the_room() {
        let mut world = world(&["A1"]);
        let request = ask(&mut world, "lost", "A1", &[]);
        world.settle();
        let (since, day) = (world.state.wipes[&request].since, TimeDelta::days(1));
        let millisecond = TimeDelta::milliseconds(1);
        for (state, signed, now, taken) in [
            (WipeState::Held, false, since + day + day, 1),
            (WipeState::Refused, false, since + day + day, 1),
            (WipeState::Vetoed, false, since, 1),
            (WipeState::Vetoed, false, since + day + -millisecond, 1),
            (WipeState::Vetoed, false, since + day, 0),
            (WipeState::Held, true, since, 0),
        ] {
            let wipe = world.state.wipes.get_mut(&request).unwrap();
            wipe.state = state;
            wipe.signers = if signed { vec![ANA.parse().unwrap()] } else { vec![] };
            world.now = now;
            let room = Unsigned::new(&world.inputs()).room;
            assert_eq!(MAX_UNSIGNED - room, taken, "{state} {signed} {now}");
        }
    }
}
