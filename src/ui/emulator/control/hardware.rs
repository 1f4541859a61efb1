//! Hardware: more of it, what becomes of it, and how its record in Intune goes astray.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Done, Wrong, merge, read};
use crate::domain::model::{Platform, SerialNumber};
use crate::ui::emulator::tenant::{
    Actor, Answer, EntraDevice, Facts, Hardware, Registration, Tenant, User, WaitsFor, WipeBehavior,
};

/// A piece of hardware, or many alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Given {
    /// With `count`, the number of each follows it.
    #[serde(default)]
    pub(crate) serial_number: Option<String>,
    #[serde(default = "single")]
    pub(crate) count: usize,
    #[serde(default = "windows")]
    pub(crate) platform: Platform,
    #[serde(default)]
    pub(crate) manufacturer: Option<String>,
    #[serde(default)]
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) personal: bool,
    #[serde(default)]
    pub(crate) user_principal_name: Option<String>,
    #[serde(default)]
    pub(crate) facts: Facts,
    #[serde(default = "yes")]
    pub(crate) online: bool,
    #[serde(default = "yes")]
    pub(crate) joins: bool,
    #[serde(default)]
    pub(crate) waits_for: Option<WaitsFor>,
    #[serde(default)]
    pub(crate) elsewhere: bool,
    #[serde(default = "obeys")]
    pub(crate) fate: WipeBehavior,
    /// It is in Intune already.
    #[serde(default)]
    pub(crate) enrolled: bool,
    /// For so many days: such devices check in every eight hours, each at its own time.
    #[serde(default)]
    pub(crate) enrolled_days_ago: u32,
    /// It is registered for Autopilot already.
    #[serde(default)]
    pub(crate) registered: bool,
}

fn single() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn windows() -> Platform {
    Platform::Windows
}

fn obeys() -> WipeBehavior {
    WipeBehavior::Obeys
}

/// A user, made where there is none yet.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GivenUser {
    pub(crate) user_principal_name: String,
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    /// Where it is not given, the user has one; null for none.
    #[serde(default = "germany")]
    pub(crate) usage_location: Option<String>,
    /// Part numbers of products.
    #[serde(default)]
    pub(crate) licenses: Vec<String>,
}

fn germany() -> Option<String> {
    Some("DE".into())
}

/// Versions that are current on each platform.
fn usual_version(platform: Platform) -> &'static str {
    match platform {
        Platform::Windows => "10.0.26100.4652",
        Platform::Macos => "15.6",
        Platform::Ios => "18.6",
        Platform::Android => "15",
    }
}

fn usual_maker(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::Windows => ("LENOVO", "ThinkPad T14"),
        Platform::Macos => ("Apple", "MacBook Air"),
        Platform::Ios => ("Apple", "iPhone 16"),
        Platform::Android => ("Google", "Pixel 9"),
    }
}

/// The most pieces of one call.
const MOST: usize = 200_000;

/// Adds what is given, and users that are not there yet.
pub(crate) fn add_given(tenant: &mut Tenant, given: &Given) -> Result<Vec<usize>, Wrong> {
    if given.count == 0 || given.count > MOST {
        return Err(Wrong::bad(format!("count: 1 to {MOST}")));
    }
    (0..given.count).map(|number| add_one(tenant, given, number)).collect()
}

