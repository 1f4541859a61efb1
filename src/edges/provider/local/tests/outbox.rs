//! Pushing, and striking out what is done.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::domain::model::DeviceId;
use crate::edges::provider::local::command::{Command, CommandId};
use crate::edges::provider::{LicenseTarget, Licensed, Presence, Withdrawn};

#[test]
fn a_first_push_writes_once_and_links() {
    let fixture = Fixture::new();
    let outcomes = fixture.push(17, &profile("Standard", 1), &["ab-1", "B", ".hidden", ".."]);
    assert_eq!(outcomes, vec![Ok(()); 4]);
    let names = ["%2EHIDDEN.json", "%2E..json", "AB-1.json", "B.json"];
    let mut inodes: Vec<_> = names
        .iter()
        .map(|name| std::fs::metadata(fixture.data().join("outbox").join(name)).unwrap().ino())
        .collect();
    inodes.dedup();
    assert_eq!(inodes.len(), 1, "one file of many names");
    let tree = fixture.tree();
    assert_eq!(tree.len(), 4, "no temporary is left: {tree:?}");
    let value: serde_json::Value = serde_json::from_str(&tree["outbox/B.json"]).unwrap();
    let expected = serde_json::json!({
        "version": 1,
        "commands": [{
            "id": "c17", "command": "profile", "profile": "Standard",
            "digest": Digest::of(&1_u32.to_be_bytes()),
            "apps": ["VPN"], "settings": {"revision": 1}, "licenses": ["SPE_E3"], "compliance": {},
        }],
    });
    assert_eq!(value, expected);
    assert!(tree["outbox/B.json"].starts_with("{\n  \"version\": 1,\n"), "pretty-printed");
    assert_eq!(fixture.pending("AB-1"), ["c17 profile"]);
    assert_eq!(fixture.pending("unknown"), [""; 0]);
}

#[test]
fn pushes_at_the_same_time_give_each_device_its_command() {
    for outbox in [Outbox::new(), Outbox::without_links()] {
        let fixture = Fixture::with(outbox);
        let names: Vec<_> = (0..400).map(|n| format!("SN{n:03}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        std::thread::scope(|scope| {
            for (intent, serials) in (1_u32..).zip(names.chunks(100)) {
                let local = &fixture.local;
                scope.spawn(move || {
                    let profile = profile("Standard", intent);
                    let outcomes = push(&runtime(), local, intent.into(), &profile, serials);
                    assert_eq!(outcomes, vec![Ok(()); serials.len()]);
                });
            }
        });
        for (n, name) in names.iter().enumerate() {
            assert_eq!(fixture.pending(name), [format!("c{} profile", 1 + n / 100)]);
        }
        assert_eq!(fixture.tree().len(), names.len(), "no temporary is left");
    }
}

#[test]
fn a_second_push_replaces_and_touches_no_other_device() {
    for outbox in [Outbox::new(), Outbox::without_links()] {
        let fixture = Fixture::with(outbox);
        fixture.push(17, &profile("Standard", 1), &["A", "B"]);
        let before = fixture.tree();
        assert_eq!(fixture.push(18, &profile("Standard", 2), &["a", "C"]), vec![Ok(()); 2]);
        let after = fixture.tree();
        assert_eq!(after["outbox/B.json"], before["outbox/B.json"]);
        assert_eq!(after["outbox/A.json"], after["outbox/C.json"]);
        assert_eq!(fixture.pending("A"), ["c18 profile"]);
        assert_eq!(after.len(), 3, "no temporary is left: {after:?}");
    }
}

#[test]
fn a_push_repeated_under_its_intent_changes_nothing() {
    for outbox in [Outbox::new(), Outbox::without_links()] {
        let fixture = Fixture::with(outbox);
        let inode = || std::fs::metadata(fixture.data().join("outbox/A.json")).unwrap().ino();
        fixture.push(17, &profile("Standard", 1), &["A"]);
        let before = (fixture.tree(), inode());
        let again = fixture.push(17, &profile("Standard", 1), &["A", "a"]);
        assert_eq!((again, (fixture.tree(), inode())), (vec![Ok(()); 2], before));
    }
}

