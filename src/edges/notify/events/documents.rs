//! What receivers look up: who sends, and the keys that sign (SSF 1.0 §7, RFC 7517).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::keys::Key;
use crate::domain::notice::Attempt;
use crate::domain::notify_settings::EventSettings;

/// Where the keys are found, below the issuer's host.
const KEYS: &str = "/ssf/jwks.json";

/// Documents for everybody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Documents {
    pub(crate) configuration: Value,
    pub(crate) keys: Value,
}

impl Documents {
    /// Of all streams of one issuer: the keys that sign, and those that did or will. A key that cannot be
    /// read is left out, as it signs nothing either.
    ///
    /// # Errors
    /// If none can be read.
    pub(crate) fn read(streams: &[EventSettings], issuer: &str) -> Result<Self, Attempt> {
        let mut keys = BTreeMap::new();
        let mut failed = None;
        let files =
            streams.iter().flat_map(|one| [Some(&one.key_file), one.other_key_file.as_ref()]);
        for path in files.flatten() {
            match Key::read(path) {
                Ok(key) => drop(keys.insert(key.public()["kid"].to_string(), key.public())),
                Err(why) => failed = Some(why),
            }
        }
        if let Some(why) = failed.filter(|_| keys.is_empty()) {
            return Err(why);
        }
        let configuration = json!({
            "spec_version": "1_0",
            "issuer": issuer,
            "jwks_uri": format!("{}{KEYS}", crate::domain::notify_settings::origin(issuer)),
            "delivery_methods_supported": ["urn:ietf:rfc:8935"],
            "default_subjects": "ALL",
        });
        Ok(Self { configuration, keys: json!({"keys": keys.into_values().collect::<Vec<_>>()}) })
    }
}