fn add_one(tenant: &mut Tenant, given: &Given, number: usize) -> Result<usize, Wrong> {
    let serial = match (&given.serial_number, given.count) {
        (Some(serial), 1) => serial.clone(),
        (Some(prefix), _) => format!("{prefix}{number:06}"),
        (None, _) => format!("EMU{:08X}{number:06}", tenant.dice.next() >> 32),
    };
    if let Err(error) = serial.parse::<SerialNumber>() {
        return Err(Wrong::bad(format!("serialNumber {serial:?} {error}")));
    }
    if tenant.by_serial(&serial).is_some() {
        return Err(Wrong::bad(format!(
            "there is hardware with the serial number {serial} already"
        )));
    }
    let upn = given.user_principal_name.clone();
    let upn = upn.unwrap_or_else(|| format!("user{:03}@contoso.com", number % 1000));
    ensure_user(tenant, &upn);
    let mut facts = given.facts.clone();
    if facts.os_version.is_empty() {
        facts.os_version = usual_version(given.platform).to_owned();
    }
    let (maker, model) = usual_maker(given.platform);
    let waits_for = given.waits_for.unwrap_or(match given.platform {
        Platform::Windows => WaitsFor::Registration,
        _ if given.personal => WaitsFor::Nothing,
        _ => WaitsFor::Identifier,
    });
    let hardware = Hardware {
        serial_number: serial.clone(),
        platform: given.platform,
        manufacturer: given.manufacturer.clone().unwrap_or_else(|| maker.to_owned()),
        model: given.model.clone().unwrap_or_else(|| model.to_owned()),
        personal: given.personal,
        user_principal_name: upn,
        facts,
        online: given.online,
        joins: given.joins,
        waits_for,
        elsewhere: given.elsewhere,
        fate: given.fate,
        managed_device_id: None,
        next_check_in: None,
        erased: 0,
    };
    let index = tenant.add_hardware(hardware);
    if given.registered {
        register(tenant, index);
    }
    if given.enrolled {
        tenant.enroll(index, !given.personal);
        if given.online {
            tenant.check_in(index);
        }
        if given.enrolled_days_ago > 0 {
            tenant.age(index, given.enrolled_days_ago);
        }
    } else {
        tenant.invite(index);
    }
    Ok(index)
}

fn register(tenant: &mut Tenant, index: usize) {
    let hardware = tenant.hardware[index].clone();
    let registration = Registration {
        id: tenant.dice.id(),
        serial: hardware.serial_number,
        manufacturer: hardware.manufacturer,
        model: hardware.model,
        product_key: String::new(),
        group_tag: String::new(),
        upn: String::new(),
        addressable_name: String::new(),
        display_name: String::new(),
        entra_device_id: tenant.dice.id(),
        state: "notContacted",
        contacted: None,
        managed_device_id: None,
    };
    tenant.register(registration);
}

/// A user with this principal name, made if there is none.
pub(crate) fn ensure_user(tenant: &mut Tenant, upn: &str) {
    if tenant.directory.user(upn).is_none() {
        let user = new_user(tenant, upn);
        tenant.directory.add_user(user);
    }
}

/// A user with this principal name, who is not in the directory yet.
pub(super) fn new_user(tenant: &mut Tenant, upn: &str) -> User {
    User {
        id: tenant.dice.id(),
        upn: upn.to_owned(),
        display_name: upn.split('@').next().unwrap_or_default().replace('.', " "),
        usage_location: germany(),
        enabled: true,
        licenses: Vec::new(),
    }
}

/// `POST /emulator/hardware`
pub(super) fn add(tenant: &mut Tenant, body: &Value) -> Done {
    let given: Given = read(body)?;
    let added = add_given(tenant, &given)?;
    let first = added.first().map(|index| &tenant.hardware[*index]);
    Ok(Answer::json(201, json!({"added": added.len(), "first": first})))
}

fn find(tenant: &Tenant, serial: &str) -> Result<usize, Wrong> {
    let missing =
        || Wrong::missing(format!("there is no hardware with the serial number {serial}"));
    tenant.by_serial(serial).ok_or_else(missing)
}

/// `GET /emulator/hardware/{serial}`: with what Intune has of it.
pub(super) fn one(tenant: &Tenant, serial: &str) -> Done {
    let index = find(tenant, serial)?;
    let hardware = &tenant.hardware[index];
    let record = hardware.managed_device_id.as_deref().and_then(|id| tenant.records.get(id));
    let settings = &tenant.settings;
    let record = record.map(|record| {
        let compliance =
            record.compliance(tenant.now, settings.compliant_without_policy, settings.silent_days);
        let reported = record.reported.as_ref();
        json!({
            "id": record.id,
            "owner": record.owner,
            "lastSync": record.last_sync,
            "managementState": record.management_now().state,
            "complianceState": compliance.state,
            "applied": reported.map(|reported| &reported.applied),
        })
    });
    let mut shown = json!(hardware);
    shown["record"] = json!(record);
    shown["entra"] = entra(tenant, index).map(|(_, shown)| shown).into();
    Ok(Answer::ok(shown))
}

/// Its device in the directory, and what the directory has of it now.
fn entra(tenant: &Tenant, index: usize) -> Option<(String, Value)> {
    let record = tenant.records.get(tenant.hardware[index].managed_device_id.as_deref()?)?;
    let device = tenant.directory.device_by_id(&record.entra_device_id)?;
    let shown = json!({
        "id": device.object_id,
        "deviceId": device.device_id,
        "extensionAttributes": device.attributes.current(),
    });
    Some((device.object_id.clone(), shown))
}

