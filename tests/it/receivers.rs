//! Programs and a ticket system are told what happens, by the real binary over real connections.

use serde_json::{Value, json};

use crate::daemon::client::{address, get};
use crate::support::{
    Answer, Device, Fault, Fixture, Instance, PROFILE, Received, Receiver, python,
};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const EXECUTIVE: &str = "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {name: Executive}\n\
    spec: {platforms: [windows], compliance: {encryption: {required: true}}}\n";

/// A report; a device whose disk is not encrypted fails a check of [`PROFILE`].
fn report(serial: &str, day: u32, encrypted: bool) -> String {
    format!(
        r#"{{"serialNumber":"{serial}","at":"2020-01-{day:02}T09:00:00Z","encryption":{{"enabled":{encrypted}}}}}"#
    )
}

/// Two enrolled devices that are in order, one of an executive, and a configuration that tells others.
fn place(notify: &str) -> Fixture {
    let place = Fixture::empty();
    place.write("fleet/profile.yaml", PROFILE);
    place.write("fleet/executive.yaml", EXECUTIVE);
    place.write("fleet/a.yaml", Device::new("A").labels("{site: madrid}").yaml());
    place.write("fleet/b.yaml", Device::new("B").with("profile", "Executive").yaml());
    place.write_secret("secret", SECRET);
    place.write_secret("user", "fleetform");
    place.write_secret("password", "p4ssw0rd");
    if notify.contains("key.pem") {
        let key = place.path("key.pem");
        let args = "genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out";
        let made = std::process::Command::new("openssl").args(args.split(' ')).arg(&key).status();
        assert!(made.expect("openssl, which tests/run installs").success());
        place.write_secret("key.pem", place.read("key.pem"));
    }
    place.write(
        "fleetform.yaml",
        format!("compliance: {{settle: 1s, unknownAfter: 10000d}}\nnotify:\n{notify}"),
    );
    place.run(&["apply", "--yes"]).exits(0);
    place.report(&[report("A", 1, true), report("B", 1, true)].join("\n"));
    place.run(&["apply", "--yes"]).exits(0);
    place
}

/// How often each of these went out, by what the receiver tells repeats apart by.
fn distinct<'a>(received: &'a [Received], of: impl Fn(&'a Received) -> &'a str) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for one in received {
        if !seen.contains(&of(one)) {
            seen.push(of(one));
        }
    }
    seen
}

fn id(received: &Received) -> &str {
    received.header("webhook-id").expect("an id")
}

