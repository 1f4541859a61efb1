//! Keys that sign tokens (RS256), and what of them everybody may know (RFC 7517).

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use memchr::memmem;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::domain::notice::Attempt;
use crate::edges::notify::secret::{bytes, unusable};

/// A private key. `Debug` shows nothing of it.
pub(crate) struct Key {
    pair: RsaKeyPair,
    /// Its thumbprint (RFC 7638): the same wherever and whenever it is computed.
    id: String,
    modulus: String,
    exponent: String,
}

impl Key {
    /// The first RSA key of a PEM file.
    ///
    /// # Errors
    /// If there is none, or others can read it too.
    pub(crate) fn read(path: &Path) -> Result<Self, Attempt> {
        let pem = bytes(path)?;
        Self::parse(&pem).map_err(|why| unusable(path, &why))
    }

    fn parse(pem: &[u8]) -> Result<Self, String> {
        let has = |text: &str| memmem::find(pem, text.as_bytes()).is_some();
        let advice = "make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`";
        if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") {
            return Err(
                "has an encrypted key, which an unattended program cannot use: decrypt it with \
                 `openssl pkey`, and keep the file to the user who runs fleetform"
                    .into(),
            );
        }
        let pair = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err(format!("has a key that is not RSA; {advice}")),
            Err(_) => {
                return Err(format!("has no private key in PEM (BEGIN PRIVATE KEY); {advice}"));
            }
        };
        let pair = pair.map_err(|why| {
            format!("has a key that is not RSA with 2048 to 4096 bits ({why}); {advice}")
        })?;
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let (modulus, exponent) = (BASE64.encode(n), BASE64.encode(e));
        let thumbprint = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let id = BASE64.encode(digest(&SHA256, thumbprint.as_bytes()));
        Ok(Self { pair, id, modulus, exponent })
    }

    /// What everybody may know of it.
    pub(crate) fn public(&self) -> Value {
        let Self { pair: _, id, modulus, exponent } = self;
        json!({"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": modulus, "e": exponent})
    }

    /// A security event token with these claims. Of equal claims the token is equal.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub(crate) fn token(&self, claims: &Value) -> Result<String, Attempt> {
        let header = json!({"typ": "secevent+jwt", "alg": "RS256", "kid": self.id});
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Attempt::Misconfigured {
                why: "the key of the stream does not sign".into(),
            })?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}
