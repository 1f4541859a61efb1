//! Users, groups and subscriptions that a test wants to be there.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Done, Wrong, merge, read};
use super::hardware::{GivenUser, new_user};
use crate::ui::emulator::tenant::{Answer, Directory, Group, License, Sku, Tenant, User};

/// `POST /emulator/users`
pub(super) fn add_user(tenant: &mut Tenant, body: &Value) -> Done {
    let given: GivenUser = read(body)?;
    if tenant.directory.user(&given.user_principal_name).is_some() {
        let upn = given.user_principal_name;
        return Err(Wrong::bad(format!("there is a user {upn} already: PATCH it")));
    }
    let mut user = new_user(tenant, &given.user_principal_name);
    user.id = given.id.unwrap_or(user.id);
    user.display_name = given.display_name.unwrap_or(user.display_name);
    user.usage_location = given.usage_location;
    user.licenses = licenses(tenant, &given.licenses)?;
    let shown = user_json(&user);
    let upn = user.upn.clone();
    tenant.directory.add_user(user);
    tenant.invite_hardware_of(&upn);
    Ok(Answer::json(201, shown))
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "userPrincipalName": user.upn,
        "displayName": user.display_name,
        "usageLocation": user.usage_location,
        "accountEnabled": user.enabled,
        "licenses": user.licenses.iter().map(License::json).collect::<Vec<_>>(),
    })
}

fn licenses(tenant: &mut Tenant, part_numbers: &[String]) -> Result<Vec<License>, Wrong> {
    let license = |name: &String| {
        let sku = tenant.directory.sku_by_part_number(name);
        let missing = || Wrong::missing(format!("there is no subscription {name}: POST to skus"));
        let sku = sku.ok_or_else(missing)?;
        Ok(License { sku: sku.id.clone(), disabled_plans: Vec::new() })
    };
    part_numbers.iter().map(license).collect()
}

/// `GET /emulator/users/{upn or id}`
pub(super) fn one_user(tenant: &Tenant, word: &str) -> Done {
    let user = tenant.directory.user(word);
    let user = user.ok_or_else(|| Wrong::missing(format!("there is no user {word}")))?;
    Ok(Answer::ok(user_json(user)))
}

/// `PATCH /emulator/users/{upn or id}`
pub(super) fn change_user(tenant: &mut Tenant, word: &str, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Change {
        display_name: String,
        usage_location: Option<String>,
        account_enabled: bool,
        licenses: Option<Vec<String>>,
    }
    let user = tenant.directory.user(word).cloned();
    let mut user = user.ok_or_else(|| Wrong::missing(format!("there is no user {word}")))?;
    let mut merged = json!({
        "displayName": user.display_name,
        "usageLocation": user.usage_location,
        "accountEnabled": user.enabled,
    });
    merge(&mut merged, body);
    let change: Change = read(&merged)?;
    user.display_name = change.display_name;
    user.usage_location = change.usage_location;
    user.enabled = change.account_enabled;
    if let Some(names) = change.licenses {
        user.licenses = licenses(tenant, &names)?;
    }
    let (shown, upn) = (user_json(&user), user.upn.clone());
    tenant.directory.add_user(user);
    tenant.invite_hardware_of(&upn);
    Ok(Answer::ok(shown))
}

/// `POST /emulator/groups`
pub(super) fn add_group(tenant: &mut Tenant, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        id: Option<String>,
        display_name: String,
        #[serde(default)]
        members: Vec<String>,
    }
    let given: Given = read(body)?;
    let id = given.id.unwrap_or_else(|| tenant.dice.id());
    let name = given.display_name;
    ensure_group(tenant, &id, &name);
    for member in &given.members {
        add_member(tenant, &id, member)?;
    }
    Ok(Answer::json(201, json!({"id": id, "displayName": name})))
}

/// A group with this id, made if there is none.
pub(crate) fn ensure_group(tenant: &mut Tenant, id: &str, name: &str) {
    let group = Group { id: id.to_owned(), display_name: name.to_owned(), description: None };
    if tenant.directory.groups.current(id).is_none() {
        tenant.directory.groups.put_settled(id, group);
    }
}

