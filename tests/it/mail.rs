//! Mails, through a real server.

use crate::daemon::client::{address, get};
use crate::support::{Device, Fixture, MailServer, PROFILE};

/// A report; a device whose disk is not encrypted fails a check of [`PROFILE`].
fn report(serial: &str, day: u32, encrypted: bool) -> String {
    format!(
        r#"{{"serialNumber":"{serial}","at":"2020-01-{day:02}T09:00:00Z","encryption":{{"enabled":{encrypted}}}}}"#
    )
}

/// Enrolled devices of Ana, all in order, and a configuration that sends mails there.
fn place(server: &MailServer, serials: &[String], settings: &str, more: &str) -> Fixture {
    let place = Fixture::empty();
    place.write("fleet/profile.yaml", PROFILE);
    for serial in serials {
        place.write(&format!("fleet/{serial}.yaml"), Device::new(serial).yaml());
    }
    place.write("fleetform.yaml", server.settings(settings) + more);
    place.run(&["apply", "--yes"]).exits(0);
    hand_in(&place, serials, 1, true);
    place.run(&["apply", "--yes"]).exits(0);
    place
}

fn hand_in(place: &Fixture, serials: &[String], day: u32, encrypted: bool) {
    let reports: Vec<String> =
        serials.iter().map(|serial| report(serial, day, encrypted)).collect();
    place.report(&reports.join("\n"));
}

fn serials(n: usize) -> Vec<String> {
    (1..=n).map(|n| format!("SN{n:03}")).collect()
}

fn message_id(mail: &str) -> &str {
    let line = mail.lines().find(|line| line.starts_with("Message-ID: "));
    line.expect("every mail has a name")
}

/// Without the soft breaks of quoted-printable.
fn joined(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=\n", "")
}

