//! `provider` of the configuration file: which MDM, and how to reach it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::url;
use super::values::{Span, Text};
use crate::domain::manifest::strict_map::StrictMap;
use crate::domain::provider_settings::{
    AppRegistration, Assign, BlockAttribute, Credential, IntuneSettings, LicenseAssignment,
    ProviderKind, ProviderSettings,
};
use crate::domain::settings::{DailyWipes, LicenseStart, ProviderRules};

/// Between two looks at a tenant: a device checks in every few hours, and Graph limits its callers.
const POLL: Duration = Duration::from_secs(5 * 60);
const LOGIN: &str = "https://login.microsoftonline.com";
const GRAPH: &str = "https://graph.microsoft.com";

/// The mapping, valid as a whole; its paths are as written.
#[derive(Default)]
pub(super) struct Provider(ProviderSettings);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Written {
    kind: Option<ProviderKind>,
    tenant: Option<Text>,
    app: Option<StrictMap<WrittenApp>>,
    wipe_app: Option<StrictMap<WrittenApp>>,
    /// At least a second.
    poll: Option<Span<1000>>,
    assign: Option<Assign>,
    licenses: Option<LicenseAssignment>,
    block_attribute: Option<Text>,
    login_url: Option<Text>,
    graph_url: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct WrittenApp {
    client_id: Option<Text>,
    secret_file: Option<Text>,
    certificate_file: Option<Text>,
    federated_token_file: Option<Text>,
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StrictMap(written) = StrictMap::<Written>::deserialize(deserializer)?;
        written.settings().map(Self).map_err(D::Error::custom)
    }
}

impl Provider {
    /// With paths that are relative to `base`, and with `compliance.blockAfter`.
    pub(super) fn into_settings(self, base: &Path, block_after: TimeDelta) -> ProviderSettings {
        let mut settings = self.0;
        if let ProviderSettings::Intune(intune) = &mut settings {
            intune.block_after = block_after;
            for app in [Some(&mut intune.app), intune.wipe_app.as_mut()].into_iter().flatten() {
                let (Credential::Secret(path)
                | Credential::Certificate(path)
                | Credential::FederatedToken(path)) = &mut app.credential;
                *path = base.join(&*path);
            }
        }
        settings
    }
}

/// What decisions depend on.
pub(super) fn rules(settings: &ProviderSettings) -> ProviderRules {
    match settings {
        ProviderSettings::Local => ProviderRules::default(),
        ProviderSettings::Intune(intune) => ProviderRules {
            cannot_wipe: intune.wipe_app.is_none().then(|| {
                "provider.wipeApp is not configured, and no other app registration may wipe".into()
            }),
            per_day: Some(DailyWipes::INTUNE),
            licenses: match intune.licenses {
                LicenseAssignment::Direct => Some(LicenseStart::Declared),
                LicenseAssignment::Groups => None,
            },
            follows_users: true,
        },
    }
}

impl Written {
    fn settings(self) -> Result<ProviderSettings, String> {
        let Self {
            kind,
            tenant,
            app,
            wipe_app,
            poll,
            assign,
            licenses,
            block_attribute,
            login_url,
            graph_url,
        } = self;
        if kind != Some(ProviderKind::Intune) {
            let given = [
                ("tenant", tenant.is_some()),
                ("app", app.is_some()),
                ("wipeApp", wipe_app.is_some()),
                ("poll", poll.is_some()),
                ("assign", assign.is_some()),
                ("licenses", licenses.is_some()),
                ("blockAttribute", block_attribute.is_some()),
                ("loginUrl", login_url.is_some()),
                ("graphUrl", graph_url.is_some()),
            ];
            return match given.into_iter().find(|(_, given)| *given) {
                None => Ok(ProviderSettings::Local),
                Some((key, _)) => Err(format!("`{key}` is only for `kind: intune`")),
            };
        }
        let missing = |key: &str| format!("`provider.{key}` is missing");
        let Text(tenant) = tenant.ok_or_else(|| missing("tenant"))?;
        if !is_tenant(&tenant) {
            return Err("`provider.tenant` must be a domain or an id of a tenant".into());
        }
        let StrictMap(app) = app.ok_or_else(|| missing("app"))?;
        let app = app.registration("app")?;
        let wipe_app = wipe_app.map(|StrictMap(app)| app.registration("wipeApp")).transpose()?;
        if wipe_app.as_ref().is_some_and(|wipe| wipe.client_id == app.client_id) {
            return Err(
                "`provider.wipeApp` must be another app registration than `provider.app`: \
                        the everyday one must not be able to wipe"
                    .into(),
            );
        }
        let block_attribute = block_attribute.map(|Text(text)| {
            let attribute: Result<BlockAttribute, _> = text.parse();
            attribute.map_err(|why| format!("`provider.blockAttribute` {why}"))
        });
        Ok(ProviderSettings::Intune(Box::new(IntuneSettings {
            tenant,
            app,
            wipe_app,
            poll: poll.and_then(|Span(span)| span.to_std().ok()).unwrap_or(POLL),
            assign: assign.unwrap_or(Assign::Users),
            licenses: licenses.unwrap_or(LicenseAssignment::Direct),
            block_attribute: block_attribute.transpose()?,
            // Of another part of the file: see `into_settings`.
            block_after: TimeDelta::zero(),
            login_url: address("loginUrl", login_url, LOGIN)?,
            graph_url: address("graphUrl", graph_url, GRAPH)?,
        })))
    }
}

