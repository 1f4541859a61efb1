//! Whose devices are whose: made once for a recorded state, so that an answer searches nothing.

use std::collections::{BTreeSet, HashMap};

use compact_str::CompactString;

use crate::domain::model::DeviceId;
use crate::domain::state::State;

/// The devices of each user, but for those that are wiped, in the order of their ids; and which
/// of them are about to be wiped.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Directory {
    /// By e-mail address in small letters.
    by_user: HashMap<CompactString, Vec<DeviceId>>,
    leaving: BTreeSet<DeviceId>,
}

impl Directory {
    /// Of everything that is recorded.
    #[must_use]
    pub(crate) fn of(recorded: &State) -> Self {
        let mut directory = Self::default();
        for (id, device) in recorded.devices.iter() {
            if !device.is_wiped() {
                let user = folded(device.spec.user_email.as_str());
                directory.by_user.entry(user).or_default().push(*id);
            }
        }
        let under_way = recorded.wipes.values().filter(|wipe| wipe.state.is_under_way());
        directory.leaving = under_way.map(|wipe| wipe.subject.device_id).collect();
        directory
    }

    pub(super) fn devices_of(&self, user: &str) -> &[DeviceId] {
        self.by_user.get(&folded(user)).map_or(&[], Vec::as_slice)
    }

    /// Whether a wipe of it is accepted or issued.
    pub(super) fn is_leaving(&self, id: DeviceId) -> bool {
        self.leaving.contains(&id)
    }
}

fn folded(user: &str) -> CompactString {
    let mut user = CompactString::from(user);
    user.make_ascii_lowercase();
    user
}
