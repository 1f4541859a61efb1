//! Who is a member of the groups of profiles, and should not be, or should be and is not.
//!
//! A group may have members that Fleetform knows nothing of: they are left alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use compact_str::CompactString;

use super::drift::{Found, is_settled};
use crate::domain::model::{Email, GraphId, Name, SerialNumber};
use crate::domain::plan::DriftSubject;
use crate::domain::provider_settings::Assign;
use crate::domain::state::State;
use crate::edges::provider::intune::directory::{self, EntraDevice, Listed};
use crate::edges::provider::intune::graph::Failure;
use crate::edges::provider::intune::provider::Inner;

/// What is recorded of a device, and what Entra calls it.
struct Member<'a> {
    /// Whether it has its profile: only then it was left in order.
    settled: bool,
    serial: &'a SerialNumber,
    user: &'a Email,
    profile: &'a Name,
    entra: Option<CompactString>,
}

/// The members of a group, by all their names, in small letters.
#[derive(Default)]
struct Members {
    ids: HashSet<String>,
    users: HashSet<String>,
    devices: HashSet<String>,
}

/// Profiles by their group.
type Groups<'a> = BTreeMap<&'a GraphId, BTreeSet<&'a Name>>;

impl Inner {
    /// Compares the members of all groups with the devices that have their profiles.
    pub(super) async fn compare_members(&self, recorded: &State, found: &mut Found) {
        let mut groups: Groups<'_> = BTreeMap::new();
        for profile in recorded.profiles.values() {
            if let Some(intune) = profile.intune.as_deref() {
                groups.entry(&intune.group).or_default().insert(&profile.name);
            }
        }
        let ours = self.ours(recorded);
        for (group, profiles) in &groups {
            let of = |member: &&Member<'_>| member.settled && profiles.contains(member.profile);
            let has: Vec<&Member<'_>> = ours.iter().filter(of).collect();
            let members = match self.members_of(group).await {
                Ok(members) => members,
                Err(failure) if failure.is_absent() => {
                    let used: BTreeSet<&Name> = has.iter().map(|member| member.profile).collect();
                    for name in used {
                        let subject = DriftSubject::Profile(name.clone());
                        found.other(subject, format!("group {group} is gone"));
                    }
                    continue;
                }
                Err(failure) => {
                    found.trouble(format!("the members of group {group}"), &failure);
                    continue;
                }
            };
            match self.settings.assign {
                Assign::Users => self.missing_users(group, &has, &members, found).await,
                Assign::Devices => self.missing_devices(group, &has, &members, found).await,
            }
            extra(group, profiles, &ours, &members, found);
        }
    }

    fn ours<'a>(&self, recorded: &'a State) -> Vec<Member<'a>> {
        let memory = self.lock_memory();
        recorded
            .active()
            .map(|(_, device)| {
                let spec = &device.spec;
                let known = memory.devices_of(&spec.serial_number).first();
                Member {
                    settled: is_settled(device, recorded),
                    serial: &spec.serial_number,
                    user: &spec.user_email,
                    profile: &spec.profile,
                    entra: known.and_then(|known| known.entra_id.clone()),
                }
            })
            .collect()
    }

    async fn members_of(&self, group: &GraphId) -> Result<Members, Failure> {
        let mut members = Members::default();
        let take = |listed: Listed| {
            let Listed { id, user_principal_name, device_id } = listed;
            members.ids.insert(small(&id));
            members.users.extend(user_principal_name.as_deref().map(small));
            members.devices.extend(device_id.as_deref().map(small));
        };
        directory::members(&self.connection.everyday, group, take).await?;
        Ok(members)
    }

    /// Users whose device has a profile of the group, and who are not in it.
    async fn missing_users(
        &self,
        group: &GraphId,
        has: &[&Member<'_>],
        members: &Members,
        found: &mut Found,
    ) {
        let missing = |member: &&&Member<'_>| !members.users.contains(&small(member.user.as_str()));
        let mut by_user: BTreeMap<&Email, &SerialNumber> = BTreeMap::new();
        for member in has.iter().filter(missing) {
            by_user.entry(member.user).or_insert(member.serial);
        }
        let emails: Vec<&Email> = by_user.keys().copied().collect();
        // A list need not tell the names of its members: only who is not in it by id is missing.
        let asked = directory::people(&self.connection.everyday, &emails).await;
        for ((email, serial), person) in by_user.iter().zip(asked) {
            let subject = DriftSubject::Device((*serial).clone());
            match person {
                Ok(Some(person)) if members.ids.contains(&small(person.id.as_str())) => {}
                Ok(Some(_)) => {
                    let what = format!("its user {email} is not in group {group} any more");
                    found.other(subject, what);
                }
                Ok(None) => {
                    found.other(subject, format!("its user {email} is not in Entra any more"))
                }
                Err(failure) => found.trouble(format!("user {email}"), &failure),
            }
        }
    }

    /// Devices that have a profile of the group, and are not in it.
    async fn missing_devices(
        &self,
        group: &GraphId,
        has: &[&Member<'_>],
        members: &Members,
        found: &mut Found,
    ) {
        let mut missing = Vec::new();
        for member in has {
            let entra = member.entra.as_deref();
            let entra = entra.filter(|entra| !members.devices.contains(&small(entra)));
            missing.extend(entra.map(|entra| (member.serial, entra)));
        }
        let asked: Vec<&str> = missing.iter().map(|(_, entra)| *entra).collect();
        let asked = directory::devices(&self.connection.everyday, &asked).await;
        for ((serial, entra), device) in missing.into_iter().zip(asked) {
            match device {
                Ok(Some(EntraDevice { id, .. })) if !members.ids.contains(&small(id.as_str())) => {
                    let subject = DriftSubject::Device(serial.clone());
                    found.other(subject, format!("it is not in group {group}"));
                }
                Ok(_) => {}
                Err(failure) => found.trouble(format!("device {entra} in Entra"), &failure),
            }
        }
    }
}

/// Members of the group that are ours, and have none of its profiles: what pushes their profile to
/// them takes them out.
fn extra(
    group: &GraphId,
    profiles: &BTreeSet<&Name>,
    ours: &[Member<'_>],
    members: &Members,
    found: &mut Found,
) {
    let mut users: HashMap<String, (Option<&Member<'_>>, bool)> = HashMap::new();
    for member in ours {
        let has = profiles.contains(member.profile);
        let user = users.entry(small(member.user.as_str())).or_default();
        user.0 = user.0.or(member.settled.then_some(member));
        user.1 |= has;
        let entra = member.entra.as_deref();
        let is_in = entra.is_some_and(|entra| members.devices.contains(&small(entra)));
        if is_in && !has && member.settled {
            let subject = DriftSubject::Device(member.serial.clone());
            found.other(subject, format!("it is in group {group}, which is of another profile"));
        }
    }
    let mut extra: Vec<(&SerialNumber, &Email)> = users
        .into_iter()
        .filter(|(user, (_, has))| !has && members.users.contains(user))
        .filter_map(|(_, (member, _))| member.map(|member| (member.serial, member.user)))
        .collect();
    extra.sort_by(|a, b| a.0.cmp(b.0));
    for (serial, user) in extra {
        let subject = DriftSubject::Device(serial.clone());
        found.other(
            subject,
            format!("its user {user} is in group {group}, which is of another profile"),
        );
    }
}

fn small(text: &str) -> String {
    text.to_ascii_lowercase()
}
