//! A certificate with its key, and what they sign to prove who is asking (RFC 7523, with PS256 of
//! RFC 7518 §3.5).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use memchr::memmem;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::der::not_after;
use crate::domain::model::Timestamp;
use crate::edges::fs::secret::Secret;

/// A clock that is a little ahead is forgiven, and one behind by a few minutes: Entra takes at
/// most ten minutes altogether.
const BEFORE: i64 = 60;
const VALID: i64 = 300;
/// Much longer than any assertion.
const LONGEST: usize = 16 << 10;

/// A certificate and the RSA key of it. `Debug` shows nothing of either.
pub(crate) struct Certificate {
    certificate: CertificateDer<'static>,
    key: RsaKeyPair,
}

impl Certificate {
    /// Of a PEM file with both, in any order; other certificates in it do not matter.
    ///
    /// # Errors
    /// A sentence that goes behind the name of the file.
    pub(crate) fn parse(pem: &[u8]) -> Result<Self, String> {
        let has = |text: &str| memmem::find(pem, text.as_bytes()).is_some();
        if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
            return Err("has an encrypted key, which an unattended program cannot use: decrypt \
                        it with `openssl pkey`, and keep the file to the user who runs fleetform"
                .into());
        }
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err("has a key that is not RSA, which Entra does not take".into()),
            Err(_) => return Err("has no private key in PEM (BEGIN PRIVATE KEY)".into()),
        };
        let key = key.map_err(|why| {
            format!("has a key that is not RSA with 2048 to 4096 bits ({why}), as Entra needs it")
        })?;
        let public = key.public_key().as_ref();
        let mut any = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| "has a certificate that is not PEM")?;
            any = true;
            if memmem::find(&certificate, public).is_some() {
                return Ok(Self { certificate, key });
            }
        }
        Err(if any {
            "has no certificate that belongs to its key".into()
        } else {
            "has a key and no certificate: Entra wants the certificate too, in the same file".into()
        })
    }

    /// Until when it is valid.
    pub(crate) fn not_after(&self) -> Option<Timestamp> {
        not_after(&self.certificate)
    }

    /// That `client` asks `audience` now.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub(crate) fn assertion(
        &self,
        client: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Secret, String> {
        let thumbprint = BASE64.encode(digest(&SHA256, &self.certificate));
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        let from = now.millis() / 1000 - BEFORE;
        let claims = json!({
            "aud": audience,
            "iss": client,
            "sub": client,
            "jti": uuid::Uuid::new_v4(),
            "nbf": from,
            "iat": from,
            "exp": now.millis() / 1000 + VALID,
        });
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "has a key that does not sign")?;
        let assertion = format!("{signed}.{}", BASE64.encode(signature));
        Secret::of(&assertion, 1..=LONGEST).ok_or_else(|| "signs more than fits".into())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(…)")
    }
}
