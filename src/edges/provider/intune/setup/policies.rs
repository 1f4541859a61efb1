//! The compliance policies that Fleetform maintains: one for each profile and platform.
//!
//! A policy is found by the id that the ledger knows, then by its mark, and never by its name. It is
//! made once: where nobody can tell whether it was made, it is looked for, and not made again.

use serde::Deserialize;
use serde_json::{Value, json};

use super::block;
use super::policy_body::WantedPolicy;
use crate::domain::model::GraphId;
use crate::domain::state::event::ErrorClass;
use crate::edges::provider::error::Error;
use crate::edges::provider::intune::connection::{again, soon};
use crate::edges::provider::intune::graph::{Call, Everyday, Failure, Version};
use crate::edges::provider::intune::provider::Inner;

pub(super) const PATH: &str = "/deviceManagement/deviceCompliancePolicies";

/// What of a policy that was just made is known without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ensured {
    pub(super) id: GraphId,
    /// Nobody can have assigned it yet, and Graph may not show it yet.
    pub(super) is_new: bool,
}

/// All compliance policies of the tenant, as this version shows them.
///
/// # Errors
/// If they could not all be read.
async fn list(everyday: &Everyday, version: Version) -> Result<Vec<Value>, Failure> {
    let call = Call::get(PATH).of(version);
    let mut rows = Vec::new();
    everyday.pages(call, |page: Vec<Value>| rows.extend(page)).await?;
    Ok(rows)
}

/// The policy among all that there are.
///
/// # Errors
/// If several have its mark, and the ledger knows none of them.
pub(super) fn find<'a>(
    rows: &'a [Value],
    wanted: &WantedPolicy,
    known: Option<&GraphId>,
) -> Result<Option<&'a Value>, Error> {
    let by_id = known.and_then(|id| {
        rows.iter().find(|row| wanted.is_of_type(row) && id_text(row) == Some(id.as_str()))
    });
    if by_id.is_some() {
        return Ok(by_id);
    }
    let marked: Vec<&Value> = rows.iter().filter(|row| wanted.is_marked(row)).collect();
    match marked[..] {
        [] => Ok(None),
        [row] => Ok(Some(row)),
        _ => {
            let ids: Vec<&str> = marked.iter().filter_map(|row| id_text(row)).collect();
            let why = format!(
                "Intune has {} compliance policies with the description {:?}: {}; delete all but \
                 one of them",
                ids.len(),
                wanted.marker,
                ids.join(", ")
            );
            Err(Error::new(ErrorClass::Transient, why))
        }
    }
}

/// Whether Graph has no such path, and not only no such object.
fn is_unknown(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| matches!(refusal.status, 400 | 404 | 501))
}

pub(super) fn id_text(row: &Value) -> Option<&str> {
    row.get("id")?.as_str()
}

fn id(row: &Value, wanted: &WantedPolicy) -> Result<GraphId, Error> {
    let id = id_text(row).and_then(|id| id.parse().ok());
    id.ok_or_else(|| {
        let why = format!("Intune shows the policy {:?} without an id", wanted.marker);
        Error::new(ErrorClass::Transient, why)
    })
}

/// What its block action and others are.
///
/// # Errors
/// If they cannot be read.
pub(super) async fn rules(
    everyday: &Everyday,
    version: Version,
    id: &GraphId,
) -> Result<Vec<Value>, Failure> {
    let call = Call::get(format!("{PATH}/{id}/scheduledActionsForRule"))
        .query("$expand", "scheduledActionConfigurations")
        .of(version);
    let mut rules = Vec::new();
    everyday.pages(call, |page: Vec<Value>| rules.extend(page)).await?;
    Ok(rules)
}

