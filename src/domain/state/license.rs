//! Licenses that were ordered for the users of a device.
//!
//! One is never taken away by Fleetform, so what was assigned stays on record with its user, also when
//! the device has another one by now.

use compact_str::CompactString;

use super::event::{ErrorClass, LicenseAssigned, LicenseFailed, LicenseIntended};
use super::sparse::Usual;
use crate::domain::model::{Email, Timestamp};

/// One license of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct License {
    /// The part number of the product.
    pub(crate) sku: CompactString,
    pub(crate) user: Email,
    pub(crate) intent: u64,
    /// Since when it stands like this.
    pub(crate) since: Timestamp,
    pub(crate) state: LicenseState,
}

impl License {
    /// Whether the user has it, as far as is recorded.
    pub(crate) fn is_given(&self) -> bool {
        match self.state {
            LicenseState::Assigned | LicenseState::Found => true,
            LicenseState::Intended | LicenseState::Failed(..) => false,
        }
    }
}

/// How an order for a license stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LicenseState {
    /// Logged, and no outcome yet: in doubt if no pass is running.
    Intended,
    /// The user got it by this order.
    Assigned,
    /// The user had it before.
    Found,
    Failed(ErrorClass, Box<str>),
}

/// The licenses of a device's users, sorted by part number and user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Licenses(Vec<License>);

impl Usual for Licenses {
    fn usual() -> &'static Self {
        static NONE: Licenses = Licenses(Vec::new());
        &NONE
    }
}

impl Licenses {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &License> {
        self.0.iter()
    }

    /// How the last order for this license of this user stands.
    #[must_use]
    pub(crate) fn get(&self, sku: &str, user: &Email) -> Option<&License> {
        self.0.iter().find(|license| license.sku == sku && license.user == *user)
    }

    /// Those that this user has yet to get, and why they did not.
    pub(crate) fn failed<'a>(&'a self, user: &Email) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter(move |license| license.user == *user).filter_map(|license| {
            match &license.state {
                LicenseState::Failed(_, why) => Some((&*license.sku, &**why)),
                LicenseState::Intended | LicenseState::Assigned | LicenseState::Found => None,
            }
        })
    }

    /// Under a new revision of the profile others may be wanted: what failed is of no interest then.
    pub(super) fn forget_failed(&mut self) {
        self.0.retain(|license| !matches!(license.state, LicenseState::Failed(..)));
    }

    /// A new order. Of what was ordered for another user only what that one got by us is kept.
    pub(super) fn order(&mut self, since: Timestamp, order: &LicenseIntended) {
        let LicenseIntended { intent, sku, user } = order;
        self.0.retain(|license| {
            license.sku != *sku || license.user == *user || license.state == LicenseState::Assigned
        });
        self.put((sku, user), *intent, since, LicenseState::Intended);
    }

    pub(super) fn assigned(&mut self, since: Timestamp, assigned: &LicenseAssigned) {
        let LicenseAssigned { intent, sku, user, had } = assigned;
        let state = if *had { LicenseState::Found } else { LicenseState::Assigned };
        self.put((sku, user), *intent, since, state);
    }

    pub(super) fn fail(&mut self, since: Timestamp, failed: &LicenseFailed) {
        let LicenseFailed { intent, sku, user, class, error } = failed;
        let state = LicenseState::Failed(*class, error.as_str().into());
        self.put((sku, user), *intent, since, state);
    }

    fn put(
        &mut self,
        (sku, user): (&CompactString, &Email),
        intent: u64,
        since: Timestamp,
        state: LicenseState,
    ) {
        let license = License { sku: sku.clone(), user: user.clone(), intent, since, state };
        let place = self.0.binary_search_by(|other| (&other.sku, &other.user).cmp(&(sku, user)));
        match place {
            Ok(at) => self.0[at] = license,
            Err(at) => self.0.insert(at, license),
        }
    }
}

impl FromIterator<License> for Licenses {
    fn from_iter<I: IntoIterator<Item = License>>(licenses: I) -> Self {
        let mut licenses: Vec<_> = licenses.into_iter().collect();
        licenses.sort_by(|a, b| (&a.sku, &a.user).cmp(&(&b.sku, &b.user)));
        Self(licenses)
    }
}
