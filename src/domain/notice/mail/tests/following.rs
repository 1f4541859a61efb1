//! Which mails follow from which entries, and which of them are not true any more.

use serde_json::{Value, json};

use super::super::{Extras, Part, load, render};
use super::world::{World, letter, shown};
use crate::domain::model::{Digest, Exemption};
use crate::domain::notice::{Job, Topic};
use crate::domain::notify_settings::MailKind;

fn of(jobs: &[Job], topic: Topic) -> Job {
    jobs.iter().find(|job| job.topic == topic).expect("it follows").clone()
}

#[test]
fn an_episode_is_told_once_with_its_reminder_and_its_end_once_it_has_settled() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    assert_eq!(
        shown(&begun),
        ["nonCompliant ana@example.com", "reminder ana@example.com at 2026-11-26T05:00:00Z"]
    );
    let first = letter(&begun[0]);
    assert_eq!(first.ends.unwrap().short(), "2026-11-26T09:00:00Z");
    assert_eq!(first.device.unwrap().checks[0].on, Some(false));
    assert_eq!(letter(&begun[1]).device.unwrap().checks, [], "looked at when it is due");
    assert_eq!(begun[0].episode, Some(begun[0].entry));
    world.sent(&begun[0]);
    // The same failing again, or more of it, is no news.
    let more = json!({"from": "nonCompliant", "to": "nonCompliant",
        "failing": ["encryption", "screenLock"]});
    assert_eq!(shown(&world.log(Some("D001"), "compliance.changed", &more)), [""; 0]);
    world.wait(60);
    let good = world.judged("D001", true);
    assert_eq!(shown(&good), ["compliant ana@example.com at 2026-11-25T10:10:00Z"]);
    assert_eq!(good[0].episode, Some(begun[0].entry));
    assert_eq!(world.obsolete(&good[0]), None);
    assert_eq!(world.obsolete(&begun[1]).unwrap(), "the device is not non-compliant any more");
    world.sent(&good[0]);
    assert_eq!(world.obsolete(&good[0]).unwrap(), "the user knows already");
}

#[test]
fn by_when_access_ends_is_said_with_the_exemption_and_a_reminder_that_came_too_early_is_dropped() {
    fn exempt(world: &mut World, hours: i64) {
        let exempt_until = world.now + chrono::TimeDelta::hours(hours);
        let device = world.state.devices.get_mut(&"D001".parse().unwrap()).unwrap();
        let exemption = Exemption { exempt_until, reason: "waits for a disk".into() };
        std::sync::Arc::make_mut(&mut device.spec).access = Some(Box::new(exemption));
    }
    let mut world = World::new();
    exempt(&mut world, 48);
    let begun = world.judged("D001", false);
    assert_eq!(letter(&begun[0]).ends.unwrap().short(), "2026-11-27T09:00:00Z");
    assert_eq!(shown(&begun)[1], "reminder ana@example.com at 2026-11-27T05:00:00Z");
    assert_eq!(world.obsolete(&begun[1]), None);
    exempt(&mut world, 72);
    assert_eq!(world.obsolete(&begun[1]).unwrap(), "an exemption puts the end of access off");
}

#[test]
fn an_exemption_that_moves_the_end_of_access_makes_a_reminder_of_the_new_one() {
    let mut world = World::new();
    let old = of(&world.judged("D001", false), Topic::Reminder);
    let exempt = |world: &mut World, until: Option<&str>| {
        let to = until.map(|until| json!({"exemptUntil": until, "reason": "waits for a disk"}));
        let from = world.state.devices[&"D001".parse().unwrap()].spec.access.clone();
        let change = json!({"field": "access", "from": from, "to": to});
        world.log(Some("D001"), "device.updated", &json!({"changes": [change]}))
    };
    world.wait(60);
    let later = exempt(&mut world, Some("2026-11-28T09:00:00.000Z"));
    assert_eq!(shown(&later), ["reminder ana@example.com at 2026-11-28T05:00:00Z"]);
    assert_eq!(letter(&later[0]).ends.unwrap().short(), "2026-11-28T09:00:00Z");
    assert_eq!(later[0].episode, old.episode);
    assert_eq!(world.obsolete(&old).unwrap(), "an exemption puts the end of access off");
    assert_eq!(world.obsolete(&later[0]), None);
    // It is taken back: both reminders of the end that there was at first would say the same.
    let back = exempt(&mut world, None);
    assert_eq!(shown(&back), ["reminder ana@example.com at 2026-11-26T05:00:00Z"]);
    world.wait(20 * 60);
    world.sent(&old);
    assert_eq!(world.obsolete(&back[0]).unwrap(), "the user knows already");
    assert_eq!(world.obsolete(&later[0]), None, "until access is blocked");
    // Who was reminded of an end that is put off again is reminded of the new one.
    let again = exempt(&mut world, Some("2026-11-27T09:00:00.000Z"));
    assert_eq!(world.obsolete(&again[0]), None);
    // Where access has ended by then, or nothing is about to end, there is nothing to remind of.
    world.wait(10 * 60);
    assert_eq!(shown(&exempt(&mut world, None)), [""; 0]);
    world.judged("D001", true);
    assert_eq!(shown(&exempt(&mut world, Some("2026-11-29T09:00:00.000Z"))), [""; 0]);
}

