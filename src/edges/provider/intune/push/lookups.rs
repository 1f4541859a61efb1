//! What is asked of a tenant once for all devices of a push.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::identifier::Identifier;
use crate::domain::model::{Email, GraphId, Platform, SerialNumber};
use crate::domain::provider_settings::Assign;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::effect::{FormerUser, Push};
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::again;
use crate::edges::provider::intune::directory::{self, EntraDevice, Person};
use crate::edges::provider::intune::graph::{Answer, Call, Everyday, Failure, Version, odata_text};
use crate::edges::provider::intune::observe::KnownDevice;
use crate::edges::provider::intune::provider::Inner;
use crate::edges::provider::intune::rows::ManagedDevice;

/// A record of a device in Intune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::provider::intune) struct Record {
    pub(super) id: GraphId,
    /// What Entra calls it; nothing until it has joined.
    pub(in crate::edges::provider::intune) entra: Option<CompactString>,
}

/// A device that Windows Autopilot knows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registration {
    pub(super) id: GraphId,
    serial_number: Option<CompactString>,
    pub(super) group_tag: Option<String>,
    pub(super) user_principal_name: Option<String>,
}

/// A hardware hash that was handed to Windows Autopilot. What it holds beside is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Import {
    pub(super) id: GraphId,
    pub(super) serial_number: Option<String>,
    state: Option<ImportState>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportState {
    device_import_status: Option<String>,
}

impl Import {
    pub(super) fn has_failed(&self) -> bool {
        let status = self.state.as_ref().and_then(|state| state.device_import_status.as_deref());
        status == Some("error")
    }
}

/// Answers about things, or why there is none.
pub(in crate::edges::provider::intune) type Asked<K, T> = BTreeMap<K, Result<T, Error>>;

/// What a tenant knows of the devices and users of a push.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// By their addresses in small letters; nothing where there is no such user.
    people: Asked<String, Option<Person>>,
    /// Newest enrollment first.
    managed: Asked<SerialNumber, Vec<Record>>,
    registered: Asked<SerialNumber, Vec<Registration>>,
    entra: Asked<String, Option<EntraDevice>>,
    /// Of those that were searched for, the ones that are there; in small letters.
    identified: Option<Result<BTreeSet<String>, Error>>,
    /// By serial number.
    imports: Option<Result<BTreeMap<SerialNumber, Vec<Import>>, Error>>,
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
}

impl Lookups {
    /// Asks about all users and devices of a push.
    pub(super) async fn new(inner: &Inner, push: &Push) -> Self {
        let everyday = &inner.connection.everyday;
        let mut lookups = Self::default();
        let targets = &push.targets;
        let former = targets.iter().flat_map(|target| &target.former_users);
        let emails: BTreeSet<&Email> = targets
            .iter()
            .map(|target| &target.spec.user_email)
            .chain(former.map(|FormerUser { email, leaves: _ }| email))
            .collect();
        let emails: Vec<&Email> = emails.into_iter().collect();
        let people = directory::people(everyday, &emails).await;
        for (email, person) in emails.into_iter().zip(people) {
            lookups.people.insert(key(email.as_str()), person.map_err(|why| again(&why)));
        }
        let serials: Vec<_> = targets.iter().map(|target| &target.spec.serial_number).collect();
        lookups.managed = records(inner, &serials).await;
        // Autopilot is for computers that a company owns and that did not enroll yet.
        let waiting = targets.iter().map(|target| &target.spec).filter(|spec| {
            spec.platform == Platform::Windows
                && lookups.managed(&spec.serial_number).is_ok_and(|records| records.is_empty())
        });
        let waiting: Vec<&SerialNumber> = waiting.map(|spec| &spec.serial_number).collect();
        lookups.registered = registered(everyday, &waiting).await;
        // Only what becomes a member of a group, or ceases to be one, has to be known by that name.
        let leaves = targets.iter().any(|target| !target.leaves.is_empty());
        if inner.settings.assign == Assign::Devices || leaves {
            lookups.ask_entra(everyday).await;
        }
        lookups
    }

