//! What the log says of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::model::Digest;
use crate::domain::provider_settings::IntuneSettings;

/// A tier of `wipes.quorum`, as configured. Durations are spelled as the configuration takes
/// them, exactly: `1day`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuorumTier {
    /// Length of the window.
    pub(crate) per: String,
    /// Signatures of distinct people.
    pub(crate) signers: u32,
    /// Wipes within `per`.
    pub(crate) up_to: u32,
}

/// What the configuration says about who may have devices wiped and through which provider, and
/// which devices may come in.
/// The fields are sorted, as the keys of `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigRights {
    /// `access`: what a device must be to come in; absent where nobody is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<AccessRights>,
    /// `trust.allowedSigners`, the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_signers: Option<String>,
    /// `wipes.delay`
    pub(crate) delay: String,
    /// Of the configuration file's bytes, as `sha256sum` gives it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// `wipes.maxValidity`
    pub(crate) max_validity: String,
    /// Where each sink of `notify` sends to, by its name; of secret URLs the file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) notify: BTreeMap<String, String>,
    /// `provider.kind`
    pub(crate) provider: String,
    /// `wipes.quorum`
    pub(crate) quorum: Vec<QuorumTier>,
    /// `wipes.requireHead`
    #[serde(default)]
    pub(crate) require_head: bool,
    /// `trust.revokedKeys`, the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_keys: Option<String>,
    /// Of the provider `intune`: which tenant it commands, and as whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantRights>,
}

/// Which devices may come in. The fields are sorted, as the keys of `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccessRights {
    /// `access.maxAge`
    pub(crate) max_age: String,
    /// `access.resources`
    pub(crate) resources: BTreeMap<String, ResourceRights>,
    /// `access.tokenFile`, the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<String>,
}

/// What a resource asks of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceRights {
    /// Words of the configuration, in its order.
    pub(crate) require: Vec<String>,
    /// `all` or `any`.
    pub(crate) users: String,
}

/// Which tenant Fleetform commands, and as whom. The fields are sorted, as the keys of
/// `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TenantRights {
    /// `provider.app.clientId`
    pub(crate) client_id: String,
    /// `provider.graphUrl`
    pub(crate) graph_url: String,
    /// `provider.loginUrl`
    pub(crate) login_url: String,
    /// `provider.tenant`
    pub(crate) name: String,
    /// `provider.wipeApp.clientId`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wipe_client_id: Option<String>,
}

impl From<&IntuneSettings> for TenantRights {
    fn from(settings: &IntuneSettings) -> Self {
        let IntuneSettings { tenant, app, wipe_app, login_url, graph_url, .. } = settings;
        Self {
            client_id: app.client_id.clone(),
            graph_url: graph_url.clone(),
            login_url: login_url.clone(),
            name: tenant.clone(),
            wipe_client_id: wipe_app.as_ref().map(|app| app.client_id.clone()),
        }
    }
}

/// `config.changed`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigChanged {
    /// As recorded before; absent the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<ConfigRights>,
    pub(crate) to: ConfigRights,
}
