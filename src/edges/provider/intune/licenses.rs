//! Licenses, from those that the tenant has bought.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::lookups::Lookups;
use crate::domain::model::Email;
use crate::domain::state::event::ErrorClass;
use crate::domain::wording::harmless_within;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::again;
use crate::edges::provider::intune::graph::{Call, Everyday, Failure};

/// Bytes of a list of others' names that are shown.
const SHOWN: usize = 300;

/// What a tenant has bought of one license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::provider::intune) struct Sku {
    id: String,
    pub(in crate::edges::provider::intune) free: i64,
    pub(in crate::edges::provider::intune) usable: bool,
}

#[cfg(test)]
impl Sku {
    pub(in crate::edges::provider::intune) fn of(free: i64, usable: bool) -> Self {
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

/// All licenses of the tenant, by their part numbers; asked once, when they are needed.
#[derive(Debug, Default)]
pub(super) struct Licenses(Option<Result<BTreeMap<String, Sku>, Error>>);

impl Licenses {
    /// Gives a user what is missing of these licenses; whether that was anything.
    ///
    /// # Errors
    /// If a license is not to be had, or cannot be given to the user: all of that can be mended
    /// without a manifest, so it is tried again.
    pub(super) async fn ensure(
        &mut self,
        everyday: &Everyday,
        lookups: &mut Lookups,
        email: &Email,
        wanted: &[String],
    ) -> Result<bool, Error> {
        let mut written = false;
        for part_number in wanted {
            let person = lookups.person(email)?;
            let skus = self.skus(everyday).await?;
            let names = || names(skus);
            let Some(name) =
                skus.keys().find(|name| name.eq_ignore_ascii_case(part_number)).cloned()
            else {
                return Err(refused(format!(
                    "the tenant has no license {part_number}; it has {}",
                    names()
                )));
            };
            let Some(sku) = skus.get_mut(&name) else { continue };
            let has = |id: &str| id.eq_ignore_ascii_case(&sku.id);
            if person.assigned_licenses.iter().any(|license| has(&license.sku_id)) {
                continue;
            }
            if person.usage_location.as_deref().is_none_or(str::is_empty) {
                return Err(refused(format!(
                    "user {email} has no usage location, and no license can be assigned without \
                     one: set it in the Microsoft 365 admin center"
                )));
            }
            if !sku.usable || sku.free < 1 {
                return Err(refused(format!(
                    "there is no free license {part_number} for user {email}: buy more, or take \
                     one from somebody else"
                )));
            }
            let body = json!({
                "addLicenses": [{"disabledPlans": [], "skuId": sku.id}],
                "removeLicenses": [],
            });
            let call = Call::post(format!("/users/{}/assignLicense", person.id), body);
            everyday.write(call).await.map_err(|failure| Error {
                // Whatever it is, the manifest is not what is wrong with it.
                class: ErrorClass::Transient,
                ..again(&failure)
            })?;
            sku.free -= 1;
            let id = sku.id.clone();
            lookups.licensed(email, &id);
            written = true;
        }
        Ok(written)
    }

    async fn skus(&mut self, everyday: &Everyday) -> Result<&mut BTreeMap<String, Sku>, Error> {
        if self.0.is_none() {
            self.0 = Some(read(everyday).await.map_err(|why| again(&why)));
        }
        match self.0.get_or_insert_with(|| Ok(BTreeMap::new())) {
            Ok(skus) => Ok(skus),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The part numbers, as they may be shown.
pub(in crate::edges::provider::intune) fn names(skus: &BTreeMap<String, Sku>) -> String {
    if skus.is_empty() {
        return "none at all".to_owned();
    }
    let names: Vec<_> = skus.keys().map(String::as_str).collect();
    harmless_within(&names.join(", "), SHOWN)
}

fn refused(why: String) -> Error {
    Error::new(ErrorClass::Transient, why)
}

/// All licenses of the tenant, by their part numbers.
///
/// # Errors
/// If they could not all be read.
pub(in crate::edges::provider::intune) async fn read(
    everyday: &Everyday,
) -> Result<BTreeMap<String, Sku>, Failure> {
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
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_what_is_bought_and_not_used() {
        let of = |status: &str, enabled: i64, consumed: i64| {
            let row = json!({"skuId": "s-1", "skuPartNumber": "SPE_E3", "capabilityStatus": status,
                "consumedUnits": consumed, "prepaidUnits": {"enabled": enabled, "warning": 9}});
            let (_, sku) = sku(serde_json::from_value(row).unwrap()).unwrap();
            (sku.free, sku.usable)
        };
        assert_eq!(of("Enabled", 25, 14), (11, true));
        assert_eq!(of("Warning", 25, 25), (0, true));
        assert_eq!(of("Suspended", 25, 14), (11, false));
    }
}
