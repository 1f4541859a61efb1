//! Facts and a profile's requirements → a verdict with each check (docs/concepts.md).
//!
//! A required fact that no report gives makes the verdict unknown, never compliant; a device
//! that never reported is unknown whatever its profile requires. Ages are judged at the time
//! of the report, so a verdict is a function of what was reported: a device that falls
//! silent becomes overdue, not non-compliant.

use chrono::TimeDelta;
use serde::Serialize;

use crate::domain::model::{
    ComplianceState, Facts, MIN_PIN_LENGTH, MdmFacts, MdmVerdict, Platform, Protection,
    Requirements, Timestamp, words,
};
use crate::domain::wording::duration;

words! {
    pub(crate) enum Outcome { Pass = "pass", Fail = "fail", Unknown = "unknown" }
}

words! {
    /// What an outcome rests on.
    pub(crate) enum Evidence {
        /// A fact that the device reported.
        Measured = "measured",
        /// The MDM's word: it judged a setting, and gives no value.
        Judged = "judged",
    }
}

/// One required fact, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ComplianceCheck {
    /// `antivirus`, `encryption`, `osVersion`, `screenLock`, or `mdm`: the MDM's own verdict.
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    /// What the report said, for people.
    pub(crate) seen: String,
    /// What the profile wants, for people.
    pub(crate) wanted: String,
    /// What the outcome rests on, where it is not unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<Evidence>,
}

/// The verdict over all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceVerdict {
    /// Non-compliant if any check fails, else unknown if any lacks a fact.
    pub(crate) state: ComplianceState,
    /// Names of the checks that fail, sorted.
    pub(crate) failing: Vec<String>,
    /// Names of the checks that lack a fact, sorted.
    pub(crate) missing: Vec<String>,
}

/// What a device's facts are, and when it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) at: Timestamp,
}

/// So far ahead of the report signatures may be dated and are fresh: vendors date them by a clock
/// of their own.
const SIGNATURES_AHEAD: TimeDelta = TimeDelta::hours(1);

/// Every required fact, judged, sorted by name.
#[must_use]
pub(crate) fn checks(
    wanted: &Requirements,
    platform: Platform,
    reported: Option<Reported<'_>>,
) -> Vec<ComplianceCheck> {
    let Requirements { minimum_os_version, antivirus, encryption, screen_lock } = wanted;
    let facts = reported.map(|r| r.facts);
    let unreadable = |names: &[&str]| {
        let given = facts.map(|facts| &facts.unreadable)?;
        let found = names.iter().find_map(|name| Some((name, given.get(*name)?)))?;
        Some(format!("`{}` cannot be read: {}", found.0, found.1))
    };
    let mut checks = Vec::new();
    if let Some(rule) = antivirus.filter(|rule| rule.required) {
        checks.push(antivirus_check(rule.max_signature_age_days, reported));
    }
    if encryption.is_some_and(|rule| rule.required) {
        let enabled = facts.and_then(|f| f.encryption).and_then(|e| e.enabled);
        checks.push(on_or_off("encryption", enabled));
    }
    if let Some(minimum) = minimum_os_version.get(&platform) {
        let seen = facts.and_then(|f| f.os_version.as_ref());
        checks.push(ComplianceCheck {
            name: "osVersion",
            outcome: judge(seen.and_then(|seen| seen.at_least(minimum))),
            seen: match seen {
                Some(seen) if seen.at_least(minimum).is_none() => {
                    format!("{seen} (cannot be compared)")
                }
                Some(seen) => seen.to_string(),
                None => not_reported(),
            },
            wanted: format!("at least {minimum}"),
            evidence: None,
        });
    }
    if let Some(rule) = screen_lock.filter(|rule| rule.required) {
        checks.push(screen_lock_check(rule.min_pin_length.max(MIN_PIN_LENGTH), facts));
    }
    let mdm = facts.and_then(|facts| facts.mdm.as_deref());
    for check in &mut checks {
        judged_by_mdm(check, mdm);
    }
    checks.extend(mdm.map(|mdm| mdm_check(mdm, !checks.is_empty())));
    checks.sort_by_key(|check| check.name);
    for check in checks.iter_mut().filter(|check| check.outcome == Outcome::Unknown) {
        let names: &[&str] = match check.name {
            "antivirus" => &["antivirus", "antivirus.enabled", "antivirus.signaturesUpdatedAt"],
            "encryption" => &["encryption", "encryption.enabled"],
            "screenLock" => &["screenLock", "screenLock.enabled", "screenLock.pinLength"],
            "osVersion" => &["osVersion"],
            _ => &[],
        };
        if let Some(text) = unreadable(names) {
            check.seen = text;
        }
    }
    checks
}

