//! Who may sign wipes: OpenSSH's `allowed_signers` and its plain list of revoked keys, read strictly.
//!
//! Where OpenSSH skips what it does not understand, here one malformed line refuses everything:
//! an administrator must not find out at night that a line was skipped. A line belongs to one
//! person, written as an e-mail address; a key belongs to one person too, else nobody could say
//! who signed. Keys are compared by what is secret behind them, so that a key does not become
//! another by being wrapped as a hardware key or by another application name.
//!
//! Starting a wipe needs `wipe@fleetform` in the line's `namespaces`. Stopping one needs that or
//! `wipe-veto@fleetform`: stopping is easier than starting. Either needs a key that is valid now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use ssh_key::PublicKey;
use ssh_key::public::{EcdsaPublicKey, KeyData};

use super::Namespace;
use super::sshsig::{KEY_TYPES, KEYS_THAT_SERVE, Key, fingerprint};
use crate::domain::manifest::encoding;
use crate::domain::model::{Digest, Email, Timestamp, is_deceptive, words};
use crate::domain::wording::escape;

words! {
    /// Which of the two lists.
    pub enum List { AllowedSigners = "allowedSigners", RevokedKeys = "revokedKeys" }
}

/// Why a list is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list}, line {line}: {why}")]
pub struct Malformed {
    pub(crate) list: List,
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong and what to write instead, without a full stop.
    pub(crate) why: String,
}

words! {
    /// Why a key has no right.
    pub(crate) enum NoRight {
        /// No line of `allowed_signers` has this key.
        UnknownKey = "unknownKey",
        /// In the list of revoked keys.
        RevokedKey = "revokedKey",
        /// `valid-after` lies ahead.
        NotYetValid = "notYetValid",
        /// `valid-before` has passed.
        ExpiredKey = "expiredKey",
        /// Its line does not list the namespace.
        NoNamespace = "noNamespace",
    }
}

/// Why a key has no right, for machines and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WhyNot {
    pub(crate) code: NoRight,
    /// Without a full stop.
    pub(crate) detail: String,
}

/// One line of `allowed_signers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) principal: Email,
    pub(crate) key: Key,
    /// What the line lists of ours, sorted; without any it gives no right.
    pub(crate) namespaces: BTreeSet<Namespace>,
    /// Valid from then on, inclusive.
    pub(crate) valid_after: Option<Timestamp>,
    /// Valid until then, inclusive.
    pub(crate) valid_before: Option<Timestamp>,
    /// From 1.
    pub(crate) line: usize,
}

/// Both lists, well formed; there is no other way to make one than [`Trust::parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    signers: Vec<Signer>,
    revoked: BTreeSet<Vec<u8>>,
    digest: Digest,
    revoked_digest: Option<Digest>,
}

impl Trust {
    /// From the bytes of the two files.
    ///
    /// # Errors
    /// The first line that is malformed: then nobody is trusted.
    pub fn parse(allowed: &[u8], revoked: Option<&[u8]>) -> Result<Self, Malformed> {
        let signers = parse_lines(List::AllowedSigners, allowed, signer)?;
        one_person_a_key(&signers)?;
        let keys = match revoked {
            Some(bytes) if bytes.starts_with(b"SSHKRL") => {
                return Err(Malformed {
                    list: List::RevokedKeys,
                    line: 1,
                    why: "it is a binary key revocation list; write the public keys instead, \
                          one a line, as they stand in the .pub files"
                        .into(),
                });
            }
            Some(bytes) => parse_lines(List::RevokedKeys, bytes, |line, _| key_of_line(line))?,
            None => Vec::new(),
        };
        Ok(Self {
            signers,
            revoked: keys.iter().map(material).collect(),
            digest: Digest::of(allowed),
            revoked_digest: revoked.map(Digest::of),
        })
    }

    /// Every line of `allowed_signers`, in its order.
    #[must_use]
    pub(crate) fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// How many people may start a wipe at `at`.
    #[must_use]
    pub(crate) fn people(&self, at: Timestamp) -> usize {
        let may = |signer: &&Signer| self.who(&signer.key, at, Namespace::Wipe).is_ok();
        let people = self.signers.iter().filter(may);
        people
            .map(|signer| signer.principal.as_str().to_ascii_lowercase())
            .collect::<BTreeSet<_>>()
            .len()
    }

