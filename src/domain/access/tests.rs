//! Who may come in, and why not: nothing that is not known for sure is a yes.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::testing::{edit, fail, fleet, id, now, spec, wipe};
use super::*;
use crate::domain::model::{ComplianceState, Exemption, Facts, Ownership, Status, Timestamp};
use crate::domain::settings::Settings;
use crate::domain::state::event::{FreezeCause, PassFrozen};
use crate::domain::state::{Device, Frozen, State};

const ANA: &str = "ana@example.com";

fn resource(require: &[Requirement], users: Users) -> Resource {
    Resource { require: require.to_vec(), users }
}

fn rules() -> Rules {
    use Requirement::{Compliant, Corporate, Declared, Enrolled, Fresh, NotBlocked};
    let of =
        |name: &str, require: &[Requirement], users| (name.to_owned(), resource(require, users));
    Rules {
        resources: BTreeMap::from([
            of("SAP", &[Enrolled, Compliant, Fresh], Users::All),
            of("Wiki", &[Enrolled, Compliant], Users::Any),
            of("Mail", &[Enrolled, NotBlocked], Users::All),
            of("Payroll", &[Corporate, Declared], Users::All),
        ]),
        max_age: TimeDelta::hours(16),
        help_url: None,
    }
}

/// A fleet and what is known of it.
struct World {
    state: State,
    knowledge: Knowledge,
    rules: Rules,
    now: Timestamp,
}

impl World {
    /// Ana has D001 and D002, Bo has D003.
    fn new() -> Self {
        let state = fleet(&[ANA, "Ana@Example.com", "bo@example.com"]);
        Self { state, knowledge: Knowledge::AsOf(now()), rules: rules(), now: now() }
    }

    fn edit(&mut self, device: &str, change: impl FnOnce(&mut Device)) {
        edit(&mut self.state, id(device), change);
    }

    fn answer(&self, question: &Question<'_>) -> Answer {
        let directory = Directory::of(&self.state);
        let settings = Settings::default();
        let judge = Judge {
            recorded: &self.state,
            directory: &directory,
            knowledge: self.knowledge,
            rules: &self.rules,
            settings: &settings,
            now: self.now,
        };
        let answer = judge.answer(question);
        // What is explained is what was decided.
        let explained = judge.explain(question);
        if let Some(Denial { reason, device: Some(device), .. }) = &answer.denial
            && let Some((_, checks)) = explained.iter().find(|(id, _)| id == device)
        {
            assert_eq!(checks.iter().find_map(|check| check.failed), Some(*reason));
        }
        if answer.denial.is_none() {
            let fine = |(_, checks): &(_, Vec<RequirementCheck>)| {
                checks.iter().all(|c| c.failed.is_none())
            };
            let all = self.rules.resources[question.resource].users == Users::All;
            assert!(if all { explained.iter().all(fine) } else { explained.iter().any(fine) });
            assert!(!explained.is_empty());
        }
        assert!(answer.valid_until >= answer.at, "{answer:?}");
        answer
    }

    /// `yes`, or why not.
    fn says(&self, user: &str, device: Option<&str>, resource: &str) -> &'static str {
        let device = Named { id: device, serial: None };
        let answer = self.answer(&Question { device, ..Question::new(user, resource) });
        answer.denial.map_or("yes", |denial| denial.reason.as_str())
    }
}

#[test]
fn only_what_is_known_and_whose_device_it_is_comes_in() {
    let world = World::new();
    for (user, device, resource, expected) in [
        (ANA, None, "SAP", "yes"),
        ("ANA@example.COM", None, "SAP", "yes"),
        (ANA, Some("D001"), "SAP", "yes"),
        (ANA, Some("d002"), "Mail", "yes"),
        (ANA, None, "sap", "unknown-resource"),
        (ANA, None, "", "unknown-resource"),
        ("eve@example.com", None, "SAP", "unknown-user"),
        ("", None, "SAP", "unknown-user"),
        ("ana@example.com ", None, "SAP", "unknown-user"),
        (ANA, Some("D004"), "SAP", "unknown-device"),
        (ANA, Some("D0001"), "SAP", "unknown-device"),
        (ANA, Some("SN1"), "SAP", "unknown-device"),
        (ANA, Some(""), "SAP", "unknown-device"),
        (ANA, Some("D003"), "SAP", "device-of-another-user"),
        ("eve@example.com", Some("D003"), "SAP", "device-of-another-user"),
    ] {
        assert_eq!(world.says(user, device, resource), expected, "{user} {device:?} {resource}");
    }
    let asked = |id, serial| {
        let question = Question { device: Named { id, serial }, ..Question::new(ANA, "SAP") };
        world.answer(&question).denial.map_or("yes", |denial| denial.reason.as_str())
    };
    assert_eq!(asked(None, Some("sn1")), "yes");
    assert_eq!(asked(Some("D001"), Some("SN1")), "yes");
    assert_eq!(asked(Some("D001"), Some("SN2")), "ambiguous-device");
    assert_eq!(asked(Some("D001"), Some("SN9")), "unknown-device");
    assert_eq!(asked(None, Some("SN3")), "device-of-another-user");
    assert_eq!(asked(None, Some("no serial \u{202e}")), "unknown-device");
    let of_type = |subject_type, resource_type| {
        let question = Question { subject_type, resource_type, ..Question::new(ANA, "SAP") };
        world.answer(&question).denial.map_or("yes", |denial| denial.reason.as_str())
    };
    assert_eq!(of_type("service", "application"), "unsupported-subject");
    assert_eq!(of_type("user", "document"), "unknown-resource");
}