#[test]
fn other_commands_are_kept_in_order_with_all_they_say() {
    let fixture = Fixture::new();
    write(&fixture.data().join("outbox/A.json"), OTHERS.as_bytes());
    assert_eq!(fixture.push(17, &profile("Standard", 1), &["A", "B"]), vec![Ok(()); 2]);
    assert_eq!(fixture.pending("A"), ["c9 sync", "c17 profile", "c30 selectiveWipe"]);
    let wipe = &pending(fixture.data(), &serial("a")).unwrap()[2];
    assert_eq!(wipe.arguments["request"], "d007-lost");
    assert_eq!(wipe.arguments["deep"], serde_json::json!({"a": [1]}));
    assert_eq!(fixture.pending("B"), ["c17 profile"]);
}

#[test]
fn commands_done_are_struck_out_and_an_empty_file_goes() {
    let fixture = Fixture::new();
    fixture.push(17, &profile("Standard", 1), &["A", "B", "C"]);
    write(&fixture.data().join("outbox/D.json"), OTHERS.as_bytes());
    let done =
        |name: &str, ids: &str| report(name).replace('}', &format!(",\"completed\":[{ids}]}}"));
    let lines = [
        done("a", "\"c17\""),
        done("B", "\"c16\""),
        done("D", "\"c9\",\"c10\",\"c99\""),
        done("none", "\"c1\""),
    ];
    fixture.drop_in("in", &lines.concat());
    fixture.acknowledge(vec![taken(&fixture.observe()[0])]).unwrap();
    assert_eq!(fixture.pending("B"), ["c17 profile"]);
    assert_eq!(fixture.pending("D"), ["c30 selectiveWipe"]);
    let tree = fixture.tree();
    let names: Vec<_> = tree.keys().collect();
    assert_eq!(names, ["outbox/B.json", "outbox/C.json", "outbox/D.json"]);
}

#[test]
fn a_corrupt_file_harms_only_its_device() {
    let newer = OTHERS.replace("\"version\":1", "\"version\":2");
    let table = [
        ("nonsense", "is not a file of commands: expected ident at line 1 column 2; move it away"),
        ("", "EOF"),
        ("{\"version\":1,\"commands\":[{\"id\":\"17\"}]}", "is not the id of a command"),
        ("{\"version\":1,\"commands\":[],\"x\":1}", "unknown field `x`"),
        (&newer, "its version is 2, not 1: a newer fleetform wrote it"),
    ];
    for (text, expected) in table {
        let fixture = Fixture::new();
        let path = fixture.data().join("outbox/B.json");
        write(&path, text.as_bytes());
        let outcomes = fixture.push(17, &profile("Standard", 1), &["A", "B", "C"]);
        assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(()), &Ok(())));
        let error = outcomes[1].as_ref().unwrap_err();
        assert_eq!(error.class, ErrorClass::Transient);
        assert!(error.message.starts_with(&path.display().to_string()), "{error}");
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "left as it is");
        assert_eq!(fixture.tree().len(), 3, "no temporary is left");
    }
}

#[test]
fn a_batch_stays_while_its_commands_cannot_be_struck_out() {
    let fixture = Fixture::new();
    write(&fixture.data().join("outbox/B.json"), b"nonsense");
    fixture.push(17, &profile("Standard", 1), &["A"]);
    for name in ["A", "B"] {
        fixture.drop_in(name, &report(name).replace('}', ",\"completed\":[\"c17\"]}"));
    }
    let batches = fixture.observe();
    let error = fixture.acknowledge(batches.iter().map(taken).collect()).unwrap_err();
    assert!(error.message.contains("outbox/B.json is not a file of commands"), "{error}");
    assert_eq!(fixture.observe(), [batches[1].clone()]);
    assert_eq!(fixture.pending("A"), [""; 0]);
}

