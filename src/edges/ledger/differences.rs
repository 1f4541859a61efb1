//! Where a snapshot says something else than the log.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::differences as device_differences;
use crate::domain::model::Digest;
use crate::domain::state::{Device, LastPush, PushProgress, Sparse, State, Wipe, WipeState};

/// Whether a snapshot only lacks the time since when a push waits: a version that did not know it wrote none.
fn knows_no_time(snapshot: &Device, replayed: &Device) -> bool {
    let progress = PushProgress { since: None, ..(*replayed.push.progress).clone() };
    snapshot.push == LastPush { progress: Sparse::new(progress), ..replayed.push.clone() }
}

/// What a snapshot says otherwise than a replay, but for telemetry.
pub(super) fn differences(snapshot: &State, replayed: &State) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |what: &str, is: bool| {
        if is {
            found.push(format!("{what} not what the log gives"));
        }
    };
    differs("its `lineage` is", snapshot.lineage != replayed.lineage);
    differs("its `restored` is", snapshot.restored != replayed.restored);
    differs("its `lineages` are", snapshot.lineages != replayed.lineages);
    differs("its `at` is", snapshot.at != replayed.at);
    differs("its `frozen` is", snapshot.frozen != replayed.frozen);
    differs("its `profiles` are", snapshot.profiles != replayed.profiles);
    differs("its `trust` is", snapshot.trust != replayed.trust);
    differs("its `config` is", snapshot.config != replayed.config);
    // A version that forgot final refusals wrote what it took for the state.
    let forgot = |digest: &Digest| {
        let of = |state: &State| state.wipes.get(digest).map(|wipe| wipe.state);
        of(replayed) == Some(WipeState::RefusedForGood)
            && of(snapshot).is_some_and(|state| state != WipeState::RefusedForGood)
            && replayed.wipes.get(digest).is_some_and(|wipe| wipe.subject.ledger.is_none())
    };
    let kept = |state: &State| -> BTreeMap<Digest, Wipe> {
        state.wipes.iter().filter(|(d, _)| !forgot(d)).map(|(d, w)| (*d, w.clone())).collect()
    };
    differs(
        "its `wipes` are",
        snapshot.wipes != replayed.wipes && kept(snapshot) != kept(replayed),
    );
    differs("its `alerts` are", snapshot.alerts != replayed.alerts);
    differs("its `sinks` are", snapshot.sinks != replayed.sinks);
    // A version that knew no episodes wrote none.
    let knows_episodes = snapshot.devices.values().any(|device| device.episode.is_some());
    let counts = |key: &String| knows_episodes || key != "episode";
    let ids: BTreeSet<_> = snapshot.devices.keys().chain(replayed.devices.keys()).collect();
    for id in ids {
        match (snapshot.devices.get(id), replayed.devices.get(id)) {
            (Some(a), Some(b)) => {
                let mut keys = device_differences(a, b);
                keys.retain(counts);
                if knows_no_time(a, b) {
                    keys.retain(|key| key != "push");
                }
                if !keys.is_empty() {
                    differs(&format!("{} of device {id} is", keys.join(", ")), true);
                }
            }
            (Some(_), None) => differs(&format!("device {id}, which it has, is"), true),
            (None, _) => differs(&format!("device {id}, which it lacks, is"), true),
        }
    }
    found
}
