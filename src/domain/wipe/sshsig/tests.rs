//! Every signature that serves, every one that does not, and the real `ssh-keygen` both ways.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ssh_key::PrivateKey;

use super::super::testing::{self, TOUCHED, TestKey, armour, envelope, other_form, string};
use super::*;

const REQUEST: &[u8] = b"kind: WipeRequest\n# exact bytes: \xc3\xa9\r\n";

fn verdict(armored: &[u8]) -> Result<Key, Fault> {
    match check(armored, REQUEST, Namespace::Wipe) {
        Ok(checked) => Ok(checked.key().clone()),
        Err(failure) => {
            assert!(!failure.detail.is_empty() && !failure.detail.ends_with('.'), "{failure:?}");
            assert!(!failure.detail.contains(crate::domain::model::is_deceptive), "{failure:?}");
            Err(failure.code)
        }
    }
}

fn signed() -> String {
    String::from_utf8(TestKey::ed25519(1).sign(Namespace::Wipe, REQUEST)).unwrap()
}

#[test]
fn the_four_types_of_keys_serve_with_either_hash() {
    let (ed, ec) = (TestKey::ed25519(1), TestKey::p256());
    let (sk_ed, sk_ec) = (ed.as_hardware("ssh:"), ec.as_hardware("ssh:fleet"));
    for key in [&ed, &ec, &sk_ed, &sk_ec] {
        for hash in [HashAlg::Sha256, HashAlg::Sha512] {
            // With or without "verified by PIN or finger" beside the touch.
            for flags in [TOUCHED, TOUCHED | 4] {
                let signature = key.sign_as("wipe@fleetform", hash, flags, REQUEST);
                assert_eq!(verdict(&signature), Ok(key.public.clone()), "{}", key.openssh());
            }
        }
    }
}

#[test]
fn a_hardware_key_that_nobody_touched_does_not_count() {
    for key in [TestKey::ed25519(1), TestKey::p256()] {
        for flags in [0, 4, 0x80, 0xfe] {
            let signature =
                key.as_hardware("ssh:").sign_as("wipe@fleetform", HashAlg::Sha512, flags, REQUEST);
            assert_eq!(verdict(&signature), Err(Fault::NoUserPresence));
        }
    }
}

#[test]
fn the_touch_cannot_be_added_afterwards() {
    for key in [TestKey::ed25519(1), TestKey::p256()] {
        let key = key.as_hardware("ssh:");
        let blob = |flags| {
            let text =
                String::from_utf8(key.sign_as("wipe@fleetform", HashAlg::Sha512, flags, REQUEST));
            SshSig::from_pem(text.unwrap()).unwrap()
        };
        let untouched = blob(0);
        let mut bytes = untouched.signature_bytes().to_vec();
        let flags = bytes.len() - 5;
        bytes[flags] = TOUCHED;
        let mut signature = Vec::new();
        string(&mut signature, key.public.algorithm().as_str().as_bytes());
        string(&mut signature, &bytes[..flags]);
        signature.extend(&bytes[flags..]);
        let forged = envelope(&key.public, "wipe@fleetform", HashAlg::Sha512, &signature);
        assert_eq!(verdict(&armour(&forged)), Err(Fault::BadSignature));
    }
}

#[test]
fn a_hardware_signature_holds_for_its_application_only() {
    let key = TestKey::ed25519(1);
    let signed = key.as_hardware("ssh:other").sign(Namespace::Wipe, REQUEST);
    let signature = SshSig::from_pem(signed).unwrap();
    let mut blob = Vec::new();
    let bytes = signature.signature_bytes();
    string(&mut blob, b"sk-ssh-ed25519@openssh.com");
    string(&mut blob, &bytes[..64]);
    blob.extend(&bytes[64..]);
    let public = key.as_hardware("ssh:").public;
    let moved = envelope(&public, "wipe@fleetform", HashAlg::Sha512, &blob);
    assert_eq!(verdict(&armour(&moved)), Err(Fault::BadSignature));
}