    /// The user of that name, or why there is none.
    pub(super) fn person(&self, email: &Email) -> Result<Person, Error> {
        let person = self.people.get(&key(email.as_str())).cloned().unwrap_or(Ok(None))?;
        person.ok_or_else(|| {
            let why = format!(
                "there is no user {email} in Entra: `userEmail` must be the user principal name of \
                 a user; correct the manifest, or create the user and raise `enrollment`"
            );
            Error::new(ErrorClass::Permanent, why)
        })
    }

    /// The user of that name, if there still is one.
    pub(super) fn former(&self, email: &Email) -> Result<Option<Person>, Error> {
        self.people.get(&key(email.as_str())).cloned().unwrap_or(Ok(None))
    }

    /// The records of a device in Intune, newest enrollment first.
    pub(super) fn managed(&self, serial: &SerialNumber) -> Result<&[Record], Error> {
        match self.managed.get(serial) {
            Some(Ok(records)) => Ok(records),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(&[]),
        }
    }

    /// What Autopilot knows under a serial number.
    pub(super) fn registered(&self, serial: &SerialNumber) -> Result<&[Registration], Error> {
        match self.registered.get(serial) {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(&[]),
        }
    }

    /// What Entra calls a device, for each record of it in Intune, newest first.
    pub(super) fn objects(&self, serial: &SerialNumber) -> Result<Vec<GraphId>, Error> {
        let mut objects = Vec::new();
        for record in self.managed(serial)? {
            let asked = record.entra.as_deref().and_then(|id| self.entra.get(&key(id)));
            if let Some(found) = asked.cloned().transpose()?.flatten() {
                objects.push(found.id);
            }
        }
        Ok(objects)
    }

    /// Hardware hashes that were handed in under a serial number; asked once, when it is needed.
    pub(super) async fn imports(
        &mut self,
        everyday: &Everyday,
        serial: &SerialNumber,
    ) -> Result<Vec<Import>, Error> {
        if self.imports.is_none() {
            self.imports = Some(imports(everyday).await.map_err(|why| again(&why)));
        }
        match &self.imports {
            Some(Ok(imports)) => Ok(imports.get(serial).cloned().unwrap_or_default()),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(Vec::new()),
        }
    }

    /// Searches for the corporate identifiers that devices may need.
    pub(super) async fn search(&mut self, everyday: &Everyday, wanted: &[Identifier]) {
        let searched = search(everyday, wanted).await;
        self.identified = Some(searched.map_err(|why| again(&why)));
    }

    /// Whether a corporate identifier is there, of those that were searched for.
    pub(super) fn is_identified(&self, identifier: &Identifier) -> Result<bool, Error> {
        match &self.identified {
            Some(Ok(found)) => Ok(found.contains(&key(&identifier.value))),
            Some(Err(error)) => Err(error.clone()),
            None => Ok(false),
        }
    }

    async fn ask_entra(&mut self, everyday: &Everyday) {
        let records = self.managed.values().flatten().flatten();
        let ids: BTreeMap<String, &str> =
            records.filter_map(|record| record.entra.as_deref()).map(|id| (key(id), id)).collect();
        let asked: Vec<&str> = ids.values().copied().collect();
        let answers = directory::devices(everyday, &asked).await;
        let answers = answers.into_iter().map(|answer| answer.map_err(|why| again(&why)));
        self.entra = ids.into_keys().zip(answers).collect();
    }
}

/// The records of devices in Intune, newest enrollment first. What the last look at all devices found
/// need not be asked; a device that it did not find may have enrolled since.
pub(in crate::edges::provider::intune) async fn records(
    inner: &Inner,
    serials: &[&SerialNumber],
) -> Asked<SerialNumber, Vec<Record>> {
    let (mut found, mut unseen) = (BTreeMap::new(), Vec::new());
    for serial in serials.iter().copied() {
        let memory = inner.lock_memory();
        let records = memory.devices_of(serial);
        if records.is_empty() {
            unseen.push(serial);
            continue;
        }
        let record =
            |known: &KnownDevice| Record { id: known.id.clone(), entra: known.entra_id.clone() };
        found.insert(serial.clone(), Ok(records.iter().map(record).collect()));
    }
    found.extend(managed(&inner.connection.everyday, &unseen).await);
    found
}