/// The id of an object, by that id or by the principal name of a user.
fn object(tenant: &Tenant, word: &str) -> Result<String, Wrong> {
    if tenant.directory.has_object(word) {
        return Ok(word.to_owned());
    }
    let user = tenant.directory.user(word);
    let missing = || Wrong::missing(format!("there is no user or device {word}"));
    user.map(|user| user.id.clone()).ok_or_else(missing)
}

fn add_member(tenant: &mut Tenant, group: &str, member: &str) -> Result<(), Wrong> {
    let id = object(tenant, member)?;
    let at = tenant.at();
    tenant.directory.add_member(group, &id, at);
    Ok(())
}

fn known_group(tenant: &Tenant, id: &str) -> Result<(), Wrong> {
    let missing = || Wrong::missing(format!("there is no group {id}"));
    tenant.directory.groups.current(id).map(|_| ()).ok_or_else(missing)
}

/// `GET /emulator/groups/{id}`
pub(super) fn one_group(tenant: &Tenant, id: &str) -> Done {
    known_group(tenant, id)?;
    let at = crate::ui::emulator::tenant::AsOf { lag: chrono::TimeDelta::zero(), ..tenant.at() };
    let members: Vec<&str> = tenant.directory.members_seen(id, at).collect();
    let names: Vec<_> = members
        .iter()
        .filter_map(|id| tenant.directory.user(id))
        .map(|user| user.upn.clone())
        .collect();
    Ok(Answer::ok(json!({"id": id, "members": members, "users": names})))
}

/// `DELETE /emulator/groups/{id}`
pub(super) fn remove_group(tenant: &mut Tenant, id: &str) -> Done {
    known_group(tenant, id)?;
    let at = tenant.at();
    tenant.directory.groups.remove(id, at);
    Ok(Answer::nothing())
}

/// `PUT /emulator/groups/{id}/members/{id or upn}`
pub(super) fn put_member(tenant: &mut Tenant, group: &str, member: &str) -> Done {
    known_group(tenant, group)?;
    add_member(tenant, group, member)?;
    Ok(Answer::nothing())
}

/// `DELETE /emulator/groups/{id}/members/{id or upn}`
pub(super) fn remove_member(tenant: &mut Tenant, group: &str, member: &str) -> Done {
    known_group(tenant, group)?;
    let id = object(tenant, member)?;
    let at = tenant.at();
    tenant.directory.remove_member(group, &id, at);
    Ok(Answer::nothing())
}

/// `POST /emulator/skus`: a subscription, or how many units one has.
pub(super) fn put_sku(tenant: &mut Tenant, body: &Value) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Given {
        sku_part_number: String,
        enabled: u64,
        with_intune: Option<bool>,
    }
    let given: Given = read(body)?;
    let id = ensure_sku(tenant, &given.sku_part_number, given.enabled, given.with_intune);
    Ok(Answer::ok(json!({"skuId": id, "skuPartNumber": given.sku_part_number})))
}

/// A subscription with so many units. Gives its id.
pub(crate) fn ensure_sku(
    tenant: &mut Tenant,
    part_number: &str,
    enabled: u64,
    with_intune: Option<bool>,
) -> String {
    let there = tenant.directory.sku_by_part_number(part_number).cloned();
    let known = Directory::product(part_number);
    let sku = Sku {
        id: match (&there, known) {
            (Some(there), _) => there.id.clone(),
            (None, Some((id, _))) => id.to_owned(),
            (None, None) => tenant.dice.id(),
        },
        part_number: part_number.to_owned(),
        enabled,
        with_intune: with_intune
            .or(there.map(|there| there.with_intune))
            .or(known.map(|(_, with_intune)| with_intune))
            .unwrap_or(false),
    };
    let id = sku.id.clone();
    tenant.directory.add_sku(sku);
    id
}