#[test]
fn a_signature_is_of_its_bytes_and_its_purpose() {
    let key = TestKey::ed25519(1);
    let other_file = key.sign(Namespace::Wipe, b"kind: Device\n");
    assert_eq!(verdict(&other_file), Err(Fault::BadSignature));
    for namespace in ["wipe-veto@fleetform", "git", "file", "wipe@fleetform ", "Wipe@fleetform"] {
        let signature = key.sign_as(namespace, HashAlg::Sha512, TOUCHED, REQUEST);
        assert_eq!(verdict(&signature), Err(Fault::WrongNamespace), "{namespace}");
    }
    // Another namespace written over the signed one.
    let signature = SshSig::from_pem(key.sign(Namespace::Veto, REQUEST)).unwrap();
    let mut blob = Vec::new();
    string(&mut blob, b"ssh-ed25519");
    string(&mut blob, signature.signature_bytes());
    let renamed = envelope(&key.public, "wipe@fleetform", HashAlg::Sha512, &blob);
    assert_eq!(verdict(&armour(&renamed)), Err(Fault::BadSignature));
}

#[test]
fn another_key_cannot_be_written_over_the_one_that_signed() {
    let signature = SshSig::from_pem(signed()).unwrap();
    let mut blob = Vec::new();
    string(&mut blob, b"ssh-ed25519");
    string(&mut blob, signature.signature_bytes());
    let victim = TestKey::ed25519(2).public;
    let forged = envelope(&victim, "wipe@fleetform", HashAlg::Sha512, &blob);
    assert_eq!(verdict(&armour(&forged)), Err(Fault::BadSignature));
    // A software key's signature under a hardware key, where the types would not agree.
    let hardware = TestKey::ed25519(1).as_hardware("ssh:").public;
    let forged = envelope(&hardware, "wipe@fleetform", HashAlg::Sha512, &blob);
    assert!(verdict(&armour(&forged)).is_err());
}

#[test]
fn one_changed_letter_anywhere_spoils_it() {
    for key in [TestKey::ed25519(1), TestKey::p256(), TestKey::p256().as_hardware("ssh:")] {
        let good = key.sign(Namespace::Wipe, REQUEST);
        let start = "-----BEGIN SSH SIGNATURE-----\n".len();
        for at in start..good.len() - "\n-----END SSH SIGNATURE-----\n".len() {
            let mut bad = good.clone();
            bad[at] = match bad[at] {
                b'A' => b'B',
                b'=' | b'\n' => continue,
                _ => b'A',
            };
            assert!(verdict(&bad).is_err(), "byte {at} of {}", key.openssh());
        }
    }
}

