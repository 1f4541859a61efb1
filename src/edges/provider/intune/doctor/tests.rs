//! What each check comes to, by what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::json;

use super::answers::Unknown;
use super::approvals::in_force;
use super::hosts::{GRAPH, clock, host};
use super::licenses::license;
use super::permissions::{PRIVILEGED, everyday, wiping};
use super::profiles::{Group, Named, What};
use super::registrations::{APP, WIPE_APP, credential, token};
use crate::domain::diagnosis::{Check, CheckState};
use crate::domain::model::Timestamp;
use crate::domain::provider_settings::{Credential, LicenseAssignment};
use crate::edges::provider::intune::graph::{Failure, Reached};
use crate::edges::provider::intune::licenses::Sku;
use CheckState::{Fails, Ok as Well, Skipped, Warning};

const NEEDED: [&str; 10] = [
    "DeviceManagementManagedDevices.Read.All",
    "DeviceManagementServiceConfig.ReadWrite.All",
    "DeviceManagementConfiguration.ReadWrite.All",
    "DeviceManagementApps.ReadWrite.All",
    "DeviceManagementRBAC.Read.All",
    "GroupMember.ReadWrite.All",
    "User.Read.All",
    "Device.Read.All",
    "Organization.Read.All",
    "LicenseAssignment.ReadWrite.All",
];

#[track_caller]
fn is(check: &Check, state: CheckState, says: &str) {
    assert_eq!(check.state, state, "{check:?}");
    assert!(check.detail.contains(says), "{says:?} is not in {check:?}");
    if state == Warning {
        assert!(check.help.is_some(), "{check:?}");
    }
}

fn roles(roles: &[&str]) -> BTreeSet<String> {
    roles.iter().map(|role| (*role).to_owned()).collect()
}

/// Of all checks the ones that are not well, as `name subject state`.
fn unwell(checks: &[Check]) -> Vec<String> {
    let word = |check: &Check| {
        let subject = check.subject.as_deref().unwrap_or("-");
        format!("{} {subject} {}", check.name, check.state)
    };
    checks.iter().filter(|check| check.state != Well).map(word).collect()
}

fn lost() -> Unknown {
    let place = "GET https://graph.microsoft.com/v1.0/".to_owned();
    Unknown::Failed(Failure::NotSent { place, why: "DNS does not know it".to_owned() })
}

#[test]
fn with_what_the_documentation_lists_nothing_is_missing_and_nothing_too_much() {
    let checks = everyday(&roles(&NEEDED), "1111", LicenseAssignment::Direct, false);
    assert_eq!(unwell(&checks), Vec::<String>::new());
    assert_eq!(unwell(&wiping(&roles(&[PRIVILEGED]), "2222")), Vec::<String>::new());
}

#[test]
fn the_documentation_lists_what_is_checked() {
    let text = include_str!("../../../../../docs/intune.md");
    for role in NEEDED.into_iter().chain([PRIVILEGED]) {
        assert!(text.contains(&format!("`{role}`")), "{role}");
    }
}

#[test]
fn each_permission_that_is_missing_fails_by_its_name_and_says_where_it_is_granted() {
    for missing in NEEDED {
        let all: Vec<&str> = NEEDED.into_iter().filter(|role| *role != missing).collect();
        let checks = everyday(&roles(&all), "1111", LicenseAssignment::Direct, false);
        assert_eq!(unwell(&checks), [format!("intune.app.permission {missing} fails")]);
        let check = checks.iter().find(|check| check.state == Fails).unwrap();
        let help = check.help.as_deref().unwrap();
        assert!(help.contains(missing) && help.contains("1111"), "{help}");
    }
}

#[test]
fn a_broader_permission_does_and_is_too_much() {
    let given = NEEDED.into_iter().filter(|role| *role != "User.Read.All");
    let given: Vec<&str> = given.chain(["User.ReadWrite.All"]).collect();
    let checks = everyday(&roles(&given), "1111", LicenseAssignment::Direct, false);
    assert_eq!(unwell(&checks), ["intune.app.surplus - warning"]);
    assert!(checks.last().unwrap().detail.contains("User.ReadWrite.All"), "{checks:?}");
}

