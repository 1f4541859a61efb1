//! OpenSSH signatures (PROTOCOL.sshsig): which key signed exactly these bytes, for this purpose.
//!
//! Stricter than `ssh-keygen` and the library beneath: the armour is the whole file, without
//! text around it; hardware keys must have been touched; keys that do not serve are named.
//! It never says whether a key is trusted: that is [`super::trust`].

use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey, Signature, SshSig};

use super::Namespace;
use crate::domain::model::words;
use crate::domain::wording::escape;

/// A public key, comparable.
pub(crate) type Key = KeyData;

/// A signature of a hardware key with a long application name is under 1 KiB; this is room enough.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// The types of keys that serve, as `ssh-keygen` spells them.
pub(crate) const KEY_TYPES: [&str; 4] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// What to do about a key that does not serve; a sentence without a full stop.
pub(crate) const KEYS_THAT_SERVE: &str = "ed25519, ecdsa with the curve nistp256, and the \
                                          hardware keys ed25519-sk and ecdsa-sk are supported \
                                          (`ssh-keygen -t ed25519`)";

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "-----END SSH SIGNATURE-----";

/// Flags and counter that end the signature of a hardware key.
const SK_TRAILER: usize = 5;
const USER_PRESENT: u8 = 1;

words! {
    /// Why a signature file does not count.
    pub(crate) enum Fault {
        /// Larger than any signature.
        TooLarge = "tooLarge",
        /// Not one armored signature and nothing else.
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

impl Fault {
    /// Whether it cannot even be told what the file is: it may be a veto that was damaged.
    #[must_use]
    pub(crate) const fn is_unreadable(self) -> bool {
        matches!(self, Self::TooLarge | Self::BadArmour | Self::Malformed)
    }
}

/// Why a signature file does not count, for machines and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Fault,
    /// What is wrong and what to do, without a full stop, every character harmless.
    pub(crate) detail: String,
}

fn fail<T>(code: Fault, detail: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { code, detail: detail.into() })
}

/// Proof that the holder of a key signed the bytes given to [`check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    key: Key,
}

impl Checked {
    /// The key that signed.
    #[must_use]
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }
}

/// What a signature says that it was made for; none for another purpose, or where it cannot be
/// read. Whether it is genuine is not looked at.
#[must_use]
pub(crate) fn purpose(armored: &[u8]) -> Option<Namespace> {
    let blob = decode(unwrap(armored).ok()?)?;
    Parts::read(&blob)?.namespace.parse().ok()
}

/// Checks one armored signature over `message`.
///
/// # Errors
/// The first thing wrong with it.
pub(crate) fn check(
    armored: &[u8],
    message: &[u8],
    namespace: Namespace,
) -> Result<Checked, Failure> {
    let blob = decode(unwrap(armored)?);
    let Some(parts) = blob.as_deref().and_then(Parts::read) else {
        return fail(Fault::Malformed, format!("it holds no signature; {KEYS_THAT_SERVE}"));
    };
    if !KEY_TYPES.contains(&parts.key_type) {
        return fail(
            Fault::UnsupportedKey,
            format!(
                "keys of type `{}` are not supported; \
                     {KEYS_THAT_SERVE}",
                escape(parts.key_type)
            ),
        );
    }
    if parts.namespace != namespace.as_str() {
        return fail(
            Fault::WrongNamespace,
            format!(
                "it was made for `{}`, not for `{namespace}`; sign with `-n {namespace}`",
                escape(parts.namespace)
            ),
        );
    }
    let Some((key, signature)) = parts.typed() else {
        return fail(Fault::Malformed, "its key or signature cannot be read; sign again");
    };
    check_presence(&signature)?;
    if PublicKey::from(key.clone()).verify(namespace.as_str(), message, &signature).is_err() {
        return fail(
            Fault::BadSignature,
            "it does not fit the file: was the file changed after signing, or its line ends \
             (Git's autocrlf)? Then sign it again",
        );
    }
    Ok(Checked { key })
}

/// `SHA256:…`, as `ssh-keygen -l` prints it.
#[must_use]
pub(crate) fn fingerprint(key: &Key) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The lines of base64 in the armour, which must be the whole file.
fn unwrap(armored: &[u8]) -> Result<&str, Failure> {
    let bad = |detail: &str| fail(Fault::BadArmour, detail);
    if armored.len() > MAX_BYTES {
        return fail(
            Fault::TooLarge,
            format!("it is larger than any signature ({} KiB)", MAX_BYTES / 1024),
        );
    }
    let Ok(text) = std::str::from_utf8(armored) else {
        return bad("it is not text; `ssh-keygen -Y sign` writes armored text");
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
    let base64 = |b: u8| b == b'=' || sextet(b).is_some();
    if !body.split('\n').all(|line| !line.is_empty() && line.bytes().all(base64)) {
        return bad("something other than lines of base64 is in it");
    }
    Ok(body)
}

/// Base64 with padding and line feeds, in its one canonical form.
fn decode(body: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = body.bytes().filter(|b| *b != b'\n').collect();
    let digits = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(&text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | sextet(*digit)?;
        }
        let whole = group.len() * 6 / 8;
        let spare = group.len() * 6 % 8;
        if bits & ((1 << spare) - 1) != 0 {
            return None;
        }
        bytes.extend_from_slice(&(bits >> spare).to_be_bytes()[4 - whole..]);
    }
    Some(bytes)
}

fn sextet(b: u8) -> Option<u32> {
    Some(u32::from(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// What is in the armour. `ssh-key` would read it too, but overlooks wrong lengths and does not
/// say the types of keys that it does not know, so it is only given the key and the signature.
struct Parts<'a> {
    key_type: &'a str,
    key: &'a [u8],
    namespace: &'a str,
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    /// `"SSHSIG" 1 key namespace reserved hash signature`, and nothing after it. The reserved
    /// field is signed, and nothing but the empty string has a meaning yet.
    fn read(blob: &'a [u8]) -> Option<Self> {
        let mut rest = blob.strip_prefix(b"SSHSIG\0\0\0\x01")?;
        let key = string(&mut rest)?;
        let namespace = std::str::from_utf8(string(&mut rest)?).ok()?;
        let reserved = string(&mut rest)?;
        let hash = std::str::from_utf8(string(&mut rest)?).ok()?;
        let signature = string(&mut rest)?;
        let key_type = std::str::from_utf8(string(&mut { key })?).ok()?;
        let whole = rest.is_empty() && reserved.is_empty();
        whole.then_some(Self { key_type, key, namespace, hash, signature })
    }

    /// Both in their one canonical form, and of one type: the verifiers beneath do not all
    /// compare the types themselves.
    fn typed(&self) -> Option<(Key, SshSig)> {
        let key = PublicKey::from_bytes(self.key).ok()?;
        let mut rest = self.signature;
        let signature_type = string(&mut rest)?;
        let signature = Signature::try_from(self.signature).ok()?;
        // A length before the bytes; what a hardware key adds counts among them.
        let whole = rest.len() == 4 + signature.as_bytes().len();
        let canonical = key.to_bytes().ok()? == self.key;
        if !whole || !canonical || signature_type != self.key_type.as_bytes() {
            return None;
        }
        let key = KeyData::from(key);
        let hash = self.hash.parse().ok()?;
        let signature = SshSig::new(key.clone(), self.namespace, hash, signature).ok()?;
        Some((key, signature))
    }
}

/// A length and that many bytes.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (bytes, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
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
