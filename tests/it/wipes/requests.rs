//! What a request is for good, for which ledger, by which clock, and how many there may be.

#![expect(clippy::print_stdout, reason = "a failure needs to say in which case")]

use std::fs;
use std::os::unix::fs::symlink;

use chrono::TimeDelta;
use serde_json::Value;

use crate::support::{LEDGER, Lab, Request, VETO, digest, signature, start, trusted};

fn nothing_issued(lab: &Lab) {
    assert_eq!((lab.issued(), lab.commands()), (0, 0));
}

/// Nothing is left to do, and nothing is logged again.
fn settled(lab: &Lab) {
    let before = lab.log();
    lab.pass();
    assert_eq!(lab.log(), before, "planning again gives nothing");
}

#[test]
fn a_request_for_another_ledger_is_refused_for_good() {
    let lab = Lab::new();
    let other = "4f0c6a1e-2b7d-4c1a-9e55-0d8f3a6b7c22";
    let request = Request { ledger: other.into(), ..Request::of(1) };
    lab.request("r1.yaml", &request.yaml(), &["bob"]);
    let wipes = lab.pass();
    let (standing, code, detail) = &wipes["r1.yaml"];
    assert_eq!((standing.as_str(), code.as_str()), ("refused", "otherLedger"));
    assert!(detail.contains(other) && detail.contains(LEDGER), "{detail}");
    assert_eq!(lab.log().last().unwrap().1["final"], Value::Bool(true));
    settled(&lab);
    nothing_issued(&lab);
}

#[test]
fn a_request_that_was_wiped_here_is_refused_by_a_new_ledger() {
    let lab = Lab::new();
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
    let again = lab.copy(|copy| {
        fs::remove_dir_all(copy.path("data")).unwrap();
    });
    again.pass();
    assert_eq!(again.judge("r1.yaml"), "refused otherLedger");
    nothing_issued(&again);
}

/// `head: SEQ:HASH` of an entry of the lab's log.
fn head(lab: &Lab, seq: usize) -> String {
    let log = fs::read_to_string(lab.path("data/audit.jsonl")).expect("a log");
    format!("head: \"{seq}:{}\"\n  ", digest(log.lines().nth(seq - 1).expect("that entry")))
}

#[test]
fn where_it_is_asked_for_a_request_names_a_recent_entry_of_the_log() {
    let mut lab = Lab::new();
    lab.settings.wipes.require_head = true;
    let judged = |lab: &Lab, head: String| {
        let request = Request { head, ..Request::of(1) };
        lab.copy(|lab| lab.request("r1.yaml", &request.yaml(), &["bob"])).judge("r1.yaml")
    };
    assert_eq!(judged(&lab, String::new()), "refused headMissing");
    assert_eq!(judged(&lab, head(&lab, 3)), "issue issue");
    let forged = head(&lab, 3).replace("3:", "4:");
    assert_eq!(judged(&lab, forged.clone()), "refused headUnknown", "the hash of another entry");
    let ahead = head(&lab, 3).replace("3:", "999:");
    assert_eq!(judged(&lab, ahead), "refused headUnknown", "an entry to come");
    lab.settings.wipes.require_head = false;
    assert_eq!(judged(&lab, forged), "refused headUnknown", "what it names has to be right");
    lab.settings.wipes.require_head = true;
    // The key was held long ago, and the request dated ahead.
    let head = head(&lab, 3);
    let now = start() + TimeDelta::hours(100);
    lab.at(now);
    let late = Request { head, issued: now, expires: now + TimeDelta::hours(1), ..Request::of(1) };
    lab.request("r1.yaml", &late.yaml(), &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "refused headTooOld");
    nothing_issued(&lab);
}

/// The last device is personal; a request to erase it whole.
fn personal() -> (Lab, String) {
    let lab = Lab::new();
    let text = Request::of(5).yaml();
    lab.request("r5.yaml", &text, &["bob"]);
    (lab, text)
}

fn stays_refused(lab: &Lab) {
    lab.device(5, 1, "corporate");
    for _ in 0..3 {
        lab.wait(TimeDelta::minutes(1));
        assert_eq!(lab.judge("r5.yaml"), "refused personalFull");
    }
    nothing_issued(lab);
}