/// What can be changed of hardware.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    facts: Option<Value>,
    online: Option<bool>,
    joins: Option<bool>,
    waits_for: Option<WaitsFor>,
    fate: Option<WipeBehavior>,
    elsewhere: Option<bool>,
    user_principal_name: Option<String>,
    /// Of its device in the directory: somebody sets them there; null takes one away.
    extension_attributes: Option<BTreeMap<String, Option<String>>>,
}

/// `PATCH /emulator/hardware/{serial}`
pub(super) fn change(tenant: &mut Tenant, serial: &str, body: &Value) -> Done {
    let index = find(tenant, serial)?;
    let change: Change = read(body)?;
    if let Some(attributes) = change.extension_attributes {
        let strange =
            |name: &&String| !EntraDevice::attribute_names().any(|known| known == name.as_str());
        if let Some(name) = attributes.keys().find(strange) {
            return Err(Wrong::bad(format!("{name} is not an extension attribute")));
        }
        let (object, _) = entra(tenant, index).ok_or_else(|| Wrong::bad("it is not enrolled"))?;
        let values: Vec<_> = attributes.into_iter().collect();
        let actor = Actor::Person("admin@contoso.com".to_owned());
        tenant.set_attributes(&object, &values, actor);
    }
    let hardware = &mut tenant.hardware[index];
    if let Some(facts) = change.facts {
        let mut merged = json!(hardware.facts);
        merge(&mut merged, &facts);
        hardware.facts = read(&merged)?;
    }
    let came_online = change.online == Some(true) && !hardware.online;
    hardware.online = change.online.unwrap_or(hardware.online);
    hardware.joins = change.joins.unwrap_or(hardware.joins);
    hardware.waits_for = change.waits_for.unwrap_or(hardware.waits_for);
    hardware.fate = change.fate.unwrap_or(hardware.fate);
    hardware.elsewhere = change.elsewhere.unwrap_or(hardware.elsewhere);
    if let Some(upn) = change.user_principal_name {
        hardware.user_principal_name.clone_from(&upn);
        ensure_user(tenant, &upn);
    }
    if came_online {
        tenant.hurry_check_in(index, 15, 90);
    }
    tenant.invite(index);
    one(tenant, serial)
}

/// `POST /emulator/hardware/{serial}/check-in`: at once.
pub(super) fn check_in(tenant: &mut Tenant, serial: &str) -> Done {
    let index = find(tenant, serial)?;
    if tenant.hardware[index].managed_device_id.is_none() {
        return Err(Wrong::bad("it is not enrolled"));
    }
    if !tenant.hardware[index].online {
        return Err(Wrong::bad("it is offline: set online first"));
    }
    tenant.check_in(index);
    one(tenant, serial)
}

/// `POST /emulator/hardware/{serial}/enroll`: at once, whatever it waits for.
pub(super) fn enroll(tenant: &mut Tenant, serial: &str) -> Done {
    let index = find(tenant, serial)?;
    if tenant.hardware[index].managed_device_id.is_some() {
        return Err(Wrong::bad("it is enrolled already: ask for lose or duplicate"));
    }
    let company = !tenant.hardware[index].personal;
    tenant.enroll(index, company);
    one(tenant, serial)
}

/// `POST /emulator/hardware/{serial}/lose`: its record vanishes, and nobody asked for it.
pub(super) fn lose(tenant: &mut Tenant, serial: &str) -> Done {
    let index = find(tenant, serial)?;
    let id = tenant.hardware[index].managed_device_id.clone();
    let id = id.ok_or_else(|| Wrong::bad("it is not enrolled"))?;
    if let Some(record) = tenant.records.remove(&id) {
        tenant.release(index, serial, &record.entra_device_id);
    }
    tenant.hardware[index].joins = false;
    one(tenant, serial)
}

/// `POST /emulator/hardware/{serial}/duplicate`: another record of it, which is newer.
pub(super) fn duplicate(tenant: &mut Tenant, serial: &str) -> Done {
    let index = find(tenant, serial)?;
    if tenant.hardware[index].managed_device_id.is_none() {
        return Err(Wrong::bad("it is not enrolled"));
    }
    let company = !tenant.hardware[index].personal;
    tenant.enroll(index, company);
    one(tenant, serial)
}
