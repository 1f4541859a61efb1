//! `notify.serviceNow`

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::values::{Block, Line, Pairs};
use crate::domain::model::{AddressRange, Name};
use crate::domain::notice::check_ticket_texts;
use crate::domain::notify_settings::{ServiceNowLogin, ServiceNowSettings};
use crate::edges::config::url;
use crate::edges::config::values::Text;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub(super) struct WrittenServiceNow {
    url: Option<Line>,
    user_file: Option<Text>,
    password_file: Option<Text>,
    client_id_file: Option<Text>,
    client_secret_file: Option<Text>,
    api_key_file: Option<Text>,
    ca_file: Option<Text>,
    private_addresses: Option<Vec<AddressRange>>,
    table: Option<Line>,
    fields: Option<Pairs<String, Block>>,
    profiles: Option<Pairs<Name, Pairs<String, Block>>>,
    close: Option<bool>,
    close_fields: Option<Pairs<String, Block>>,
}

impl WrittenServiceNow {
    pub(super) fn settings(self) -> Result<ServiceNowSettings, String> {
        let Self {
            url: written,
            user_file,
            password_file,
            client_id_file,
            client_secret_file,
            api_key_file,
            ca_file,
            private_addresses,
            table,
            fields,
            profiles,
            close,
            close_fields,
        } = self;
        let Line(written) = written.ok_or("`notify.serviceNow.url` is missing")?;
        let table = table.map_or_else(|| "incident".to_owned(), |Line(table)| table);
        if !is_column(&table) {
            return Err(format!("`notify.serviceNow.table`: {table} is not a table like incident"));
        }
        let path = |file: Option<Text>| file.map(|Text(path)| PathBuf::from(path));
        let files = [user_file, password_file, client_id_file, client_secret_file, api_key_file];
        let login = login(files.map(path))?;
        let profiles = profiles.unwrap_or_default().0.into_iter();
        let settings = ServiceNowSettings {
            url: url::base("notify.serviceNow.url", &written)?,
            login,
            ca_file: path(ca_file),
            private_addresses: private_addresses.unwrap_or_default(),
            table,
            fields: columns(fields.unwrap_or_default())?,
            profiles: profiles
                .map(|(name, fields)| Ok((name, columns(fields)?)))
                .collect::<Result<_, String>>()?,
            close: close.unwrap_or(false),
            close_fields: columns(close_fields.unwrap_or_default())?,
        };
        check_ticket_texts(&settings)?;
        Ok(settings)
    }
}

/// User and password, client id and secret, or a key: one of the three.
fn login(files: [Option<PathBuf>; 5]) -> Result<ServiceNowLogin, String> {
    match files {
        [Some(user_file), Some(password_file), None, None, None] => {
            Ok(ServiceNowLogin::Basic { user_file, password_file })
        }
        [None, None, Some(id_file), Some(secret_file), None] => {
            Ok(ServiceNowLogin::Client { id_file, secret_file })
        }
        [None, None, None, None, Some(file)] => Ok(ServiceNowLogin::ApiKey { file }),
        _ => {
            Err("`notify.serviceNow` needs one login: userFile and passwordFile, clientIdFile and \
                  clientSecretFile, or apiKeyFile"
                .into())
        }
    }
}

fn columns(pairs: Pairs<String, Block>) -> Result<BTreeMap<String, String>, String> {
    let mut columns = BTreeMap::new();
    for (name, Block(value)) in pairs.0 {
        if !is_column(&name) {
            return Err(format!(
                "`notify.serviceNow`: {name} is not a field like assignment_group"
            ));
        }
        if matches!(&*name, "correlation_id" | "sys_id" | "number") {
            return Err(format!(
                "`notify.serviceNow`: {name} cannot be set: tickets are found again by it"
            ));
        }
        columns.insert(name, value);
    }
    Ok(columns)
}

fn is_column(text: &str) -> bool {
    (1..=80).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
