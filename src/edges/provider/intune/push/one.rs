//! One device of a push.

use super::groups::Groups;
use super::lookups::Lookups;
use super::staging::{Staging, Way};
use crate::domain::model::{GraphId, IntuneProfile, Profile};
use crate::domain::provider_settings::{Assign, IntuneSettings};
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::{FormerUser, Left, PushTarget};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::directory::Person;
use crate::edges::provider::intune::graph::Everyday;

/// What the devices of a push share.
pub(super) struct Pushing<'a> {
    pub(super) everyday: &'a Everyday,
    pub(super) settings: &'a IntuneSettings,
    pub(super) profile: &'a Profile,
    pub(super) intune: &'a IntuneProfile,
    pub(super) lookups: Lookups,
    pub(super) groups: Groups<'a>,
}

impl Pushing<'_> {
    /// Makes one device get the profile; `written` becomes true once something changed for it.
    ///
    /// # Errors
    /// What it lacks, or what could not be done; what was done stays.
    pub(super) async fn one(
        &mut self,
        target: &PushTarget,
        way: Way,
        written: &mut bool,
    ) -> Result<(), Error> {
        let PushTarget { id: _, spec, leaves, former_users } = target;
        let person = self.lookups.person(&spec.user_email)?;
        let is_managed = !self.lookups.managed(&spec.serial_number)?.is_empty();
        if !is_managed && person.account_enabled == Some(false) {
            let why = format!(
                "the account of {} is disabled, so the device cannot be enrolled: enable it, \
                 or give the device to somebody else",
                spec.user_email
            );
            return Err(Error::new(ErrorClass::Transient, why));
        }
        let staging =
            Staging { everyday: self.everyday, spec, profile: &self.profile.name, person: &person };
        staging.prepare(way, &mut self.lookups).await?;
        let objects = self.lookups.objects(&spec.serial_number)?;
        let member = match self.settings.assign {
            Assign::Users => Some(&person.id),
            // A device that has not joined becomes a member when it has.
            Assign::Devices => objects.first(),
        };
        if let Some(member) = member {
            *written |= self.groups.add(&self.intune.group, member).await?;
        }
        self.leave(leaves, &person, &objects, written).await?;
        for former in former_users {
            *written |= self.let_go(former).await?;
        }
        Ok(())
    }

    /// Takes the device, and perhaps its user, out of the groups of other profiles.
    async fn leave(
        &mut self,
        leaves: &[Left],
        person: &Person,
        objects: &[GraphId],
        written: &mut bool,
    ) -> Result<(), Error> {
        for Left { profile, user } in leaves {
            let Some(group) = self.group_of_another(profile) else { continue };
            let user = user.then_some(&person.id);
            for object in user.into_iter().chain(objects) {
                *written |= self.groups.remove(&group, object).await?;
            }
        }
        Ok(())
    }

    /// Takes whoever had the device before out of the groups of profiles that they do not have any more.
    async fn let_go(&mut self, former: &FormerUser) -> Result<bool, Error> {
        let FormerUser { email, leaves } = former;
        let Some(person) = self.lookups.former(email)? else { return Ok(false) };
        let mut written = false;
        for profile in leaves {
            if let Some(intune) = profile.intune.as_deref() {
                written |= self.groups.remove(&intune.group, &person.id).await?;
            }
        }
        Ok(written)
    }

    /// The group of a profile, if it is another one than this profile's: two may share one.
    fn group_of_another(&self, profile: &Profile) -> Option<GraphId> {
        let group = &profile.intune.as_deref()?.group;
        (*group != self.intune.group).then(|| group.clone())
    }
}
