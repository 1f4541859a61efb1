//! Whether a wipe request holds: every rule's outcome as data, and the verdict.
//!
//! [`VerifiedWipe`] is the permission that everything after this asks for, and [`verify`] its
//! only source. It judges one request by itself: how many signatures are enough for the number
//! of wipes lately is [`super::quorum`]'s question, and whether a request was consumed before,
//! or another one for the device is under way, the ledger's.
//!
//! Whoever can write to the fleet repository can put a file beside a request, so a signature
//! file that does not count spoils nothing: it is reported, and the others count. One that
//! cannot be read, or is no signature at all, holds the request: it may be a veto that was damaged.
//! A veto is one by its namespace, whatever its file is called.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::sshsig::{self, harmless};
use super::target::{LedgerId, LoggedHead};
use super::trust::{Trust, WhyNot};
use super::{Namespace, Request};
use crate::domain::model::{
    DeviceId, Digest, Email, Ownership, SerialNumber, Timestamp, WipeScope,
};

pub use super::rules::{Reason, Rule};

/// Signature and veto files beside one request that are looked at: checking one takes about
/// 0.2 ms, so that nobody can keep a pass busy with files. Beyond that the request is refused,
/// not the surplus ignored: a veto might be in it.
pub const MAX_FILES: usize = 256;

/// What the ledger says of the device that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: DeviceId,
    /// As recorded.
    pub serial: SerialNumber,
    /// Personal where the record or the manifest says so.
    pub ownership: Ownership,
    /// Whether its life has ended.
    pub wiped: bool,
    /// Why its manifest does not say reliably whose it is, without a full stop.
    pub unclear: Option<String>,
}

/// Everything that a judgement depends on.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// As parsed from `bytes`.
    pub request: &'a Request,
    /// The whole file, read once.
    pub bytes: &'a [u8],
    /// Signature files by name.
    pub signatures: &'a BTreeMap<String, Vec<u8>>,
    /// Veto files by name.
    pub vetoes: &'a BTreeMap<String, Vec<u8>>,
    /// Files that are there and could not be read, or directories that could not be listed: by
    /// name, and why.
    pub unreadable: &'a BTreeMap<String, String>,
    /// The trust file, or in a sentence without a full stop why there is none.
    pub trust: Result<&'a Trust, &'a str>,
    /// The lineage of this ledger; none where there is no ledger.
    pub ledger: Option<LedgerId>,
    /// What the log has under the number that the request's `head` names.
    pub logged: Option<LoggedHead>,
    /// Whether a request must name an entry of the log.
    pub require_head: bool,
    /// The device that bears the request's id, if there is one.
    pub device: Option<&'a Recorded>,
    /// The time of judgement: keys, too, must be valid then, whenever they signed.
    pub now: Timestamp,
    /// How far `expiresAt` may be from `issuedAt`.
    pub max_validity: TimeDelta,
}

/// One rule's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub rule: Rule,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, without a full stop.
    pub detail: String,
}

/// What one signature or veto file is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCheck {
    /// Its name, harmless to show.
    pub name: String,
    /// What it was read as.
    pub purpose: Namespace,
    /// Whose it is, or why it does not count.
    pub outcome: Result<Email, Discounted>,
}

/// Why a file does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discounted {
    /// Stable: a word of [`sshsig::Fault`] or [`super::trust::NoRight`].
    pub code: &'static str,
    /// Without a full stop.
    pub detail: String,
    /// Whether it could not even be told what the file is.
    pub unreadable: bool,
}

/// All that [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// One for each [`Rule`], in its order.
    pub checks: Vec<Check>,
    /// Signatures, then vetoes, each sorted by name.
    pub files: Vec<FileCheck>,
    /// What follows.
    pub verdict: Verdict,
    /// The reason that makes a refusal final, whatever other rules say.
    pub for_good: Option<(Reason, String)>,
}

/// What follows from the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Verdict {
    /// Every rule holds.
    Verified(VerifiedWipe),
    /// A trusted signer objects, whatever else there is to say: the first by address.
    Vetoed(Email),
    /// The reason of the first rule that does not hold.
    Refused(Reason),
}

/// Proof that [`verify`] found every rule to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWipe {
    request: Request,
    signers: Vec<Email>,
    at: Timestamp,
    trust: Digest,
}

impl VerifiedWipe {
    /// What was signed.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
    /// The distinct people who signed: sorted, at least one.
    #[must_use]
    pub fn signers(&self) -> &[Email] {
        &self.signers
    }
    /// When it was judged.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
    /// Digest of the trust file that it was judged by.
    #[must_use]
    pub fn trust(&self) -> Digest {
        self.trust
    }
}

