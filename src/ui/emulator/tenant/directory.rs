//! Entra: users, groups, licenses, and the directory's objects of devices.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::settling::{AsOf, Collection, Settling};
use crate::domain::model::Timestamp;

/// The service plan that lets a user enroll devices.
pub(crate) const INTUNE_PLAN: (&str, &str) = ("INTUNE_A", "c1ec4a95-1f05-45b3-a911-aa3fa01094f5");

/// Products by their part number, as Microsoft numbers them, and whether Intune is among their
/// plans.
const PRODUCTS: [(&str, &str, bool); 7] = [
    ("SPE_E3", "05e9a617-0261-4cee-bb44-138d3ef5d965", true),
    ("SPE_E5", "06ebc4ee-1bb5-47dd-8120-11324bc54e06", true),
    ("EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e", true),
    ("EMSPREMIUM", "b05e124f-c7cc-45a0-a6aa-8cf78c946968", true),
    ("SPB", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", true),
    ("INTUNE_A", "061f9ace-7d42-4136-88ac-31dc755f143f", true),
    ("ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900", false),
];

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Sku {
    pub(crate) id: String,
    pub(crate) part_number: String,
    pub(crate) enabled: u64,
    pub(crate) with_intune: bool,
}

/// A license of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct License {
    pub(crate) sku: String,
    pub(crate) disabled_plans: Vec<String>,
}

impl License {
    pub(crate) fn json(&self) -> Value {
        json!({"skuId": self.sku, "disabledPlans": self.disabled_plans})
    }
}

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) upn: String,
    pub(crate) display_name: String,
    pub(crate) usage_location: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) licenses: Vec<License>,
}

/// A group; its members are kept beside it, each with its own history.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
}

/// The directory's object of a device.
#[derive(Debug, Clone)]
pub(crate) struct EntraDevice {
    pub(crate) object_id: String,
    pub(crate) device_id: String,
    pub(crate) display_name: String,
    pub(crate) operating_system: &'static str,
    pub(crate) company: bool,
    pub(crate) registered: Timestamp,
    /// The record in Intune that manages it.
    pub(crate) managed_device_id: Option<String>,
    /// Those that have a value, by their names.
    pub(crate) attributes: Settling<BTreeMap<String, String>>,
}

impl EntraDevice {
    /// The names of its extension attributes.
    pub(crate) fn attribute_names() -> impl Iterator<Item = String> {
        (1..=15).map(|number| format!("extensionAttribute{number}"))
    }

    /// All its extension attributes as a reader sees them, null where one has no value.
    pub(crate) fn attributes_json(&self, at: AsOf) -> Value {
        let seen = self.attributes.seen(at);
        let value = |name: &String| json!(seen.and_then(|all| all.get(name)));
        Self::attribute_names().map(|name| (name.clone(), value(&name))).collect()
    }
}

/// Everything of the directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    pub(crate) users: Collection<User>,
    user_ids: BTreeMap<String, String>,
    pub(crate) groups: Collection<Group>,
    members: BTreeMap<String, BTreeMap<String, Settling<()>>>,
    pub(crate) skus: BTreeMap<String, Sku>,
    /// By the id of the object.
    pub(crate) devices: BTreeMap<String, EntraDevice>,
    device_objects: BTreeMap<String, String>,
}

impl Directory {
    /// A user by id or by principal name, as the tenant knows it.
    pub(crate) fn user(&self, word: &str) -> Option<&User> {
        self.users.current(self.user_id(word))
    }

    /// As readers see it.
    pub(crate) fn seen_user(&self, word: &str, at: AsOf) -> Option<&User> {
        self.users.seen(self.user_id(word), at)
    }

    fn user_id<'a>(&'a self, word: &'a str) -> &'a str {
        self.user_ids.get(&word.to_ascii_lowercase()).map_or(word, String::as_str)
    }

    pub(crate) fn add_user(&mut self, user: User) {
        self.user_ids.insert(user.upn.to_ascii_lowercase(), user.id.clone());
        let id = user.id.clone();
        self.users.put_settled(&id, user);
    }

    pub(crate) fn add_sku(&mut self, sku: Sku) {
        self.skus.insert(sku.id.clone(), sku);
    }

    /// Microsoft's id of a product and whether Intune is part of it, if it is a known one.
    pub(crate) fn product(part_number: &str) -> Option<(&'static str, bool)> {
        let found = PRODUCTS.iter().find(|(name, _, _)| *name == part_number);
        found.map(|(_, id, with_intune)| (*id, *with_intune))
    }

    pub(crate) fn sku_by_part_number(&self, part_number: &str) -> Option<&Sku> {
        self.skus.values().find(|sku| sku.part_number == part_number)
    }

    /// How many users have a license of it.
    pub(crate) fn consumed(&self, sku: &str) -> u64 {
        let has = |user: &&User| user.licenses.iter().any(|license| license.sku == sku);
        self.users.all_current().filter(has).count() as u64
    }

    /// Whether this user may enroll devices.
    pub(crate) fn may_enroll(&self, user: &User) -> bool {
        user.enabled
            && user.licenses.iter().any(|license| {
                let sku = self.skus.get(&license.sku);
                sku.is_some_and(|sku| sku.with_intune)
                    && !license.disabled_plans.iter().any(|plan| plan == INTUNE_PLAN.1)
            })
    }

    pub(crate) fn add_device(&mut self, device: EntraDevice) {
        self.device_objects.insert(device.device_id.clone(), device.object_id.clone());
        self.devices.insert(device.object_id.clone(), device);
    }

    /// By `deviceId`, which is `azureADDeviceId` of Intune.
    pub(crate) fn device_by_id(&self, device_id: &str) -> Option<&EntraDevice> {
        self.devices.get(self.device_objects.get(device_id)?)
    }

    pub(crate) fn device_by_id_mut(&mut self, device_id: &str) -> Option<&mut EntraDevice> {
        self.devices.get_mut(self.device_objects.get(device_id)?)
    }

    /// Whether an object with this id may become a member of a group.
    pub(crate) fn has_object(&self, id: &str) -> bool {
        self.users.current(id).is_some() || self.devices.contains_key(id)
    }

    pub(crate) fn is_member(&self, group: &str, object: &str) -> bool {
        let member = self.members.get(group).and_then(|members| members.get(object));
        member.is_some_and(|member| member.current().is_some())
    }

    /// Members that readers see, by id, after this one.
    pub(crate) fn members_seen(&self, group: &str, at: AsOf) -> impl Iterator<Item = &str> {
        let members = self.members.get(group).into_iter().flatten();
        members.filter(move |(_, member)| member.seen(at).is_some()).map(|(id, _)| id.as_str())
    }

    pub(crate) fn member_count(&self, group: &str) -> usize {
        let members = self.members.get(group).into_iter().flatten();
        members.filter(|(_, member)| member.current().is_some()).count()
    }

    pub(crate) fn add_member(&mut self, group: &str, object: &str, at: AsOf) {
        let members = self.members.entry(group.to_owned()).or_default();
        match members.get_mut(object) {
            Some(there) => there.set(Some(()), at),
            None => {
                members.insert(object.to_owned(), Settling::new((), at.now));
            }
        }
    }

    pub(crate) fn remove_member(&mut self, group: &str, object: &str, at: AsOf) {
        let member = self.members.get_mut(group).and_then(|members| members.get_mut(object));
        if let Some(member) = member {
            member.set(None, at);
        }
    }
}
