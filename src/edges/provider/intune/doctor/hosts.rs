//! Whether Entra and Graph can be reached, and whether our clock is right.

use chrono::TimeDelta;

use super::answers::Unknown;
use crate::domain::diagnosis::Check;
use crate::domain::wording::duration;
use crate::edges::provider::intune::graph::Reached;

pub(super) const LOGIN: &str = "intune.login";
pub(super) const GRAPH: &str = "intune.graph";
const CLOCK: &str = "intune.clock";

/// Beyond this a clock is worth a look.
const ODD: TimeDelta = TimeDelta::minutes(1);
/// Beyond this Entra refuses what is signed by the clock.
const WRONG: TimeDelta = TimeDelta::minutes(5);

/// Whether a host answers. What stands in the way is told in the words of the client: DNS, a proxy,
/// TLS, or nobody who listens.
pub(super) fn host(name: &'static str, reached: &Result<Reached, Unknown>) -> Check {
    match reached {
        Ok(Reached { origin, proxy: None }) => Check::ok(name, format!("{origin} answers")),
        Ok(Reached { origin, proxy: Some(proxy) }) => {
            Check::ok(name, format!("{origin} answers, through the proxy {proxy}"))
        }
        Err(unknown) => unknown.check(name),
    }
}

/// Whether our clock agrees with Graph's; `reached` is whether Graph answered.
pub(super) fn clock(reached: bool, skew: Option<TimeDelta>) -> Check {
    const HELP: &str = "synchronize the clock of this machine, as with `timedatectl set-ntp true`";
    if !reached {
        return Check::skipped(CLOCK, GRAPH);
    }
    let Some(skew) = skew else {
        let help = "compare the clock of this machine with another one";
        return Check::warning(CLOCK, "Graph does not say what time it is", help);
    };
    let (off, direction) = match skew < TimeDelta::zero() {
        true => (-skew, "ahead of"),
        false => (skew, "behind"),
    };
    let seconds = TimeDelta::seconds(off.num_seconds());
    let detail = format!("this machine's clock is {} {direction} Graph's", duration(seconds));
    match off {
        off if off > WRONG => Check::fails(CLOCK, detail, HELP),
        off if off > ODD => Check::warning(CLOCK, detail, HELP),
        _ => Check::ok(CLOCK, "this machine's clock agrees with Graph's"),
    }
}