/// Judges a request by every rule.
#[must_use]
pub fn verify(evidence: &Evidence<'_>) -> Judgement {
    let mut judge = Judge { evidence, checks: Vec::new(), refused: None, for_good: None };
    judge.about_the_request();
    judge.about_the_ledger();
    judge.about_the_head();
    judge.about_the_device();
    judge.about_time();
    let files = judge.files();
    let signers = people(&files, Namespace::Wipe);
    judge.about_the_signers(&signers);
    let vetoed = people(&files, Namespace::Veto).into_iter().next();
    judge.about_vetoes(vetoed.as_ref());
    let verdict = match (vetoed, judge.refused, evidence.trust) {
        (Some(by), _, _) => Verdict::Vetoed(by),
        (None, Some(reason), _) => Verdict::Refused(reason),
        (None, None, Ok(trust)) => Verdict::Verified(VerifiedWipe {
            request: evidence.request.clone(),
            signers,
            at: evidence.now,
            trust: trust.digest(),
        }),
        (None, None, Err(_)) => Verdict::Refused(Reason::NoTrust),
    };
    Judgement { checks: judge.checks, files, verdict, for_good: judge.for_good }
}

/// One signature or veto file, as far as it can be judged without a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its name, harmless to show.
    pub name: String,
    /// What it was made for, as far as it says.
    pub purpose: Namespace,
    /// The fingerprint of the key that signed these very bytes, or why none did.
    pub key: Result<String, Discounted>,
    /// Where there is a trust file: whose key that is, or why it gives no right.
    pub person: Option<Result<Email, Discounted>>,
}

/// Who signed `bytes`, by each of these files: at most [`MAX_FILES`] of them are looked at.
#[must_use]
pub fn sightings(
    bytes: &[u8],
    (files, named): (&BTreeMap<String, Vec<u8>>, Namespace),
    trust: Option<&Trust>,
    now: Timestamp,
) -> Vec<Sighting> {
    let sighting = |(name, file): (&String, &Vec<u8>)| {
        let purpose = purpose(file, named);
        let (key, person) = match sshsig::check(file, bytes, purpose) {
            Ok(checked) => {
                let person = trust.map(|trust| trust.who(checked.key(), now, purpose));
                let person = person.map(|person| person.cloned().map_err(Discounted::from));
                (Ok(sshsig::fingerprint(checked.key())), person)
            }
            Err(fault) => (Err(fault.into()), None),
        };
        Sighting { name: harmless(name), purpose, key, person }
    };
    files.iter().take(MAX_FILES).map(sighting).collect()
}

/// A veto is one whatever its file is called; a signature for the wipe only where its file is not
/// called a veto: whoever named it so did not mean to agree.
fn purpose(file: &[u8], named: Namespace) -> Namespace {
    let said = sshsig::purpose(file).filter(|said| *said == Namespace::Veto);
    said.unwrap_or(named)
}

impl From<sshsig::Failure> for Discounted {
    fn from(sshsig::Failure { code, detail }: sshsig::Failure) -> Self {
        Self { code: code.as_str(), detail, unreadable: code.is_unreadable() }
    }
}

impl From<WhyNot> for Discounted {
    fn from(WhyNot { code, detail }: WhyNot) -> Self {
        Self { code: code.as_str(), detail, unreadable: false }
    }
}

/// Sorted, each once.
fn people(files: &[FileCheck], purpose: Namespace) -> Vec<Email> {
    let counted = files.iter().filter(|file| file.purpose == purpose);
    let mut people: Vec<_> = counted.filter_map(|file| file.outcome.clone().ok()).collect();
    people.sort();
    people.dedup();
    people
}

struct Judge<'a> {
    evidence: &'a Evidence<'a>,
    checks: Vec<Check>,
    refused: Option<Reason>,
    for_good: Option<(Reason, String)>,
}

