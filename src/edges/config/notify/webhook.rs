//! An entry of `notify.webhooks`

use std::path::PathBuf;

use serde::Deserialize;

use super::values::{Line, Pairs, lines};
use crate::domain::model::{AddressRange, Name};
use crate::domain::notice::is_known;
use crate::domain::notify_settings::{WebhookFormat, WebhookSettings, WebhookUrl};
use crate::edges::config::url;
use crate::edges::config::values::Text;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct WrittenWebhook {
    name: Option<Name>,
    url: Option<Line>,
    url_file: Option<Text>,
    secret_file: Option<Text>,
    previous_secret_file: Option<Text>,
    ca_file: Option<Text>,
    private_addresses: Option<Vec<AddressRange>>,
    kinds: Option<Vec<Line>>,
    profiles: Option<Vec<Name>>,
    labels: Option<Pairs<String, Line>>,
    format: Option<WebhookFormat>,
    source: Option<Line>,
}

impl WrittenWebhook {
    pub(super) fn settings(self) -> Result<WebhookSettings, String> {
        let Self {
            name,
            url: written,
            url_file,
            secret_file,
            previous_secret_file,
            ca_file,
            private_addresses,
            kinds,
            profiles,
            labels,
            format,
            source,
        } = self;
        let name = name.ok_or("an entry of `notify.webhooks` has no `name`")?;
        let key = |key: &str| format!("notify.webhooks.{name}.{key}");
        let path = |file: Option<Text>| file.map(|Text(path)| PathBuf::from(path));
        let url = match (written, path(url_file)) {
            (Some(Line(written)), None) => WebhookUrl::Plain(url::whole(&key("url"), &written)?),
            (None, Some(file)) => WebhookUrl::File(file),
            _ => return Err(format!("`{}` needs one of url and urlFile", key(""))),
        };
        let format = format.unwrap_or(WebhookFormat::Plain);
        if previous_secret_file.is_some() && secret_file.is_none() {
            return Err(format!("`{}` needs secretFile beside it", key("previousSecretFile")));
        }
        let signed = matches!(format, WebhookFormat::Plain | WebhookFormat::Cloudevents);
        if !signed && secret_file.is_some() {
            return Err(format!(
                "`{}` is not for `format: {format}`, which has no signatures: its URL is the \
                 secret (urlFile)",
                key("secretFile")
            ));
        }
        if format == WebhookFormat::Plain && secret_file.is_none() {
            return Err(format!(
                "`{}` is missing: by it the receiver knows who sends (`openssl rand -base64 32`, \
                 with whsec_ before it)",
                key("secretFile")
            ));
        }
        let kinds: Vec<String> =
            kinds.unwrap_or_default().into_iter().map(|Line(kind)| kind).collect();
        if let Some(bad) = kinds.iter().find(|kind| !is_known(kind)) {
            return Err(format!(
                "`{}`: {bad} fits no kind of entry; they are like wipe.issued, or wipe.* for all of wipes \
                 (`fleetform audit log --help` lists them)",
                key("kinds")
            ));
        }
        Ok(WebhookSettings {
            name,
            url,
            secret_file: path(secret_file),
            previous_secret_file: path(previous_secret_file),
            ca_file: path(ca_file),
            private_addresses: private_addresses.unwrap_or_default(),
            kinds,
            profiles: profiles.unwrap_or_default(),
            labels: lines(labels.unwrap_or_default()),
            format,
            source: source.map(|Line(source)| source),
        })
    }
}