async fn managed(
    everyday: &Everyday,
    serials: &[&SerialNumber],
) -> Asked<SerialNumber, Vec<Record>> {
    const FIELDS: &str = "id,serialNumber,azureADDeviceId,enrolledDateTime";
    let call = |serial: &SerialNumber| {
        Call::get("/deviceManagement/managedDevices")
            .query("$filter", &format!("serialNumber eq {}", odata_text(serial.as_str())))
            .query("$select", FIELDS)
    };
    let of = |row: &ManagedDevice| row.serial_number.clone();
    let found = by_serial(everyday, serials, call, of).await;
    let records = |mut rows: Vec<ManagedDevice>| {
        rows.sort_by_key(|row| Reverse(row.enrolled_date_time.0));
        let record =
            |row: &ManagedDevice| Some(Record { id: row.graph_id()?, entra: row.entra_id() });
        rows.iter().filter_map(record).collect()
    };
    found.into_iter().map(|(serial, rows)| (serial, rows.map(records))).collect()
}

async fn registered(
    everyday: &Everyday,
    serials: &[&SerialNumber],
) -> Asked<SerialNumber, Vec<Registration>> {
    // Graph only knows `contains` here: others are left out below.
    let call = |serial: &SerialNumber| {
        Call::get("/deviceManagement/windowsAutopilotDeviceIdentities")
            .query("$filter", &format!("contains(serialNumber,{})", odata_text(serial.as_str())))
    };
    by_serial(everyday, serials, call, |found: &Registration| found.serial_number.clone()).await
}

/// Asks about each serial number, and keeps what has exactly that one.
async fn by_serial<T: DeserializeOwned>(
    everyday: &Everyday,
    serials: &[&SerialNumber],
    call: impl Fn(&SerialNumber) -> Call,
    of: impl Fn(&T) -> Option<CompactString>,
) -> Asked<SerialNumber, Vec<T>> {
    let calls = serials.iter().map(|serial| call(serial)).collect();
    let answers = everyday.batch(calls).await;
    let read = |serial: &SerialNumber, answer: Result<Answer, Failure>| {
        let Page { value } = answer?.json::<Page<T>>()?;
        let same = |found: &T| of(found).is_some_and(|text| is(serial, &text));
        Ok(value.into_iter().filter(same).collect())
    };
    serials
        .iter()
        .zip(answers)
        .map(|(serial, answer)| {
            let found = read(serial, answer).map_err(|why: Failure| again(&why));
            ((*serial).clone(), found)
        })
        .collect()
}

/// Whether a text of Intune is this serial number.
fn is(serial: &SerialNumber, text: &str) -> bool {
    text.trim().eq_ignore_ascii_case(serial.as_str())
}

async fn imports(everyday: &Everyday) -> Result<BTreeMap<SerialNumber, Vec<Import>>, Failure> {
    let mut found: BTreeMap<SerialNumber, Vec<Import>> = BTreeMap::new();
    let take = |page: Vec<Import>| {
        for import in page {
            let serial = import.serial_number.as_deref().and_then(|text| text.trim().parse().ok());
            if let Some(serial) = serial {
                found.entry(serial).or_default().push(import);
            }
        }
    };
    let call = Call::get("/deviceManagement/importedWindowsAutopilotDeviceIdentities");
    everyday.pages(call, take).await?;
    Ok(found)
}

async fn search(everyday: &Everyday, wanted: &[Identifier]) -> Result<BTreeSet<String>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Found {
        imported_device_identifier: Option<String>,
    }
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let wanted: Vec<Value> = wanted.iter().map(Identifier::body).collect();
    let path = "/deviceManagement/importedDeviceIdentities/searchExistingIdentities";
    let call = Call::post(path, json!({"importedDeviceIdentities": wanted})).of(Version::Beta);
    let Page { value } = everyday.read(call).await?.json::<Page<Found>>()?;
    Ok(value
        .into_iter()
        .filter_map(|found| found.imported_device_identifier)
        .map(|id| key(&id))
        .collect())
}

fn key(text: &str) -> String {
    text.to_ascii_lowercase()
}
