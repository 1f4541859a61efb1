//! Corporate identifiers, which are only in beta.

use serde_json::{Map, Value, json};

use super::call::{Call, Outcome, Ready, Route, check, flag, objects, text};
use super::device_row::time_or_never;
use super::filter::Op::{Contains, Eq};
use super::permissions::{READ_SERVICE, WRITE_SERVICE};
use super::query::Shape;
use super::refusal::Refusal;
use crate::ui::emulator::tenant::{Answer, Identifier, Tenant};

const PATH: &str = "deviceManagement/importedDeviceIdentities";

const fn route(
    method: &'static str,
    path: &'static str,
    permissions: &'static [&'static str],
    run: fn(&mut Tenant, &Call<'_>) -> Outcome,
) -> Route {
    Route { method, path, only_beta: true, permissions, run }
}

pub(super) const ROUTES: &[Route] = &[
    route("GET", PATH, READ_SERVICE, list),
    route(
        "POST",
        "deviceManagement/importedDeviceIdentities/importDeviceIdentityList",
        WRITE_SERVICE,
        import,
    ),
    route(
        "POST",
        "deviceManagement/importedDeviceIdentities/searchExistingIdentities",
        READ_SERVICE,
        search,
    ),
    route("DELETE", "deviceManagement/importedDeviceIdentities/{}", WRITE_SERVICE, forget),
];

const PROPERTIES: [&str; 9] = [
    "createdDateTime",
    "description",
    "enrollmentState",
    "id",
    "importedDeviceIdentifier",
    "importedDeviceIdentityType",
    "lastContactedDateTime",
    "lastModifiedDateTime",
    "platform",
];

const IDENTITY: Shape = Shape {
    name: "importedDeviceIdentity",
    properties: &PROPERTIES,
    filters: &[("importedDeviceIdentifier", &[Eq, Contains]), ("description", &[Contains])],
    or_within_a_property: false,
    order: &[],
    expand: &[],
};

fn shown(one: &Identifier) -> Value {
    json!({
        "id": one.id,
        "importedDeviceIdentifier": one.value,
        "importedDeviceIdentityType": one.kind,
        "description": one.description,
        "platform": one.platform,
        "enrollmentState": one.state,
        "createdDateTime": one.created.short(),
        "lastModifiedDateTime": one.modified.short(),
        "lastContactedDateTime": time_or_never(one.contacted),
    })
}

fn list(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let options = call.options(&IDENTITY)?;
    let all = tenant.identifiers.all_seen(tenant.at(), options.after());
    let rows = all.map(|one| Ready::of(shown(one)));
    Ok(call.page(tenant, &IDENTITY, &options, rows))
}

/// Kind, identifier and description of one that is given.
type Given = (String, String, String);

fn read(body: &Map<String, Value>) -> Result<Given, Refusal> {
    check(body, "microsoft.graph.importedDeviceIdentity", &PROPERTIES)?;
    let kind = text(body, "importedDeviceIdentityType")?.unwrap_or("unknown");
    let value = text(body, "importedDeviceIdentifier")?.unwrap_or_default();
    let sound = match kind {
        "serialNumber" | "imei" => !value.is_empty() && !value.contains(','),
        "manufacturerModelSerial" => {
            let parts: Vec<_> = value.split(',').collect();
            parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
        }
        _ => false,
    };
    if !sound {
        let why = "Invalid Device Identifier parameter found for 1 import records!";
        return Err(Refusal::bad(why));
    }
    let description = text(body, "description")?.unwrap_or_default();
    Ok((kind.to_owned(), value.to_owned(), description.to_owned()))
}

fn import(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let known = ["importedDeviceIdentities", "overwriteImportedDeviceIdentities"];
    let body = call.body("the action importDeviceIdentityList", &known)?;
    let Some(overwrites) = flag(&body, known[1])? else {
        return Err(Refusal::bad(format!("The parameter '{}' is missing.", known[1])));
    };
    let given = objects(&body, known[0])?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut results = Vec::new();
    for (kind, value, description) in given {
        let (one, status) = put(tenant, kind, value, description, overwrites);
        let mut result = shown(&one);
        result["status"] = json!(status);
        results.push(result);
    }
    for hardware in 0..tenant.hardware.len() {
        if tenant.identifier_of(&tenant.hardware[hardware]).is_some() {
            tenant.invite(hardware);
        }
    }
    Ok(Answer::ok(call.collection(results)))
}

/// Adds an identifier, or changes the description of one that is there. Gives it, and whether
/// something was done.
fn put(
    tenant: &mut Tenant,
    kind: String,
    value: String,
    description: String,
    overwrites: bool,
) -> (Identifier, bool) {
    let at = tenant.at();
    let there = tenant.identifier_ids.get(&value.to_lowercase());
    let there = there.and_then(|id| tenant.identifiers.current(id)).cloned();
    let one = match there {
        Some(there) if !overwrites => return (there, false),
        Some(there) => Identifier { description, modified: at.now, ..there },
        None => Identifier {
            id: tenant.dice.id(),
            kind,
            value,
            description,
            platform: "unknown",
            state: "notContacted",
            created: at.now,
            modified: at.now,
            contacted: None,
        },
    };
    tenant.identifier_ids.insert(one.value.to_lowercase(), one.id.clone());
    tenant.identifiers.put(&one.id, one.clone(), at);
    (one, true)
}

fn search(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let name = "importedDeviceIdentities";
    let body = call.body("the action searchExistingIdentities", &[name])?;
    let mut found = Vec::new();
    for one in objects(&body, name)? {
        let (_, value, _) = read(one)?;
        let id = tenant.identifier_ids.get(&value.to_lowercase());
        let there = id.and_then(|id| tenant.identifiers.seen(id, tenant.at()));
        found.extend(there.map(shown));
    }
    Ok(Answer::ok(call.collection(found)))
}

fn forget(tenant: &mut Tenant, call: &Call<'_>) -> Outcome {
    let at = tenant.at();
    let gone = tenant.identifiers.remove(call.id(), at);
    gone.map(|_| Answer::nothing())
        .ok_or_else(|| Refusal::not_found("The imported device identity"))
}