/// Takes the MDM's word for a check that no fact of the device decides.
fn judged_by_mdm(check: &mut ComplianceCheck, mdm: Option<&MdmFacts>) {
    if check.outcome != Outcome::Unknown {
        check.evidence = Some(Evidence::Measured);
        return;
    }
    let Some(passes) = mdm.and_then(|mdm| mdm.judged.get(check.name)) else { return };
    check.outcome = judge(Some(*passes));
    check.evidence = Some(Evidence::Judged);
    check.seen =
        if *passes { "judged compliant by the MDM" } else { "judged non-compliant by the MDM" }
            .to_owned();
}

/// The MDM's own verdict: the stricter of the two counts. A tenant may call devices compliant that
/// no policy judged, so that alone is no evidence.
fn mdm_check(mdm: &MdmFacts, evidence_wanted: bool) -> ComplianceCheck {
    let unjudged = mdm.policies == 0;
    let (outcome, seen) = match mdm.verdict {
        MdmVerdict::Compliant if unjudged && evidence_wanted => {
            (Outcome::Unknown, "compliant, but no policy judged it".to_owned())
        }
        MdmVerdict::Compliant => (Outcome::Pass, "compliant".to_owned()),
        MdmVerdict::NonCompliant => (Outcome::Fail, "not compliant".to_owned()),
        MdmVerdict::InGracePeriod => {
            let until =
                mdm.grace_until.map_or_else(String::new, |at| format!(" until {}", at.short()));
            (Outcome::Fail, format!("not compliant, in the grace period{until}"))
        }
        MdmVerdict::Unknown => (Outcome::Unknown, "not judged".to_owned()),
    };
    let evidence = (outcome != Outcome::Unknown).then_some(Evidence::Judged);
    ComplianceCheck { name: "mdm", outcome, seen, wanted: "compliant".to_owned(), evidence }
}

/// The verdict over [`checks`].
#[must_use]
pub(crate) fn assess(
    wanted: &Requirements,
    platform: Platform,
    reported: Option<Reported<'_>>,
) -> ComplianceVerdict {
    if reported.is_none() {
        return ComplianceVerdict {
            state: ComplianceState::Unknown,
            failing: Vec::new(),
            missing: Vec::new(),
        };
    }
    let checks = checks(wanted, platform, reported);
    let named = |outcome| {
        checks.iter().filter(|c| c.outcome == outcome).map(|c| c.name.to_owned()).collect()
    };
    let (failing, missing): (Vec<String>, Vec<String>) =
        (named(Outcome::Fail), named(Outcome::Unknown));
    let state = match (failing.is_empty(), missing.is_empty()) {
        (false, _) => ComplianceState::NonCompliant,
        (true, false) => ComplianceState::Unknown,
        (true, true) => ComplianceState::Compliant,
    };
    ComplianceVerdict { state, failing, missing }
}

/// Why the verdict is what it is.
#[must_use]
pub(crate) fn because(from: ComplianceState, verdict: &ComplianceVerdict) -> String {
    let list = |names: &[String]| names.join(", ");
    match verdict.state {
        ComplianceState::Compliant => "every required check passes".to_owned(),
        ComplianceState::NonCompliant => format!("fails: {}", list(&verdict.failing)),
        ComplianceState::Unknown if verdict.missing.is_empty() => {
            format!("nothing is reported; was {from}")
        }
        ComplianceState::Unknown => format!("not reported: {}", list(&verdict.missing)),
    }
}

fn antivirus_check(max_age_days: Option<u32>, reported: Option<Reported<'_>>) -> ComplianceCheck {
    let fact = reported.and_then(|r| r.facts.antivirus);
    let enabled = fact.and_then(|f| f.enabled);
    let Some(days) = max_age_days else { return on_or_off("antivirus", enabled) };
    let since = fact
        .and_then(|f| f.signatures_updated_at)
        .zip(reported)
        .map(|(updated, report)| report.at - updated);
    // Signatures dated well after the report that names them say nothing about their age.
    let future = since.filter(|age| *age < -SIGNATURES_AHEAD);
    let age = since.filter(|_| future.is_none()).map(|age| age.max(TimeDelta::zero()));
    let limit = TimeDelta::days(days.into());
    let protection =
        reported.and_then(|r| r.facts.mdm.as_deref()?.protection.as_ref().zip(Some(r.at)));
    if let (None, Some((protection, at))) = (since, protection) {
        return protection_check(enabled, protection, at, limit);
    }
    let current = age.map(|age| age <= limit);
    let outcome = match (enabled, current) {
        (Some(false), _) | (_, Some(false)) => Outcome::Fail,
        (Some(true), Some(true)) => Outcome::Pass,
        (None, _) | (_, None) => Outcome::Unknown,
    };
    let age = match (age, future) {
        (_, Some(ahead)) => {
            let ahead = duration(ahead);
            format!("signatures dated {ahead} after the report: a clock is wrong")
        }
        (Some(age), None) => format!("signatures {} old", duration(age)),
        (None, None) => "age of signatures not reported".to_owned(),
    };
    ComplianceCheck {
        name: "antivirus",
        outcome,
        seen: format!("{}, {age}", switch(enabled)),
        wanted: format!("on, signatures at most {days}d old"),
        evidence: None,
    }
}

