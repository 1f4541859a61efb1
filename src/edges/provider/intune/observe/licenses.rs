//! Users who do not have a license any more that they have by the ledger.

use std::collections::{BTreeMap, HashMap};

use compact_str::CompactString;

use crate::domain::model::Email;
use crate::domain::provider_settings::LicenseAssignment;
use crate::domain::state::State;
use crate::edges::provider::intune::directory::{self, Person};
use crate::edges::provider::intune::graph::Failure;
use crate::edges::provider::intune::licenses;
use crate::edges::provider::intune::provider::Inner;

/// So many users are asked for one by one. Of more, the list of all users tells first who need not be.
const FEW: usize = 200;

/// A license by the ledger: whose, and of which product.
type Recorded<'a> = (&'a Email, &'a CompactString);

/// The licenses of users by the ledger, each with the id of its product.
type Given<'a> = BTreeMap<&'a Email, BTreeMap<&'a CompactString, String>>;

impl Inner {
    /// Which of the licenses that are recorded as given users do not have, each with the reason. Only what
    /// was read of the user alone counts: of a user who could not be read nothing is said.
    pub(super) async fn missing_licenses(
        &self,
        recorded: &State,
    ) -> (BTreeMap<Email, BTreeMap<CompactString, String>>, Option<Failure>) {
        let (mut missing, everyday) = (BTreeMap::new(), &self.connection.everyday);
        let given = given(recorded);
        if given.is_empty() || self.settings.licenses != LicenseAssignment::Direct {
            return (missing, None);
        }
        let mut given = match self.with_ids(given).await {
            Ok(given) => given,
            Err(failure) => return (missing, Some(failure)),
        };
        if given.len() > FEW
            && let Err(failure) = self.leave_out_those_who_have_them(&mut given).await
        {
            return (missing, Some(failure));
        }
        let users: Vec<&Email> = given.keys().copied().collect();
        let mut failed = None;
        for (user, person) in users.iter().zip(directory::people(everyday, &users).await) {
            let lacks: BTreeMap<_, _> = match person {
                Ok(person) => given[user]
                    .iter()
                    .filter_map(|(sku, id)| {
                        Some(((*sku).clone(), why_missing(user, person.as_ref(), id)?))
                    })
                    .collect(),
                Err(failure) => {
                    failed.get_or_insert(failure);
                    continue;
                }
            };
            if !lacks.is_empty() {
                missing.insert((*user).clone(), lacks);
            }
        }
        (missing, failed)
    }

    /// Of a product that the tenant does not have any more nobody can tell who has it.
    async fn with_ids<'a>(&self, recorded: Vec<Recorded<'a>>) -> Result<Given<'a>, Failure> {
        let bought = licenses::read(&self.connection.everyday).await?;
        let ids: HashMap<String, String> =
            bought.into_iter().map(|(name, sku)| (name.to_ascii_lowercase(), sku.id)).collect();
        let mut given = Given::new();
        for (user, sku) in recorded {
            if let Some(id) = ids.get(sku.to_ascii_lowercase().as_str()) {
                given.entry(user).or_default().insert(sku, id.clone());
            }
        }
        Ok(given)
    }

    async fn leave_out_those_who_have_them(&self, given: &mut Given<'_>) -> Result<(), Failure> {
        let mut listed: HashMap<String, Vec<&Email>> = HashMap::new();
        for user in given.keys().copied() {
            listed.entry(user.as_str().to_ascii_lowercase()).or_default().push(user);
        }
        let each = |person: directory::Licensee| {
            let name = person.user_principal_name.as_deref().unwrap_or_default();
            for user in listed.get(&name.to_ascii_lowercase()).into_iter().flatten() {
                let has = |id: &String| person.assigned_licenses.iter().any(|one| one.is_of(id));
                if given.get(user).is_some_and(|skus| skus.values().all(has)) {
                    given.remove(user);
                }
            }
        };
        directory::licensees(&self.connection.everyday, each).await
    }
}

/// The licenses that the users of active devices have by the ledger.
fn given(recorded: &State) -> Vec<Recorded<'_>> {
    let of_device = recorded.active().flat_map(|(_, device)| {
        let user = &device.spec.user_email;
        device.licenses.iter().filter(move |license| license.user == *user && license.is_given())
    });
    of_device.map(|license| (&license.user, &license.sku)).collect()
}

fn why_missing(user: &Email, person: Option<&Person>, sku: &str) -> Option<String> {
    match person.map(|person| person.has(sku)) {
        Some(Some(true) | None) => None,
        Some(Some(false)) => Some("somebody removed it outside Fleetform".to_owned()),
        None => Some(format!("there is no user {user} in Entra any more")),
    }
}

#[cfg(test)]
mod tests;
