//! Access to corporate mail, for each device: an extension attribute of the device in Entra says that it
//! is blocked, and a Conditional Access policy of the tenant goes by that.
//!
//! The compliance policies that `prepare` writes block after the same time by themselves; the mark also
//! works where the tenant does not go by compliance. The attribute is read before it is written, and a
//! value that is not ours is never touched.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::connection::{again, soon};
use super::directory::{self, EntraDevice};
use super::graph::Call;
use super::provider::Inner;
use super::push::records;
use crate::domain::provider_settings::BlockAttribute;
use crate::domain::state::event::ErrorClass;
use crate::domain::wording::harmless_within;
use crate::edges::provider::effect::Target;
use crate::edges::provider::error::Error;

/// What the attribute says of a device that is blocked. The policy of the tenant filters by it.
const MARK: &str = "fleet-blocked";
/// Bytes of a value of others that are shown.
const SHOWN: usize = 60;

/// What the attribute of a device says.
#[derive(Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    OurMark,
    /// What somebody else wrote, as it may be shown.
    Another(String),
}

impl Inner {
    /// Marks devices as blocked, or takes the mark away; one outcome for each, in their order. Where
    /// Intune has several records of a serial number all of them are marked: one of them is the device.
    pub(super) async fn set_access(
        &self,
        targets: &[Target],
        blocked: bool,
    ) -> Vec<Result<(), Error>> {
        let Some(attribute) = self.settings.block_attribute else {
            return vec![Ok(()); targets.len()];
        };
        let everyday = &self.connection.everyday;
        let serials: Vec<_> = targets.iter().map(|target| &target.serial).collect();
        let records = records(self, &serials).await;
        let ids: BTreeMap<String, &str> = records
            .values()
            .flatten()
            .flatten()
            .filter_map(|record| record.entra.as_deref())
            .map(|id| (id.to_ascii_lowercase(), id))
            .collect();
        let asked: Vec<&str> = ids.values().copied().collect();
        let found = directory::devices(everyday, &asked).await;
        let found = found.into_iter().map(|device| device.map_err(|why| again(&why)));
        let entra: BTreeMap<String, Result<Option<EntraDevice>, Error>> =
            ids.into_keys().zip(found).collect();
        let mut outcomes = Vec::with_capacity(targets.len());
        for target in targets {
            let devices = match records.get(&target.serial) {
                Some(Err(error)) => Err(error.clone()),
                Some(Ok(records)) if !records.is_empty() => {
                    let of = |id: &str| entra.get(&id.to_ascii_lowercase()).cloned();
                    records
                        .iter()
                        .filter_map(|record| of(record.entra.as_deref()?)?.transpose())
                        .collect::<Result<Vec<EntraDevice>, Error>>()
                }
                _ => Err(gone(target, attribute, blocked)),
            };
            outcomes.push(match devices {
                Ok(devices) if devices.is_empty() && blocked => Err(unknown_to_entra(target)),
                Ok(devices) => self.mark(&devices, attribute, blocked).await,
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    /// All of them, as far as that can be done.
    async fn mark(
        &self,
        devices: &[EntraDevice],
        attribute: BlockAttribute,
        blocked: bool,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        for device in devices {
            let done = self.mark_one(device, attribute, blocked).await;
            outcome = outcome.and(done);
        }
        outcome
    }

    async fn mark_one(
        &self,
        device: &EntraDevice,
        attribute: BlockAttribute,
        blocked: bool,
    ) -> Result<(), Error> {
        let now = (self.now)();
        let stale = || self.recent().may_show_the_contrary(&device.id, blocked, now);
        let holds = Holds::of(device, attribute).ok_or_else(|| untold(device, attribute))?;
        let value = match (holds, blocked) {
            (Holds::Another(value), true) => {
                return Err(foreign(device, attribute, &value));
            }
            // What is there is not ours, and was never taken from us.
            (Holds::Another(_), false) => return Ok(()),
            (Holds::OurMark, true) | (Holds::Nothing, false) if !stale() => return Ok(()),
            (_, true) => json!(MARK),
            (_, false) => Value::Null,
        };
        let mut attributes = serde_json::Map::new();
        attributes.insert(attribute.to_string(), value);
        let body = json!({"extensionAttributes": attributes});
        let call = Call::patch(format!("/devices/{}", device.id), body);
        self.connection.everyday.write(call).await.map_err(|failure| soon(&failure))?;
        self.recent().marked(&device.id, blocked, now);
        Ok(())
    }
}

impl Holds {
    /// Nothing where Entra did not say.
    fn of(device: &EntraDevice, attribute: BlockAttribute) -> Option<Self> {
        let all = device.extension_attributes.as_ref()?;
        Some(match all.get(attribute.to_string()) {
            None | Some(Value::Null) => Self::Nothing,
            Some(Value::String(text)) if text.is_empty() => Self::Nothing,
            Some(Value::String(text)) if text == MARK => Self::OurMark,
            Some(Value::String(text)) => Self::Another(harmless_within(text, SHOWN)),
            Some(other) => Self::Another(harmless_within(&other.to_string(), SHOWN)),
        })
    }
}

/// Intune does not have it: it may enroll again, and be blocked then; but nobody can tell any more which
/// device in Entra was marked.
fn gone(target: &Target, attribute: BlockAttribute, blocked: bool) -> Error {
    let serial = &target.serial;
    if blocked {
        let why = format!(
            "Intune has no device with serial number {serial}: it is marked in Entra once it is enrolled"
        );
        return Error::new(ErrorClass::Transient, why);
    }
    let why = format!(
        "Intune has no device with serial number {serial} any more, so that its device in Entra cannot \
         be found: if that is still there, clear its {attribute} in Entra"
    );
    Error::new(ErrorClass::Permanent, why)
}

fn unknown_to_entra(target: &Target) -> Error {
    let why = format!(
        "Entra does not know the device with serial number {}: it can be marked as blocked once it is \
         registered there",
        target.serial
    );
    Error::new(ErrorClass::Transient, why)
}

fn untold(device: &EntraDevice, attribute: BlockAttribute) -> Error {
    let why = format!("Entra does not say what {attribute} of the device {} holds", device.id);
    Error::new(ErrorClass::Transient, why)
}

fn foreign(device: &EntraDevice, attribute: BlockAttribute, value: &str) -> Error {
    let why = format!(
        "{attribute} of the device {} in Entra says {value:?}, which Fleetform did not write and does \
         not overwrite: clear it, or choose another attribute with provider.blockAttribute",
        device.id
    );
    Error::new(ErrorClass::Permanent, why)
}

#[cfg(test)]
mod tests;
