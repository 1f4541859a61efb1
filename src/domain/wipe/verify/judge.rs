//! The rules, one after the other.

use chrono::TimeDelta;

use super::evidence::{Evidence, Recorded};
use super::judgement::{Conclusion, Discounted, FileCheck, Judgement, RuleCheck};
use super::signed_file::{MAX_FILES, purpose};
use super::verified::VerifiedWipe;
use crate::domain::model::{Digest, Email, Ownership, WipeScope};
use crate::domain::wipe::request::{Namespace, Request};
use crate::domain::wipe::rules::{Reason, Rule};
use crate::domain::wipe::sshsig;
use crate::domain::wipe::trust::Trust;
use crate::domain::wording::escape;

/// Judges a request by every rule.
#[must_use]
pub(crate) fn verify(evidence: &Evidence<'_>) -> Judgement {
    let mut judge = Judge { evidence, checks: Vec::new(), refused: None, for_good: None };
    judge.about_the_request();
    judge.about_the_ledger();
    judge.about_the_head();
    judge.about_the_device();
    judge.about_time();
    let files = judge.about_files();
    let signers = people(&files, Namespace::Wipe);
    judge.about_the_signers(&signers);
    let vetoed = people(&files, Namespace::Veto).into_iter().next();
    judge.about_vetoes(vetoed.as_ref());
    let conclusion = match (vetoed, judge.refused, evidence.trust.usable()) {
        (Some(by), _, _) => Conclusion::Vetoed(by),
        (None, Some(reason), _) => Conclusion::Refused(reason),
        (None, None, Ok(trust)) => {
            let request = evidence.request.clone();
            let wipe = VerifiedWipe::new(request, signers, trust.digest());
            Conclusion::Verified(Box::new(wipe))
        }
        (None, None, Err(_)) => Conclusion::Refused(Reason::NoTrust),
    };
    Judgement { checks: judge.checks, files, conclusion, for_good: judge.for_good }
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
    checks: Vec<RuleCheck>,
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
        self.checks.push(RuleCheck { rule, holds, detail });
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
        let asked_for = format!("the request is for the ledger {asked}");
        let (reason, holds, detail) = match self.evidence.ledger {
            Some(this) if this == asked => {
                (Reason::OtherLedger, true, format!("it is for this ledger, {this}"))
            }
            Some(this) => (
                Reason::OtherLedger,
                false,
                format!("{asked_for}, this is {this}: write a new request here"),
            ),
            None => (
                Reason::NoLedger,
                false,
                format!("{asked_for}, and there is no ledger here to compare with"),
            ),
        };
        self.rule(Rule::Ledger, reason, holds, detail);
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
    fn about_files(&mut self) -> Vec<FileCheck> {
        let Evidence { signatures, vetoes, trust, .. } = *self.evidence;
        let trust = trust.usable();
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
            Ok(trust) if few => self.check_files(trust),
            _ => Vec::new(),
        };
        self.about_unreadable(&files);
        files
    }

    fn check_files(&self, trust: &Trust) -> Vec<FileCheck> {
        let Evidence { signatures, vetoes, unreadable, .. } = *self.evidence;
        let signatures = signatures.iter().map(|file| (Namespace::Wipe, file));
        let vetoes = vetoes.iter().map(|file| (Namespace::Veto, file));
        let mut files: Vec<_> = signatures
            .chain(vetoes)
            .map(|(named, (name, bytes))| {
                let purpose = purpose(bytes, named);
                let outcome = self.signer(trust, bytes, purpose);
                FileCheck { name: escape(name), purpose, outcome }
            })
            .collect();
        files.extend(unreadable.iter().map(|(name, why)| FileCheck {
            name: escape(name),
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
                (false, format!("{found}; it may be a veto: fix the file, or remove it"))
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

    /// A veto is no reason of refusal: it has a conclusion of its own.
    fn about_vetoes(&mut self, by: Option<&Email>) {
        let detail = match (by, self.checks.iter().find(|c| c.rule == Rule::Trust && !c.holds)) {
            (Some(by), _) => format!("{by} objects"),
            (None, Some(_)) => "no veto could be checked".to_owned(),
            (None, None) => "no objection".to_owned(),
        };
        self.checks.push(RuleCheck { rule: Rule::Veto, holds: by.is_none(), detail });
    }
}

/// `72h`, `1h 30m`, `0s`.
pub(super) fn hours(delta: TimeDelta) -> String {
    let seconds = delta.num_seconds();
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let parts: Vec<_> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if parts.is_empty() { "0s".into() } else { format!("{sign}{}", parts.join(" ")) }
}