#[test]
fn a_webhook_hears_what_it_asked_for_and_its_library_believes_it() {
    let receiver = Receiver::start(|_, _| Answer::Status(204));
    let url = receiver.url();
    let place = place(&format!(
        "  webhooks:\n    - {{name: siem, url: '{url}/siem', secretFile: secret, kinds: [compliance.changed]}}\n    \
         - {{name: boss, url: '{url}/boss', secretFile: secret, kinds: ['compliance.*'], profiles: [Executive]}}\n    \
         - {{name: madrid, url: '{url}/madrid', secretFile: secret, kinds: ['*.changed'], labels: {{site: madrid}}}}\n"
    ));
    place.report(&[report("A", 2, false), report("B", 2, false)].join("\n"));
    place.run(&["apply", "--yes"]).exits(0);
    let received = receiver.received();
    let of = |path: &str| -> Vec<String> {
        let of = received.iter().filter(|one| one.target == path);
        of.map(|one| one.json()["data"]["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("/siem"), ["D001", "D002", "D001", "D002"], "in their order");
    assert_eq!(of("/boss"), ["D002", "D002"]);
    assert_eq!(of("/madrid"), ["D001", "D001"]);
    let cases: Vec<Value> = received
        .iter()
        .map(|one| {
            let headers: serde_json::Map<String, Value> =
                one.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({"headers": headers, "body": one.body})
        })
        .collect();
    let said = python(
        "import json, sys\n\
         from standardwebhooks import Webhook\n\
         for case in json.load(open(sys.argv[1])):\n\
         \x20   Webhook('whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=').verify(case['body'], case['headers'])\n\
         \x20   print('verified')\n",
        &json!(cases),
    );
    assert_eq!(said, "verified\n".repeat(8));
    // What was told is in the log, and is not told anew.
    assert_eq!(place.logged("notice.sent"), 8);
    // The snapshot says all of it, too.
    assert_eq!(place.state()["seq"], place.log().last().expect("entries")["seq"]);
    place.run(&["apply", "--yes"]).exits(0);
    assert_eq!(receiver.received().len(), 8);
    // Nowhere is a secret, or a URL beyond its host.
    let everything = place.read(".fleetform/audit.jsonl") + &place.read(".fleetform/state.json");
    assert!(!everything.contains(SECRET) && !everything.contains("/siem"), "{everything}");
}

#[test]
fn killed_wherever_it_is_a_receiver_that_knows_ids_sees_each_notice_once() {
    for hangs in [true, false] {
        // The first try is heard, and not answered; or heard and cut.
        let receiver = Receiver::start(move |_, n| match n {
            0 if hangs => Answer::Silence,
            0 => Answer::Cut,
            _ => Answer::Status(204),
        });
        let place = place(&format!(
            "  webhooks:\n    - {{name: siem, url: '{}', secretFile: secret, kinds: [device.updated]}}\n",
            receiver.url()
        ));
        let mut daemon = place.daemon(&[]);
        daemon.until_it_listens();
        place.replace("fleet/a.yaml", "\"10.0\"", "\"10.1\"");
        daemon.until("the first try", || match receiver.received().len() {
            0 => Err("not there".into()),
            _ => Ok(()),
        });
        daemon.signal("KILL");
        daemon.ended();
        assert_eq!(place.logged("notice.sent"), 0);
        let mut daemon = place.daemon(&[]);
        daemon.until("the outcome in the log", || match place.logged("notice.sent") {
            1 => Ok(()),
            n => Err(format!("{n} outcomes")),
        });
        daemon.stop();
        let received = receiver.received();
        assert!((2..=3).contains(&received.len()), "{received:?}");
        assert_eq!(distinct(&received, id).len(), 1, "the same id");
        assert_eq!(distinct(&received, |one| &one.body).len(), 1, "the same to the byte");
        assert_eq!(place.logged("notice.intended"), 1, "under the same intent");
    }
}

/// What `notify` says of an instance.
fn instance(receiver: &Receiver, more: &str) -> String {
    format!(
        "  serviceNow:\n    url: '{}'\n    userFile: user\n    passwordFile: password\n    \
         profiles: {{Executive: {{impact: '1', urgency: '1'}}}}\n{more}",
        receiver.url()
    )
}

#[test]
fn each_episode_has_one_ticket_with_a_note_when_it_is_over() {
    let (receiver, instance_of) = Receiver::service_now(Instance::default());
    let place = place(&instance(&receiver, "    fields: {category: '{{ device.platform }}'}\n"));
    place.report(&[report("A", 2, false), report("B", 2, false)].join("\n"));
    place.run(&["apply", "--yes"]).exits(0);
    let tickets = instance_of.lock().unwrap().rows.clone();
    assert_eq!(tickets.len(), 2);
    let of = |device: &str| {
        let part = format!(":{device}:");
        let found = tickets.iter().filter(|row| row["correlation_id"].contains(&part));
        found.collect::<Vec<_>>()
    };
    let (a, b) = (of("D001"), of("D002"));
    assert_eq!((&*a[0]["urgency"], &*a[0]["category"]), ("2", "windows"));
    assert_eq!((&*b[0]["urgency"], &*b[0]["impact"]), ("1", "1"), "an executive's is urgent");
    assert!(
        a[0]["short_description"].contains("D001")
            && a[0]["short_description"].contains("encryption")
    );
    assert_eq!(place.logged("ticket.opened"), 2);
    // Compliant again: a note, once the device has been so for a while.
    place.report(&report("A", 3, true));
    let mut daemon = place.daemon(&[]);
    daemon.until("the note", || match place.logged("ticket.noted") {
        1 => Ok(()),
        n => Err(format!("{n} notes")),
    });
    daemon.stop();
    let tickets = instance_of.lock().unwrap().rows.clone();
    let noted: Vec<_> = tickets.iter().filter(|row| !row["work_notes"].is_empty()).collect();
    assert_eq!(noted.len(), 1);
    assert!(noted[0]["correlation_id"].contains(":D001:"));
    assert!(noted[0]["work_notes"].contains("compliant again"), "{}", noted[0]["work_notes"]);
    assert_eq!(noted[0]["state"], "1", "people close tickets");
}

#[test]
fn a_ticket_whose_answer_is_lost_is_not_opened_twice_though_the_daemon_is_killed() {
    let faults = vec![Fault::None, Fault::LostAfter];
    let (receiver, instance_of) = Receiver::service_now(Instance { faults, ..Instance::default() });
    let place = place(&instance(&receiver, "    close: true\n"));
    let mut daemon = place.daemon(&[]);
    daemon.until_it_listens();
    place.report(&report("A", 2, false));
    daemon.until("the ticket", || match instance_of.lock().unwrap().rows.len() {
        0 => Err("not there".into()),
        _ => Ok(()),
    });
    daemon.signal("KILL");
    daemon.ended();
    assert_eq!(place.logged("ticket.opened"), 0);
    // The answer to the first note is lost, too.
    instance_of.lock().unwrap().faults = vec![Fault::None, Fault::None, Fault::LostAfter];
    let mut daemon = place.daemon(&[]);
    daemon.until("the ticket in the log", || match place.logged("ticket.opened") {
        1 => Ok(()),
        n => Err(format!("{n} tickets")),
    });
    place.report(&report("A", 3, true));
    daemon.until("the note in the log", || match place.logged("ticket.noted") {
        1 => Ok(()),
        n => Err(format!("{n} notes")),
    });
    daemon.stop();
    let rows = instance_of.lock().unwrap().rows.clone();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["work_notes"].matches("compliant again").count(), 1);
    assert_eq!(rows[0]["state"], "6", "closed, as was asked for");
}

#[test]
fn security_events_come_in_their_order_and_are_believed_by_what_the_daemon_publishes() {
    let receiver = Receiver::start(|_, _| Answer::Status(202));
    let place = place(&format!(
        "  events:\n    - {{name: idp, url: '{}', audience: 'https://idp.example.net/ssf', \
         issuer: 'https://fleet.example.com', keyFile: key.pem}}\n",
        receiver.url()
    ));
    let mut daemon = place.daemon(&["--listen", "127.0.0.1:0"]);
    let at = address(&mut daemon);
    for (day, encrypted) in [(2, false), (3, true)] {
        place.report(&report("A", day, encrypted));
        daemon.until("the event", || match receiver.received().len() {
            n if n >= day as usize + 3 => Ok(()),
            n => Err(format!("{n} tokens")),
        });
    }
    let configuration: Value =
        serde_json::from_str(&get(at, "/.well-known/ssf-configuration").body).unwrap();
    assert_eq!(configuration["issuer"], "https://fleet.example.com/");
    assert_eq!(configuration["jwks_uri"], "https://fleet.example.com/ssf/jwks.json");
    let keys: Value = serde_json::from_str(&get(at, "/ssf/jwks.json").body).unwrap();
    daemon.stop();
    let received = receiver.received();
    let tokens: Vec<&str> = received.iter().map(|one| &*one.body).collect();
    let said = python(
        "import json, sys, jwt\n\
         case = json.load(open(sys.argv[1]))\n\
         keys = jwt.PyJWKSet.from_dict(case['keys'])\n\
         for token in case['tokens']:\n\
         \x20   key = keys[jwt.get_unverified_header(token)['kid']]\n\
         \x20   claims = jwt.decode(token, key, algorithms=['RS256'], issuer='https://fleet.example.com/',\n\
         \x20       audience='https://idp.example.net/ssf')\n\
         \x20   (kind, event), = claims['events'].items()\n\
         \x20   if 'current_status' in event:\n\
         \x20       print(claims['sub_id']['device']['sub'], event['current_status'])\n",
        &json!({"tokens": tokens, "keys": keys}),
    );
    let of_a: Vec<&str> = said.lines().filter(|line| line.starts_with("D001")).collect();
    assert_eq!(of_a, ["D001 compliant", "D001 not-compliant", "D001 compliant"]);
}

#[test]
fn the_configurations_of_the_page_are_valid_and_a_slip_of_the_pen_is_not() {
    let page = include_str!("../../docs/notifications.md");
    let (_, page) = page.split_once("\n## Webhooks\n").unwrap();
    let place = Fixture::of(&["A"]);
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(blocks.len(), 3);
    for block in &blocks {
        place.write("fleetform.yaml", block);
        place.run(&["check"]).exits(0);
    }
    place.write("fleetform.yaml", blocks[0]);
    let unknown = "notify.webhooks.siem.profiles names Executive, and there is no such profile";
    place.run(&["check"]).exits(0).complains(&[unknown]);
    for (block, from, to, says) in [
        (0, "wipe.*", "whipe.*", "fits no kind of entry"),
        (0, "secretFile", "secretfile", "unknown field"),
        (0, "https://siem", "http://siem", "https://"),
        (1, "category: hardware", "category: '{{ device.color }}'", "the template of category"),
        (2, "audience", "audiences", "unknown field"),
    ] {
        place.write("fleetform.yaml", blocks[block].replace(from, to));
        place.run(&["check"]).exits(1).complains(&[says]);
    }
}

#[test]
fn after_a_restore_nobody_is_told_anything_twice_and_a_ticket_of_before_gets_its_note() {
    let hook = Receiver::start(|_, _| Answer::Status(204));
    let (receiver, instance_of) = Receiver::service_now(Instance::default());
    let webhook = format!(
        "  webhooks:\n    - {{name: siem, url: '{}', secretFile: secret, kinds: [compliance.changed]}}\n",
        hook.url()
    );
    let place = place(&(webhook + &instance(&receiver, "")));
    place.report(&report("A", 2, false));
    place.run(&["apply", "--yes"]).exits(0);
    let told = hook.received().len();
    let tickets = || instance_of.lock().unwrap().rows.clone();
    assert_eq!((tickets().len(), place.logged("ticket.opened")), (1, 1));
    place.run(&["backup", "backup.tar"]).exits(0);
    place.remove(".fleetform");
    place.run(&["restore", "backup.tar"]).exits(0);
    for _ in 0..2 {
        place.run(&["apply", "--yes"]).exits(0);
        assert_eq!((hook.received().len(), tickets().len()), (told, 1));
    }
    place.report(&report("A", 3, true));
    let mut daemon = place.daemon(&[]);
    daemon.until("the note", || match place.logged("ticket.noted") {
        1 => Ok(()),
        n => Err(format!("{n} notes")),
    });
    daemon.stop();
    let tickets = tickets();
    assert_eq!((hook.received().len(), tickets.len()), (told + 1, 1));
    assert!(tickets[0]["work_notes"].contains("compliant again"), "{}", tickets[0]["work_notes"]);
}