    /// Of the bytes of `allowed_signers`.
    #[must_use]
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Of the bytes of the list of revoked keys, where there is one.
    #[must_use]
    pub(crate) fn revoked_digest(&self) -> Option<Digest> {
        self.revoked_digest
    }

    /// The person whose key this is, if it may sign for `namespace` at `at`.
    ///
    /// # Errors
    /// Why it may not: revoked before unknown, and the line that comes closest otherwise.
    pub(crate) fn who(
        &self,
        key: &Key,
        at: Timestamp,
        namespace: Namespace,
    ) -> Result<&Email, WhyNot> {
        if self.revoked.contains(&material(key)) {
            let detail = format!("the key {} is revoked", fingerprint(key));
            return Err(WhyNot { code: NoRight::RevokedKey, detail });
        }
        let mut why = None;
        for signer in self.signers.iter().filter(|signer| signer.key == *key) {
            match signer.right(at, namespace) {
                Ok(()) => return Ok(&signer.principal),
                // A line that fails by its dates comes closer than one without the namespace.
                Err(not) if not.code != NoRight::NoNamespace => why = Some(not),
                Err(not) => why = why.or(Some(not)),
            }
        }
        Err(why.unwrap_or_else(|| WhyNot {
            code: NoRight::UnknownKey,
            detail: format!("no line of the trust file has the key {}", fingerprint(key)),
        }))
    }
}

impl Signer {
    fn right(&self, at: Timestamp, namespace: Namespace) -> Result<(), WhyNot> {
        let Self { principal, namespaces, valid_after, valid_before, line, key: _ } = self;
        let not = |code, what: String| {
            Err(WhyNot { code, detail: format!("the key of {principal} (line {line}) {what}") })
        };
        let listed = match namespace {
            Namespace::Wipe => namespaces.contains(&Namespace::Wipe),
            Namespace::Veto => !namespaces.is_empty(),
        };
        if !listed {
            // Whoever may sign may object too.
            let lacking = match namespace {
                Namespace::Wipe => format!("namespaces=\"{}\"", Namespace::Wipe),
                Namespace::Veto => format!(
                    "namespaces=\"{}\", or \"{}\" for whom may only object",
                    Namespace::Wipe,
                    Namespace::Veto
                ),
            };
            return not(NoRight::NoNamespace, format!("has no right: its line lacks {}", lacking));
        }
        if let Some(after) = valid_after.filter(|after| at < *after) {
            return not(NoRight::NotYetValid, format!("is valid only from {} on", after.short()));
        }
        if let Some(before) = valid_before.filter(|before| at > *before) {
            return not(NoRight::ExpiredKey, format!("was valid until {}", before.short()));
        }
        Ok(())
    }
}

/// What is secret behind a key: two keys with the same can be used by the same holder.
fn material(key: &Key) -> Vec<u8> {
    match key {
        KeyData::Ed25519(key) => key.0.to_vec(),
        KeyData::SkEd25519(key) => key.public_key().0.to_vec(),
        KeyData::Ecdsa(key) => key.as_sec1_bytes().to_vec(),
        KeyData::SkEcdsaSha2NistP256(key) => key.ec_point().as_bytes().to_vec(),
        // Never a key that serves; only ever in the list of revoked keys.
        other => fingerprint(other).into_bytes(),
    }
}

fn one_person_a_key(signers: &[Signer]) -> Result<(), Malformed> {
    let mut owners = BTreeMap::<Vec<u8>, &Signer>::new();
    let mut spellings = BTreeMap::<String, &Signer>::new();
    for signer in signers {
        let refuse = |why| Err(Malformed { list: List::AllowedSigners, line: signer.line, why });
        let folded = signer.principal.as_str().to_ascii_lowercase();
        let same = spellings.entry(folded).or_insert(signer);
        if same.principal != signer.principal {
            return refuse(format!(
                "{} is {} of line {} in other letters: spell a person's address one way, \
                 or they would count twice",
                signer.principal, same.principal, same.line
            ));
        }
        let owner = owners.entry(material(&signer.key)).or_insert(signer);
        if owner.principal != signer.principal {
            return refuse(format!(
                "the key of {} is that of {} in line {}: a key belongs to one person",
                signer.principal, owner.principal, owner.line
            ));
        }
    }
    Ok(())
}

