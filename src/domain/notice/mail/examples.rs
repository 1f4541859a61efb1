//! Letters about everything that there can be, to try templates with.

use super::device::{CheckText, DeviceText};
use super::letter::{AlertText, Letter, WipeText};
use super::templates::Template;
use crate::domain::model::{DeviceId, Digest, Email, Platform, Timestamp, WipeReason, WipeScope};
use crate::domain::notice::Topic;

/// What somebody is told, and when it happened.
pub(super) type Example = (Topic, Timestamp, Letter);

/// Mails that a template must be able to make: of one thing, and of many.
pub(super) fn examples(template: Template, language: &str) -> Vec<Vec<Example>> {
    let about = |topic: Topic| {
        let one = vec![example(topic, language, 0)];
        let many = (0..Platform::ALL.len()).map(|n| example(topic, language, n)).collect();
        vec![one, many]
    };
    match template {
        Template::NonCompliant => about(Topic::NonCompliant),
        Template::Reminder => about(Topic::Reminder),
        Template::Blocked => about(Topic::Blocked),
        Template::Compliant => about(Topic::Compliant),
        Template::EnrollmentFailed => about(Topic::EnrollmentFailed),
        Template::WipeIssued | Template::WipeIssuedUser => about(Topic::WipeIssued),
        Template::WipeRefused => about(Topic::WipeRefused),
        Template::Summary | Template::Digest => {
            let all = MAILED.iter().enumerate();
            let all: Vec<Example> = all.map(|(n, topic)| example(*topic, language, n)).collect();
            vec![all[..1].to_vec(), all]
        }
        Template::Alert => [Topic::AlertBegan, Topic::AlertEnded].map(about).concat(),
        Template::Test => vec![vec![example(Topic::Test, language, 0)]],
    }
}

/// What devices and people can be told about.
const MAILED: [Topic; 7] = [
    Topic::NonCompliant,
    Topic::Reminder,
    Topic::Blocked,
    Topic::Compliant,
    Topic::EnrollmentFailed,
    Topic::WipeIssued,
    Topic::WipeRefused,
];

fn example(topic: Topic, language: &str, n: usize) -> Example {
    let at = |minutes: i64| Timestamp::from_millis(1_795_608_000_000 + minutes * 60_000);
    let minutes = i64::try_from(n).unwrap_or_default();
    let alert = matches!(topic, Topic::AlertBegan | Topic::AlertEnded);
    let about_device = !alert && topic != Topic::Test;
    let failing = matches!(topic, Topic::NonCompliant | Topic::Reminder | Topic::Blocked);
    let wiped = matches!(topic, Topic::WipeIssued | Topic::WipeRefused);
    let letter = Letter {
        device: about_device.then(|| device(n, if failing { checks(n) } else { Vec::new() })),
        ends: failing.then(|| at(1440 + minutes)),
        reason: match topic {
            Topic::EnrollmentFailed => Some("no report within 30m".to_owned()),
            Topic::WipeRefused => Some("no trusted person signed it".to_owned()),
            _ => None,
        },
        wipe: wiped.then(|| wipe(n)),
        alert: alert.then(|| AlertText {
            title: "The fleet is frozen".to_owned(),
            detail: "40 of 100 manifests are gone. Restore them, or accept the removals."
                .to_owned(),
        }),
        ..Letter::to(email("ana.ruiz@example.com"), language)
    };
    (topic, at(minutes), letter)
}

fn device(n: usize, checks: Vec<CheckText>) -> DeviceText {
    let (name, serial, platform) = match n % Platform::ALL.len() {
        0 => ("ana-ruiz-laptop", "PF3XK9Q2", Platform::Windows),
        1 => ("ana-ruiz-mac", "C02XK9Q2", Platform::Macos),
        2 => ("ana-ruiz-iphone", "F2LXK9Q2", Platform::Ios),
        _ => ("ana-ruiz-android", "R58XK9Q2", Platform::Android),
    };
    let first = std::iter::successors(Some(DeviceId::FIRST), |id| Some(id.next()));
    DeviceText {
        id: first.take(n + 1).last().unwrap_or(DeviceId::FIRST),
        name: name.parse().expect("a name"),
        serial: serial.parse().expect("a serial number"),
        platform: Some(platform),
        profile: Some("Standard".parse().expect("a name")),
        user: email("ana.ruiz@example.com"),
        checks,
    }
}

/// All checks, with other values for each device: what is known of them differs.
fn checks(n: usize) -> Vec<CheckText> {
    let check = |name: &str| CheckText {
        name: name.to_owned(),
        seen: "off".to_owned(),
        wanted: "on".to_owned(),
        ..CheckText::default()
    };
    let on = [Some(false), Some(true), None][n % 3];
    vec![
        CheckText {
            on,
            age_days: (n % 2 == 1).then_some(12),
            most_days: (n != 2).then_some(7),
            outdated: [None, Some(true)][n % 2],
            ..check("antivirus")
        },
        CheckText { on, judged: on.is_none(), ..check("encryption") },
        check("mdm"),
        CheckText {
            version: (n != 2).then(|| "10.0.22631".to_owned()),
            minimum: (n != 3).then(|| "10.0.26100".to_owned()),
            ..check("osVersion")
        },
        CheckText {
            on,
            digits: (n % 2 == 1).then_some(4),
            least_digits: (n != 3).then_some(6),
            ..check("screenLock")
        },
        check("firewall"),
    ]
}

fn wipe(n: usize) -> WipeText {
    WipeText {
        name: "d001-lost".parse().expect("a name"),
        request: Digest::of(b"d001-lost"),
        scope: WipeScope::ALL[n % WipeScope::ALL.len()],
        reason: WipeReason::ALL[n % WipeReason::ALL.len()],
        requested_by: email("bob@example.com"),
        signers: vec![email("bob@example.com"), email("carol@example.com")],
        for_good: n % 2 == 1,
    }
}

fn email(text: &str) -> Email {
    text.parse().expect("an address")
}
