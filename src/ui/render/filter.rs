//! Which devices to show: all filters combined by and.

use super::device::overdue_since;
use crate::domain::model::{ComplianceState, Platform, Status, Timestamp};
use crate::domain::selector::Selector;
use crate::domain::settings::Settings;
use crate::domain::state::Device;
use crate::edges::ledger::store::Key;

/// What is not named admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Devices of this user, whatever the case.
    pub(crate) user: Option<String>,
    pub(crate) status: Option<Status>,
    /// Devices of this profile, whatever the case.
    pub(crate) profile: Option<String>,
    pub(crate) compliance: Option<ComplianceState>,
    pub(crate) platform: Option<Platform>,
    /// Devices with all these labels.
    pub(crate) labels: Vec<(String, String)>,
    /// Devices whose labels it admits.
    pub(crate) selector: Selector,
    /// Devices whose manifest is gone.
    pub(crate) orphaned: bool,
    /// Devices that have not reported for three sync intervals.
    pub(crate) overdue: bool,
    /// Archived devices, which are otherwise hidden.
    pub(crate) archived: bool,
}

impl Filter {
    /// What devices have for which it holds, as far as they are found by that.
    pub(crate) fn keys(&self) -> Vec<Key<'_>> {
        let user = self.user.as_deref().map(Key::User);
        let profile = self.profile.as_deref().map(Key::Profile);
        let labels = self.labels.iter().map(|(key, value)| Key::Label(key, value));
        [user, profile, self.status.map(Key::Status)].into_iter().flatten().chain(labels).collect()
    }

    /// Whether all filters hold.
    #[must_use]
    pub(crate) fn admits(&self, device: &Device, settings: &Settings, now: Timestamp) -> bool {
        let Self {
            user,
            status,
            profile,
            compliance,
            platform,
            labels,
            selector,
            orphaned,
            overdue,
            archived,
        } = self;
        let spec = &device.spec;
        let same = |wanted: &Option<String>, is: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(is))
        };
        let labelled = |(key, wanted): &(String, String)| {
            spec.labels.get(key.as_str()).is_some_and(|value| value == wanted)
        };
        same(user, spec.user_email.as_str())
            && same(profile, spec.profile.as_str())
            && status.is_none_or(|status| status == device.status)
            && compliance.is_none_or(|state| state == device.compliance.state)
            && platform.is_none_or(|platform| platform == spec.platform)
            && labels.iter().all(labelled)
            && selector.admits(&spec.labels)
            && *archived == device.rare.archived_since.is_some()
            && (!orphaned || device.rare.orphaned_since.is_some())
            && (!overdue || overdue_since(device, settings, now).is_some())
    }
}