/// Every line that is neither blank nor a comment.
fn parse_lines<T>(
    list: List,
    bytes: &[u8],
    parse: impl Fn(&str, usize) -> Result<T, String>,
) -> Result<Vec<T>, Malformed> {
    if let Some(encoding) = encoding::wide(bytes) {
        let why = format!("the file is {encoding}, not UTF-8: {}", encoding::HELP);
        return Err(Malformed { list, line: 1, why });
    }
    let mut parsed = Vec::new();
    for (at, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let malformed = |why| Malformed { list, line: at + 1, why };
        let text = std::str::from_utf8(line).map_err(|_| malformed("it is not UTF-8".into()))?;
        if text.contains('\r') {
            return Err(malformed("lines end with CRLF; save the file with LF alone".into()));
        }
        if let Some(c) = text.chars().find(|c| is_deceptive(*c) && *c != '\t') {
            let code = u32::from(c);
            return Err(malformed(format!(
                "it contains the control or bidirectional character U+{code:04X}"
            )));
        }
        let text = text.trim_matches(BLANK);
        if !text.is_empty() && !text.starts_with('#') {
            parsed.push(parse(text, at + 1).map_err(malformed)?);
        }
    }
    Ok(parsed)
}

const BLANK: [char; 2] = [' ', '\t'];

/// `principal [options] type base64 [comment]`
fn signer(text: &str, line: usize) -> Result<Signer, String> {
    let (first, rest) = word(text);
    let principal = principal(first)?;
    let (second, after) = option_word(rest)?;
    let is_type = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| second.starts_with(start));
    let (options, rest) =
        if is_type { (Options::default(), rest) } else { (Options::parse(second)?, after) };
    let (kind, rest) = word(rest);
    if !KEY_TYPES.contains(&kind) {
        return Err(if kind.is_empty() {
            "it has no key: write `ADDRESS namespaces=\"wipe@fleetform\" ssh-ed25519 AAAA…`".into()
        } else {
            format!("keys of type `{}` are not supported; {KEYS_THAT_SERVE}", escape(kind))
        });
    }
    let key = public_key(kind, word(rest).0)?;
    let Options { namespaces, valid_after, valid_before } = options;
    if let (Some(after), Some(before)) = (valid_after, valid_before)
        && after >= before
    {
        return Err("valid-after is not before valid-before".into());
    }
    let namespaces = namespaces.unwrap_or_default();
    Ok(Signer { principal, key, namespaces, valid_after, valid_before, line })
}

/// One literal e-mail address. The characters of patterns are legal in addresses, so they
/// are looked for first: OpenSSH would take them for patterns.
fn principal(text: &str) -> Result<Email, String> {
    let shown = escape(text);
    if text.contains(['*', '?', '!']) {
        return Err(format!("`{shown}` is a pattern: write each person's address, one a line"));
    }
    if text.contains(',') {
        return Err(format!(
            "`{shown}` names several people: a key belongs to one person, one address a line"
        ));
    }
    text.parse().map_err(|invalid| format!("`{shown}` {invalid}"))
}

/// `type base64 [comment]`
pub(crate) fn key_of_line(text: &str) -> Result<Key, String> {
    let (kind, rest) = word(text);
    public_key(kind, word(rest).0)
}

