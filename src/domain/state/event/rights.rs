//! What the log says of the configuration.

use serde::{Deserialize, Serialize};

use crate::domain::model::Digest;
use crate::domain::provider_settings::IntuneSettings;

/// A tier of `wipes.quorum`, as configured. Durations are spelled as the configuration takes
/// them, exactly: `1day`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuorumTier {
    /// Length of the window.
    pub per: String,
    /// Signatures of distinct people.
    pub signers: u32,
    /// Wipes within `per`.
    pub up_to: u32,
}

/// What the configuration says about who may have devices wiped, and through which provider.
/// The fields are sorted, as the keys of `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigRights {
    /// `trust.allowedSigners`, the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_signers: Option<String>,
    /// `wipes.delay`
    pub delay: String,
    /// Of the configuration file's bytes, as `sha256sum` gives it, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// `wipes.maxValidity`
    pub max_validity: String,
    /// `provider.kind`
    pub provider: String,
    /// `wipes.quorum`
    pub quorum: Vec<QuorumTier>,
    /// `wipes.requireHead`
    #[serde(default)]
    pub require_head: bool,
    /// `trust.revokedKeys`, the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_keys: Option<String>,
    /// Of the provider `intune`: which tenant it commands, and as whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantRights>,
}

/// Which tenant Fleetform commands, and as whom. The fields are sorted, as the keys of
/// `state.json` are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantRights {
    /// `provider.app.clientId`
    pub client_id: String,
    /// `provider.graphUrl`
    pub graph_url: String,
    /// `provider.loginUrl`
    pub login_url: String,
    /// `provider.tenant`
    pub name: String,
    /// `provider.wipeApp.clientId`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wipe_client_id: Option<String>,
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
    pub from: Option<ConfigRights>,
    pub to: ConfigRights,
}