#[test]
fn each_requirement_fails_for_its_own_reason() {
    type Change = fn(&mut Device);
    let cases: [(Change, &str, &str); 15] = [
        (|d| d.status = Status::Pending, "SAP", "device-not-enrolled"),
        (|d| d.status = Status::Failed, "Mail", "device-not-enrolled"),
        (|d| d.status = Status::Failed, "Payroll", "yes"),
        (|d| d.rare.missing_since = Some(now()), "Mail", "device-missing"),
        (|d| d.compliance.state = ComplianceState::NonCompliant, "SAP", "device-noncompliant"),
        (|d| d.compliance.state = ComplianceState::NonCompliant, "Mail", "yes"),
        (|d| d.compliance.state = ComplianceState::Unknown, "Wiki", "compliance-unknown"),
        (|d| d.compliance.state = ComplianceState::Unknown, "Mail", "yes"),
        (|d| d.last_sync = None, "SAP", "evidence-stale"),
        (|d| d.facts = None, "Wiki", "evidence-stale"),
        (|d| d.last_sync = None, "Mail", "yes"),
        (|d| spec(d).ownership = Ownership::Personal, "Payroll", "device-not-corporate"),
        (|d| d.rare.orphaned_since = Some(now()), "Payroll", "device-not-declared"),
        (|d| d.rare.orphaned_since = Some(now()), "SAP", "yes"),
        (|d| d.status = Status::Wiped, "Payroll", "device-wiped"),
    ];
    for (change, resource, expected) in cases {
        let mut world = World::new();
        world.edit("D001", change);
        assert_eq!(world.says(ANA, Some("D001"), resource), expected, "{resource}");
    }
}

#[test]
fn evidence_is_recent_for_max_age_to_the_millisecond_and_compliance_needs_it() {
    let mut world = World::new();
    let millisecond = TimeDelta::milliseconds(1);
    for (age, expected) in [
        (TimeDelta::hours(16), "yes"),
        (TimeDelta::hours(16) + millisecond, "evidence-stale"),
        (TimeDelta::minutes(-5), "yes"),
        // A device cannot have reported in the future: our own clock was set back.
        (TimeDelta::minutes(-5) - millisecond, "evidence-stale"),
    ] {
        world.edit("D001", |device| device.last_sync = Some(now() + -age));
        for resource in ["SAP", "Wiki"] {
            assert_eq!(world.says(ANA, Some("D001"), resource), expected, "{age} {resource}");
        }
        assert_eq!(world.says(ANA, Some("D001"), "Mail"), "yes");
    }
}

#[test]
fn a_clock_that_was_set_back_makes_no_evidence_younger() {
    let mut world = World::new();
    world.edit("D001", |device| device.last_sync = Some(now() + TimeDelta::hours(-17)));
    world.now = now() + TimeDelta::days(-3);
    assert_eq!(world.says(ANA, Some("D001"), "SAP"), "evidence-stale");
}

#[test]
fn without_a_device_all_enrolled_ones_count_or_one_is_enough() {
    let mut world = World::new();
    world.edit("D002", |device| device.compliance.state = ComplianceState::NonCompliant);
    let wiki = Question::new(ANA, "Wiki");
    assert_eq!(world.answer(&wiki).denial, None, "any: D001 is enough");
    let denied = world.answer(&Question::new(ANA, "SAP")).denial.unwrap();
    assert_eq!((denied.reason, denied.device), (Reason::NonCompliant, Some(id("D002"))));
    // One that waits to be set up, or failed to be, keeps nobody out who has another.
    for status in [Status::Pending, Status::Failed, Status::Wiped] {
        world.edit("D002", |device| device.status = status);
        assert_eq!(world.says(ANA, None, "SAP"), "yes", "{status}");
    }
    world.edit("D001", |device| device.status = Status::Pending);
    let expected = "no-enrolled-device";
    assert_eq!((world.says(ANA, None, "SAP"), world.says(ANA, None, "Wiki")), (expected, expected));
    world.edit("D001", |device| device.status = Status::Wiped);
    assert_eq!(world.says(ANA, None, "Wiki"), "unknown-user", "all that she had is wiped");
}

#[test]
fn a_device_that_is_about_to_be_wiped_comes_in_nowhere() {
    let mut world = World::new();
    wipe(&mut world.state, id("D001"));
    for resource in ["SAP", "Wiki", "Mail", "Payroll"] {
        assert_eq!(world.says(ANA, Some("D001"), resource), "wipe-under-way");
        assert_eq!(world.says(ANA, Some("D002"), resource), "yes");
    }
    assert_eq!(world.says(ANA, None, "SAP"), "wipe-under-way", "it may be the one that asks");
}