impl WrittenApp {
    fn registration(self, owner: &str) -> Result<AppRegistration, String> {
        let Self { client_id, secret_file, certificate_file, federated_token_file } = self;
        let Text(client_id) =
            client_id.ok_or_else(|| format!("`provider.{owner}.clientId` is missing"))?;
        let path = |Text(path)| PathBuf::from(path);
        let credentials = [
            secret_file.map(|file| Credential::Secret(path(file))),
            certificate_file.map(|file| Credential::Certificate(path(file))),
            federated_token_file.map(|file| Credential::FederatedToken(path(file))),
        ];
        let mut given = credentials.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(credential), None) => Ok(AppRegistration { client_id, credential }),
            _ => Err(format!(
                "`provider.{owner}` needs one of secretFile, certificateFile and \
                 federatedTokenFile"
            )),
        }
    }
}

/// One segment of a URL as it is.
fn is_tenant(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    text.len() <= 253 && text.bytes().all(allowed) && !text.starts_with('.')
}

/// As written, or the default. Tokens go there, so it is encrypted, or this machine.
fn address(key: &str, written: Option<Text>, default: &str) -> Result<String, String> {
    let Some(Text(written)) = written else { return Ok(default.to_owned()) };
    url::base(&format!("provider.{key}"), &written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::event::TenantRights;

    const APP: &str = "app: {clientId: a, secretFile: s}";

    fn read(text: &str) -> Result<ProviderSettings, String> {
        let read: Result<Provider, _> = serde_yaml::from_str(text);
        let read = read.map_err(|error| error.to_string());
        Ok(read?.into_settings(Path::new("/etc/fleetform"), TimeDelta::hours(24)))
    }

    #[test]
    fn a_tenant_is_read_with_its_defaults() {
        let all = "{kind: intune, tenant: contoso.onmicrosoft.com, app: {clientId: a, secretFile: graph.secret},
            wipeApp: {clientId: b, certificateFile: /run/wipe.pem}}";
        let ProviderSettings::Intune(intune) = read(all).unwrap() else { panic!("not intune") };
        let IntuneSettings {
            tenant,
            app,
            wipe_app,
            poll,
            assign,
            licenses,
            block_attribute,
            block_after,
            login_url,
            graph_url,
        } = *intune;
        assert_eq!(tenant, "contoso.onmicrosoft.com");
        assert_eq!(app.credential, Credential::Secret("/etc/fleetform/graph.secret".into()));
        let wipe = wipe_app.unwrap();
        assert_eq!(wipe.credential, Credential::Certificate("/run/wipe.pem".into()));
        assert_eq!((poll, assign, licenses), (POLL, Assign::Users, LicenseAssignment::Direct));
        assert_eq!((block_attribute, block_after), (None, TimeDelta::hours(24)));
        assert_eq!((&*login_url, &*graph_url), (LOGIN, GRAPH));
    }

    #[test]
    fn what_gives_too_much_or_too_little_is_refused_with_its_reason() {
        let cases = [
            ("{kind: local, tenant: x}".to_owned(), "`tenant` is only for `kind: intune`"),
            ("{tenant: x}".to_owned(), "`tenant` is only for `kind: intune`"),
            (format!("{{kind: intune, {APP}}}"), "`provider.tenant` is missing"),
            ("{kind: intune, tenant: x}".to_owned(), "`provider.app` is missing"),
            ("{kind: intune, tenant: 'a/b', app: {clientId: a}}".to_owned(), "must be a domain"),
            ("{kind: intune, tenant: x, app: {clientId: a}}".to_owned(), "needs one of secretFile"),
            (
                "{kind: intune, tenant: x, app: {clientId: a, secretFile: s, certificateFile: c}}"
                    .to_owned(),
                "needs one of secretFile",
            ),
            (
                format!(
                    "{{kind: intune, tenant: x, {APP}, wipeApp: {{clientId: a, secretFile: s}}}}"
                ),
                "must be another app registration",
            ),
            (format!("{{kind: intune, tenant: x, {APP}, poll: 1ms}}"), "a duration"),
            (format!("{{kind: intune, tenant: x, {APP}, secret: y}}"), "unknown field"),
            ("{blockAttribute: extensionAttribute1}".to_owned(), "is only for `kind: intune`"),
            (
                format!("{{kind: intune, tenant: x, {APP}, blockAttribute: extensionAttribute16}}"),
                "`provider.blockAttribute` must be one of extensionAttribute1 to extensionAttribute15",
            ),
            (
                format!("{{kind: intune, tenant: x, {APP}, blockAttribute: extensionAttribute01}}"),
                "`provider.blockAttribute` must be one of",
            ),
        ];
        for (text, expected) in cases {
            let why = read(&text).unwrap_err();
            assert!(why.contains(expected), "{text}: {why}");
        }
    }

    #[test]
    fn the_attribute_that_blocks_is_one_of_fifteen_and_gives_rights() {
        for number in 1..=15 {
            let name = format!("extensionAttribute{number}");
            let text = format!("{{kind: intune, tenant: x, {APP}, blockAttribute: {name}}}");
            let ProviderSettings::Intune(intune) = read(&text).unwrap() else {
                panic!("not intune")
            };
            assert_eq!(
                intune.block_attribute.map(|attribute| attribute.to_string()),
                Some(name.clone())
            );
            assert_eq!(TenantRights::from(&*intune).block_attribute, Some(name));
        }
    }

    #[test]
    fn tokens_go_over_encrypted_connections_or_stay_on_this_machine() {
        let url =
            |url: &str| read(&format!("{{kind: intune, tenant: x, {APP}, graphUrl: '{url}'}}"));
        for good in [
            "https://graph.microsoft.us",
            "http://127.0.0.1:8090",
            "http://[::1]:1/",
            "http://localhost:8090",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://graph.microsoft.com",
            "http://127.0.0.1.example.com",
            "ftp://x",
            "graph.microsoft.com",
            "https://graph.microsoft.com/v1.0",
            "https://u:p@h",
            "https://h?x=1",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