#[test]
fn a_device_that_flaps_is_told_of_once() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    world.sent(&begun[0]);
    world.wait(60);
    let first = world.judged("D001", true);
    world.wait(3);
    assert_eq!(shown(&world.judged("D001", false)), [""; 0], "the episode goes on");
    assert_eq!(world.obsolete(&first[0]).unwrap(), "the device fails again");
    assert_eq!(world.obsolete(&begun[1]), None, "the reminder still holds");
    world.wait(3);
    let second = world.judged("D001", true);
    assert_eq!(world.obsolete(&first[0]).unwrap(), "it failed again in between");
    assert_eq!(world.obsolete(&second[0]), None);
    // Much later it is another episode.
    world.wait(600);
    let again = world.judged("D001", false);
    assert_eq!(again[0].topic, Topic::NonCompliant);
    assert_ne!(again[0].episode, begun[0].episode);
    assert_eq!(world.obsolete(&second[0]).unwrap(), "another episode began");
}

#[test]
fn who_was_never_told_that_a_device_fails_is_not_told_that_it_is_in_order() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    let good = world.judged("D001", true);
    assert_eq!(world.obsolete(&begun[0]).unwrap(), "the device is not non-compliant any more");
    assert_eq!(
        world.obsolete(&good[0]).unwrap(),
        "the user was never told that it was not in order"
    );
}

#[test]
fn a_block_is_told_while_it_holds() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    world.sent(&begun[0]);
    world.wait(1440);
    let order = |blocked: bool, intent: u64| json!({"intent": intent, "blocked": blocked});
    let intent = world.state.seq + 1;
    world.log(Some("D001"), "access.intended", &order(true, intent));
    let blocked = world.log(Some("D001"), "access.blocked", &order(true, intent));
    assert_eq!(shown(&blocked), ["blocked ana@example.com"]);
    assert_eq!(blocked[0].episode, begun[0].episode);
    assert_eq!(world.obsolete(&blocked[0]), None);
    assert_eq!(world.obsolete(&begun[1]).unwrap(), "access is blocked already");
    let intent = world.state.seq + 1;
    world.log(Some("D001"), "access.intended", &order(false, intent));
    assert_eq!(shown(&world.log(Some("D001"), "access.restored", &order(false, intent))), [""; 0]);
    assert_eq!(world.obsolete(&blocked[0]).unwrap(), "access is not blocked any more");
}

#[test]
fn copies_say_whose_they_are_and_the_digest_waits_for_its_hour() {
    let mut world = World::new();
    world.mail.cc = vec!["boss@example.com".parse().unwrap()];
    world.mail.it = vec!["ops@example.com".parse().unwrap()];
    let begun = world.judged("D002", false);
    assert_eq!(
        shown(&begun),
        [
            "nonCompliant bob@example.es",
            "nonCompliant boss@example.com copy of bob@example.es",
            "nonCompliant ops@example.com digest at 2026-11-26T07:00:00Z",
            "reminder bob@example.es at 2026-11-26T05:00:00Z",
            "reminder boss@example.com copy of bob@example.es at 2026-11-26T05:00:00Z",
        ]
    );
    let languages: Vec<_> = begun.iter().map(|job| letter(job).language).collect();
    assert_eq!(
        languages[..3],
        ["es", "es", "en"],
        "a copy is the same mail; IT has its own language"
    );
    let told: Vec<_> = begun.iter().map(|job| job.device.is_some()).collect();
    assert_eq!(told, [true, false, false, true, false], "what the user was told is what counts");
    let ids: std::collections::BTreeSet<_> = begun.iter().map(|job| &job.id).collect();
    assert_eq!(ids.len(), begun.len());
    world.judged("D002", true);
    assert_eq!(world.obsolete(&begun[2]), None, "it happened");
}

