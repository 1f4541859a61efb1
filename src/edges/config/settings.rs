//! Everything that can be configured.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::access::Access;
use super::values::spelled;
use crate::domain::model::Digest;
use crate::domain::notify_settings::{EventSettings, MailSettings, MailTransport, NotifySettings};
use crate::domain::provider_settings::ProviderSettings;
use crate::domain::settings::{Settings, Wipes};
use crate::domain::state::event::{ConfigRights, QuorumTier, TenantRights};
use crate::domain::wipe::quorum::Tier;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The fleet directory.
    pub fleet: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// Whether somebody named it, so that it must hold a ledger.
    pub data_is_named: bool,
    /// `provider`
    pub(crate) provider: ProviderSettings,
    /// What decisions depend on.
    pub settings: Settings,
    /// Whose signatures count.
    pub trust: TrustPaths,
    /// `http.listen`; without it nothing listens.
    pub http_listen: Option<SocketAddr>,
    /// `http.tokenFile`: what clients must know; needed beyond loopback.
    pub http_token_file: Option<PathBuf>,
    /// Of the file that this is from, where there is one.
    pub digest: Option<Digest>,
    /// `http.names`: host names that requests may ask for, beside those of loopback; as in a
    /// URL, without a port.
    pub http_names: Vec<String>,
    /// `access`: who may ask whether a device may come in; nobody is answered without it.
    pub(crate) access: Option<Access>,
    /// Whether manifests that did not change since an earlier look may be left unread; only a flag
    /// says otherwise.
    pub index: bool,
    /// `notify`: who is told what follows from the log.
    pub(crate) notify: NotifySettings,
}

/// The files that say whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustPaths {
    /// OpenSSH's `allowed_signers`; without it every wipe is refused.
    pub(crate) allowed_signers: Option<PathBuf>,
    /// Keys that count no more.
    pub(crate) revoked_keys: Option<PathBuf>,
}

impl TrustPaths {
    /// Whether a trust file of either kind is named.
    #[must_use]
    pub(crate) fn is_configured(&self) -> bool {
        let Self { allowed_signers, revoked_keys } = self;
        allowed_signers.is_some() || revoked_keys.is_some()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fleet: "./fleet".into(),
            data: "./.fleetform".into(),
            data_is_named: false,
            provider: ProviderSettings::Local,
            settings: Settings::default(),
            trust: TrustPaths::default(),
            http_listen: None,
            http_token_file: None,
            digest: None,
            http_names: Vec::new(),
            access: None,
            index: true,
            notify: NotifySettings::default(),
        }
    }
}

impl Config {
    /// What it says about who may have devices wiped, and through which provider: for the log.
    #[must_use]
    pub(crate) fn rights(&self) -> ConfigRights {
        let Self { provider, settings, trust, digest, access, notify, .. } = self;
        let TrustPaths { allowed_signers, revoked_keys } = trust;
        // Taken apart whole, so that a new setting of wipes cannot be forgotten here.
        let Wipes { max_validity, delay, quorum, require_head } = &settings.wipes;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let tier = |Tier { up_to, per, signers }: &Tier| QuorumTier {
            per: spelled(per),
            signers: *signers,
            up_to: *up_to,
        };
        let tenant = match provider {
            ProviderSettings::Local => None,
            ProviderSettings::Intune(tenant) => Some(&**tenant),
        };
        ConfigRights {
            access: access.as_ref().map(Access::rights),
            allowed_signers: path(allowed_signers),
            delay: spelled(delay),
            digest: *digest,
            max_validity: spelled(max_validity),
            notify: notify.rights(),
            provider: provider.kind().as_str().to_owned(),
            quorum: quorum.as_slice().iter().map(tier).collect(),
            require_head: *require_head,
            revoked_keys: path(revoked_keys),
            tenant: tenant.map(TenantRights::from),
        }
    }

    /// What two parts of the file say against each other.
    pub(super) fn contradiction(&self) -> Option<String> {
        let graph = |mail: &MailSettings| mail.transport == MailTransport::Graph;
        let local = matches!(self.provider, ProviderSettings::Local);
        if local && self.notify.mail.as_deref().is_some_and(graph) {
            return Some(
                "`notify.mail.transport`: graph sends with the credentials of a tenant, and needs \
                 `provider.kind: intune`"
                    .to_owned(),
            );
        }
        let nameless = self.notify.events.iter().find(|stream| self.issuer(stream).is_none())?;
        Some(format!(
            "`notify.events.{}.issuer` is missing: the URL by which receivers know this fleet, under \
             which they reach the daemon",
            nameless.name
        ))
    }

    /// Who the receiver of security events is told that sends them.
    #[must_use]
    pub(crate) fn issuer(&self, stream: &EventSettings) -> Option<String> {
        stream.issuer.clone()
    }
}
