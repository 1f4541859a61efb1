//! Where tokens come from, and the one host that they go to.

use ureq::http::Uri;

use crate::edges::http_client::is_loopback_host;

/// The longest name of a domain.
const LONGEST_TENANT: usize = 253;
/// Names that stand for many tenants, or none.
const NO_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// The hosts of one cloud, and the tenant in it. `Display` is not needed: who shows it takes a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoints {
    /// `https://login.microsoftonline.com`, without anything behind it.
    login: Origin,
    /// `https://graph.microsoft.com`, likewise.
    graph: Origin,
    tenant: String,
}

/// Scheme, host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    encrypted: bool,
    /// Lower case; an IPv6 address is in brackets.
    host: String,
    port: u16,
}

/// Why there is no tenant to be asked there. The name of the setting goes before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    /// `loginUrl`.
    #[error("loginUrl {0}")]
    Login(String),
    /// `graphUrl`.
    #[error("graphUrl {0}")]
    Graph(String),
    /// `tenant`.
    #[error(
        "tenant {0:?} is neither a domain like contoso.onmicrosoft.com nor the id of a tenant; \
         both are in the Entra admin center, Overview"
    )]
    Tenant(String),
}

impl Endpoints {
    /// Checks what the configuration says.
    ///
    /// # Errors
    /// If a URL is not one of a host alone, would send a token unencrypted beyond loopback, or if
    /// the tenant is none.
    pub(crate) fn new(login: &str, graph: &str, tenant: &str) -> Result<Self, Invalid> {
        let login = Origin::parse(login).map_err(Invalid::Login)?;
        let graph = Origin::parse(graph).map_err(Invalid::Graph)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let is_tenant = (1..=LONGEST_TENANT).contains(&tenant.len())
            && tenant.bytes().all(plain)
            && !tenant.split('.').any(str::is_empty)
            && !NO_TENANTS.iter().any(|none| tenant.eq_ignore_ascii_case(none));
        if !is_tenant {
            return Err(Invalid::Tenant(tenant.to_owned()));
        }
        Ok(Self { login, graph, tenant: tenant.to_owned() })
    }

    /// Where tokens are asked for.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login.url(), self.tenant)
    }

    /// What Entra tells of the tenant to everybody.
    pub(crate) fn about_tenant_url(&self) -> String {
        format!("{}/{}/v2.0/.well-known/openid-configuration", self.login.url(), self.tenant)
    }

    /// Where tokens come from.
    pub(crate) const fn login(&self) -> &Origin {
        &self.login
    }

    /// What tokens are asked for: all that an administrator consented to.
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.graph.url())
    }

    /// The one host that tokens go to.
    pub(crate) const fn graph(&self) -> &Origin {
        &self.graph
    }
}

impl Origin {
    /// # Errors
    /// A sentence that goes behind the name of a setting.
    fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url:?} is not a URL"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            // Not quoted: it may hold a password.
            return Err("names a user: only a host may stand there".into());
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || url.contains('#') {
            return Err(format!("{url:?} has more than a host: remove the rest"));
        }
        let origin = Self::of(&uri).ok_or_else(|| {
            format!("{url:?} is not a URL like https://graph.microsoft.com, of a host alone")
        })?;
        if !origin.encrypted && !is_loopback_host(&origin.host) {
            return Err(format!("{url:?} would send tokens unencrypted: make it https://"));
        }
        Ok(origin)
    }

    /// Of a whole URL.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let encrypted = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        (!user).then_some(Self { encrypted, host, port })
    }

    /// Without anything behind the host and the port.
    pub(crate) fn url(&self) -> String {
        let Self { encrypted, host, port } = self;
        match (encrypted, port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (true, port) => format!("https://{host}:{port}"),
            (false, port) => format!("http://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "https://login.microsoftonline.com";
    const GRAPH: &str = "https://graph.microsoft.com";

    #[test]
    fn a_token_goes_encrypted_or_stays_on_this_machine() {
        for (url, stands_for) in [
            (GRAPH, GRAPH),
            ("https://Graph.Microsoft.US/", "https://graph.microsoft.us"),
            ("https://graph.microsoft.com:443", GRAPH),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
            ("http://[::1]:8090", "http://[::1]:8090"),
            ("http://localhost", "http://localhost"),
        ] {
            let endpoints = Endpoints::new(url, url, "contoso.onmicrosoft.com").unwrap();
            assert_eq!(endpoints.graph().url(), stands_for);
            let token = format!("{stands_for}/contoso.onmicrosoft.com/oauth2/v2.0/token");
            assert_eq!(endpoints.token_url(), token);
            assert_eq!(endpoints.scope(), format!("{stands_for}/.default"));
        }
        for (url, why) in [
            ("http://graph.microsoft.com", "unencrypted"),
            ("http://localhost.example.com", "unencrypted"),
            ("http://10.0.0.1", "unencrypted"),
            ("graph.microsoft.com", "of a host alone"),
            ("ftp://graph.microsoft.com", "of a host alone"),
            ("https://graph.microsoft.com/v1.0", "has more than a host"),
            ("https://graph.microsoft.com?x", "has more than a host"),
            ("https://graph.microsoft.com/#x", "has more than a host"),
            ("https://me:hunter2@graph.microsoft.com", "names a user"),
            ("", "not a URL"),
        ] {
            let error = Endpoints::new(LOGIN, url, "contoso.com").unwrap_err().to_string();
            assert!(error.starts_with("graphUrl ") && error.contains(why), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
            let error = Endpoints::new(url, GRAPH, "contoso.com").unwrap_err().to_string();
            assert!(error.starts_with("loginUrl ") && error.contains(why), "{url}: {error}");
        }
    }

    #[test]
    fn a_tenant_is_one_and_cannot_lead_anywhere_else() {
        for tenant in ["contoso.com", "72f988bf-86f1-41af-91ab-2d7cd011db47"] {
            Endpoints::new(LOGIN, GRAPH, tenant).unwrap();
        }
        for tenant in ["", "common", "Organizations", "a/b", "a?b", "..", "a b", "ä.com", ".com"] {
            let error = Endpoints::new(LOGIN, GRAPH, tenant).unwrap_err();
            assert!(matches!(error, Invalid::Tenant(_)), "{tenant}: {error}");
        }
    }
}