/// By what the antivirus said of its signatures to the MDM, which does not tell their date. What it
/// said too long ago says nothing of them now.
fn protection_check(
    enabled: Option<bool>,
    protection: &Protection,
    at: Timestamp,
    limit: TimeDelta,
) -> ComplianceCheck {
    let age = protection.reported_at.map(|reported| (at - reported).max(TimeDelta::zero()));
    let overdue = protection.signatures_overdue;
    let recent = age.is_some_and(|age| age <= limit);
    let outcome = match (enabled, overdue) {
        (Some(false), _) | (_, Some(true)) => Outcome::Fail,
        (Some(true), Some(false)) if recent => Outcome::Pass,
        _ => Outcome::Unknown,
    };
    let signatures = match overdue {
        Some(true) => "signatures out of date",
        Some(false) => "signatures up to date",
        None => "age of signatures not reported",
    };
    let when =
        age.map_or_else(String::new, |age| format!(", by its report {} before", duration(age)));
    ComplianceCheck {
        name: "antivirus",
        outcome,
        seen: format!("{}, {signatures}{when}", switch(enabled)),
        wanted: format!("on, signatures at most {} old", duration(limit)),
        evidence: None,
    }
}

fn screen_lock_check(least: u32, facts: Option<&Facts>) -> ComplianceCheck {
    let fact = facts.and_then(|f| f.screen_lock);
    let enabled = fact.and_then(|f| f.enabled);
    let pin = fact.and_then(|f| f.pin_length);
    let outcome = match (enabled, pin.map(|pin| pin >= least)) {
        (Some(false), _) | (_, Some(false)) => Outcome::Fail,
        (Some(true), Some(true)) => Outcome::Pass,
        (None, _) | (_, None) => Outcome::Unknown,
    };
    let pin =
        pin.map_or_else(|| "PIN length not reported".to_owned(), |pin| format!("PIN of {pin}"));
    ComplianceCheck {
        name: "screenLock",
        outcome,
        seen: format!("{}, {pin}", switch(enabled)),
        wanted: format!("on, PIN of at least {least}"),
        evidence: None,
    }
}

fn on_or_off(name: &'static str, enabled: Option<bool>) -> ComplianceCheck {
    ComplianceCheck {
        name,
        outcome: judge(enabled),
        seen: switch(enabled),
        wanted: "on".to_owned(),
        evidence: None,
    }
}

fn judge(fine: Option<bool>) -> Outcome {
    match fine {
        Some(true) => Outcome::Pass,
        Some(false) => Outcome::Fail,
        None => Outcome::Unknown,
    }
}

fn switch(enabled: Option<bool>) -> String {
    enabled.map_or_else(not_reported, |on| if on { "on" } else { "off" }.to_owned())
}