fn public_key(kind: &str, base64: &str) -> Result<Key, String> {
    if base64.is_empty() {
        return Err("it has no key after its type: was the line cut?".into());
    }
    let key: KeyData = PublicKey::from_openssh(&format!("{kind} {base64}"))
        .map_err(|error| {
            format!("its key cannot be read ({error}): copy it from the .pub file as it stands")
        })?
        .into();
    let point = match &key {
        KeyData::Ecdsa(EcdsaPublicKey::NistP256(point)) => Some(point),
        KeyData::SkEcdsaSha2NistP256(key) => Some(key.ec_point()),
        _ => None,
    };
    // One key must have one spelling, or it could belong to two people, or evade revocation.
    if point.is_some_and(|point| point.is_compressed()) {
        return Err("its key is in compressed form, which OpenSSH does not write".into());
    }
    Ok(key)
}

/// Up to the next blank, and what follows.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(BLANK).unwrap_or((text, ""));
    (word, rest.trim_start_matches(BLANK))
}

/// Like [`word`], but blanks within double quotes do not count.
fn option_word(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if BLANK.contains(&c) && !quoted {
            return Ok((&text[..at], text[at..].trim_start_matches(BLANK)));
        }
    }
    if quoted { Err("a double quote is not closed".into()) } else { Ok((text, "")) }
}

#[derive(Default)]
struct Options {
    namespaces: Option<BTreeSet<Namespace>>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

impl Options {
    /// `name="value",…`; names in any case, as OpenSSH has it.
    fn parse(mut text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        loop {
            let end = text.find(['=', ',']).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            let name = name.to_ascii_lowercase();
            let Some(value) = rest.strip_prefix('=') else { return Err(not_an_option(&name)) };
            let unquoted = || format!("the value of {} needs double quotes", escape(&name));
            let value = value.strip_prefix('"').ok_or_else(unquoted)?;
            let (value, rest) = value.split_once('"').ok_or_else(unquoted)?;
            options.set(&name, value)?;
            if rest.is_empty() {
                return Ok(options);
            }
            text = rest.strip_prefix(',').ok_or("options are separated by one comma")?;
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let twice = match name {
            "namespaces" => self.namespaces.replace(namespaces(value)?).is_some(),
            "valid-after" => self.valid_after.replace(time(value)?).is_some(),
            "valid-before" => self.valid_before.replace(time(value)?).is_some(),
            _ => return Err(not_an_option(name)),
        };
        if twice { Err(format!("{name} is given twice")) } else { Ok(()) }
    }
}

fn not_an_option(name: &str) -> String {
    if name == "cert-authority" {
        return "certificates are not supported: list each person's own key".into();
    }
    format!(
        "`{}` is neither a type of key nor one of namespaces=, valid-after=, valid-before=",
        escape(name)
    )
}

/// Those of the list that are ours; others (`git`) may stand beside them.
fn namespaces(value: &str) -> Result<BTreeSet<Namespace>, String> {
    let mut ours = BTreeSet::new();
    for item in value.split(',') {
        if item.contains(['*', '?', '!']) {
            let shown = escape(item);
            return Err(format!("namespace `{shown}` is a pattern: write each namespace in full"));
        }
        if item.is_empty() || item.contains(BLANK) || item.contains('\\') {
            return Err("namespaces are separated by one comma, without blanks".into());
        }
        ours.extend(item.parse::<Namespace>());
    }
    Ok(ours)
}

/// `YYYYMMDD[HHMM[SS]]Z`: without the `Z` OpenSSH would read local time, which differs by machine.
fn time(value: &str) -> Result<Timestamp, String> {
    let bad = || {
        format!(
            "`{}` is not a time like 20261231Z, 202612312359Z or 20261231235959Z (UTC, with the Z)",
            escape(value)
        )
    };
    let digits = value.strip_suffix('Z').ok_or_else(bad)?;
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let number =
        |from: usize, to: usize| digits.get(from..to).map_or(0, |d| d.parse().unwrap_or(0));
    let year = i32::try_from(number(0, 4)).map_err(|_| bad())?;
    let date = NaiveDate::from_ymd_opt(year, number(4, 6), number(6, 8)).ok_or_else(bad)?;
    let time =
        NaiveTime::from_hms_opt(number(8, 10), number(10, 12), number(12, 14)).ok_or_else(bad)?;
    Ok(Timestamp::from_millis(date.and_time(time).and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests;
