//! Whether the ledger can be read and continues itself, and whether the clock agrees with it.

use std::path::Path;

use super::fleet::count;
use crate::domain::diagnosis::Check;
use crate::domain::model::Timestamp;
use crate::domain::plan::{clock_behind, left_today, time_ahead};
use crate::domain::settings::DailyWipes;
use crate::domain::state::State;
use crate::domain::wipe::clock::known;
use crate::edges::ledger::{Error, Verified};

pub(super) const LEDGER: &str = "ledger";
pub(super) const CHAIN: &str = "ledger.chain";
pub(super) const CLOCK: &str = "clock";
const TODAY: &str = "wipes.today";

/// What was read; the inner nothing is that there is none yet, the outer one that it took too long.
pub(super) type Read<T> = Option<Result<Option<T>, Error>>;

/// Whether the state can be read.
pub(super) fn ledger(data: &Path, named: bool, read: &Read<State>) -> Check {
    match read {
        None => Check::fails(
            LEDGER,
            format!("the ledger in {} could not be read in time", data.display()),
            "check whether its file system answers",
        ),
        Some(Err(error)) => Check::broken(LEDGER, error.to_string()),
        Some(Ok(None)) if named => {
            Check::broken(LEDGER, Error::Absent { dir: data.to_owned() }.to_string())
        }
        Some(Ok(None)) => {
            let detail = "there is none yet: the first `fleetform apply` begins it";
            Check::ok(LEDGER, detail)
        }
        Some(Ok(Some(state))) => {
            let devices = count(state.devices.len(), "device");
            let detail =
                format!("it ends with entry {} ({}), and has {devices}", state.seq, state.head.0);
            Check::ok(LEDGER, detail)
        }
    }
}

/// Whether each line of the log contains the hash of the one before it.
pub(super) fn chain(read: &Read<Verified>) -> Check {
    const HELP: &str =
        "`fleetform audit verify` shows all that is wrong; restore the log from a backup";
    match read {
        None => Check::warning(
            CHAIN,
            "the log is too long to be verified here",
            "run `fleetform audit verify`",
        ),
        Some(Err(error)) => Check::broken(CHAIN, error.to_string()),
        Some(Ok(None)) => Check::ok(CHAIN, "there is no log yet"),
        Some(Ok(Some(Verified { problems, lines, .. }))) => match problems.first() {
            None => {
                let lines = usize::try_from(*lines).unwrap_or(usize::MAX);
                Check::ok(CHAIN, format!("{}, the hash chain is intact", count(lines, "line")))
            }
            Some(problem) => {
                let at = problem.seq.map(|seq| format!("entry {seq}: ")).unwrap_or_default();
                Check::fails(CHAIN, format!("{at}{}", problem.message), HELP)
            }
        },
    }
}

/// Whether our clock is not behind what the ledger has seen: `logged` by its last entry, `kept` by the
/// file beside it.
pub(super) fn clock(now: Timestamp, logged: Option<Timestamp>, kept: Option<Timestamp>) -> Check {
    if kept.is_some() && known(kept).is_none() {
        return Check::fails(
            CLOCK,
            "the file `clock` in the data directory cannot be read, so no wipe is issued",
            "give it to the user who runs fleetform; if what it holds is damaged, remove it: the log \
             still says how late it was at least",
        );
    }
    match time_ahead(now, logged, kept) {
        Some(seen) => Check::fails(
            CLOCK,
            format!("{}; until then no wipe is issued", clock_behind(seen)),
            "synchronize the clock of this machine, as with `timedatectl set-ntp true`",
        ),
        None if logged.max(kept).is_none() => {
            Check::ok(CLOCK, "the ledger has seen no time yet that it could be compared with")
        }
        None => Check::ok(CLOCK, "it is not behind any time that the ledger has seen"),
    }
}

/// How many wipes the provider still takes today.
pub(super) fn today(most: DailyWipes, recorded: &State, now: Timestamp) -> Check {
    let DailyWipes { full, selective } = left_today(most, recorded, now);
    let detail = format!(
        "today (UTC) the provider takes {full} more full wipes of {}, and {selective} more selective \
         ones of {}",
        most.full, most.selective
    );
    if full == 0 || selective == 0 {
        return Check::warning(
            TODAY,
            detail,
            "nothing: the others continue tomorrow by themselves",
        );
    }
    Check::ok(TODAY, detail)
}

/// Where the ledger cannot be read.
pub(super) fn unknown_today() -> Check {
    Check::skipped(TODAY, LEDGER)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::diagnosis::CheckState::{self, Fails, Ok as Well, Warning};
    use crate::domain::model::Digest;
    use crate::domain::wipe::clock::UNKNOWN_MILLIS;
    use crate::edges::ledger::Problem;

    #[track_caller]
    fn is(check: &Check, state: CheckState, says: &str) {
        assert_eq!(check.state, state, "{check:?}");
        assert!(check.detail.contains(says), "{check:?}");
    }

    #[test]
    fn a_ledger_must_be_where_somebody_named_it() {
        let data = Path::new("data");
        is(&ledger(data, false, &Some(Ok(None))), Well, "the first `fleetform apply` begins it");
        is(&ledger(data, true, &Some(Ok(None))), Fails, "there is no ledger in data");
        is(&ledger(data, true, &Some(Ok(Some(State::default())))), Well, "entry 0");
        is(&ledger(data, true, &None), Fails, "in time");
        let cut = Error::Cut { path: "data/audit.jsonl".into(), what: "12 bytes".into() };
        is(&ledger(data, true, &Some(Err(cut))), Fails, "the end of the log is missing");
    }

    #[test]
    fn a_chain_that_breaks_fails_with_the_first_problem() {
        let verified = |problems| Verified {
            lines: 3,
            bytes: 9,
            head: Digest::of(b"3"),
            seq: 3,
            snapshot_seq: None,
            problems,
            more: false,
        };
        let problem = Problem { seq: Some(2), message: "its `prev` is another".into() };
        is(&chain(&Some(Ok(Some(verified(vec![]))))), Well, "3 lines");
        is(&chain(&Some(Ok(Some(verified(vec![problem]))))), Fails, "entry 2: its `prev`");
        is(&chain(&Some(Ok(None))), Well, "no log yet");
        is(&chain(&None), Warning, "too long");
    }

    #[test]
    fn a_clock_behind_the_ledger_fails() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let at = |seconds| Some(now + TimeDelta::seconds(seconds));
        is(&clock(now, None, None), Well, "no time yet");
        is(&clock(now, at(0), at(5)), Well, "not behind");
        is(&clock(now, at(-60), None), Well, "not behind");
        is(&clock(now, at(1), None), Fails, "10:00:01");
        is(&clock(now, None, at(6)), Fails, "10:00:06");
        let unknown = Some(Timestamp::from_millis(UNKNOWN_MILLIS));
        is(&clock(now, at(-1), unknown), Fails, "cannot be read");
    }

    #[test]
    fn what_is_left_of_a_day_is_told() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let most = |full| DailyWipes { full, selective: 1000 };
        is(&today(most(500), &State::default(), now), Well, "500 more full wipes of 500");
        is(&today(most(0), &State::default(), now), Warning, "0 more full wipes");
    }
}