#[test]
fn what_could_wipe_is_told_apart_from_what_is_merely_too_much() {
    let given: Vec<&str> = NEEDED.into_iter().chain([PRIVILEGED]).collect();
    let checks = everyday(&roles(&given), "1111", LicenseAssignment::Direct, false);
    assert_eq!(unwell(&checks), [format!("intune.app.permission {PRIVILEGED} warning")]);
    let check = checks.iter().find(|check| check.state == Warning).unwrap();
    is(check, Warning, "never wipes with it");
    assert!(check.help.as_deref().unwrap().contains("sync on demand"), "{check:?}");
}

#[test]
fn who_lets_others_assign_licenses_needs_no_right_to_do_so() {
    let checks = everyday(&roles(&NEEDED), "1111", LicenseAssignment::Groups, false);
    assert_eq!(unwell(&checks), ["intune.app.surplus - warning"]);
    let checks = everyday(&roles(&NEEDED[..9]), "1111", LicenseAssignment::Groups, false);
    assert_eq!(unwell(&checks), Vec::<String>::new());
}

#[test]
fn who_marks_blocked_devices_needs_the_right_to_write_them_and_nobody_else_does() {
    const MARKS: &str = "Device.ReadWrite.All";
    let all: Vec<&str> = NEEDED.into_iter().chain([MARKS]).collect();
    let direct = LicenseAssignment::Direct;
    assert_eq!(unwell(&everyday(&roles(&all), "1111", direct, true)), Vec::<String>::new());
    let without = everyday(&roles(&NEEDED), "1111", direct, true);
    assert_eq!(unwell(&without), [format!("intune.app.permission {MARKS} fails")]);
    let surplus = everyday(&roles(&all), "1111", direct, false);
    assert_eq!(unwell(&surplus), ["intune.app.surplus - warning"]);
    assert!(surplus.last().unwrap().detail.contains(MARKS), "{surplus:?}");
    let text = include_str!("../../../../../docs/intune.md");
    assert!(text.contains(&format!("`{MARKS}`")));
}

#[test]
fn the_wiping_registration_may_wipe_and_nothing_else() {
    let checks = wiping(&roles(&["User.Read.All"]), "2222");
    assert_eq!(
        unwell(&checks),
        [
            format!("intune.wipeApp.permission {PRIVILEGED} fails"),
            "intune.wipeApp.surplus - warning".into()
        ]
    );
    assert!(checks[1].detail.contains("User.Read.All"), "{checks:?}");
}

#[test]
fn a_clock_may_be_a_minute_off_and_not_more_than_five() {
    for (seconds, state, says) in [
        (0, Well, "agrees"),
        (60, Well, "agrees"),
        (-60, Well, "agrees"),
        (61, Warning, "1m 1s behind"),
        (-61, Warning, "1m 1s ahead of"),
        (300, Warning, "5m behind"),
        (301, Fails, "5m 1s behind"),
        (-301, Fails, "5m 1s ahead of"),
    ] {
        is(&clock(true, Some(TimeDelta::seconds(seconds))), state, says);
    }
    is(&clock(true, None), Warning, "does not say");
    is(&clock(false, None), Skipped, GRAPH);
}

#[test]
fn a_host_answers_or_what_stands_in_the_way_is_told() {
    let reached = |proxy: Option<&str>| {
        let origin = "https://graph.microsoft.com".to_owned();
        Ok(Reached { origin, proxy: proxy.map(str::to_owned) })
    };
    is(&host(GRAPH, &reached(None)), Well, "https://graph.microsoft.com answers");
    is(&host(GRAPH, &reached(Some("proxy:3128"))), Well, "through the proxy proxy:3128");
    is(&host(GRAPH, &Err(lost())), Fails, "DNS does not know it");
    is(&host(GRAPH, &Err(Unknown::Late)), Fails, "no answer in time");
}