#[test]
fn what_was_refused_for_good_stays_so_whatever_is_refused_later() {
    type Between = fn(&mut Lab, &str);
    let between: [(&str, Between, Between); 5] = [
        (
            "a signature removed for a pass",
            |lab, _| lab.remove("r5.yaml.bob.sig"),
            |lab, text| lab.request("r5.yaml", text, &["bob"]),
        ),
        (
            "junk beside it",
            |lab, _| (0..300).for_each(|n| lab.put(&format!("r5.yaml.{n}.sig"), "x")),
            |lab, _| (0..300).for_each(|n| lab.remove(&format!("r5.yaml.{n}.sig"))),
        ),
        (
            "a typo in the trust file",
            |lab, _| lab.trust("x\n"),
            |lab, _| lab.trust(&(trusted("bob") + &trusted("carol"))),
        ),
        (
            "a lower maxValidity",
            |lab, _| lab.settings.wipes.max_validity = TimeDelta::hours(1),
            |lab, _| lab.settings.wipes.max_validity = TimeDelta::hours(72),
        ),
        ("the file deleted", |lab, _| lab.remove("r5.yaml"), |lab, text| lab.put("r5.yaml", text)),
    ];
    for (what, spoil, fix) in between {
        let (mut lab, text) = personal();
        assert_eq!(lab.judge("r5.yaml"), "refused personalFull");
        spoil(&mut lab, &text);
        lab.device(5, 1, "corporate");
        lab.pass();
        fix(&mut lab, &text);
        println!("{what}");
        stays_refused(&lab);
    }
}

#[test]
fn a_personal_device_is_noticed_behind_every_other_refusal() {
    type Spoil = fn(&mut Lab, &str);
    let hidden: [(&str, Spoil, Spoil); 4] = [
        ("no trust", |lab, _| lab.trust("x\n"), |lab, _| lab.trust(&trusted("bob"))),
        (
            "not signed",
            |lab, _| lab.remove("r5.yaml.bob.sig"),
            |lab, text| lab.request("r5.yaml", text, &["bob"]),
        ),
        ("not yet", |lab, _| lab.at(start() + TimeDelta::minutes(-30)), |lab, _| lab.at(start())),
        (
            "valid too long",
            |lab, _| lab.settings.wipes.max_validity = TimeDelta::hours(1),
            |lab, _| lab.settings.wipes.max_validity = TimeDelta::hours(72),
        ),
    ];
    for (what, spoil, fix) in hidden {
        let (mut lab, text) = personal();
        spoil(&mut lab, &text);
        lab.pass();
        settled(&lab);
        fix(&mut lab, &text);
        println!("{what}");
        stays_refused(&lab);
    }
}

#[test]
fn an_old_log_that_knows_only_the_code_stays_final() {
    let (lab, _) = personal();
    assert_eq!(lab.judge("r5.yaml"), "refused personalFull");
    // As an older version wrote it: without `final`, and without the ledger.
    let path = lab.path("data/audit.jsonl");
    let log = fs::read_to_string(&path).unwrap();
    let (before, last) = log.trim_end().rsplit_once('\n').unwrap();
    let old = last.replace(",\"final\":true", "").replace(&format!("\"ledger\":\"{LEDGER}\","), "");
    assert_ne!(old, last);
    crate::support::write(&path, format!("{before}\n{old}\n"));
    // Neither the snapshot nor the mark of the last whole pass knows the shorter log.
    fs::remove_file(lab.path("data/state.json")).unwrap();
    fs::remove_file(lab.path("data/lock")).unwrap();
    stays_refused(&lab);
}

/// A file beside a request that would be issued.
fn beside(spoil: impl FnOnce(&Lab, &str)) -> (Lab, String) {
    let lab = Lab::new();
    let text = Request::of(1).yaml();
    lab.request("r1.yaml", &text, &["bob"]);
    spoil(&lab, &text);
    (lab, text)
}

