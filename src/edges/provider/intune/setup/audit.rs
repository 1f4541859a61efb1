//! Who changed an object of Intune, as far as its audit log tells.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::domain::model::Timestamp;
use crate::domain::wording::harmless_within;
use crate::edges::provider::intune::graph::{Call, Everyday, Failure};

/// So far back the log is read: longer than there is between two looks.
const BACK: TimeDelta = TimeDelta::days(2);
/// Bytes of a name that are shown.
const NAME: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    activity_date_time: Option<String>,
    activity_result: Option<String>,
    actor: Option<Actor>,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Actor {
    user_principal_name: Option<String>,
    application_display_name: Option<String>,
    service_principal_name: Option<String>,
    application_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource_id: Option<String>,
}

/// Who changed objects last, by their ids in small letters.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<String, (String, String)>);

impl Changes {
    /// Reads who changed anything of late, but for this app. Graph cannot be asked about one object.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(super) async fn read(
        everyday: &Everyday,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let since = (now + -BACK).short();
        let call = Call::get("/deviceManagement/auditEvents")
            .query("$filter", &format!("activityDateTime ge {since}"));
        let mut changes = Self::default();
        let take =
            |page: Vec<Event>| page.into_iter().for_each(|event| changes.take(event, client_id));
        everyday.pages(call, take).await?;
        Ok(changes)
    }

    fn take(&mut self, event: Event, client_id: &str) {
        let Event { activity_date_time, activity_result, actor, resources } = event;
        let failed = activity_result.is_some_and(|result| !result.eq_ignore_ascii_case("success"));
        let Some(actor) = actor.filter(|_| !failed) else { return };
        let ours =
            actor.application_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(client_id));
        let names = [
            actor.user_principal_name,
            actor.application_display_name,
            actor.service_principal_name,
        ];
        let by = names.into_iter().flatten().find(|name| !name.is_empty());
        let (Some(by), Some(at)) = (by.filter(|_| !ours), activity_date_time) else { return };
        for id in resources.into_iter().filter_map(|resource| resource.resource_id) {
            let last = self.0.entry(id.to_ascii_lowercase()).or_default();
            if last.0 <= at {
                *last = (at.clone(), harmless_within(&by, NAME));
            }
        }
    }

    /// Who changed it last.
    pub(super) fn by(&self, id: &str) -> Option<String> {
        self.0.get(&id.to_ascii_lowercase()).map(|(_, by)| by.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_last_one_who_changed_it_did_it_but_never_ourselves() {
        let event = |at: &str, actor: Value, id: &str| {
            json!({"activityDateTime": at, "activityResult": "Success", "actor": actor,
                "resources": [{"resourceId": "other"}, {"resourceId": id}]})
        };
        let mut failed =
            event("2026-11-26T09:30:00Z", json!({"userPrincipalName": "eve@contoso.com"}), "p-1");
        failed["activityResult"] = json!("Failure");
        let events = [
            event("2026-11-26T09:00:00Z", json!({"userPrincipalName": "ana@contoso.com"}), "P-1"),
            event("2026-11-26T08:00:00Z", json!({"userPrincipalName": "bob@contoso.com"}), "p-1"),
            event(
                "2026-11-26T10:00:00Z",
                json!({"applicationId": "OURS", "applicationDisplayName": "Fleetform"}),
                "p-1",
            ),
            event(
                "2026-11-26T08:00:00Z",
                json!({"userPrincipalName": "", "applicationDisplayName": "Other\u{1b} tool"}),
                "p-2",
            ),
            event("2026-11-26T08:00:00Z", Value::Null, "p-3"),
            failed,
        ];
        let mut changes = Changes::default();
        for event in events {
            changes.take(serde_json::from_value(event).unwrap(), "ours");
        }
        assert_eq!(changes.by("p-1").as_deref(), Some("ana@contoso.com"));
        assert_eq!(changes.by("P-2").as_deref(), Some("Other\u{FFFD} tool"));
        assert_eq!(changes.by("p-3"), None);
    }
}