#[test]
fn what_is_not_to_be_sent_is_not() {
    let mut world = World::new();
    world.mail.send = vec![MailKind::Blocked];
    world.mail.it = vec!["ops@example.com".parse().unwrap()];
    assert_eq!(shown(&world.judged("D001", false)), [""; 0]);
    let mut world = World::new();
    world.mail.reminder_before = chrono::TimeDelta::zero();
    assert_eq!(shown(&world.judged("D001", false)), ["nonCompliant ana@example.com"]);
}

#[test]
fn a_failed_enrollment_is_told_and_an_operator_s_word_is_not() {
    let mut world = World::new();
    let failed =
        |from: &str| json!({"from": from, "to": "Failed", "reason": "no report within 30m"});
    let told = world.log(Some("D001"), "device.status", &failed("Pending"));
    assert_eq!(shown(&told), ["enrollmentFailed ana@example.com"]);
    assert_eq!(letter(&told[0]).reason.unwrap(), "no report within 30m");
    assert_eq!(world.obsolete(&told[0]), None);
    let enrolled = |from: &str| json!({"from": from, "to": "Enrolled", "reason": "the device reported after all"});
    world.log(Some("D001"), "device.status", &enrolled("Failed"));
    assert_eq!(world.obsolete(&told[0]).unwrap(), "the device is not failed any more");
    world.log(Some("D002"), "device.status", &enrolled("Pending"));
    assert_eq!(shown(&world.log(Some("D002"), "device.status", &failed("Enrolled"))), [""; 0]);
}

/// `wipe.accepted` or `wipe.refused` of a request for D001.
fn request(more: Value) -> Value {
    let mut data = json!({
        "request": Digest::of(b"request"), "name": "d001-lost", "deviceId": "D001",
        "serialNumber": "PF1", "scope": "full", "reason": "lost",
        "requestedBy": "carol@example.com", "expiresAt": "2026-11-28T09:00:00Z",
        "signers": ["carol@example.com", "dave@example.com"],
    });
    for (key, value) in more.as_object().unwrap() {
        data[key] = value.clone();
    }
    data
}

#[test]
fn a_wipe_is_told_to_who_asked_and_signed_and_to_the_user_only_where_that_is_wanted() {
    for tell_user in [false, true] {
        let mut world = World::new();
        world.mail.tell_user_of_wipe = tell_user;
        let accepted =
            request(json!({"issueAt": "2026-11-25T09:00:00Z", "trust": Digest::of(b"trust")}));
        assert_eq!(shown(&world.log(Some("D001"), "wipe.accepted", &accepted)), [""; 0]);
        let issued = json!({"request": Digest::of(b"request"), "intent": world.state.seq + 1,
            "scope": "full", "signers": ["carol@example.com", "dave@example.com"], "needed": 2});
        let told = world.log(Some("D001"), "wipe.issued", &issued);
        let mut expected = vec!["wipeIssued carol@example.com", "wipeIssued dave@example.com"];
        expected.extend(tell_user.then_some("wipeIssued ana@example.com"));
        assert_eq!(shown(&told), expected);
        let wipe = letter(&told[0]).wipe.unwrap();
        assert_eq!((&*wipe.name.to_string(), wipe.signers.len()), ("d001-lost", 2));
    }
}

#[test]
fn a_refused_wipe_says_why_to_who_asked() {
    let mut world = World::new();
    let refused = request(json!({"code": "unsigned", "detail": "it is signed by nobody",
        "signers": []}));
    let told = world.log(Some("D001"), "wipe.refused", &refused);
    assert_eq!(shown(&told), ["wipeRefused carol@example.com"]);
    assert_eq!(letter(&told[0]).reason.unwrap(), "it is signed by nobody");
    assert!(!letter(&told[0]).wipe.unwrap().for_good);
    // Also of a device that there is not.
    let unknown = request(json!({"code": "unknownDevice", "detail": "there is no device D099",
        "signers": [], "deviceId": "D099", "request": Digest::of(b"other")}));
    let told = world.log(None, "wipe.refused", &unknown);
    assert_eq!(shown(&told), ["wipeRefused carol@example.com"]);
    let letter = letter(&told[0]);
    let part = Part { topic: told[0].topic, at: told[0].at, letter: &letter };
    let templates = load(Vec::new(), [].into()).unwrap();
    let mail = render(&templates, &[part], &Extras::default()).unwrap();
    assert!(mail.text.contains("there is no device D099"), "{}", mail.text);
}

