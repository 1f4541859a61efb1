mod batch;
mod calls;
mod certificates;
mod ending;
mod limits;
mod never_shown;
mod pages;
mod registrations;
mod tokens;
mod trouble;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use tempfile::TempDir;
use ureq::tls::RootCerts;

use self::server::{Server, access_token};
use super::credentials::{Credentials, Proof};
use super::endpoints::Endpoints;
use super::registrations::{Everyday, Wiping};
use super::tenant::Tenant;
use crate::domain::model::Timestamp;
pub(crate) use crate::edges::http_client::testing as server;
use crate::edges::http_client::{Addresses, Network};

const SECOND: Duration = Duration::from_secs(1);
const TENANT: &str = "contoso.onmicrosoft.com";
const TOKEN_PATH: &str = "/contoso.onmicrosoft.com/oauth2/v2.0/token";
const CLIENT: &str = "11111111-1111-4111-8111-111111111111";
const WIPER: &str = "22222222-2222-4222-8222-222222222222";
const SECRET: &str = "s3cr3t~of.the-registration";

/// By our clock it is always this time.
fn now() -> Timestamp {
    "2026-11-26T10:00:00Z".parse().unwrap()
}

fn network() -> Network {
    Network {
        proxy: None,
        roots: RootCerts::PlatformVerifier,
        connect: SECOND * 10,
        answer: SECOND * 30,
        largest: 1 << 20,
        addresses: Addresses::Any,
    }
}

fn tenant(server: &Server) -> Arc<Tenant> {
    tenant_at(&server.url(), network())
}

fn tenant_at(url: &str, network: Network) -> Arc<Tenant> {
    Tenant::over(network, Endpoints::new(url, url, TENANT).unwrap(), now)
}

/// A directory with the file of a client secret.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("secret", SECRET);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    #[expect(clippy::disallowed_methods, reason = "a file as an administrator puts it there")]
    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        chmod(&path, 0o600);
        path
    }

    fn credentials(&self, client: &str) -> Credentials {
        Credentials::new(client, Proof::Secret(self.path("secret")))
    }

    fn everyday(&self, server: &Server) -> Everyday {
        Everyday::new(tenant(server), self.credentials(CLIENT))
    }

    fn wiping(&self, server: &Server) -> Wiping {
        Wiping::new(tenant(server), self.credentials(WIPER))
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs `openssl`, and gives what it prints.
fn openssl(dir: &Path, args: &[&str]) -> String {
    let done = Command::new("openssl").current_dir(dir).args(args).output();
    let done = done.expect("openssl is needed: install Debian's package openssl");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "openssl {args:?}: {said}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}