#[test]
fn a_symlink_in_the_outbox_is_not_followed() {
    let fixture = Fixture::new();
    write(&fixture.data().join("secret"), OTHERS.as_bytes());
    std::fs::create_dir(fixture.data().join("outbox")).unwrap();
    std::os::unix::fs::symlink("../secret", fixture.data().join("outbox/A.json")).unwrap();
    let outcomes = fixture.push(17, &profile("Standard", 1), &["A"]);
    let error = outcomes[0].as_ref().unwrap_err();
    assert!(error.message.contains("it is a symbolic link"), "{error}");
    assert_eq!(fixture.tree()["secret"], OTHERS);
}

#[test]
fn an_outbox_that_is_no_directory_is_an_error_for_each() {
    let fixture = Fixture::new();
    write(&fixture.data().join("outbox"), b"");
    for outcome in fixture.push(17, &profile("Standard", 1), &["A", "B"]) {
        let error = outcome.unwrap_err();
        assert_eq!(error.class, ErrorClass::Transient);
        assert!(error.message.contains("outbox: Not a directory; move away"), "{error}");
    }
}

#[test]
fn what_a_crash_left_is_swept_and_nothing_else() {
    let fixture = Fixture::new();
    for name in [".17.tmp", ".5.TMP.json", ".tmp", ".x.tmp"] {
        write(&fixture.data().join("outbox").join(name), OTHERS.as_bytes());
    }
    fixture.push(17, &profile("Standard", 1), &["A"]);
    let tree = fixture.tree();
    let names: Vec<_> = tree.keys().collect();
    assert_eq!(names, ["outbox/.5.TMP.json", "outbox/.tmp", "outbox/.x.tmp", "outbox/A.json"]);
}