#[test]
fn a_certificate_is_told_of_thirty_days_before_it_expires() {
    let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
    let certificate = Credential::Certificate(PathBuf::from("/etc/wipe.pem"));
    let of = |credential: &Credential, days: Option<i64>| {
        let end = days.map(|days| now + TimeDelta::days(days));
        super::registrations::credential(APP.credential, credential, &Ok(end), now)
    };
    is(&of(&certificate, Some(365)), Well, "is valid until 2027-11-26");
    is(&of(&certificate, Some(30)), Well, "is valid until");
    is(&of(&certificate, Some(29)), Warning, "expires on 2026-12-25");
    is(&of(&certificate, Some(-1)), Fails, "expired on 2026-11-25");
    is(&of(&Credential::Secret(PathBuf::from("/etc/s")), None), Well, "a client secret");
    let refused = Failure::Secret { path: "/etc/s".into(), why: "can be read by everybody".into() };
    let refused = Err(Unknown::Failed(refused));
    let check = credential(WIPE_APP.credential, &certificate, &refused, now);
    is(&check, Fails, "can be read by everybody");
}

#[test]
fn without_a_token_it_is_said_why() {
    is(&token(APP.token, "1111", None), Well, "1111");
    is(&token(APP.token, "1111", Some(&lost())), Fails, "DNS does not know it");
}

#[test]
fn a_group_is_one_to_which_members_can_be_added() {
    let profile = "Standard".parse().unwrap();
    let named = Named { what: What::Group, id: "g-1".parse().unwrap(), profile };
    let read = |value| Some(serde_json::from_value::<Group>(value).unwrap());
    for (found, state, says) in [
        (None, Fails, "no group g-1"),
        (read(json!({"id": "g-1"})), Well, "is there"),
        (read(json!({"displayName": "Standard", "groupTypes": []})), Well, "`Standard` is there"),
        (read(json!({"groupTypes": ["Unified"]})), Well, "is there"),
        (read(json!({"groupTypes": ["Unified", "DynamicMembership"]})), Fails, "is dynamic"),
        (read(json!({"onPremisesSyncEnabled": true})), Fails, "on-premises"),
        (read(json!({"onPremisesSyncEnabled": null})), Well, "is there"),
        (read(json!({"isAssignableToRole": true})), Fails, "roles"),
    ] {
        let check = named.group(found);
        is(&check, state, says);
        assert_eq!(check.help.is_some(), state == Fails, "{check:?}");
    }
}

#[test]
fn a_policy_or_an_app_that_is_not_there_fails_with_the_field_that_names_it() {
    let profile: crate::domain::model::Name = "Standard".parse().unwrap();
    for (what, field) in [
        (What::Policy, "spec.intune.configurationPolicies"),
        (What::Application, "spec.intune.apps"),
    ] {
        let named = Named { what, id: "x-1".parse().unwrap(), profile: profile.clone() };
        is(&named.object(true), Well, "x-1 is there");
        let check = named.object(false);
        is(&check, Fails, "x-1");
        assert!(check.help.as_deref().unwrap().contains(field), "{check:?}");
    }
}

#[test]
fn a_license_is_known_can_be_used_and_has_free_units() {
    let skus = BTreeMap::from([
        ("SPE_E3".to_owned(), Sku::of(11, true)),
        ("EMS".to_owned(), Sku::of(0, true)),
        ("OLD".to_owned(), Sku::of(9, false)),
    ]);
    is(&license("spe_e3", &skus), Well, "11 units");
    is(&license("EMS", &skus), Warning, "no unit");
    is(&license("OLD", &skus), Fails, "not active");
    is(&license("SPE_E5", &skus), Fails, "it has EMS, OLD, SPE_E3");
    is(&license("SPE_E5", &BTreeMap::new()), Fails, "none at all");
}

#[test]
fn policies_of_approval_are_told_and_stop_nothing() {
    is(&in_force(&[]), Well, "no policy");
    let policy = json!({"displayName": "Two pairs\u{1b} of eyes", "policyType": "deviceWipe"});
    let check = in_force(&[serde_json::from_value(policy).unwrap()]);
    is(&check, Well, "of eyes` (deviceWipe)");
    assert!(!check.detail.contains('\u{1b}'), "{check:?}");
}