impl Inner {
    /// All compliance policies of the tenant, as the version for these shows them. A cloud without the
    /// beta gets them as v1.0 takes them.
    ///
    /// # Errors
    /// If they could not all be read.
    pub(super) async fn policies_for<'a>(
        &self,
        wanted: impl IntoIterator<Item = &'a mut WantedPolicy>,
    ) -> Result<Vec<Value>, Failure> {
        let everyday = &self.connection.everyday;
        let mut wanted: Vec<&mut WantedPolicy> = wanted.into_iter().collect();
        let beta = wanted.iter().any(|policy| policy.version == Version::Beta);
        if beta && !self.recent().is_without_beta() {
            match list(everyday, Version::Beta).await {
                Err(failure) if is_unknown(&failure) => {
                    tracing::warn!(
                        %failure,
                        "this cloud has no compliance policies in Graph's beta: those for Windows do \
                         not ask for an antivirus"
                    );
                    self.recent().found_without_beta();
                }
                listed => return listed,
            }
        }
        wanted.iter_mut().for_each(|policy| policy.without_beta());
        list(everyday, Version::V1).await
    }

    /// Makes a policy what it is to be, and adds to `written` what that took.
    ///
    /// # Errors
    /// If that was not possible; what was written is in `written` all the same.
    pub(super) async fn ensure_policy(
        &self,
        wanted: &WantedPolicy,
        known: Option<&GraphId>,
        rows: &[Value],
        written: &mut Vec<String>,
    ) -> Result<Ensured, Error> {
        let everyday = &self.connection.everyday;
        let platform = wanted.platform;
        let mut row = find(rows, wanted, known)?.cloned();
        // A list may lag behind.
        if let (None, Some(known)) = (&row, known) {
            let call = Call::get(format!("{PATH}/{known}")).of(wanted.version);
            row = match everyday.read(call).await {
                Ok(answer) => Some(answer.json::<Value>().map_err(|why| again(&why))?),
                Err(failure) if failure.is_absent() => None,
                Err(failure) => return Err(again(&failure)),
            };
            row = row.filter(|row| wanted.is_of_type(row));
        }
        let Some(row) = row else { return self.make_policy(wanted, written).await };
        self.recent().settled(&wanted.marker);
        let id = id(&row, wanted)?;
        if !wanted.differences(&row).is_empty() {
            let body = Value::Object(wanted.body.clone());
            let call = Call::patch(format!("{PATH}/{id}"), body).of(wanted.version);
            let answer = everyday.write(call).await.map_err(|why| soon(&why))?;
            written.push(format!(
                "changed the compliance policy for {platform}, {id} (client-request-id {})",
                answer.client_request_id
            ));
        }
        self.ensure_block(wanted, &id, written).await?;
        Ok(Ensured { id, is_new: false })
    }

    async fn ensure_block(
        &self,
        wanted: &WantedPolicy,
        id: &GraphId,
        written: &mut Vec<String>,
    ) -> Result<(), Error> {
        let (everyday, platform) = (&self.connection.everyday, wanted.platform);
        let rules = rules(everyday, wanted.version, id).await.map_err(|why| soon(&why))?;
        let hours = self.grace_hours();
        if block::hours(&rules) == Some(hours) {
            return Ok(());
        }
        let body =
            json!({"deviceComplianceScheduledActionForRules": block::with_hours(&rules, hours)});
        let call = Call::post(format!("{PATH}/{id}/scheduleActionsForRules"), body);
        let answer = everyday.write(call.of(wanted.version)).await.map_err(|why| soon(&why))?;
        written.push(format!(
            "set the grace period of the compliance policy for {platform}, {id}, to {hours}h \
             (client-request-id {})",
            answer.client_request_id
        ));
        Ok(())
    }

    async fn make_policy(
        &self,
        wanted: &WantedPolicy,
        written: &mut Vec<String>,
    ) -> Result<Ensured, Error> {
        #[derive(Deserialize)]
        struct Made {
            id: GraphId,
        }
        let (everyday, platform) = (&self.connection.everyday, wanted.platform);
        if self.recent().may_be_hidden(&wanted.marker, (self.now)()) {
            let why = format!(
                "the compliance policy for {platform} was made a moment ago, and Intune does not \
                 show it yet; it is looked for again"
            );
            return Err(Error::new(ErrorClass::Transient, why));
        }
        let mut body = wanted.body.clone();
        body.insert("scheduledActionsForRule".into(), block::rules(self.grace_hours()));
        let call = Call::post(PATH, Value::Object(body)).of(wanted.version);
        self.recent().making(&wanted.marker, (self.now)());
        let failure = match everyday.write_once(call).await {
            Ok(answer) => match answer.json::<Made>() {
                Ok(Made { id }) => {
                    written.push(format!(
                        "made the compliance policy for {platform}, {id} (client-request-id {})",
                        answer.client_request_id
                    ));
                    return Ok(Ensured { id, is_new: true });
                }
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        if failure.surely_not_taken() {
            self.recent().settled(&wanted.marker);
            return Err(again(&failure));
        }
        // Nobody can tell whether it was made: whoever looks can.
        let rows = list(everyday, wanted.version).await.map_err(|_| again(&failure))?;
        let Some(row) = find(&rows, wanted, None)? else { return Err(again(&failure)) };
        let id = id(row, wanted)?;
        let call = failure.client_request_id().unwrap_or("unknown");
        written.push(format!(
            "made the compliance policy for {platform}, {id} (client-request-id {call}, not answered)"
        ));
        Ok(Ensured { id, is_new: false })
    }

    /// After how many whole hours a device loses its access; Intune takes up to a year.
    pub(super) fn grace_hours(&self) -> i64 {
        const YEAR: i64 = 8760;
        let minutes = self.settings.block_after.num_minutes();
        minutes.div_euclid(60).saturating_add(i64::from(minutes % 60 > 0)).clamp(0, YEAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{Digest, Platform, Profile, Requirements};

    fn wanted() -> WantedPolicy {
        let profile = Profile {
            name: "Standard".parse().unwrap(),
            description: String::new(),
            platforms: vec![Platform::Windows],
            apps: Vec::new(),
            settings: Value::Null,
            licenses: Vec::new(),
            compliance: Requirements::default(),
            intune: None,
            digest: Digest::ZERO,
        };
        WantedPolicy::new(uuid::Uuid::from_u128(7), &profile, Platform::Windows)
    }

    #[test]
    fn the_ledgers_policy_is_the_one_then_the_only_one_with_its_mark() {
        let wanted = wanted();
        let row = |id: &str, description: &str| {
            json!({"id": id, "@odata.type": wanted.odata_type(), "description": description,
                "displayName": "Standard - windows (Fleetform)"})
        };
        let known: GraphId = "k".parse().unwrap();
        let found = |rows: &[Value], known: Option<&GraphId>| {
            find(rows, &wanted, known).map(|row| row.and_then(id_text).map(str::to_owned))
        };
        let (ours, stranger) = (row("m", &wanted.marker), row("s", "by hand"));
        let renamed = row("k", "somebody took our mark away");
        assert_eq!(
            found(std::slice::from_ref(&stranger), Some(&known)),
            Ok(None),
            "never by its name"
        );
        assert_eq!(found(&[stranger.clone(), ours.clone()], None), Ok(Some("m".into())));
        assert_eq!(found(&[ours.clone(), renamed.clone()], Some(&known)), Ok(Some("k".into())));
        let twice = [ours.clone(), row("n", &wanted.marker)];
        let error = found(&twice, Some(&known)).unwrap_err();
        assert!(error.message.contains("2 compliance policies") && error.message.contains("m, n"));
        assert_eq!(error.class, ErrorClass::Transient);
        let known: GraphId = "n".parse().unwrap();
        assert_eq!(found(&twice, Some(&known)), Ok(Some("n".into())));
    }
}