#[test]
fn many_files_of_their_own_are_made_durable_together() {
    let fixture = Fixture::with(Outbox::without_links());
    let names: Vec<_> = (0..300).map(|n| format!("S{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(fixture.push(17, &profile("Standard", 1), &names), vec![Ok(()); 300]);
    assert_eq!(fixture.tree().len(), 300);
}

#[test]
fn what_can_be_mended_is_tried_again_and_says_how() {
    use crate::edges::fs::spool;
    use rustix::io::Errno;
    let error = |errno| Error::from(spool::Error::Io { doing: "write", path: "x".into(), errno });
    for errno in [Errno::NOSPC, Errno::IO, Errno::MFILE, Errno::ACCESS, Errno::NOTDIR, Errno::ROFS]
    {
        assert_eq!(error(errno).class(), ErrorClass::Transient, "{errno}");
        assert!(error(errno).to_string().contains("; "), "{errno}");
    }
    let full = error(Errno::NOSPC).to_string();
    assert_eq!(full, "cannot write x: No space left on device; free some space");
}

#[test]
fn ids_of_commands_have_one_spelling() {
    assert_eq!("c17".parse(), Ok(CommandId(17)));
    for text in ["", "c", "17", "C17", "c017", "c+17", "c-1", "c17 ", "c99999999999999999999"] {
        assert!(text.parse::<CommandId>().is_err(), "{text}");
    }
}

#[test]
fn an_order_to_erase_is_not_struck_out_by_its_name_alone() {
    use crate::edges::provider::local::outbox::Struck;
    for (verb, covered) in
        [("profile", true), ("sync", true), ("wipe", false), ("selectiveWipe", false)]
    {
        let command: Command =
            serde_json::from_value(serde_json::json!({"id": "c5", "command": verb})).unwrap();
        let done = Struck { done: [CommandId(5)].into(), ..Struck::default() };
        assert_eq!(done.covers(&command), covered, "{verb}");
        let erased = Struck { erased: [CommandId(5)].into(), ..Struck::default() };
        assert!(erased.covers(&command), "{verb}");
    }
}

fn wipe(intent: u64) -> Command {
    let command = serde_json::json!({"id": format!("c{intent}"), "command": "wipe"});
    serde_json::from_value(command).unwrap()
}

fn order(fixture: &Fixture, intent: u64, name: &str) -> Result<(), super::super::super::Error> {
    fixture.local.inner.outbox.order(fixture.data(), &wipe(intent), &serial(name))
}

fn presence(fixture: &Fixture, intent: u64, witness: Option<u64>) -> Result<Presence, Error> {
    let (id, witness) = (CommandId(intent), witness.map(CommandId));
    fixture.local.inner.outbox.presence(fixture.data(), &serial("A"), id, witness)
}

#[test]
fn an_order_to_erase_is_there_once_it_was_given_and_not_before() {
    let fixture = Fixture::new();
    assert_eq!(presence(&fixture, 30, None), Ok(Presence::Unknown), "there is no outbox");
    fixture.push(17, &profile("Standard", 1), &["A", "B"]);
    assert_eq!(presence(&fixture, 30, None), Ok(Presence::NotThere));
    assert_eq!(presence(&fixture, 30, Some(17)), Ok(Presence::NotThere));
    assert_eq!(presence(&fixture, 30, Some(16)), Ok(Presence::Unknown), "it forgot a push");
    assert_eq!(order(&fixture, 30, "a"), Ok(()));
    assert_eq!(order(&fixture, 30, "a"), Ok(()), "again");
    assert_eq!(fixture.pending("A"), ["c17 profile", "c30 wipe"]);
    assert_eq!(fixture.pending("B"), ["c17 profile"], "not by way of the common file");
    assert_eq!(presence(&fixture, 30, Some(16)), Ok(Presence::There));
    assert_eq!(presence(&fixture, 31, None), Ok(Presence::NotThere));
    std::fs::remove_file(fixture.data().join("outbox/A.json")).unwrap();
    assert_eq!(presence(&fixture, 30, None), Ok(Presence::Unknown), "removed by hand");
    write(&fixture.data().join("outbox/A.json"), b"nonsense");
    assert!(presence(&fixture, 30, None).is_err(), "it is asked again");
}

#[test]
fn an_order_to_erase_is_taken_back_and_nothing_else() {
    let fixture = Fixture::new();
    let target = Target { id: DeviceId::FIRST, serial: serial("A") };
    let withdraw = || fixture.runtime.block_on(fixture.local.withdraw(&target, 30));
    let missing = withdraw().unwrap();
    assert!(matches!(missing, Withdrawn::NotPossible(why) if why.ends_with("does not exist")));
    fixture.push(17, &profile("Standard", 1), &["A"]);
    for intent in [29, 30] {
        order(&fixture, intent, "A").unwrap();
    }
    for _ in 0..2 {
        assert_eq!(withdraw(), Ok(Withdrawn::Gone));
        assert_eq!(fixture.pending("A"), ["c17 profile", "c29 wipe"]);
    }
    write(&fixture.data().join("outbox/A.json"), b"nonsense");
    assert_eq!(withdraw().unwrap_err().class, ErrorClass::Transient, "it may still be there");
}

#[test]
fn an_order_that_surely_was_not_given_is_a_refusal_for_now() {
    for (at, text) in [("outbox/A.json", "nonsense"), ("outbox", "")] {
        let fixture = Fixture::new();
        write(&fixture.data().join(at), text.as_bytes());
        let before = fixture.tree();
        assert_eq!(order(&fixture, 30, "A").unwrap_err().class, ErrorClass::Transient, "{at}");
        assert_eq!(fixture.tree(), before, "{at}: nothing is left");
    }
}

#[test]
fn nobody_can_tell_while_a_thread_may_still_be_writing() {
    let fixture = Fixture::new();
    fixture.push(17, &profile("Standard", 1), &["A"]);
    let target = Target { id: DeviceId::FIRST, serial: serial("A") };
    let has = || fixture.runtime.block_on(fixture.local.has(&target, 30, None));
    lock(&fixture.local.inner.under_way).insert(30);
    assert_eq!(has(), Ok(Presence::Unknown));
    lock(&fixture.local.inner.under_way).remove(&30);
    assert_eq!(has(), Ok(Presence::NotThere));
}

/// Serial numbers as vendors make them have files that are there to see, one for each.
#[test]
fn whatever_the_serial_number_its_file_is_visible_and_its_own() {
    let fixture = Fixture::new();
    let files = [
        ("PF3XK9Q2", "PF3XK9Q2.json"),
        ("-a_b.C-", "-A_B.C-.json"),
        ("VMware-56 4d fa", "VMWARE-56%204D%20FA.json"),
        ("VM5vodACsc+k", "VM5VODACSC%2BK.json"),
        ("/77NDZ12/CN7/", "%2F77NDZ12%2FCN7%2F.json"),
        ("..CN13.", "%2E.CN13..json"),
        (".", "%2E.json"),
        ("..", "%2E..json"),
        ("../x", "%2E.%2FX.json"),
        ("a:b", "A%3AB.json"),
        ("VMware-56-4d-fa", "VMWARE-56-4D-FA.json"),
    ];
    let serials: Vec<_> = files.iter().map(|(serial, _)| *serial).collect();
    assert_eq!(fixture.push(17, &profile("Standard", 1), &serials), vec![Ok(()); files.len()]);
    let want: std::collections::BTreeSet<_> =
        files.iter().map(|(_, file)| format!("outbox/{file}")).collect();
    assert_eq!(fixture.tree().into_keys().collect::<std::collections::BTreeSet<_>>(), want);
    for serial in serials {
        assert_eq!(fixture.pending(&serial.to_ascii_lowercase()), ["c17 profile"], "{serial}");
    }
}

#[test]
fn a_directory_that_took_the_place_of_the_one_before_gets_no_command() {
    let fixture = Fixture::new();
    let push = |intent| fixture.push(intent, &profile("Standard", 1), &["A"]);
    assert_eq!(push(17), [Ok(())]);
    let away = fixture.data().with_extension("away");
    std::fs::rename(fixture.data(), &away).unwrap();
    std::fs::create_dir(fixture.data()).unwrap();
    let refused = push(18).remove(0).unwrap_err();
    assert!(refused.to_string().contains("Stale file handle"), "{refused}");
    std::fs::remove_dir(fixture.data()).expect("nothing is made in it");
    push(18).remove(0).unwrap_err();
    assert!(!fixture.data().exists(), "nor is it made");
    std::fs::rename(&away, fixture.data()).unwrap();
    assert_eq!(push(18), [Ok(())], "it is back");
}

#[test]
fn each_user_gets_a_command_for_each_license_and_a_new_order_takes_the_place_of_an_old_one() {
    let fixture = Fixture::new();
    fixture.push(3, &profile("Standard", 1), &["A", "B"]);
    let give = |intent, sku: &str, users: &[(&str, &str)]| {
        let target = |(device, user): &(&str, &str)| LicenseTarget {
            id: DeviceId::FIRST,
            serial: serial(device),
            user: format!("{user}@example.com").parse().unwrap(),
            given: false,
        };
        let targets: Vec<_> = users.iter().map(target).collect();
        let given = fixture.local.assign_license(sku, targets, intent);
        let given = fixture.runtime.block_on(given);
        assert_eq!(given, vec![Ok(Licensed::Assigned); users.len()]);
    };
    give(4, "EMS", &[("A", "ana"), ("B", "ben")]);
    give(6, "SPE_E3", &[("A", "ana")]);
    assert_eq!(fixture.pending("A"), ["c3 profile", "c4 license", "c6 license"]);
    let commands = pending(fixture.data(), &serial("b")).unwrap();
    assert_eq!(commands[1].arguments["sku"], "EMS");
    assert_eq!(commands[1].arguments["user"], "ben@example.com");
    let before = fixture.tree();
    give(6, "SPE_E3", &[("A", "ana")]);
    assert_eq!(fixture.tree(), before, "repeated under its intent it changes nothing");
    give(9, "EMS", &[("A", "ben")]);
    assert_eq!(fixture.pending("A"), ["c3 profile", "c6 license", "c9 license"]);
}
