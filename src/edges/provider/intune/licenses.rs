//! Licenses of users, from those that the tenant has bought.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::connection::again;
use super::directory::{self, AssignedLicense, Person};
use super::graph::{Call, Everyday, Failure};
use super::provider::Inner;
use crate::domain::model::Email;
use crate::domain::wording::harmless_within;
use crate::edges::provider::effect::{LicenseTarget, Licensed};
use crate::edges::provider::error::Error;

/// Bytes of a list of others' names that are shown.
const SHOWN: usize = 300;

/// What a tenant has bought of one license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sku {
    pub(super) id: String,
    pub(super) free: i64,
    pub(super) usable: bool,
}

#[cfg(test)]
impl Sku {
    pub(super) fn of(free: i64, usable: bool) -> Self {
        Self { id: "s-1".to_owned(), free, usable }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    sku_id: Option<String>,
    sku_part_number: Option<String>,
    capability_status: Option<String>,
    consumed_units: Option<i64>,
    prepaid_units: Option<Units>,
}

#[derive(Deserialize)]
struct Units {
    enabled: Option<i64>,
}

/// The users of a call, by their addresses in small letters; nothing where there is no such user.
type People = BTreeMap<String, Result<Option<Person>, Failure>>;

impl Inner {
    /// Gives a license to the users of devices; one outcome for each, in their order. Nothing is asked to
    /// be written where a user has it already, whoever assigned it, or cannot have it.
    pub(super) async fn assign_license(
        &self,
        part_number: &str,
        targets: &[LicenseTarget],
    ) -> Vec<Result<Licensed, Error>> {
        let everyday = &self.connection.everyday;
        let mut sku = match read(everyday).await {
            Ok(skus) => match find(skus, part_number) {
                Ok(sku) => sku,
                Err(why) => return vec![Ok(Licensed::Lacks(why)); targets.len()],
            },
            Err(failure) => return vec![answer(&failure); targets.len()],
        };
        let mut people = people(everyday, targets).await;
        let mut outcomes = Vec::with_capacity(targets.len());
        for LicenseTarget { user, .. } in targets {
            let person = people.get_mut(&user.as_str().to_ascii_lowercase());
            outcomes.push(match person {
                Some(Ok(Some(person))) => give(everyday, part_number, &mut sku, person, user).await,
                Some(Err(failure)) => answer(failure),
                Some(Ok(None)) | None => Ok(Licensed::Lacks(format!(
                    "there is no user {user} in Entra: create the user, or correct `userEmail`"
                ))),
            });
        }
        outcomes
    }
}

async fn people(everyday: &Everyday, targets: &[LicenseTarget]) -> People {
    let key = |user: &Email| user.as_str().to_ascii_lowercase();
    let users: BTreeMap<String, &Email> =
        targets.iter().map(|target| (key(&target.user), &target.user)).collect();
    let asked: Vec<&Email> = users.values().copied().collect();
    users.into_keys().zip(directory::people(everyday, &asked).await).collect()
}

/// The product of this part number, or why there is none.
fn find(mut skus: BTreeMap<String, Sku>, part_number: &str) -> Result<Sku, String> {
    let name = skus.keys().find(|name| name.eq_ignore_ascii_case(part_number)).cloned();
    name.and_then(|name| skus.remove(&name))
        .ok_or_else(|| format!("the tenant has no license {part_number}; it has {}", names(&skus)))
}

/// Gives one user the license. What the tenant has of it is checked first: Graph says of a unit that is
/// not there nothing that anybody understands.
async fn give(
    everyday: &Everyday,
    part_number: &str,
    sku: &mut Sku,
    person: &mut Person,
    user: &Email,
) -> Result<Licensed, Error> {
    if person.has(&sku.id) == Some(true) {
        return Ok(Licensed::Had);
    }
    if person.usage_location.as_deref().is_none_or(str::is_empty) {
        return Ok(Licensed::Lacks(format!(
            "user {user} has no usage location, and no license can be assigned without one: set it in \
             the Microsoft 365 admin center"
        )));
    }
    if !sku.usable {
        let why = format!("the subscription of license {part_number} is not active: renew it");
        return Ok(Licensed::Lacks(why));
    }
    if sku.free < 1 {
        return Ok(Licensed::Lacks(format!(
            "there is no free license {part_number} for user {user}: buy more, or take one from \
             somebody else"
        )));
    }
    let body = json!({
        "addLicenses": [{"disabledPlans": [], "skuId": sku.id}],
        "removeLicenses": [],
    });
    let call = Call::post(format!("/users/{}/assignLicense", person.id), body);
    if let Err(failure) = everyday.write(call).await {
        return answer(&failure);
    }
    sku.free -= 1;
    person
        .assigned_licenses
        .get_or_insert_default()
        .push(AssignedLicense { sku_id: sku.id.clone() });
    Ok(Licensed::Assigned)
}

/// What a failure means. Where Graph says no it is well, and whatever it says no to may be mended
/// without a manifest: so it is tried again.
fn answer(failure: &Failure) -> Result<Licensed, Error> {
    let says_no = |status| matches!(status, 400..500) && !matches!(status, 401 | 408 | 429);
    if failure.refusal().is_some_and(|refusal| says_no(refusal.status)) {
        return Ok(Licensed::Lacks(failure.to_string()));
    }
    Err(again(failure))
}

/// The part numbers, as they may be shown.
pub(super) fn names(skus: &BTreeMap<String, Sku>) -> String {
    if skus.is_empty() {
        return "none at all".to_owned();
    }
    let names: Vec<_> = skus.keys().map(String::as_str).collect();
    harmless_within(&names.join(", "), SHOWN)
}

/// All licenses of the tenant, by their part numbers.
///
/// # Errors
/// If they could not all be read.
pub(super) async fn read(everyday: &Everyday) -> Result<BTreeMap<String, Sku>, Failure> {
    let mut skus = BTreeMap::new();
    let take = |page: Vec<Row>| skus.extend(page.into_iter().filter_map(sku));
    everyday.pages(Call::get("/subscribedSkus"), take).await?;
    Ok(skus)
}

fn sku(row: Row) -> Option<(String, Sku)> {
    let Row { sku_id, sku_part_number, capability_status, consumed_units, prepaid_units } = row;
    let enabled = prepaid_units.and_then(|units| units.enabled).unwrap_or_default();
    let free = enabled - consumed_units.unwrap_or_default();
    // While a subscription is only late in being paid, it can be used.
    let usable = matches!(capability_status.as_deref(), None | Some("Enabled" | "Warning"));
    Some((sku_part_number?, Sku { id: sku_id?, free, usable }))
}

#[cfg(test)]
mod tests;