#[test]
fn a_file_beside_it_that_cannot_be_read_holds_it_and_is_named() {
    type Spoil = fn(&Lab, &str);
    let veto = |text: &str| signature("dave", VETO, text.as_bytes());
    let files: [(&str, Spoil); 7] = [
        ("a link", |lab, _| symlink("/dev/null", lab.path("fleet/r1.yaml.x.sig")).unwrap()),
        ("a dead link", |lab, _| symlink("none", lab.path("fleet/r1.yaml.x.sig")).unwrap()),
        ("a directory", |lab, _| fs::create_dir(lab.path("fleet/r1.yaml.x.sig")).unwrap()),
        ("too large", |lab, _| lab.put("r1.yaml.x.sig", vec![b'a'; 8 * 1024 + 1])),
        ("empty", |lab, _| lab.put("r1.yaml.x.sig", "")),
        ("CRLF", |lab, text| {
            let veto = String::from_utf8(signature("dave", VETO, text.as_bytes())).unwrap();
            lab.put("r1.yaml.x.sig", veto.replace('\n', "\r\n"));
        }),
        ("cut short", |lab, text| {
            let veto = signature("dave", VETO, text.as_bytes());
            lab.put("r1.yaml.x.sig", &veto[..veto.len() / 2]);
        }),
    ];
    for (what, spoil) in files {
        let (lab, text) = beside(spoil);
        let wipes = lab.pass();
        let (standing, code, detail) = &wipes["r1.yaml"];
        let found = (standing.as_str(), code.as_str());
        assert_eq!(found, ("held", "signatureUnreadable"), "{what}: {detail}");
        assert!(detail.contains("r1.yaml.x.sig"), "{what}: {detail}");
        settled(&lab);
        nothing_issued(&lab);
        let path = lab.path("fleet/r1.yaml.x.sig");
        if path.is_dir() {
            fs::remove_dir(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        let mended = lab.copy(|_| {});
        assert_eq!(mended.judge("r1.yaml"), "issue issue", "{what}, removed");
        lab.put("r1.yaml.x.sig", veto(&text));
        assert_eq!(lab.judge("r1.yaml"), "vetoed veto", "{what}, mended");
    }
}

#[test]
fn a_veto_counts_whatever_its_file_is_called() {
    for name in ["r1.yaml.sig", "r1.yaml.dave.sig", "r1.yaml-no.sig", "r1.yaml.veto.sig"] {
        let (lab, _) = beside(|lab, text| lab.put(name, signature("dave", VETO, text.as_bytes())));
        assert_eq!(lab.judge("r1.yaml"), "vetoed veto", "{name}");
        lab.remove(name);
        assert_eq!(lab.judge("r1.yaml"), "vetoed vetoed", "{name}: for good");
        nothing_issued(&lab);
    }
}

#[test]
fn a_veto_seen_while_the_clock_is_behind_is_recorded() {
    let (lab, _) = beside(|lab, text| {
        lab.put("r1.yaml.veto.sig", signature("dave", VETO, text.as_bytes()));
    });
    lab.at(start() + TimeDelta::hours(-3));
    assert_eq!(lab.judge("r1.yaml"), "vetoed veto");
    lab.remove("r1.yaml.veto.sig");
    lab.at(start());
    assert_eq!(lab.judge("r1.yaml"), "vetoed vetoed");
    nothing_issued(&lab);
}

#[test]
fn a_manifest_that_cannot_be_used_and_may_say_personal_holds_a_full_wipe() {
    let device = |lab: &Lab| fs::read_to_string(lab.path("fleet/dev-1.yaml")).unwrap();
    type Spoil = fn(&Lab, String);
    let manifests: [(&str, Spoil, bool); 7] = [
        (
            "broken",
            |lab, text| lab.put("dev-1.yaml", text.replace("corporate", "personal, x: 1")),
            false,
        ),
        (
            "broken, corporate",
            |lab, text| {
                lab.put("dev-1.yaml", text.replace("userEmail: u1@example.com", "userEmail: u1"));
            },
            true,
        ),
        (
            "misspelt",
            |lab, text| {
                lab.put("dev-1.yaml", text.replace("ownership: corporate", "ownership: persnal"));
            },
            false,
        ),
        (
            "said twice",
            |lab, text| {
                lab.put("dev-1.yaml", text.replace("corporate", "corporate, ownership: personal"));
            },
            false,
        ),
        ("no YAML", |lab, text| lab.put("dev-1.yaml", text.replace('}', "")), false),
        (
            "a clash, one personal",
            |lab, text| {
                let other = text.replace("dev-1", "other").replace("corporate", "personal");
                lab.put("other.yaml", other);
            },
            false,
        ),
        (
            "a broken one beside a valid one",
            |lab, text| {
                let other = text.replace("dev-1", "other").replace("corporate", "personal, x: 1");
                lab.put("other.yaml", other);
            },
            false,
        ),
    ];
    for (what, spoil, goes) in manifests {
        let (lab, _) = beside(|lab, _| spoil(lab, device(lab)));
        let expected = if goes { "issue issue" } else { "held ownershipUnclear" };
        assert_eq!(lab.judge("r1.yaml"), expected, "{what}");
        if goes {
            continue;
        }
        settled(&lab);
        nothing_issued(&lab);
        if what == "misspelt" {
            lab.device(1, 1, "corporate");
            assert_eq!(lab.judge("r1.yaml"), "issue issue", "{what}, mended");
        }
    }
}

#[test]
fn a_raised_delay_reaches_what_was_accepted() {
    let (mut lab, _) = beside(|_, _| {});
    lab.settings.wipes.delay = TimeDelta::minutes(10);
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    lab.settings.wipes.delay = TimeDelta::hours(2);
    lab.wait(TimeDelta::minutes(119));
    assert_eq!(lab.judge("r1.yaml"), "coolingOff coolingOff");
    lab.at(start() + TimeDelta::minutes(120));
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}

#[test]
fn a_clock_set_back_in_a_quiet_fleet_revives_nothing() {
    let lab = Lab::new();
    // The last that happens is that enrollment takes too long.
    lab.wait(TimeDelta::minutes(30));
    lab.pass();
    // Nothing happens for two days, and so nothing is logged; the request comes later.
    lab.at(start() + TimeDelta::hours(48));
    let before = fs::read_to_string(lab.path("data/audit.jsonl")).unwrap();
    lab.pass();
    assert_eq!(fs::read_to_string(lab.path("data/audit.jsonl")).unwrap(), before);
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    lab.at(start() + TimeDelta::hours(1));
    for _ in 0..2 {
        assert_eq!(lab.judge("r1.yaml"), "held clockBehind", "also after a new start");
    }
    fs::remove_file(lab.path("data/state.json")).unwrap();
    assert_eq!(lab.judge("r1.yaml"), "held clockBehind");
    lab.at(start() + TimeDelta::hours(49));
    assert_eq!(lab.judge("r1.yaml"), "expired expired");
    nothing_issued(&lab);
}

#[test]
fn a_time_that_cannot_be_read_holds() {
    let (lab, _) = beside(|lab, _| crate::support::write(lab.path("data/clock"), "yesterday"));
    assert_eq!(lab.judge("r1.yaml"), "held clockBehind");
    nothing_issued(&lab);
}

#[test]
fn requests_that_nobody_signed_grow_neither_log_nor_state() {
    let lab = Lab::new();
    let junk = |n: u32| Request { name: format!("junk{n}"), ..Request::of(2) };
    for n in 0..1_005 {
        lab.put(&format!("junk/{n}.yaml"), junk(n).yaml());
    }
    lab.pass();
    let entries = lab.log().len();
    assert_eq!((entries, lab.state().wipes.len()), (1_000, 1_000));
    settled(&lab);
    // What is refused in turns for other reasons is not told again.
    lab.trust("x\n");
    lab.pass();
    lab.trust(&trusted("bob"));
    lab.pass();
    assert_eq!(lab.log().len(), entries);
    // A signed one is not kept out.
    lab.request("r1.yaml", &Request::of(1).yaml(), &["bob"]);
    assert_eq!(lab.judge("r1.yaml"), "issue issue");
}