#[test]
fn a_user_with_forty_devices_failing_at_once_gets_one_mail() {
    let (server, serials) = (MailServer::start(), serials(40));
    let place = place(&server, &serials, "it: [ops@example.com]", "");
    hand_in(&place, &serials, 2, false);
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(server.recipients(), ["ana@example.com"]);
    let mail = joined(&server.taken()[0]);
    assert!(mail.contains("Subject: 40 of your devices need your attention by"), "{mail}");
    assert!(serials.iter().all(|serial| mail.contains(&format!("(serial number {serial})"))));
    assert!(mail.contains("Auto-Submitted: auto-generated"), "{mail}");
    let sent: Vec<_> = place.log().into_iter().filter(|e| e["kind"] == "notice.sent").collect();
    assert_eq!(sent.len(), 40, "the log says of each device who was told");
    assert!(sent.iter().all(|entry| entry["data"]["to"] == "ana@example.com"));
    let reference = sent[0]["data"]["reference"].as_str().unwrap();
    assert!(
        reference
            .contains(message_id(&server.taken()[0]).trim_start_matches("Message-ID: ").trim())
    );
    // Nothing more follows from it.
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn the_limit_of_a_user_holds_for_the_next_run_and_for_a_daemon() {
    let (server, serials) = (MailServer::start(), serials(4));
    let place = place(&server, &serials, "perUserPerHour: 2", "");
    for (serial, day) in serials.iter().zip(2..) {
        hand_in(&place, std::slice::from_ref(serial), day, false);
        place.run(&["apply", "--yes"]).exits(0);
    }
    assert_eq!(server.taken().len(), 2, "of four that failed one after the other");
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let address = address(&mut daemon);
    daemon.until("what waits to be shown", || {
        let text = get(address, "/metrics").body;
        let waiting = |line: &str| line.starts_with("fleetform_deliveries_waiting{sink=\"mail\"}");
        let some = text.lines().any(|line| waiting(line) && !line.ends_with(" 0"));
        if some { Ok(()) } else { Err(text) }
    });
    daemon.signal("KILL");
    daemon.ended();
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(server.taken().len(), 2);
}

#[test]
fn killed_while_a_mail_is_handed_over_it_is_sent_again_under_the_same_name() {
    for (mode, copies) in [("hang-data", 1), ("hang-content", 1), ("hang-after", 2)] {
        let (server, serials) = (MailServer::start(), serials(2));
        let place = place(&server, &serials, "", "");
        server.mode(mode);
        let mut daemon = place.daemon(&[]);
        daemon.until_it_listens();
        hand_in(&place, &serials, 2, false);
        // Else the server could take what was handed over once its mode is another one.
        daemon.until("the intent in the log", || match place.logged("notice.intended") {
            2 if server.hangs() => Ok(()),
            n => Err(format!("{n} intents")),
        });
        daemon.signal("KILL");
        daemon.ended();
        server.mode("");
        let mut daemon = place.daemon(&[]);
        daemon.until("the outcome in the log", || {
            let n = place.logged("notice.sent");
            if n == 2 { Ok(()) } else { Err(format!("{n} outcomes")) }
        });
        daemon.stop();
        let taken = server.taken();
        assert_eq!(taken.len(), copies, "{mode}");
        assert!(taken.iter().all(|mail| *mail == taken[0]), "{mode}: the same to the byte");
        assert_eq!(place.logged("notice.intended"), 2, "{mode}: under the same intent");
    }
}

#[test]
fn what_is_not_true_any_more_when_a_mail_could_go_is_not_told_and_the_log_says_why() {
    let (server, serials) = (MailServer::start(), serials(1));
    let settings = "compliance: {settle: 1s, unknownAfter: 36500d}\n";
    let place = place(&server, &serials, "", settings);
    server.mode("soft-content");
    hand_in(&place, &serials, 2, false);
    place.run(&["apply", "--yes"]).exits(0);
    hand_in(&place, &serials, 3, true);
    let mut daemon = place.daemon(&[]);
    // That it fails, and that it is in order again; its reminder is not due.
    daemon.until("both to be dropped", || {
        let n = place.logged("notice.dropped");
        if n == 2 { Ok(()) } else { Err(format!("{n} dropped")) }
    });
    daemon.stop();
    assert_eq!(server.taken(), [""; 0]);
    let reasons: Vec<String> = place
        .log()
        .iter()
        .filter(|entry| entry["kind"] == "notice.dropped")
        .map(|entry| format!("{}: {}", entry["data"]["topic"], entry["data"]["reason"]))
        .collect();
    let all = reasons.join("\n");
    assert!(all.contains("the device is not non-compliant any more"), "{all}");
    assert!(all.contains("the user was never told that it was not in order"), "{all}");
}

/// The value of a header.
fn header<'m>(mail: &'m str, name: &str) -> Option<&'m str> {
    let line = mail.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim_start_matches(':').trim())
}

#[test]
fn mails_of_one_episode_refer_to_the_first_of_them() {
    let (server, serials) = (MailServer::start(), serials(1));
    let settings = "compliance: {settle: 1s, unknownAfter: 36500d}\n";
    let place = place(&server, &serials, "cc: [boss@example.com]", settings);
    let mut daemon = place.daemon(&[]);
    for (day, encrypted) in [(2, false), (3, true)] {
        hand_in(&place, &serials, day, encrypted);
        daemon.until("the mail and its copy", || match server.taken().len() {
            n if n == 2 * (day as usize - 1) => Ok(()),
            n => Err(format!("{n} mails")),
        });
    }
    daemon.stop();
    let mails = server.taken();
    for (first, second) in [(0, 2), (1, 3)] {
        assert_eq!(header(&mails[first], "To"), header(&mails[second], "To"));
        let id = header(&mails[first], "Message-ID");
        assert_eq!(header(&mails[first], "In-Reply-To"), None, "{}", mails[first]);
        assert_eq!(header(&mails[second], "In-Reply-To"), id, "{}", mails[second]);
        assert_eq!(header(&mails[second], "References"), id);
    }
}

