//! Certificates of applications, and signatures by their keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A certificate with an RSA key.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// `x5t#S256`.
    pub(crate) sha256: String,
    /// `x5t`.
    sha1: String,
    /// `RSAPublicKey` of RFC 8017, in DER.
    key: Vec<u8>,
}

impl Certificate {
    /// The first certificate in a PEM file.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("not a PEM file with a certificate: {error}"))?;
        let key = public_key(&der).ok_or("not an X.509 certificate")?;
        let encoded = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &der));
        Ok(Self {
            sha256: encoded(&SHA256),
            sha1: encoded(&SHA1_FOR_LEGACY_USE_ONLY),
            key: key.to_vec(),
        })
    }

    /// Whether the head of a JWT names this certificate, by either of its hashes.
    pub(crate) fn is_named_by(&self, sha256: Option<&str>, sha1: Option<&str>) -> bool {
        match (sha256, sha1) {
            (Some(hash), _) => hash.trim_end_matches('=') == self.sha256,
            (None, Some(hash)) => hash.trim_end_matches('=') == self.sha1,
            (None, None) => false,
        }
    }

    pub(crate) fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, &self.key).verify(message, signature).is_ok()
    }
}

/// One element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let bytes = usize::from(first & 0x7f);
        if bytes == 0 || bytes > 4 || rest.len() < bytes {
            return None;
        }
        length = rest[..bytes].iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        rest = &rest[bytes..];
    }
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The content of the key's BIT STRING: `tbsCertificate.subjectPublicKeyInfo` of RFC 5280.
fn public_key(certificate: &[u8]) -> Option<&[u8]> {
    let (_, certificate, _) = element(certificate)?;
    let (_, tbs, _) = element(certificate)?;
    let mut rest = tbs;
    // The version is explicit, and left out in certificates of version 1.
    if tbs.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..5 {
        rest = element(rest)?.2;
    }
    let (_, info, _) = element(rest)?;
    let (_, _, rest) = element(info)?;
    let (tag, bits, _) = element(rest)?;
    (tag == 0x03).then(|| bits.strip_prefix(&[0]))?
}
