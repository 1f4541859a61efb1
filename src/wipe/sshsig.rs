//! OpenSSH signatures (PROTOCOL.sshsig): which key signed exactly these bytes, for this purpose.
//!
//! Stricter than `ssh-keygen` and the parser beneath: the armour is the whole file, without
//! text around it; hardware keys must have been touched; keys that do not serve are named.
//! It never says whether a key is trusted: that is [`super::trust`].

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, PublicKey, SshSig};

use super::Namespace;
use crate::model::words;

/// A public key, comparable.
pub type Key = KeyData;

/// A signature of a hardware key with a long application name is under 1 KiB; this is room enough.
pub const MAX_BYTES: usize = 16 * 1024;

/// The types of keys that serve, as `ssh-keygen` spells them.
pub const KEY_TYPES: [&str; 4] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// What to do about a key that does not serve; a sentence without a full stop.
pub const KEYS_THAT_SERVE: &str = "ed25519, ecdsa with the curve nistp256, and the hardware keys ed25519-sk and ecdsa-sk serve \
     (`ssh-keygen -t ed25519`)";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----";

/// `ssh-keygen` breaks lines here, and the parser beneath insists on it.
const LINE: usize = 70;

/// Flags and counter that end the signature of a hardware key.
const SK_TRAILER: usize = 5;
const USER_PRESENT: u8 = 1;

words! {
    /// Why a signature file does not count.
    Fault {
        /// Larger than any signature.
        TooLarge = "tooLarge",
        /// Not one armoured signature and nothing else.
        BadArmour = "badArmour",
        /// The armour holds no signature.
        Malformed = "malformedSignature",
        /// RSA, DSA, other curves, certificates.
        UnsupportedKey = "unsupportedKey",
        /// Made for another purpose.
        WrongNamespace = "wrongNamespace",
        /// A hardware key that nobody touched.
        NoUserPresence = "noUserPresence",
        /// Of other bytes, or forged.
        BadSignature = "badSignature",
    }
}

/// Why a signature file does not count, for machines and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable.
    pub code: Fault,
    /// What is wrong and what to do, without a full stop, every character harmless.
    pub detail: String,
}

fn fail<T>(code: Fault, detail: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { code, detail: detail.into() })
}

/// Proof that the holder of a key signed the bytes given to [`check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    key: Key,
}

impl Checked {
    /// The key that signed.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// Checks one armoured signature over `message`.
///
/// # Errors
/// The first thing wrong with it.
pub fn check(armoured: &[u8], message: &[u8], namespace: Namespace) -> Result<Checked, Failure> {
    let signature = match SshSig::from_pem(rewrapped(armoured)?) {
        Ok(signature) => signature,
        Err(error) => {
            return fail(
                Fault::Malformed,
                format!("it cannot be read as a signature ({error}); {KEYS_THAT_SERVE}"),
            );
        }
    };
    check_key_type(&signature)?;
    if signature.version() != SshSig::VERSION || !signature.reserved().is_empty() {
        return fail(Fault::Malformed, "it is no signature of version 1 without extensions");
    }
    if signature.namespace() != namespace.as_str() {
        return fail(
            Fault::WrongNamespace,
            format!(
                "it was made for `{}`, not for `{namespace}`; sign with `-n {namespace}`",
                harmless(signature.namespace())
            ),
        );
    }
    check_presence(&signature)?;
    let key = PublicKey::from(signature.public_key().clone());
    if key.verify(namespace.as_str(), message, &signature).is_err() {
        return fail(
            Fault::BadSignature,
            "it does not fit the file: was the file changed after signing, or its line ends \
             (Git's autocrlf)? Then sign it again",
        );
    }
    Ok(Checked { key: signature.public_key().clone() })
}

/// `SHA256:…`, as `ssh-keygen -l` prints it.
#[must_use]
pub fn fingerprint(key: &Key) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Strangers' text, cut and escaped, fit for a terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

/// The armour, checked, its base64 broken into lines anew.
fn rewrapped(armoured: &[u8]) -> Result<String, Failure> {
    let bad = |detail: &str| fail(Fault::BadArmour, detail);
    if armoured.len() > MAX_BYTES {
        return fail(
            Fault::TooLarge,
            format!("it is larger than any signature ({} KiB)", MAX_BYTES / 1024),
        );
    }
    let Ok(text) = std::str::from_utf8(armoured) else {
        return bad("it is not text; `ssh-keygen -Y sign` writes armoured text");
    };
    if text.contains('\r') {
        return bad("its lines end with CRLF; keep Git from converting it (`*.sig -text`)");
    }
    let Some(rest) = text.strip_prefix(BEGIN) else {
        return bad("its first line is not `-----BEGIN SSH SIGNATURE-----`");
    };
    let Some(body) = rest.strip_suffix('\n').unwrap_or(rest).strip_suffix(END) else {
        return bad(
            "its last line is not `-----END SSH SIGNATURE-----`: cut off, or text after it",
        );
    };
    let Some(body) = body.strip_suffix('\n') else {
        return bad("it is empty, or its last line is not by itself");
    };
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if !body.split('\n').all(|line| !line.is_empty() && line.bytes().all(base64)) {
        return bad("something other than lines of base64 is in it");
    }
    let mut pem = BEGIN.to_owned();
    for (i, c) in body.chars().filter(|c| *c != '\n').enumerate() {
        if i > 0 && i % LINE == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem.push('\n');
    pem.push_str(END);
    pem.push('\n');
    Ok(pem)
}

/// The signature's own algorithm must be its key's: the verifiers beneath do not all compare them.
fn check_key_type(signature: &SshSig) -> Result<(), Failure> {
    let key = signature.public_key().algorithm();
    match key {
        Algorithm::Ed25519
        | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256 => {}
        _ => {
            return fail(
                Fault::UnsupportedKey,
                format!(
                    "keys of type `{}` do not serve; {KEYS_THAT_SERVE}",
                    harmless(key.as_str())
                ),
            );
        }
    }
    if signature.algorithm() != key {
        return fail(Fault::Malformed, "its key and its signature are of different types");
    }
    Ok(())
}

/// `ssh-keygen` takes signatures of hardware keys that nobody touched (malware on the
/// administrator's machine can make those); here somebody must have been there.
fn check_presence(signature: &SshSig) -> Result<(), Failure> {
    if !matches!(signature.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256) {
        return Ok(());
    }
    let bytes = signature.signature_bytes();
    let flags = bytes.len().checked_sub(SK_TRAILER).and_then(|at| bytes.get(at));
    if flags.is_some_and(|flags| flags & USER_PRESENT != 0) {
        return Ok(());
    }
    fail(
        Fault::NoUserPresence,
        "the hardware key was not touched; use a key made without `-O no-touch-required`",
    )
}

#[cfg(test)]
mod tests;