#[test]
fn what_cannot_be_delivered_is_said_by_apply_show_and_list() {
    let (server, serials) = (MailServer::start(), serials(2));
    let place = place(&server, &serials, "", "");
    server.mode("soft-content");
    hand_in(&place, &serials[..1], 2, false);
    let applied = place.run(&["apply", "--yes"]).exits(0);
    assert!(applied.stderr.contains("mail is not told: "), "{}", applied.stderr);
    assert!(applied.stderr.contains("fleetform deliveries"), "{}", applied.stderr);
    let show = place.run(&["show", "SN001"]).exits(0).stdout;
    assert!(show.contains("Not told yet:  mail: nonCompliant since"), "{show}");
    assert!(show.contains("1 try failed: "), "{show}");
    let shown = place.run(&["show", "SN001", "-o", "json"]).exits(0).json();
    assert_eq!(shown["undelivered"][0]["topic"], "nonCompliant", "{shown:#}");
    let list = place.run(&["list", "--notes"]).exits(0).stdout;
    let noted: Vec<_> = list.lines().filter(|line| line.contains("not notified yet")).collect();
    assert!(noted.len() == 1 && noted[0].contains("SN001"), "{list}");
    let listed = |args: &[&str]| {
        let args = [&["list", "-o", "json"][..], args].concat();
        place.run(&args).exits(0).json()["undelivered"].clone()
    };
    assert_eq!(listed(&[]), shown["undelivered"]);
    assert!(listed(&["--status", "Wiped"]).is_null(), "only of the devices that are listed");
    server.mode("");
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(server.taken().len(), 1);
    let list = place.run(&["list", "--notes"]).exits(0);
    assert!(!list.stdout.contains("not notified"), "{}", list.stdout);
}

#[test]
fn a_refused_recipient_is_not_asked_again_and_the_answer_is_in_the_log() {
    let server = MailServer::start();
    let serials = serials(1);
    let place = place(&server, &serials, "cc: [hard@example.com]", "");
    hand_in(&place, &serials, 2, false);
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(server.recipients(), ["ana@example.com"], "one that is refused refuses no other");
    let log = place.log();
    let failed = log.iter().find(|entry| entry["kind"] == "notice.failed").unwrap();
    let reason = failed["data"]["reason"].as_str().unwrap();
    assert!(reason.contains("550 5.1.1 no such mailbox here"), "{reason}");
    assert_eq!(failed["data"]["to"], "hard@example.com");
}

#[test]
fn a_text_of_which_no_mail_can_be_made_fails_the_check_and_the_start_with_its_place() {
    let server = MailServer::start();
    let place = Fixture::of(&["A"]);
    place.write("fleetform.yaml", server.settings("templates: texts"));
    place.write("texts/en/blocked.txt", "Subject: Blocked\n\n{{ devices[0].nmae }}\n");
    let said = place.run(&["check"]).exits(1).stdout;
    assert!(said.contains("no mail can be made of this text: undefined value"), "{said}");
    assert!(said.contains("texts/en/blocked.txt:3:1") && said.contains("nmae"), "{said}");
    let found = place.run(&["check", "-o", "json"]).exits(1).json();
    let finding = &found["findings"][0];
    assert_eq!((&finding["code"], &finding["line"]), (&"mail-template".into(), &3.into()));
    assert_eq!(found["summary"]["errors"], 1, "{found:#}");
    place.run(&["apply", "--yes"]).exits(1).complains(&["texts/en/blocked.txt:3: undefined value"]);
    place.write("texts/en/blocked.txt", "Subject: Blocked\n\n{{ devices[0].name }}\n");
    place.run(&["check"]).exits(0);
    // A language that is misspelled is one mistake.
    let misspelled = "templates: texts, language: {default: enn}";
    place.write("fleetform.yaml", server.settings(misspelled));
    let found = place.run(&["check", "-o", "json"]).exits(1).json();
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(1), "{found:#}");
    assert!(found["findings"][0]["message"].as_str().unwrap().contains("the language enn"));
}
