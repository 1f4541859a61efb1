//! `notify` as it is written, and as a whole.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::events::WrittenEvents;
use super::mail::WrittenMail;
use super::service_now::WrittenServiceNow;
use super::webhook::WrittenWebhook;
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::model::{Email, Name};
use crate::domain::notify_settings::{AlertSettings, NotifySettings};
use crate::edges::config::values::Span;

/// The mapping, valid as a whole; its paths are as written.
#[derive(Default)]
pub(in crate::edges::config) struct Notify(NotifySettings);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Written {
    mail: Option<StrictMap<WrittenMail>>,
    service_now: Option<StrictMap<WrittenServiceNow>>,
    webhooks: Option<Vec<StrictMap<WrittenWebhook>>>,
    events: Option<Vec<StrictMap<WrittenEvents>>>,
    alerts: StrictMap<WrittenAlerts>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenAlerts {
    mail: Option<Vec<Email>>,
    webhooks: Option<Vec<Name>>,
    /// At least a minute.
    unreconciled_after: Option<Span<60_000>>,
    stuck_after: Option<Span<60_000>>,
}

impl<'de> Deserialize<'de> for Notify {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Option::<StrictMap<Written>>::deserialize(deserializer)?;
        let StrictMap(written) = written.unwrap_or_default();
        written.settings().map(Self).map_err(D::Error::custom)
    }
}

impl Notify {
    /// With paths that are relative to `base`.
    pub(in crate::edges::config) fn into_settings(self, base: &Path) -> NotifySettings {
        let mut settings = self.0;
        settings.paths_mut().into_iter().for_each(|path| *path = base.join(&*path));
        settings
    }
}

impl Written {
    fn settings(self) -> Result<NotifySettings, String> {
        let Self { mail, service_now, webhooks, events, alerts: StrictMap(alerts) } = self;
        let mail = mail.map(|StrictMap(mail)| mail.settings()).transpose()?;
        let service_now = service_now.map(|StrictMap(written)| written.settings()).transpose()?;
        let each = webhooks.unwrap_or_default().into_iter();
        let webhooks = each.map(|StrictMap(one)| one.settings()).collect::<Result<Vec<_>, _>>()?;
        let each = events.unwrap_or_default().into_iter();
        let events = each.map(|StrictMap(one)| one.settings()).collect::<Result<Vec<_>, _>>()?;
        distinct("notify.webhooks", webhooks.iter().map(|webhook| &webhook.name))?;
        distinct("notify.events", events.iter().map(|stream| &stream.name))?;
        let alerts = alerts.settings();
        if !alerts.mail.is_empty() && mail.is_none() {
            return Err(
                "`notify.alerts.mail` needs `notify.mail`, which says how mail is sent".into()
            );
        }
        let known = |name: &&Name| !webhooks.iter().any(|webhook| webhook.name == **name);
        if let Some(name) = alerts.webhooks.iter().find(known) {
            return Err(format!(
                "`notify.alerts.webhooks` names {name}, and there is no such webhook in \
                 `notify.webhooks`"
            ));
        }
        Ok(NotifySettings {
            mail: mail.map(Box::new),
            service_now: service_now.map(Box::new),
            webhooks,
            events,
            alerts,
        })
    }
}

impl WrittenAlerts {
    fn settings(self) -> AlertSettings {
        let Self { mail, webhooks, unreconciled_after, stuck_after } = self;
        let default = AlertSettings::default();
        AlertSettings {
            mail: mail.unwrap_or_default(),
            webhooks: webhooks.unwrap_or_default(),
            unreconciled_after: unreconciled_after
                .map_or(default.unreconciled_after, |Span(span)| span),
            stuck_after: stuck_after.map_or(default.stuck_after, |Span(span)| span),
        }
    }
}

fn distinct<'a>(list: &str, names: impl Iterator<Item = &'a Name>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("`{list}` has two entries with the name {name}"));
        }
    }
    Ok(())
}