fn not_reported() -> String {
    "not reported".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Report;

    fn standard() -> Requirements {
        serde_json::from_str(
            r#"{"minimumOsVersion":{"windows":"10.0.26100"},
                "antivirus":{"required":true,"maxSignatureAgeDays":7},
                "encryption":{"required":true},
                "screenLock":{"required":true,"minPinLength":6}}"#,
        )
        .expect("requirements")
    }

    fn good() -> serde_json::Value {
        serde_json::json!({"serialNumber":"PF3XK9Q2","at":"2026-11-22T09:00:00Z",
            "osVersion":"10.0.26100.2314",
            "antivirus":{"enabled":true,"signaturesUpdatedAt":"2026-11-21T22:00:00Z"},
            "encryption":{"enabled":true},"screenLock":{"enabled":true,"pinLength":6}})
    }

    fn judged(report: serde_json::Value) -> ComplianceVerdict {
        let report: Report = serde_json::from_value(report).expect("a report");
        let (facts, at) = (report.facts(true), report.at.expect("a date"));
        assess(&standard(), Platform::Windows, Some(Reported { facts: &facts, at }))
    }

    #[test]
    fn each_fact_can_pass_fail_and_be_missing() {
        use serde_json::Value::Null;
        let cases: &[(&str, serde_json::Value, ComplianceState, &str)] = &[
            ("/osVersion", "10.0.26099".into(), ComplianceState::NonCompliant, "osVersion"),
            ("/osVersion", Null, ComplianceState::Unknown, "osVersion"),
            ("/antivirus/enabled", false.into(), ComplianceState::NonCompliant, "antivirus"),
            ("/antivirus/enabled", Null, ComplianceState::Unknown, "antivirus"),
            ("/antivirus/signaturesUpdatedAt", Null, ComplianceState::Unknown, "antivirus"),
            (
                "/antivirus/signaturesUpdatedAt",
                "2026-11-15T08:59:59Z".into(),
                ComplianceState::NonCompliant,
                "antivirus",
            ),
            (
                "/antivirus/signaturesUpdatedAt",
                "2026-11-22T10:00:01Z".into(),
                ComplianceState::Unknown,
                "antivirus",
            ),
            ("/encryption/enabled", false.into(), ComplianceState::NonCompliant, "encryption"),
            ("/encryption", Null, ComplianceState::Unknown, "encryption"),
            ("/screenLock/enabled", false.into(), ComplianceState::NonCompliant, "screenLock"),
            ("/screenLock/pinLength", 5.into(), ComplianceState::NonCompliant, "screenLock"),
            ("/screenLock/pinLength", Null, ComplianceState::Unknown, "screenLock"),
        ];
        assert_eq!(judged(good()).state, ComplianceState::Compliant);
        for (pointer, value, state, check) in cases {
            let mut report = good();
            *report.pointer_mut(pointer).expect("a fact") = value.clone();
            let verdict = judged(report);
            assert_eq!(verdict.state, *state, "{pointer} {value}");
            let named = if *state == ComplianceState::Unknown {
                &verdict.missing
            } else {
                &verdict.failing
            };
            assert_eq!(named, &[*check], "{pointer} {value}");
        }
    }

    #[test]
    fn edges_count_as_fine() {
        let mut report = good();
        report["antivirus"]["signaturesUpdatedAt"] = "2026-11-15T09:00:00Z".into();
        report["osVersion"] = "10.0.26100".into();
        assert_eq!(judged(report.clone()).state, ComplianceState::Compliant);
        // Dated slightly after the report: fresh.
        report["antivirus"]["signaturesUpdatedAt"] = "2026-11-22T10:00:00Z".into();
        assert_eq!(judged(report).state, ComplianceState::Compliant);
    }

    #[test]
    fn what_cannot_be_read_is_told_in_the_check_that_needs_it() {
        let facts = |json: serde_json::Value| serde_json::from_value::<Facts>(json).expect("facts");
        let seen = |facts: &Facts, name: &str| {
            let at = "2026-11-22T09:00:00Z".parse().expect("a time");
            let checks = checks(&standard(), Platform::Windows, Some(Reported { facts, at }));
            let check = checks.into_iter().find(|check| check.name == name).expect("the check");
            (check.outcome, check.seen)
        };
        let unreadable =
            facts(serde_json::json!({"unreadable": {"encryption.enabled": "\"yes\""}}));
        let expected = "`encryption.enabled` cannot be read: \"yes\"".to_owned();
        assert_eq!(seen(&unreadable, "encryption"), (Outcome::Unknown, expected));
        let odd = facts(serde_json::json!({"osVersion": "Windows 11"}));
        let expected = "Windows 11 (cannot be compared)".to_owned();
        assert_eq!(seen(&odd, "osVersion"), (Outcome::Unknown, expected));
        let future = facts(serde_json::json!({"antivirus":
            {"enabled": true, "signaturesUpdatedAt": "2026-11-23T09:00:00Z"}}));
        let expected = "on, signatures dated 1d after the report: a clock is wrong".to_owned();
        assert_eq!(seen(&future, "antivirus"), (Outcome::Unknown, expected));
    }

    #[test]
    fn a_failure_outweighs_a_missing_fact() {
        let mut report = good();
        report["encryption"]["enabled"] = false.into();
        report["osVersion"] = serde_json::Value::Null;
        let verdict = judged(report);
        assert_eq!(verdict.state, ComplianceState::NonCompliant);
        assert_eq!((verdict.failing.len(), verdict.missing.len()), (1, 1));
    }

    #[test]
    fn silence_is_unknown_even_where_nothing_is_required() {
        let nothing = Requirements::default();
        assert_eq!(assess(&nothing, Platform::Ios, None).state, ComplianceState::Unknown);
        let facts = Facts::default();
        let reported = Some(Reported { facts: &facts, at: Timestamp::EPOCH });
        assert_eq!(assess(&nothing, Platform::Ios, reported).state, ComplianceState::Compliant);
    }

    #[test]
    fn a_minimum_for_another_platform_does_not_bind() {
        let facts = Facts::default();
        let reported = Some(Reported { facts: &facts, at: Timestamp::EPOCH });
        let names: Vec<_> =
            checks(&standard(), Platform::Macos, reported).iter().map(|c| c.name).collect();
        assert_eq!(names, ["antivirus", "encryption", "screenLock"]);
    }
}