#[test]
fn a_device_that_is_wiped_or_somebody_else_s_is_told_of_no_more() {
    let mut world = World::new();
    let begun = world.judged("D001", false);
    let change = json!({"changes": [
        {"field": "userEmail", "from": "ana@example.com", "to": "eve@example.com"}]});
    world.log(Some("D001"), "device.updated", &change);
    assert_eq!(world.obsolete(&begun[0]).unwrap(), "the device has another user now");
    let mut world = World::new();
    let begun = world.judged("D001", false);
    let wiped = json!({"from": "Pending", "to": "Wiped", "reason": "erased"});
    world.log(Some("D001"), "device.status", &wiped);
    assert_eq!(world.obsolete(&begun[0]).unwrap(), "the device is wiped");
}

#[test]
fn what_follows_renders_and_forty_devices_are_one_mail() {
    let mut world = World::new();
    let templates = load(Vec::new(), [].into()).unwrap();
    let one = of(&world.judged("D001", false), Topic::NonCompliant);
    let letter = letter(&one);
    let part = Part { topic: one.topic, at: one.at, letter: &letter };
    let mail = render(&templates, &[part], &Extras::default()).unwrap();
    assert!(mail.subject.contains("ana-laptop") && mail.subject.contains("26. November"));
    assert!(
        mail.text.contains("BitLocker") && mail.text.contains("09:00 Uhr (UTC)"),
        "{}",
        mail.text
    );
    let forty = render(&templates, &[part; 40], &Extras::default()).unwrap();
    assert!(forty.subject.starts_with("40 Ihrer Geräte"), "{}", forty.subject);
}

#[test]
fn an_alert_about_a_wipe_names_its_device_and_the_request_in_short() {
    let mut world = World::new();
    world.alerts = vec!["ops@example.com".parse().unwrap()];
    let refused = request(json!({"code": "unsigned", "detail": "it is signed by nobody",
        "signers": []}));
    world.log(Some("D001"), "wipe.refused", &refused);
    let about = Digest::of(b"request").to_string();
    for (about, named) in [
        (about.clone(), format!("(D001, request {})", &about[..12])),
        (Digest::ZERO.to_string(), "(request 000000000000)".to_owned()),
    ] {
        let data = json!({"alert": "wipeUnsigned", "about": about, "detail": "it waits"});
        let began = world.log(None, "alert.began", &data);
        let title = letter(&began[0]).alert.unwrap().title;
        assert_eq!(title, format!("A wipe waits for signatures {named}"));
    }
}

#[test]
fn a_digest_tells_of_the_time_since_the_one_before() {
    let mut world = World::new();
    world.mail.it = vec!["ops@example.com".parse().unwrap()];
    let begun = world.judged("D001", false);
    let digested = begun.iter().find(|job| letter(job).digest).unwrap();
    let letter = letter(digested);
    let part = Part { topic: digested.topic, at: digested.at, letter: &letter };
    let templates = load(Vec::new(), [].into()).unwrap();
    let mail = render(&templates, &[part], &Extras::default()).unwrap();
    let text = mail.text.replace('\n', " ");
    assert!(text.contains("from 25 November 2026 at 07:00 (UTC)"), "{text}");
    assert!(text.contains("to 26 November 2026 at 07:00 (UTC)"), "{text}");
}

#[test]
fn an_alert_is_told_to_who_runs_it_when_it_begins_and_when_it_ends() {
    let mut world = World::new();
    let data =
        json!({"alert": "sinkStuck", "about": "webhook:siem", "detail": "it fails since 1h"});
    assert_eq!(shown(&world.log(None, "alert.began", &data)), [""; 0], "nobody is named");
    world.alerts = vec!["ops@example.com".parse().unwrap()];
    let began = world.log(None, "alert.began", &data);
    let ended = world.log(None, "alert.ended", &data);
    assert_eq!(shown(&began), ["alertBegan ops@example.com"]);
    assert_eq!(shown(&ended), ["alertEnded ops@example.com"]);
    let letter = letter(&ended[0]);
    let part = Part { topic: ended[0].topic, at: ended[0].at, letter: &letter };
    let templates = load(Vec::new(), [].into()).unwrap();
    let mail = render(&templates, &[part], &Extras::default()).unwrap();
    let subject = "Over: Fleetform: Notifications are not delivered (webhook:siem)";
    assert_eq!((&*mail.subject, mail.text.contains("it fails since 1h")), (subject, true));
}