impl Judge<'_> {
    fn rule(&mut self, rule: Rule, reason: Reason, holds: bool, detail: impl Into<String>) {
        let detail = detail.into();
        if !holds {
            self.refused = self.refused.or(Some(reason));
            if reason.is_final() && self.for_good.is_none() {
                self.for_good = Some((reason, detail.clone()));
            }
        }
        self.checks.push(Check { rule, holds, detail });
    }

    fn about_the_request(&mut self) {
        let Request { digest, confirm, .. } = self.evidence.request;
        let same = Digest::of(self.evidence.bytes) == *digest;
        let detail = if same { format!("digest {digest}") } else { "the file changed".into() };
        self.rule(Rule::Content, Reason::ContentChanged, same, detail);
        let detail = if *confirm { "confirm: true" } else { "the request needs confirm: true" };
        self.rule(Rule::Confirm, Reason::NotConfirmed, *confirm, detail);
    }

    fn about_the_ledger(&mut self) {
        let asked = self.evidence.request.ledger;
        let (holds, detail) = match self.evidence.ledger {
            Some(this) if this == asked => (true, format!("it is for this ledger, {this}")),
            Some(this) => (
                false,
                format!(
                    "the request is for the ledger {asked}, this is {this}: write a new request here"
                ),
            ),
            None => (false, format!("the request is for the ledger {asked}, and here is none yet")),
        };
        self.rule(Rule::Ledger, Reason::OtherLedger, holds, detail);
    }

    /// A request that names an entry names one that there is, also where none is asked for. How
    /// old it may be: as long as a request may hold, since it was written at the time of the entry
    /// or later.
    fn about_the_head(&mut self) {
        let Evidence { now, max_validity, logged, require_head, .. } = *self.evidence;
        let unknown = Reason::HeadUnknown;
        let (reason, holds, detail) = match (self.evidence.request.head, logged) {
            (None, _) if require_head => (
                Reason::HeadMissing,
                false,
                "it names no entry of the log (spec.head), and wipes.requireHead asks for one; \
                 write a new request with `fleetform wipe new`"
                    .to_owned(),
            ),
            (None, _) => (unknown, true, "it names no entry of the log, and need not".to_owned()),
            (Some(head), None) => (
                unknown,
                false,
                format!("this log has no entry {}, or it cannot be read", head.seq),
            ),
            (Some(head), Some(logged)) if head != logged.head => {
                let detail = "has another hash in this log; write a new request here";
                (unknown, false, format!("the entry {} that it names {detail}", head.seq))
            }
            (Some(head), Some(logged)) if now - logged.at > max_validity => {
                let (at, most) = (logged.at.short(), hours(max_validity));
                let detail = format!(
                    "the entry {} that it names is of {at}; at most {most} are allowed: write a new \
                     request",
                    head.seq
                );
                (Reason::HeadTooOld, false, detail)
            }
            (Some(head), Some(_)) => {
                (unknown, true, format!("the entry {} that it names is recent", head.seq))
            }
        };
        self.rule(Rule::Head, reason, holds, detail);
    }

    fn about_the_device(&mut self) {
        let Request { device_id, serial, scope, .. } = self.evidence.request;
        let Some(device) = self.evidence.device.filter(|device| device.id == *device_id) else {
            let missing = format!("there is no device {device_id}");
            self.rule(Rule::Device, Reason::UnknownDevice, false, missing.clone());
            for rule in [Rule::Serial, Rule::NotWiped, Rule::Scope] {
                self.rule(rule, Reason::UnknownDevice, false, missing.clone());
            }
            return;
        };
        let Recorded { id, serial: recorded, ownership, wiped, unclear } = device;
        self.rule(Rule::Device, Reason::UnknownDevice, true, format!("{id} is recorded"));
        let same = recorded == serial;
        let detail = if same {
            format!("{id} has serial number {recorded}")
        } else {
            format!("{id} has serial number {recorded}, the request says {serial}")
        };
        if same && serial.is_placeholder() {
            let detail =
                format!("{serial} stands for a missing serial number: many machines have it");
            self.rule(Rule::Serial, Reason::PlaceholderSerial, false, detail);
        } else {
            self.rule(Rule::Serial, Reason::SerialMismatch, same, detail);
        }
        let detail = if *wiped { "is wiped already" } else { "is not wiped" };
        self.rule(Rule::NotWiped, Reason::AlreadyWiped, !wiped, format!("{id} {detail}"));
        let allowed = *ownership == Ownership::Corporate || *scope == WipeScope::Selective;
        let detail = if allowed {
            format!("a {scope} wipe of a {ownership} device")
        } else {
            format!("{id} is a personal device: only `scope: selective` is allowed")
        };
        let unclear = unclear.as_ref().filter(|_| *scope == WipeScope::Full);
        match unclear.filter(|_| allowed) {
            Some(why) => self.rule(Rule::Scope, Reason::OwnershipUnclear, false, why.clone()),
            None => self.rule(Rule::Scope, Reason::PersonalFull, allowed, detail),
        }
    }

    fn about_time(&mut self) {
        let Evidence { now, max_validity, .. } = *self.evidence;
        let Request { issued_at, expires_at, .. } = *self.evidence.request;
        let (from, until) = (issued_at.short(), expires_at.short());
        let (reason, holds, detail) = if now < issued_at {
            (
                Reason::NotYetIssued,
                false,
                format!("it holds only from {from} on; is a clock wrong?"),
            )
        } else if now > expires_at {
            (Reason::Expired, false, format!("it expired at {until}; write and sign a new one"))
        } else {
            (Reason::Expired, true, format!("it holds until {until}"))
        };
        self.rule(Rule::Time, reason, holds, detail);
        let validity = expires_at - issued_at;
        let (shown, most) = (hours(validity), hours(max_validity));
        let holds = validity >= TimeDelta::zero() && validity <= max_validity;
        let detail = format!("it is valid for {shown}; at most {most} are allowed");
        self.rule(Rule::Validity, Reason::ValidTooLong, holds, detail);
    }

    /// Judges trust and number of files, then each file.
    fn files(&mut self) -> Vec<FileCheck> {
        let Evidence { signatures, vetoes, trust, .. } = *self.evidence;
        let detail = match trust {
            Ok(trust) => format!("trust file of digest {}", trust.digest()),
            Err(why) => why.to_owned(),
        };
        self.rule(Rule::Trust, Reason::NoTrust, trust.is_ok(), detail);
        let count = signatures.len().saturating_add(vetoes.len());
        let few = count <= MAX_FILES;
        let detail = if few {
            format!("{count} signature file{}", if count == 1 { "" } else { "s" })
        } else {
            format!("{count} signature files; at most {MAX_FILES} are looked at: remove some")
        };
        self.rule(Rule::Files, Reason::TooManyFiles, few, detail);
        let files = match trust {
            Ok(trust) if few => self.judge_files(trust),
            _ => Vec::new(),
        };
        self.about_unreadable(&files);
        files
    }

    fn judge_files(&self, trust: &Trust) -> Vec<FileCheck> {
        let Evidence { signatures, vetoes, unreadable, .. } = *self.evidence;
        let signatures = signatures.iter().map(|file| (Namespace::Wipe, file));
        let vetoes = vetoes.iter().map(|file| (Namespace::Veto, file));
        let mut files: Vec<_> = signatures
            .chain(vetoes)
            .map(|(named, (name, bytes))| {
                let purpose = purpose(bytes, named);
                let outcome = self.signer(trust, bytes, purpose);
                FileCheck { name: harmless(name), purpose, outcome }
            })
            .collect();
        files.extend(unreadable.iter().map(|(name, why)| FileCheck {
            name: harmless(name),
            purpose: Namespace::Veto,
            outcome: Err(Discounted { code: "unreadable", detail: why.clone(), unreadable: true }),
        }));
        files
    }

    /// A file that is there and cannot be read may be a veto: it holds the wipe.
    fn about_unreadable(&mut self, files: &[FileCheck]) {
        let failed = files.iter().find_map(|file| match &file.outcome {
            Err(why) if why.unreadable => Some(format!("{}: {}", file.name, why.detail)),
            _ => None,
        });
        let unseen =
            || self.evidence.unreadable.iter().next().map(|(n, why)| format!("{n}: {why}"));
        let (holds, detail) = match failed.or_else(unseen) {
            Some(found) => {
                (false, format!("{found}; it may be a veto: mend the file, or remove it"))
            }
            None => (true, "every signature file can be read".to_owned()),
        };
        self.rule(Rule::Readable, Reason::SignatureUnreadable, holds, detail);
    }

    fn signer(&self, trust: &Trust, file: &[u8], purpose: Namespace) -> Result<Email, Discounted> {
        let checked = sshsig::check(file, self.evidence.bytes, purpose)?;
        Ok(trust.who(checked.key(), self.evidence.now, purpose)?.clone())
    }

    fn about_the_signers(&mut self, signers: &[Email]) {
        let names: Vec<_> = signers.iter().map(Email::as_str).collect();
        let names = names.join(", ");
        let detail = if signers.is_empty() {
            "no signature counts; sign with `fleetform wipe sign`".to_owned()
        } else {
            format!("signed by {names}")
        };
        self.rule(Rule::Signatures, Reason::NotSigned, !signers.is_empty(), detail);
        let by = &self.evidence.request.requested_by;
        // The trust file has each address in one spelling only, so letter case means nothing.
        let among = signers.iter().any(|s| s.as_str().eq_ignore_ascii_case(by.as_str()));
        let detail = format!("{by} {}", if among { "signed" } else { "did not sign" });
        self.rule(Rule::RequestedBy, Reason::RequesterNotSigner, among, detail);
    }

    /// A veto is no reason of refusal: it has a verdict of its own.
    fn about_vetoes(&mut self, by: Option<&Email>) {
        let detail = match (by, self.checks.iter().find(|c| c.rule == Rule::Trust && !c.holds)) {
            (Some(by), _) => format!("{by} objects"),
            (None, Some(_)) => "no veto could be checked".to_owned(),
            (None, None) => "nobody objects".to_owned(),
        };
        self.checks.push(Check { rule: Rule::Veto, holds: by.is_none(), detail });
    }
}

/// `72h`, `1h 30m`, `0s`.
fn hours(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds();
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<_> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".into() } else { format!("{sign}{}", parts.join(" ")) }
}

#[cfg(test)]
mod tests;