#[test]
fn what_is_recorded_counts_only_as_long_as_it_is_kept_up_to_date() {
    let (age, millisecond) = (TimeDelta::hours(16), TimeDelta::milliseconds(1));
    let mut world = World::new();
    for (knowledge, expected) in [
        (Knowledge::Nothing, "not-ready"),
        (Knowledge::Unreadable, "ledger-unreadable"),
        (Knowledge::AsOf(now() + -age), "yes"),
        (Knowledge::AsOf(now() + -age + -millisecond), "out-of-date"),
    ] {
        world.knowledge = knowledge;
        assert_eq!(world.says(ANA, Some("D001"), "Mail"), expected, "{knowledge:?}");
    }
    world.knowledge = Knowledge::AsOf(now());
    for (since, expected) in [(age, "yes"), (age + millisecond, "frozen")] {
        let why = PassFrozen { cause: FreezeCause::Empty, removed: 3, of: 3 };
        world.state.frozen = Some(Frozen { since: now() + -since, why });
        assert_eq!(world.says(ANA, Some("D001"), "Mail"), expected);
    }
}

#[test]
fn mail_ends_with_the_block_and_an_exemption_puts_that_off() {
    let mut world = World::new();
    world.edit("D001", |device| fail(device, now() + TimeDelta::hours(-24)));
    assert_eq!(world.says(ANA, Some("D001"), "Mail"), "device-blocked");
    let exempt =
        |exempt_until| Some(Box::new(Exemption { exempt_until, reason: "travels".into() }));
    world.edit("D001", |device| spec(device).access = exempt(now() + TimeDelta::minutes(1)));
    let answer = world.answer(&Question {
        device: Named { id: Some("D001"), serial: None },
        ..Question::new(ANA, "Mail")
    });
    assert_eq!((answer.denial, answer.valid_until), (None, now() + TimeDelta::minutes(1)));
    assert_eq!(world.says(ANA, Some("D001"), "SAP"), "device-noncompliant", "it is not compliant");
    world.edit("D001", |device| spec(device).access = exempt(now()));
    assert_eq!(world.says(ANA, Some("D001"), "Mail"), "device-blocked");
}

#[test]
fn an_answer_is_valid_until_time_alone_may_change_it_and_never_for_long() {
    let mut world = World::new();
    let until = |world: &World| {
        let question = Question::new(ANA, "SAP");
        (world.answer(&question).valid_until - now()).num_seconds()
    };
    assert_eq!(until(&world), 300);
    let nearly = now() + (TimeDelta::seconds(90) - TimeDelta::hours(16));
    world.edit("D002", |device| device.last_sync = Some(nearly));
    assert_eq!(until(&world), 90);
    world.edit("D002", |device| device.last_sync = None);
    assert_eq!(until(&world), 60, "a no is not kept for long");
}

#[test]
fn a_denial_tells_the_admin_the_cause_and_the_user_what_to_do() {
    let mut world = World::new();
    world.rules.help_url = Some("https://it.example.com/help".into());
    world.edit("D001", |device| {
        device.compliance.state = ComplianceState::NonCompliant;
        device.compliance.checks.failing = vec!["encryption".into(), "osVersion".into()];
        device.compliance.since = now() + TimeDelta::hours(-2);
    });
    let denied = world.answer(&Question::new(ANA, "SAP")).denial.unwrap();
    assert_eq!(
        denied.admin,
        "D001 (laptop-1): fails encryption, osVersion since 2026-11-22T08:00:00Z"
    );
    assert_eq!(
        denied.user,
        "Your device laptop-1 needs attention: its disk is not encrypted, and its operating system \
         needs an update. Once this is fixed and the device has been online for a few minutes, you \
         can come in. Help: https://it.example.com/help"
    );
    // What a stranger sent is quoted, and cannot tell whether a device exists.
    let strange = |device| {
        let named = Named { id: device, serial: None };
        let question = Question { device: named, ..Question::new("eve\u{202e}\n@x", "SAP") };
        world.answer(&question).denial.unwrap()
    };
    assert_eq!(strange(None).admin, "no device belongs to `eve\\u{202e}\\n@x`");
    assert_eq!(strange(Some("D003")).user, strange(Some("D999")).user);
}

#[test]
fn every_reason_has_words_for_both() {
    let mut world = World::new();
    world.edit("D001", |device| device.facts = Some(Box::new(Facts::default())));
    let directory = Directory::of(&world.state);
    let settings = Settings::default();
    let judge = Judge {
        recorded: &world.state,
        directory: &directory,
        knowledge: world.knowledge,
        rules: &world.rules,
        settings: &settings,
        now: world.now,
    };
    for reason in Reason::ALL {
        for device in [None, Some(id("D001"))] {
            let denial =
                wording::denial(&judge.basis(), &Question::new(ANA, "SAP"), *reason, device);
            assert!(!denial.admin.is_empty() && denial.user.ends_with('.'), "{denial:?}");
            for word in ["MDM", "ledger", "maxAge", "compliant", "D001"] {
                assert!(!denial.user.contains(word), "{reason}: {}", denial.user);
            }
        }
    }
}
