//! An entry of `notify.events`

use std::path::PathBuf;

use serde::Deserialize;

use super::values::Line;
use crate::domain::model::{AddressRange, Name};
use crate::domain::notify_settings::EventSettings;
use crate::edges::config::url;
use crate::edges::config::values::Text;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct WrittenEvents {
    name: Option<Name>,
    url: Option<Line>,
    audience: Option<Line>,
    issuer: Option<Line>,
    token_file: Option<Text>,
    key_file: Option<Text>,
    other_key_file: Option<Text>,
    ca_file: Option<Text>,
    private_addresses: Option<Vec<AddressRange>>,
    legacy_subject: Option<bool>,
}

impl WrittenEvents {
    pub(super) fn settings(self) -> Result<EventSettings, String> {
        let Self {
            name,
            url: written,
            audience,
            issuer,
            token_file,
            key_file,
            other_key_file,
            ca_file,
            private_addresses,
            legacy_subject,
        } = self;
        let name = name.ok_or("an entry of `notify.events` has no `name`")?;
        let key = |key: &str| format!("notify.events.{name}.{key}");
        let missing = |word: &str| format!("`{}` is missing", key(word));
        let path = |file: Option<Text>| file.map(|Text(path)| PathBuf::from(path));
        let Line(written) = written.ok_or_else(|| missing("url"))?;
        let Line(audience) = audience.ok_or_else(|| missing("audience"))?;
        let issuer = match issuer {
            None => None,
            Some(Line(written)) => Some(url::whole(&key("issuer"), &written)?),
        };
        Ok(EventSettings {
            url: url::whole(&key("url"), &written)?,
            audience,
            issuer,
            token_file: path(token_file),
            key_file: path(key_file).ok_or_else(|| missing("keyFile"))?,
            other_key_file: path(other_key_file),
            ca_file: path(ca_file),
            private_addresses: private_addresses.unwrap_or_default(),
            legacy_subject: legacy_subject.unwrap_or(false),
            name,
        })
    }
}
