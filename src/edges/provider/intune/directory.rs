//! What Entra knows: users, devices, and who is in a group.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::graph::{Answer, Call, Everyday, Failure, odata_text, segment};
use crate::domain::model::{Email, GraphId};

/// Members or users on one page: as many as Graph gives.
const PAGE: &str = "999";

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    pub(super) id: GraphId,
    pub(super) user_principal_name: Option<String>,
    pub(super) display_name: Option<String>,
    /// Without it no license can be assigned.
    pub(super) usage_location: Option<String>,
    pub(super) account_enabled: Option<bool>,
    /// Nothing where Entra did not say.
    pub(super) assigned_licenses: Option<Vec<AssignedLicense>>,
}

impl Person {
    /// Whether the user has a license of the product with this id, if that is known.
    pub(super) fn has(&self, sku: &str) -> Option<bool> {
        Some(self.assigned_licenses.as_ref()?.iter().any(|license| license.is_of(sku)))
    }
}

/// A license that a user has, directly or by a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssignedLicense {
    pub(super) sku_id: String,
}

impl AssignedLicense {
    /// Whether it is of the product with this id.
    pub(super) fn is_of(&self, sku: &str) -> bool {
        self.sku_id.eq_ignore_ascii_case(sku)
    }
}

/// A user in the list of all, with no more than licenses.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Licensee {
    pub(super) user_principal_name: Option<String>,
    #[serde(default)]
    pub(super) assigned_licenses: Vec<AssignedLicense>,
}

/// A device, as Entra knows it. Its `deviceId` is what Intune calls `azureADDeviceId`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntraDevice {
    pub(super) id: GraphId,
    /// An object, or null where none has a value; nothing where Entra did not say.
    #[serde(default, deserialize_with = "given")]
    pub(super) extension_attributes: Option<Value>,
}

/// What is given, also where that is null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A member of a group: a user, a device, or something else.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) user_principal_name: Option<String>,
    pub(super) device_id: Option<String>,
}

/// Users by their names; nothing where there is no such user.
pub(super) async fn people(
    everyday: &Everyday,
    emails: &[&Email],
) -> Vec<Result<Option<Person>, Failure>> {
    const FIELDS: &str =
        "id,userPrincipalName,displayName,usageLocation,assignedLicenses,accountEnabled";
    let call = |email: &&Email| {
        Call::get(format!("/users/{}", segment(email.as_str()))).query("$select", FIELDS)
    };
    let answers = everyday.batch(emails.iter().map(call).collect()).await;
    let read = |answer: Result<Answer, Failure>| match answer {
        Ok(answer) => answer.json().map(Some),
        Err(failure) if failure.is_absent() => Ok(None),
        Err(failure) => Err(failure),
    };
    answers.into_iter().map(read).collect()
}

/// All users and their licenses, to the last page.
///
/// # Errors
/// If they could not all be read.
pub(super) async fn licensees(
    everyday: &Everyday,
    mut each: impl FnMut(Licensee),
) -> Result<(), Failure> {
    let call = Call::get("/users")
        .query("$select", "userPrincipalName,assignedLicenses")
        .query("$top", PAGE);
    everyday.pages(call, |page: Vec<Licensee>| page.into_iter().for_each(&mut each)).await
}

/// Devices by their `deviceId`; nothing where Entra does not know it, or not yet.
pub(super) async fn devices(
    everyday: &Everyday,
    ids: &[&str],
) -> Vec<Result<Option<EntraDevice>, Failure>> {
    #[derive(Deserialize)]
    struct Found {
        value: Vec<EntraDevice>,
    }
    let call = |id: &&str| {
        Call::get("/devices")
            .query("$filter", &format!("deviceId eq {}", odata_text(id)))
            .query("$select", "id,deviceId,extensionAttributes")
    };
    let answers = everyday.batch(ids.iter().map(call).collect()).await;
    let read = |answer: Result<Answer, Failure>| {
        let Found { value } = answer?.json()?;
        Ok(value.into_iter().next())
    };
    answers.into_iter().map(read).collect()
}

/// Who is in a group, to the last page.
///
/// # Errors
/// If they could not all be read.
pub(super) async fn members(
    everyday: &Everyday,
    group: &GraphId,
    mut each: impl FnMut(Listed),
) -> Result<(), Failure> {
    let call = Call::get(format!("/groups/{group}/members"))
        .query("$select", "id,userPrincipalName,deviceId")
        .query("$top", PAGE);
    everyday.pages(call, |page: Vec<Listed>| page.into_iter().for_each(&mut each)).await
}