#[test]
fn the_armour_is_the_whole_file() {
    let good = signed();
    assert!(verdict(good.as_bytes()).is_ok());
    assert!(verdict(good.trim_end().as_bytes()).is_ok(), "the last newline may be missing");
    let cut = good.lines().take(3).collect::<Vec<_>>().join("\n");
    let no_begin = good.strip_prefix(BEGIN).unwrap();
    let half = &good[..good.len() / 2];
    let bad = [
        ("nothing", String::new()),
        ("text before", format!("Approved.\n{good}")),
        ("a newline before", format!("\n{good}")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("text after", format!("{good}Approved.\n")),
        ("a newline after", format!("{good}\n")),
        ("a blank after", format!("{} ", good.trim_end())),
        ("doubled", format!("{good}{good}")),
        ("doubled on one line", format!("{}{good}", good.trim_end())),
        ("cut after some lines", cut),
        ("cut in the middle", half.to_owned()),
        ("no first line", no_begin.to_owned()),
        ("CRLF", good.replace('\n', "\r\n")),
        ("one CRLF", good.replacen('\n', "\r\n", 1)),
        ("a blank line inside", good.replacen('\n', "\n\n", 2)),
        ("a header", good.replacen('\n', "\nComment: hi\n", 1)),
        ("a blank inside", good.replacen("U1NI", "U1NI ", 1)),
        ("another label", good.replace("SSH SIGNATURE", "PGP SIGNATURE")),
        ("no body", format!("{BEGIN}{END}\n")),
        ("an empty body", format!("{BEGIN}\n{END}\n")),
        ("end on the last line of the body", good.replace("\n-----END", "-----END")),
        ("a NUL", good.replacen("U1NI", "U1N\0", 1)),
    ];
    for (what, text) in bad {
        assert_eq!(verdict(text.as_bytes()), Err(Fault::BadArmour), "{what}");
    }
    let mut not_utf8 = good.clone().into_bytes();
    not_utf8[40] = 0xff;
    assert_eq!(verdict(&not_utf8), Err(Fault::BadArmour));
}

#[test]
fn lines_may_be_broken_anywhere_but_nothing_may_be_missing() {
    let good = signed();
    let body = good.strip_prefix(BEGIN).unwrap().strip_suffix("\n-----END SSH SIGNATURE-----\n");
    let flat = body.unwrap().replace('\n', "");
    for width in [1, 64, 70, 76, 1000] {
        let lines: Vec<_> =
            flat.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
        let text = format!("{BEGIN}{}\n{END}\n", lines.join("\n"));
        assert!(verdict(text.as_bytes()).is_ok(), "{width}");
    }
    for missing in 1..flat.len() {
        let text = format!("{BEGIN}{}\n{END}\n", &flat[..flat.len() - missing]);
        assert!(verdict(text.as_bytes()).is_err(), "{missing}");
    }
    for more in ["A", "AA", "AAA", "AAAA", "=", "=="] {
        let text = format!("{BEGIN}{flat}{more}\n{END}\n");
        assert!(verdict(text.as_bytes()).is_err(), "{more}");
    }
}

#[test]
fn size_is_bounded_before_anything_is_read() {
    let huge = vec![b'-'; MAX_BYTES + 1];
    assert_eq!(verdict(&huge), Err(Fault::TooLarge));
    assert_eq!(verdict(&huge[1..]), Err(Fault::BadArmour));
}

#[test]
fn hostile_contents_are_malformed_and_never_panic() {
    let key = TestKey::ed25519(1);
    let bad = |bytes: &[u8]| verdict(&armour(bytes));
    assert_eq!(bad(b"SSHSIG"), Err(Fault::Malformed));
    assert_eq!(bad(b"not a signature at all"), Err(Fault::Malformed));
    assert_eq!(bad(&[0xff; 400]), Err(Fault::Malformed));
    let mut blob = Vec::new();
    string(&mut blob, b"ssh-ed25519");
    string(&mut blob, &[0; 64]);
    let good = envelope(&key.public, "wipe@fleetform", HashAlg::Sha512, &blob);
    assert_eq!(bad(&good), Err(Fault::BadSignature));
    for length in 1..good.len() {
        assert_eq!(bad(&good[..length]), Err(Fault::Malformed), "{length}");
    }
    let trailing = [good.as_slice(), b"x"].concat();
    assert_eq!(bad(&trailing), Err(Fault::Malformed));
    for version in [0, 2, u32::MAX] {
        let mut other = good.clone();
        other[6..10].copy_from_slice(&u32::to_be_bytes(version));
        assert_eq!(bad(&other), Err(Fault::Malformed), "{version}");
    }
    let mut long = good.clone();
    long[10..14].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(bad(&long), Err(Fault::Malformed));
}

#[test]
fn something_in_the_reserved_field_is_refused() {
    let key = TestKey::ed25519(1);
    let mut bytes = b"SSHSIG\0\0\0\x01".to_vec();
    string(&mut bytes, &PublicKey::from(key.public.clone()).to_bytes().unwrap());
    string(&mut bytes, b"wipe@fleetform");
    string(&mut bytes, b"later");
    string(&mut bytes, b"sha512");
    let mut blob = Vec::new();
    string(&mut blob, b"ssh-ed25519");
    string(&mut blob, &[0; 64]);
    string(&mut bytes, &blob);
    assert_eq!(verdict(&armour(&bytes)), Err(Fault::Malformed));
}

#[test]
fn a_good_signature_with_bytes_after_it_or_under_another_name_is_refused() {
    for key in [TestKey::ed25519(1), TestKey::ed25519(1).as_hardware("ssh:")] {
        let armored = String::from_utf8(key.sign(Namespace::Wipe, REQUEST)).unwrap();
        let parsed = SshSig::from_pem(&armored).unwrap();
        let (bytes, trailer) = parsed.signature_bytes().split_at(64);
        let rebuilt = |name: &str, inside: &[u8], after: &[u8]| {
            let mut blob = Vec::new();
            string(&mut blob, name.as_bytes());
            string(&mut blob, &[bytes, inside].concat());
            blob.extend(after);
            let whole = envelope(&key.public, "wipe@fleetform", HashAlg::Sha512, &blob);
            verdict(&armour(&whole))
        };
        let name = key.public.algorithm().to_string();
        assert_eq!(rebuilt(&name, b"", trailer), Ok(key.public.clone()));
        assert_eq!(rebuilt(&name, b"", &[trailer, b"x"].concat()), Err(Fault::Malformed));
        // The library beneath would take a hardware key's signature under any name.
        assert_eq!(rebuilt("any@example.com", trailer, b""), Err(Fault::Malformed));
        assert_eq!(rebuilt("ecdsa-sha2-nistp256", trailer, b""), Err(Fault::Malformed));
    }
}

#[test]
fn both_forms_of_an_ecdsa_signature_are_of_one_key() {
    let key = TestKey::p256();
    for form in other_form(&key, Namespace::Wipe, REQUEST) {
        assert_eq!(verdict(&form), Ok(key.public.clone()));
    }
}

#[test]
fn strangers_text_is_shown_harmlessly() {
    let namespace = format!("\u{1b}[2J\u{202e}{}", "x".repeat(5000));
    let signature = TestKey::ed25519(1).sign_as(&namespace, HashAlg::Sha512, TOUCHED, REQUEST);
    let failure = check(&signature, REQUEST, Namespace::Wipe).unwrap_err();
    assert_eq!(failure.code, Fault::WrongNamespace);
    assert!(failure.detail.len() < 300 && !failure.detail.contains('\u{1b}'), "{failure:?}");
    assert!(!failure.detail.contains('\u{202e}'), "{failure:?}");
}

// The real ssh-keygen.

struct Keygen {
    dir: tempfile::TempDir,
}

impl Keygen {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn run(&self, args: &[&str], stdin: Option<&Path>) -> (bool, String) {
        let stdin = stdin.map_or(Stdio::null(), |path| File::open(path).unwrap().into());
        let output = Command::new("ssh-keygen")
            .args(args)
            .current_dir(self.dir.path())
            .env_remove("SSH_AUTH_SOCK")
            .stdin(stdin)
            .output()
            .expect("these tests need the real ssh-keygen: apt-get install openssh-client");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn ok(&self, args: &[&str]) {
        let (success, text) = self.run(args, None);
        assert!(success, "ssh-keygen {args:?}: {text}");
    }

    /// The key that `ssh-keygen` made, and its signature over the request.
    fn sign(&self, options: &[&str], with: &str) -> (Key, Vec<u8>) {
        let make = [&["-q", "-N", "", "-C", "test", "-f", "key"], options].concat();
        self.ok(&make);
        if with == "key-cert.pub" {
            self.ok(&["-q", "-N", "", "-t", "ed25519", "-f", "ca"]);
            self.ok(&["-q", "-s", "ca", "-I", "id", "-n", "bob", "key.pub"]);
        }
        self.write("request.yaml", REQUEST);
        self.ok(&["-Y", "sign", "-f", with, "-n", "wipe@fleetform", "request.yaml"]);
        let public = fs::read_to_string(self.path("key.pub")).unwrap();
        let key = PublicKey::from_openssh(&public).unwrap().into();
        (key, fs::read(self.path("request.yaml.sig")).unwrap())
    }

    fn accepts(&self, key: &Key, signature: &[u8]) -> (bool, String) {
        let public = PublicKey::from(key.clone()).to_openssh().unwrap();
        let line = format!("bob@example.com namespaces=\"wipe@fleetform\" {public}\n");
        self.write("allowed", line.as_bytes());
        self.write("sig", signature);
        let message = self.write("request.yaml", REQUEST);
        let who = ["-f", "allowed", "-I", "bob@example.com", "-n", "wipe@fleetform", "-s", "sig"];
        self.run(&[&["-Y", "verify"], who.as_slice()].concat(), Some(&message))
    }
}

#[test]
fn what_ssh_keygen_signs_is_accepted_here() {
    for options in [&["-t", "ed25519"][..], &["-t", "ecdsa", "-b", "256"]] {
        let (key, signature) = Keygen::new().sign(options, "key");
        assert_eq!(verdict(&signature), Ok(key), "{options:?}");
    }
}

#[test]
fn what_is_signed_here_ssh_keygen_accepts() {
    let keys = [TestKey::ed25519(1), TestKey::p256()];
    let hardware = keys.each_ref().map(|key| key.as_hardware("ssh:"));
    for key in keys.iter().chain(&hardware) {
        let signature = key.sign(Namespace::Wipe, REQUEST);
        let (accepted, text) = Keygen::new().accepts(&key.public, &signature);
        assert!(accepted, "{}: {text}", key.openssh());
    }
    for key in &keys {
        let private: &PrivateKey = &key.private;
        let signature = private.sign("wipe@fleetform", HashAlg::Sha512, REQUEST).unwrap();
        let pem = signature.to_pem(ssh_key::LineEnding::LF).unwrap();
        let (accepted, text) = Keygen::new().accepts(&key.public, pem.as_bytes());
        assert!(accepted, "{text}");
        assert_eq!(verdict(pem.as_bytes()), Ok(key.public.clone()));
    }
}

#[test]
fn keys_that_do_not_serve_are_refused_with_those_that_do() {
    let tables = [
        (&["-t", "rsa", "-b", "2048"][..], "key"),
        (&["-t", "ecdsa", "-b", "384"], "key"),
        (&["-t", "ecdsa", "-b", "521"], "key"),
        (&["-t", "ed25519"], "key-cert.pub"),
    ];
    for (options, with) in tables {
        let (_, signature) = Keygen::new().sign(options, with);
        let failure = check(&signature, REQUEST, Namespace::Wipe).unwrap_err();
        assert_eq!(failure.code, Fault::UnsupportedKey, "{options:?} {with}: {failure:?}");
        assert!(failure.detail.contains("ed25519-sk"), "{failure:?}");
    }
}

#[test]
fn dsa_is_refused_with_the_keys_that_serve() {
    // ssh-keygen makes none any more, so the parts are put together by hand.
    let mut key = Vec::new();
    string(&mut key, b"ssh-dss");
    for _ in 0..4 {
        string(&mut key, &[1]);
    }
    let mut blob = Vec::new();
    string(&mut blob, b"ssh-dss");
    string(&mut blob, &[1; 40]);
    let key = PublicKey::from_openssh(&format!("ssh-dss {}", testing::base64(&key))).unwrap();
    let signature = envelope(key.key_data(), "wipe@fleetform", HashAlg::Sha512, &blob);
    let failure = check(&armour(&signature), REQUEST, Namespace::Wipe).unwrap_err();
    assert_eq!(failure.code, Fault::UnsupportedKey);
    assert!(failure.detail.contains("ed25519-sk"), "{failure:?}");
}

#[test]
fn a_fingerprint_is_what_ssh_keygen_prints() {
    for key in [TestKey::ed25519(1), TestKey::p256(), TestKey::p256().as_hardware("ssh:")] {
        let keygen = Keygen::new();
        keygen.write("key.pub", key.openssh().as_bytes());
        let (success, text) = keygen.run(&["-l", "-f", "key.pub"], None);
        assert!(success, "{text}");
        assert_eq!(text.split(' ').nth(1), Some(fingerprint(&key.public).as_str()), "{text}");
    }
}
