//! What is prepared for a device that is still to enroll: it enrolls itself.

use serde::Deserialize;
use serde_json::json;

use super::identifier::Identifier;
use super::lookups::{Lookups, Registration};
use crate::domain::model::{DeviceSpec, HardwareHash, Name, Ownership, Platform};
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::{again, soon};
use crate::edges::provider::intune::directory::Person;
use crate::edges::provider::intune::graph::{Call, Everyday, Version};

const IMPORTED: &str = "/deviceManagement/importedWindowsAutopilotDeviceIdentities";
const REGISTERED: &str = "/deviceManagement/windowsAutopilotDeviceIdentities";

/// How a device is prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It is in Intune, or is somebody's own: there is nothing to prepare.
    None,
    /// Autopilot knows it: it only has to know for whom, and which profile.
    Registered(Registration),
    /// Its hardware hash is handed to Autopilot.
    Hash,
    /// By a corporate identifier.
    Identifier(Identifier),
}

/// How this device is prepared.
///
/// # Errors
/// If the tenant could not be asked, or its manifest does not say enough.
pub(super) fn way(spec: &DeviceSpec, lookups: &Lookups) -> Result<Way, Error> {
    let serial = &spec.serial_number;
    // Either of the ways makes a device the company's.
    if !lookups.managed(serial)?.is_empty() || spec.ownership == Ownership::Personal {
        return Ok(Way::None);
    }
    if spec.platform == Platform::Windows {
        match lookups.registered(serial)? {
            [] => {}
            [registration] => return Ok(Way::Registered(registration.clone())),
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                let why = format!(
                    "Windows Autopilot knows {} devices with serial number {serial}: {}; remove \
                     those that it is not in the Intune admin center",
                    ids.len(),
                    ids.join(", ")
                );
                return Err(Error::new(ErrorClass::Transient, why));
            }
        }
        if spec.hardware.as_deref().is_some_and(|hardware| hardware.autopilot_hash.is_some()) {
            return Ok(Way::Hash);
        }
    }
    Identifier::of(spec).map(Way::Identifier)
}

/// A device that is to be prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Staging<'a> {
    pub(super) everyday: &'a Everyday,
    pub(super) spec: &'a DeviceSpec,
    pub(super) profile: &'a Name,
    pub(super) person: &'a Person,
}

impl Staging<'_> {
    /// Prepares it.
    ///
    /// # Errors
    /// If that is not possible.
    pub(super) async fn prepare(self, way: Way, lookups: &mut Lookups) -> Result<(), Error> {
        match way {
            Way::None => Ok(()),
            Way::Registered(registration) => self.assign(&registration).await,
            Way::Hash => self.import(lookups).await,
            Way::Identifier(identifier) => self.identify(&identifier, lookups).await,
        }
    }

    fn user(&self) -> &str {
        let given = self.spec.user_email.as_str();
        self.person.user_principal_name.as_deref().unwrap_or(given)
    }

    async fn assign(self, registration: &Registration) -> Result<(), Error> {
        let path = format!("{REGISTERED}/{}", registration.id);
        let (user, tag) = (self.user(), self.profile.as_str());
        let is = registration.user_principal_name.as_deref().unwrap_or_default();
        if !is.eq_ignore_ascii_case(user) {
            let name = self.person.display_name.as_deref().filter(|name| !name.is_empty());
            let body = json!({
                "userPrincipalName": user,
                "addressableUserName": name.unwrap_or(user),
            });
            let call = Call::post(format!("{path}/assignUserToDevice"), body);
            self.everyday.write(call).await.map_err(|why| soon(&why))?;
        }
        if registration.group_tag.as_deref() != Some(tag) {
            let call =
                Call::post(format!("{path}/updateDeviceProperties"), json!({"groupTag": tag}));
            self.everyday.write(call).await.map_err(|why| soon(&why))?;
        }
        Ok(())
    }

    /// Hands the hardware hash in, unless that was done. What became of it is found out later.
    async fn import(self, lookups: &mut Lookups) -> Result<(), Error> {
        let serial = &self.spec.serial_number;
        let hash =
            self.spec.hardware.as_deref().and_then(|hardware| hardware.autopilot_hash.as_ref());
        let hash = hash.and_then(HardwareHash::expose);
        let Some(hash) = hash else {
            let why = "the ledger keeps only a digest of `hardware.autopilotHash`: the manifest must have it";
            return Err(Error::new(ErrorClass::Transient, why));
        };
        let imports = lookups.imports(self.everyday, serial).await?;
        if imports.iter().any(|import| !import.has_failed()) {
            return Ok(());
        }
        // An attempt that failed stays in the list for good, and would be told as the reason of this one.
        for failed in imports {
            let call = Call::delete(format!("{IMPORTED}/{}", failed.id));
            match self.everyday.write(call).await {
                Err(failure) if !failure.is_absent() => return Err(again(&failure)),
                _ => {}
            }
        }
        let body = json!({"importedWindowsAutopilotDeviceIdentities": [{
            "serialNumber": serial.as_str(),
            "productKey": "",
            "hardwareIdentifier": hash,
            "groupTag": self.profile.as_str(),
            "assignedUserPrincipalName": self.user(),
        }]});
        // Not repeated: what was taken is in the list of imports, where the next attempt finds it.
        let call = Call::post(format!("{IMPORTED}/import"), body);
        self.everyday.write_once(call).await.map_err(|why| again(&why)).map(drop)
    }

    async fn identify(self, identifier: &Identifier, lookups: &Lookups) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Imported {
            value: Vec<Outcome>,
        }
        #[derive(Deserialize)]
        struct Outcome {
            status: Option<bool>,
        }
        if lookups.is_identified(identifier)? {
            return Ok(());
        }
        let mut entry = identifier.body();
        entry["description"] = json!(format!("Fleetform: {}", self.spec.name));
        let body = json!({
            "importedDeviceIdentities": [entry],
            "overwriteImportedDeviceIdentities": false,
        });
        let path = "/deviceManagement/importedDeviceIdentities/importDeviceIdentityList";
        let call = Call::post(path, body).of(Version::Beta);
        let answer = self.everyday.write(call).await.map_err(|why| again(&why))?;
        let Imported { value } = answer.json().map_err(|why| again(&why))?;
        // An attempt before may have added it: then it is there, and not added again.
        if value.iter().any(|outcome| outcome.status == Some(false)) {
            let why = format!(
                "Intune did not accept the corporate identifier {}; if it is there the next \
                 attempt finds it, otherwise add it by hand in the Intune admin center, Devices > \
                 Enrollment > Corporate device identifiers",
                identifier.value
            );
            return Err(Error::new(ErrorClass::Transient, why));
        }
        Ok(())
    }
}
