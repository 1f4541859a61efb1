//! What the provider can do at all, and how often in a day.

use chrono::TimeDelta;

use crate::domain::model::{Digest, Timestamp, WipeScope};
use crate::domain::plan::inputs::Inputs;
use crate::domain::settings::{DailyWipes, ProviderRules};
use crate::domain::state::State;

/// The code of a request that the provider cannot carry out as it is configured.
pub(super) const CANNOT_WIPE: &str = "providerCannotWipe";
/// The code of a request beyond what the provider takes in a day.
pub(super) const DAILY_CAP: &str = "dailyCap";

/// Why a request has to wait: a stable code, words for people, and until when.
pub(super) type Lack = (&'static str, String, Option<Timestamp>);

/// Why the provider would not take one more wipe of this scope; `ahead` go before it in this plan.
pub(super) fn lacks(
    inputs: &Inputs<'_>,
    (request, scope): (Digest, WipeScope),
    ahead: usize,
) -> Option<Lack> {
    let ProviderRules { cannot_wipe, per_day, licenses: _, follows_users: _ } =
        &inputs.settings.provider;
    if let Some(why) = cannot_wipe {
        return Some((CANNOT_WIPE, format!("the provider cannot wipe: {why}"), None));
    }
    let DailyWipes { full, selective } = (*per_day)?;
    let most = match scope {
        WipeScope::Full => full,
        WipeScope::Selective => selective,
    };
    let today = day(inputs.now);
    let issued = inputs.recorded.wipes.values().filter(|wipe| {
        wipe.subject.request != request
            && wipe.subject.scope == scope
            && wipe.issued_at.is_some_and(|at| day(at) == today)
    });
    let count = issued.count() + ahead;
    let tomorrow = Timestamp::from_millis((today + 1) * TimeDelta::days(1).num_milliseconds());
    (count >= most).then(|| {
        let detail = format!(
            "the provider takes {most} {scope} wipes in a day (UTC), and has {count}; continues \
             from {}",
            tomorrow.short()
        );
        (DAILY_CAP, detail, Some(tomorrow))
    })
}

/// How many more wipes of each scope the provider takes today (UTC), if it takes `most` in a day.
pub(crate) fn left_today(most: DailyWipes, recorded: &State, now: Timestamp) -> DailyWipes {
    let issued = |scope| {
        let of_today = recorded.wipes.values().filter(|wipe| {
            wipe.subject.scope == scope && wipe.issued_at.is_some_and(|at| day(at) == day(now))
        });
        of_today.count()
    };
    let DailyWipes { full, selective } = most;
    DailyWipes {
        full: full.saturating_sub(issued(WipeScope::Full)),
        selective: selective.saturating_sub(issued(WipeScope::Selective)),
    }
}

fn day(at: Timestamp) -> i64 {
    at.millis().div_euclid(TimeDelta::days(1).num_milliseconds())
}
