//! Keys and signatures for tests, hardware keys among them, made without hardware: what such a
//! key signs is SHA-256(application) ‖ flags ‖ counter ‖ SHA-256(message) (PROTOCOL.u2f).

use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, PrivateKey};
use ssh_key::public::{EcdsaPublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519};
use ssh_key::rand_core::OsRng;
use ssh_key::sha2::{Digest as _, Sha256};
use ssh_key::{EcdsaCurve, HashAlg, PublicKey, Signature, SigningKey, SshSig};

use super::Namespace;
use super::sshsig::Key;

/// The flags byte of a touched hardware key.
pub(crate) const TOUCHED: u8 = 0x01;

/// A private key that can pose as a hardware key.
pub(crate) struct TestKey {
    pub(crate) private: PrivateKey,
    pub(crate) public: Key,
    hardware: Option<&'static str>,
}

impl TestKey {
    /// The same seed gives the same key.
    pub(crate) fn ed25519(seed: u8) -> Self {
        let private = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
        let public = KeyData::from(&private);
        Self { private, public, hardware: None }
    }

    pub(crate) fn p256() -> Self {
        let pair = EcdsaKeypair::random(&mut OsRng, EcdsaCurve::NistP256).unwrap();
        let private = PrivateKey::from(pair);
        let public = KeyData::from(&private);
        Self { private, public, hardware: None }
    }

    /// The same key behind the face of a hardware key.
    pub(crate) fn as_hardware(&self, application: &'static str) -> Self {
        let public = match &self.public {
            KeyData::Ed25519(key) => SkEd25519::new(*key, application).into(),
            KeyData::Ecdsa(EcdsaPublicKey::NistP256(point)) => {
                SkEcdsaSha2NistP256::new(*point, application).into()
            }
            _ => panic!("neither ed25519 nor p256"),
        };
        Self { private: self.private.clone(), public, hardware: Some(application) }
    }

    /// `type base64`, as in a `.pub` file.
    pub(crate) fn openssh(&self) -> String {
        PublicKey::from(self.public.clone()).to_openssh().unwrap()
    }

    /// A line of `allowed_signers` for both purposes.
    pub(crate) fn line(&self, principal: &str) -> String {
        format!("{principal} namespaces=\"wipe@fleetform\" {}\n", self.openssh())
    }

    pub(crate) fn sign(&self, namespace: Namespace, message: &[u8]) -> Vec<u8> {
        self.sign_as(namespace.as_str(), HashAlg::Sha512, TOUCHED, message)
    }

    pub(crate) fn sign_as(
        &self,
        namespace: &str,
        hash: HashAlg,
        flags: u8,
        message: &[u8],
    ) -> Vec<u8> {
        let data = SshSig::signed_data(namespace, hash, message).unwrap();
        let mut blob = Vec::new();
        string(&mut blob, self.public.algorithm().as_str().as_bytes());
        if let Some(application) = self.hardware {
            let mut trailer = vec![flags];
            trailer.extend(7_u32.to_be_bytes());
            let mut signed = Sha256::digest(application).to_vec();
            signed.extend(&trailer);
            signed.extend(Sha256::digest(&data));
            string(&mut blob, raw(&self.private, &signed).as_bytes());
            blob.extend(trailer);
        } else {
            string(&mut blob, raw(&self.private, &data).as_bytes());
        }
        armour(&envelope(&self.public, namespace, hash, &blob))
    }
}

/// The parts of a signature put together, whether they fit or not.
pub(crate) fn envelope(key: &Key, namespace: &str, hash: HashAlg, signature: &[u8]) -> Vec<u8> {
    let mut bytes = b"SSHSIG".to_vec();
    bytes.extend(1_u32.to_be_bytes());
    string(&mut bytes, &PublicKey::from(key.clone()).to_bytes().unwrap());
    string(&mut bytes, namespace.as_bytes());
    string(&mut bytes, b"");
    string(&mut bytes, hash.as_str().as_bytes());
    string(&mut bytes, signature);
    bytes
}

/// As `ssh-keygen` writes it.
pub(crate) fn armour(bytes: &[u8]) -> Vec<u8> {
    let body = base64(bytes);
    let lines: Vec<_> = body.as_bytes().chunks(70).collect();
    let mut text = b"-----BEGIN SSH SIGNATURE-----\n".to_vec();
    for line in lines {
        text.extend(line);
        text.push(b'\n');
    }
    text.extend(b"-----END SSH SIGNATURE-----\n");
    text
}

/// The same p256 signature in its other form: (r, n − s).
pub(crate) fn other_form(key: &TestKey, namespace: Namespace, message: &[u8]) -> [Vec<u8>; 2] {
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let data = SshSig::signed_data(namespace.as_str(), HashAlg::Sha512, message).unwrap();
    let signature = raw(&key.private, &data);
    let (r, rest) = take(signature.as_bytes());
    let (s, _) = take(rest);
    let mut padded = [0; 32];
    let s = if s.len() > 32 { &s[1..] } else { s };
    padded[32 - s.len()..].copy_from_slice(s);
    let (mut negated, mut borrow) = ([0; 32], 0);
    for i in (0..32).rev() {
        let difference = i16::from(N[i]) - i16::from(padded[i]) - borrow;
        borrow = i16::from(difference < 0);
        negated[i] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    [padded, negated].map(|s| {
        let mut integers = Vec::new();
        string(&mut integers, r);
        let start = s.iter().position(|b| *b != 0).unwrap();
        let mut s = s[start..].to_vec();
        if s[0] >= 0x80 {
            s.insert(0, 0);
        }
        string(&mut integers, &s);
        let mut blob = Vec::new();
        string(&mut blob, b"ecdsa-sha2-nistp256");
        string(&mut blob, &integers);
        armour(&envelope(&key.public, namespace.as_str(), HashAlg::Sha512, &blob))
    })
}

/// A length and that many bytes.
pub(crate) fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
}

fn take(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_at(4);
    rest.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize)
}

fn raw<K: SigningKey>(key: &K, message: &[u8]) -> Signature {
    key.try_sign(message).unwrap()
}

/// With padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for i in 0..4 {
            let sextet = (bits >> (18 - 6 * i)) as usize & 63;
            text.push(if i > chunk.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    text
}
