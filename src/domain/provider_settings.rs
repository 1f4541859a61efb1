//! Which MDM holds the devices, and how to reach it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::TimeDelta;

use crate::domain::model::words;

words! {
    /// `provider.kind`
    pub(crate) enum ProviderKind {
        /// Embedded: an inbox and an outbox in the data directory.
        Local = "local",
        /// Microsoft Intune, through Microsoft Graph.
        Intune = "intune",
    }
}

words! {
    /// `provider.assign`: what becomes a member of a profile's group.
    pub(crate) enum Assign { Users = "users", Devices = "devices" }
}

words! {
    /// `provider.licenses`: who assigns the licenses of a profile.
    pub(crate) enum LicenseAssignment {
        /// Fleetform, to each user.
        Direct = "direct",
        /// Somebody else, by groups.
        Groups = "groups",
    }
}

/// `provider.blockAttribute`: the extension attribute of a device in Entra that says that its access to
/// corporate mail is blocked, `extensionAttribute1` to `extensionAttribute15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockAttribute(u8);

impl FromStr for BlockAttribute {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        (1..=15)
            .map(Self)
            .find(|attribute| attribute.to_string() == text)
            .ok_or("must be one of extensionAttribute1 to extensionAttribute15")
    }
}

impl fmt::Display for BlockAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extensionAttribute{}", self.0)
    }
}

/// The provider, with all that it takes to reach it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ProviderSettings {
    /// See [`ProviderKind::Local`].
    #[default]
    Local,
    /// See [`ProviderKind::Intune`].
    Intune(Box<IntuneSettings>),
}

impl ProviderSettings {
    /// The word of the configuration.
    #[must_use]
    pub(crate) fn kind(&self) -> ProviderKind {
        match self {
            Self::Local => ProviderKind::Local,
            Self::Intune(_) => ProviderKind::Intune,
        }
    }
}

/// A tenant, and whom we are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntuneSettings {
    /// Domain or id of the tenant.
    pub(crate) tenant: String,
    /// The app registration for everything but wipes.
    pub(crate) app: AppRegistration,
    /// The only app registration that may wipe and retire; without it nothing does.
    pub(crate) wipe_app: Option<AppRegistration>,
    /// How often devices are listed.
    pub(crate) poll: Duration,
    /// What becomes a member of a profile's group.
    pub(crate) assign: Assign,
    /// Who assigns licenses.
    pub(crate) licenses: LicenseAssignment,
    /// What marks a device in Entra whose access is blocked; nothing where Conditional Access goes by
    /// compliance alone.
    pub(crate) block_attribute: Option<BlockAttribute>,
    /// `compliance.blockAfter`: how long a device that fails a check keeps its access.
    pub(crate) block_after: TimeDelta,
    /// Where tokens come from: `https://login.microsoftonline.com`, without a final slash.
    pub(crate) login_url: String,
    /// Microsoft Graph: `https://graph.microsoft.com`, without a final slash.
    pub(crate) graph_url: String,
}

impl IntuneSettings {
    /// The files that prove who asks.
    pub(crate) fn secret_files(&self) -> impl Iterator<Item = &Path> {
        [&self.app].into_iter().chain(&self.wipe_app).map(|app| match &app.credential {
            Credential::Secret(path)
            | Credential::Certificate(path)
            | Credential::FederatedToken(path) => path.as_path(),
        })
    }
}

/// An app registration in Microsoft Entra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppRegistration {
    /// Its application (client) id.
    pub(crate) client_id: String,
    /// How it proves who it is.
    pub(crate) credential: Credential,
}

/// A file that proves who an app is. The file is opened when a token is needed, and only then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    /// A client secret.
    Secret(PathBuf),
    /// PEM with a private key and its certificate.
    Certificate(PathBuf),
    /// A token of another issuer that Entra trusts (workload identity).
    FederatedToken(PathBuf),
}
