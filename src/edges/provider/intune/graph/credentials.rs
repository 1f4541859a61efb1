//! Who is asking, and what proves it.

use std::path::{Path, PathBuf};

use super::certificate::Certificate;
use super::failure::Failure;
use crate::domain::model::{Digest, Timestamp};
use crate::edges::fs::guarded::{Error, Guarded};
use crate::edges::fs::secret::Secret;
use crate::edges::http_client::encode;

/// Of a file with a secret, or a key with a chain of certificates.
const LARGEST: usize = 64 << 10;
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An app registration. What proves it stays in its file until it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    client_id: String,
    proof: Proof,
}

/// The file that proves that it is the app registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A client secret.
    Secret(PathBuf),
    /// PEM, with a key and its certificate.
    Certificate(PathBuf),
    /// A token of somebody whom Entra trusts, who replaces it before it expires.
    FederatedToken(PathBuf),
}

impl Proof {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Secret(path) | Self::Certificate(path) | Self::FederatedToken(path) => path,
        }
    }
}

/// What a file held, just now.
#[derive(Debug)]
pub(crate) struct Evidence {
    held: Held,
    /// Of the file: whether it is still fails.
    pub(crate) digest: Digest,
}

#[derive(Debug)]
enum Held {
    Secret(Secret),
    Certificate(Box<Certificate>),
    Federated(Secret),
}

impl Credentials {
    pub(crate) fn new(client_id: impl Into<String>, proof: Proof) -> Self {
        Self { client_id: client_id.into(), proof }
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If others can read it too, or if it does not hold what it should.
    pub(crate) fn read(&self) -> Result<Evidence, Failure> {
        let read = Guarded::up_to(LARGEST).secret().read(self.proof.path());
        let bytes = read.map_err(|Error { path, why }| {
            let why = why.to_string();
            Failure::Secret { path, why }
        })?;
        let secret = |what: &str| {
            let text = String::from_utf8_lossy(&bytes);
            Secret::of(&text, 1..=LARGEST).ok_or_else(|| format!("holds no {what} on one line"))
        };
        let held = match &self.proof {
            Proof::Secret(_) => secret("client secret").map(Held::Secret),
            Proof::Certificate(_) => {
                Certificate::parse(&bytes).map(|it| Held::Certificate(Box::new(it)))
            }
            Proof::FederatedToken(_) => secret("token").map(Held::Federated),
        };
        let held = held.map_err(|why| self.unusable(why))?;
        Ok(Evidence { held, digest: Digest::of(&bytes) })
    }

    /// The form that asks for a token.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub(crate) fn form(
        &self,
        evidence: &Evidence,
        url: &str,
        scope: &str,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let mut form = String::new();
        let mut field = |name: &str, value: &str| {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(name);
            form.push('=');
            encode(&mut form, value, b"");
        };
        field("client_id", &self.client_id);
        field("scope", scope);
        field("grant_type", "client_credentials");
        let assertion = match &evidence.held {
            Held::Secret(secret) => {
                field("client_secret", secret.expose());
                return Ok(form);
            }
            Held::Certificate(certificate) => certificate
                .assertion(&self.client_id, url, now)
                .map_err(|why| self.unusable(why))?,
            Held::Federated(token) => token.clone(),
        };
        field("client_assertion_type", ASSERTION);
        field("client_assertion", assertion.expose());
        Ok(form)
    }

    fn unusable(&self, why: String) -> Failure {
        Failure::Secret { path: self.proof.path().to_owned(), why }
    }
}

impl Evidence {
    /// What Entra is told, and might repeat.
    pub(crate) const fn secret(&self) -> Option<&Secret> {
        match &self.held {
            Held::Secret(secret) | Held::Federated(secret) => Some(secret),
            Held::Certificate(_) => None,
        }
    }

    /// Until when it is valid, where that is known.
    pub(crate) fn not_after(&self) -> Option<Timestamp> {
        match &self.held {
            Held::Certificate(certificate) => certificate.not_after(),
            Held::Secret(_) | Held::Federated(_) => None,
        }
    }
}
