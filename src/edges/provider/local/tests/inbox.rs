//! Observing, letting go, handing in.

use super::*;

#[test]
fn no_inbox_is_nothing_observed_and_nothing_made() {
    let fixture = Fixture::new();
    assert_eq!(fixture.observe(), []);
    fixture.acknowledge(Vec::new()).unwrap();
    assert_eq!(std::fs::read_dir(fixture.data()).unwrap().count(), 0);
}

#[test]
fn batches_come_in_the_order_of_their_names_and_observing_changes_nothing() {
    let fixture = Fixture::new();
    for name in ["b.json", "a.jsonl", "C", ".hidden", "rejected/old"] {
        fixture.drop_in(name, &report("A"));
    }
    let before = fixture.tree();
    let names: Vec<_> = fixture.observe().into_iter().map(|batch| batch.name).collect();
    assert_eq!(names, ["C", "a.jsonl", "b.json"]);
    assert_eq!(fixture.observe(), fixture.observe());
    assert_eq!(fixture.tree(), before);
}

#[test]
fn what_is_no_regular_file_is_never_opened_and_moves_away() {
    let fixture = Fixture::new();
    let inbox = fixture.data().join("inbox");
    fixture.drop_in("dir/inside", "");
    rustix::fs::mknodat(CWD, inbox.join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    rustix::fs::mknodat(CWD, inbox.join("sock"), FileType::Socket, Mode::RUSR, 0).unwrap();
    write(&fixture.data().join("secret"), report("A").as_bytes());
    std::os::unix::fs::symlink("../secret", inbox.join("link")).unwrap();

    let batches = fixture.observe();
    let said: Vec<_> =
        batches.iter().map(|b| (b.name.as_str(), b.reports.clone().unwrap_err())).collect();
    let expected = [
        ("dir", "a directory"),
        ("fifo", "a FIFO"),
        ("link", "a symbolic link"),
        ("sock", "a socket"),
    ]
    .map(|(name, what)| (name, format!("the file is {what}, not a regular file")));
    assert_eq!(said, expected);

    fixture.acknowledge(batches.iter().map(taken).collect()).unwrap();
    assert_eq!(fixture.observe(), []);
    let tree = fixture.tree();
    for name in ["dir/inside", "fifo", "link", "sock"] {
        assert!(tree.contains_key(&format!("inbox/rejected/{name}")), "{tree:?}");
    }
    assert_eq!(tree["secret"], report("A"));
}

#[test]
fn a_file_too_large_is_not_read() {
    let fixture = Fixture::new();
    fixture.drop_in("large", "");
    let file = std::fs::OpenOptions::new().write(true).open(fixture.data().join("inbox/large"));
    file.unwrap().set_len((64 << 20) + 1).unwrap();
    let why = fixture.observe_one().unwrap_err();
    assert_eq!(why, "the file is larger than 67108864 bytes");
}

#[test]
fn names_that_deceive_are_spelt_out_and_still_acknowledged() {
    use std::os::unix::ffi::OsStrExt;
    let fixture = Fixture::new();
    for name in [&b"\xFF"[..], b"%FF", b"\x1b[2J", "\u{202e}é".as_bytes()] {
        let path = fixture.data().join("inbox").join(std::ffi::OsStr::from_bytes(name));
        write(&path, report("A").as_bytes());
    }
    let batches = fixture.observe();
    let names: Vec<_> = batches.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["%1B[2J", "%25FF", "%E2%80%AEé", "%FF"]);
    fixture.acknowledge(batches.iter().map(taken).collect()).unwrap();
    assert_eq!(fixture.tree(), BTreeMap::new());
}

#[test]
fn a_batch_taken_is_removed() {
    let fixture = Fixture::new();
    fixture.drop_in("a", &report("A"));
    let done = vec![taken(&fixture.observe()[0])];
    fixture.acknowledge(done.clone()).unwrap();
    assert_eq!(fixture.tree(), BTreeMap::new());
    fixture.acknowledge(done).unwrap();
}

#[test]
fn a_file_that_changed_since_is_left_for_the_next_pass() {
    let replaced = |path: &Path| {
        write(&path.with_extension("new"), report("B").as_bytes());
        std::fs::rename(path.with_extension("new"), path).unwrap();
    };
    let appended = |path: &Path| {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(report("B").as_bytes()).unwrap();
    };
    let changes: [&dyn Fn(&Path); 2] = [&replaced, &appended];
    for change in changes {
        for rejected in [Rejected::None, Rejected::All("bad".into())] {
            let fixture = Fixture::new();
            fixture.drop_in("a", &report("A"));
            let batch = fixture.observe().remove(0);
            change(&fixture.data().join("inbox/a"));
            let mut done = taken(&batch);
            done.rejected = rejected;
            fixture.acknowledge(vec![done]).unwrap();
            let left = fixture.observe_one().unwrap();
            assert_eq!(left.last().unwrap().serial_number, serial("B"));
        }
    }
}

#[test]
fn what_was_never_observed_is_never_removed() {
    let fixture = Fixture::new();
    fixture.drop_in("a", &report("A"));
    let done = outcomes(vec![taken(&fixture.observe()[0])]);
    let other = Local::new(fixture.data());
    let cursor = fixture.cursor.borrow().clone();
    fixture.runtime.block_on(other.acknowledge(&cursor, done)).unwrap();
    assert_eq!(fixture.observe().len(), 1);
}

#[test]
fn a_bad_batch_moves_away_with_its_reason_and_overwrites_nothing() {
    let fixture = Fixture::new();
    for round in 0..3 {
        fixture.drop_in("a", &format!("nonsense {round}"));
        let batches = fixture.observe();
        fixture.acknowledge(batches.iter().map(taken).collect()).unwrap();
    }
    let why = "line 1: is not JSON (column 2)\n";
    let expected = [
        ("inbox/rejected/a", "nonsense 0"),
        ("inbox/rejected/a.1", "nonsense 1"),
        ("inbox/rejected/a.1.reason", why),
        ("inbox/rejected/a.2", "nonsense 2"),
        ("inbox/rejected/a.2.reason", why),
        ("inbox/rejected/a.reason", why),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(fixture.tree(), BTreeMap::from(expected));
}

#[test]
fn a_batch_named_like_a_reason_is_no_reason() {
    for names in [["a", "a.reason"], ["a.reason", "a"]] {
        let fixture = Fixture::new();
        for name in names {
            fixture.drop_in(name, &format!("nonsense {name}"));
            let batches = fixture.observe();
            fixture.acknowledge(batches.iter().map(taken).collect()).unwrap();
        }
        let texts: Vec<_> = fixture.tree().into_values().collect();
        for name in names {
            assert!(texts.contains(&format!("nonsense {name}")), "{names:?}: {texts:?}");
        }
        assert_eq!(texts.len(), 4);
    }
    // The same at once.
    let fixture = Fixture::new();
    let long = ["x".repeat(255), "x".repeat(254)];
    for name in [&long[0], &long[1], "a", "a.reason"] {
        fixture.drop_in(name, &format!("nonsense {name}"));
    }
    fixture.acknowledge(fixture.observe().iter().map(taken).collect()).unwrap();
    let tree = fixture.tree();
    assert_eq!(tree.values().filter(|text| text.starts_with("nonsense")).count(), 4, "{tree:?}");
    assert_eq!(tree.len(), 8);
}

#[test]
fn refused_reports_are_kept_and_the_others_are_not() {
    let fixture = Fixture::new();
    let error = "{\"serialNumber\":\"X\",\"at\":\"2026-11-22T09:00:00Z\",\"completed\":[\"c1\"]}\n";
    fixture.drop_in("a", &format!("{}{error}{}", report("A"), report("Y")));
    let batch = fixture.observe().remove(0);
    let reports = batch.reports.unwrap();
    let refused = |(index, report): (usize, &Report)| Refused {
        index,
        why: format!("nobody knows {}\nat all", report.serial_number),
    };
    let done = Acknowledgement {
        ids: batch.ids,
        confirmed: vec![],
        rejected: Rejected::Reports(reports.iter().enumerate().skip(1).map(refused).collect()),
    };
    fixture.acknowledge(vec![done.clone()]).unwrap();
    let tree = fixture.tree();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["inbox/rejected/a", "inbox/rejected/a.reason"]);
    assert_eq!(
        tree["inbox/rejected/a.reason"],
        "line 1: nobody knows X\u{FFFD}at all\nline 2: nobody knows Y\u{FFFD}at all\n"
    );
    assert_eq!(tree["inbox/rejected/a"], format!("{error}{}", report("Y")), "byte for byte");

    // The same again, as after a crash before the original was removed: nothing is doubled.
    fixture.drop_in("a", &format!("{}{error}{}", report("A"), report("Y")));
    fixture.observe();
    fixture.acknowledge(vec![done]).unwrap();
    assert_eq!(fixture.tree(), tree);
}

#[test]
fn a_refusal_that_cannot_be_written_keeps_its_batch_and_no_other() {
    let fixture = Fixture::new();
    fixture.drop_in("bad", "nonsense");
    fixture.drop_in("good", &report("A"));
    fixture.drop_in("rejected", "no directory");
    let batches = fixture.observe();
    let error = fixture.acknowledge(vec![taken(&batches[0]), taken(&batches[1])]).unwrap_err();
    assert_eq!(error.class, ErrorClass::Transient);
    assert!(
        error.message.contains("inbox/rejected: Not a directory; move away what is in its place"),
        "{error}"
    );
    assert_eq!(fixture.observe(), [batches[0].clone()]);
}

#[test]
fn reports_handed_in_are_observed_in_the_order_of_their_time() {
    let fixture = Fixture::new();
    let at = |millis: i64| Timestamp::from_millis(1_700_000_000_000 + millis);
    let (second, _) = submit(fixture.data(), "../B b", report("B").as_bytes(), at(5)).unwrap();
    submit(fixture.data(), "A", report("A").as_bytes(), at(4)).unwrap();
    submit(fixture.data(), "", FULL.as_bytes(), at(60_000)).unwrap();
    let name = second.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("20231114T221320.005Z-") && name.ends_with("-..Bb"), "{name}");
    let serials: Vec<_> = fixture.observe().into_iter().flat_map(|b| b.reports.unwrap()).collect();
    let serials: Vec<_> = serials.iter().map(|r| r.serial_number.as_str()).collect();
    assert_eq!(serials, ["A", "B", "PF3XK9Q2"]);
}

#[test]
fn what_is_no_report_is_not_handed_in() {
    let fixture = Fixture::new();
    let error =
        submit(fixture.data(), "x", b"{\"at\":1}\n{\"wiped\":1}\n", Timestamp::from_millis(0));
    let Err(Error::NoReports(problems)) = error else { panic!("{error:?}") };
    assert_eq!(problems.len(), 2);
    assert_eq!(fixture.tree(), BTreeMap::new());
}

#[test]
fn a_bad_line_harms_only_itself_and_is_kept_byte_for_byte() {
    let fixture = Fixture::new();
    let bad = ["{\"serialNumber\":\"B\",\"at\":\r\n", "\u{FEFF}nonsense\t \n", "{\"at\":1}\n"];
    let text = [&report("A"), bad[0], &report("C"), bad[1], "\n", bad[2], &report("D"), "{\"torn"];
    fixture.drop_in("a", &text.concat());
    let batches = fixture.observe();
    let serials: Vec<_> = batches[0].reports.iter().flatten().map(|r| &r.serial_number).collect();
    assert_eq!(serials, [&serial("A"), &serial("C"), &serial("D")]);
    assert_eq!(batches[0].bad.len(), 4, "{batches:?}");
    let unknown = Refused { index: 1, why: "not known".into() };
    let mut done = taken(&batches[0]);
    done.rejected = Rejected::Reports(vec![unknown]);
    fixture.acknowledge(vec![done]).unwrap();
    let kept = [bad[0], &report("C"), bad[1], bad[2], "{\"torn"].concat();
    let reasons = "line 1: the report breaks off: was it written completely?\nline 2: not known\n\
                   line 3: is not JSON (column 1)\nline 4: `serialNumber` is missing\n\
                   line 5: is not JSON: a string does not end on its line\n";
    let expected = [("inbox/rejected/a", kept.as_str()), ("inbox/rejected/a.reason", reasons)];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(fixture.tree(), BTreeMap::from(expected));
}

#[test]
fn files_that_are_not_finished_are_left_alone() {
    let fixture = Fixture::new();
    let unfinished = ["a.filepart", "a.part", "a.swp", "a.tmp", "a~"];
    for name in unfinished.iter().chain(&[".a"]) {
        fixture.drop_in(name, &report("A"));
    }
    let before = fixture.tree();
    assert_eq!(fixture.observe(), []);
    assert!(fixture.look().unfinished.iter().eq(unfinished), "{:?}", fixture.look().unfinished);
    assert_eq!(fixture.tree(), before);
    // What is handed in is finished, whatever the file was called that it came from.
    for hint in ["b.tmp", "b.part", ""] {
        submit(fixture.data(), hint, report("B").as_bytes(), Timestamp::EPOCH).unwrap();
    }
    assert_eq!(fixture.observe().len(), 3);
}

#[test]
fn a_pass_takes_a_bounded_number_of_reports_and_the_rest_stays() {
    let fixture = Fixture::new();
    lock(&fixture.local.inner.inbox).pass_reports = 3;
    let lines: Vec<_> = (0..7).map(|n| report(&format!("A{n}"))).collect();
    fixture.drop_in("a", &format!("{}nonsense\n{}", lines[..4].concat(), lines[4..].concat()));
    fixture.drop_in("b", &report("B"));
    let mut heard = Vec::new();
    for _ in 0..10 {
        let observed = fixture.look();
        let reports = observed.reports.iter().map(|observation| &observation.report);
        let serials: Vec<_> = reports.map(|r| r.serial_number.to_string()).collect();
        assert!(serials.len() <= 3, "{serials:?}");
        heard.extend(serials);
        fixture.acknowledge(batches(&observed).iter().map(taken).collect()).unwrap();
        if !observed.more {
            break;
        }
    }
    assert_eq!(heard, ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "B"]);
    let tree = fixture.tree();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["inbox/rejected/a", "inbox/rejected/a.reason"]);
    assert_eq!(tree["inbox/rejected/a"], "nonsense\n");
}

#[test]
fn an_inbox_that_shuts_us_out_is_told_and_stops_nothing() {
    let fixture = Fixture::new();
    write(&fixture.data().join("inbox"), b"no directory");
    assert_eq!(fixture.observe(), []);
    let told = fixture.troubles();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("inbox: cannot open") && told[0].contains("Not a directory"));
}

#[test]
fn what_the_superuser_makes_is_the_data_directorys() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let fixture = Fixture::new();
    chown(fixture.data(), Some(12_345), Some(54_321)).unwrap();
    std::fs::set_permissions(fixture.data(), std::fs::Permissions::from_mode(0o750)).unwrap();
    let (path, _) = submit(fixture.data(), "r", report("A").as_bytes(), Timestamp::EPOCH).unwrap();
    fixture.push(5, &profile("Standard", 1), &["A"])[0].as_ref().unwrap();
    fixture.drop_in("bad", "nonsense");
    fixture.acknowledge(fixture.observe().iter().take(1).map(taken).collect()).unwrap();
    fixture.acknowledge(fixture.observe().iter().map(taken).collect()).unwrap();
    assert!(!path.exists());
    for (name, mode) in [
        ("inbox", 0o750),
        ("outbox", 0o750),
        ("outbox/A.json", 0o644),
        ("inbox/rejected", 0o750),
        ("inbox/rejected/bad", 0o644),
        ("inbox/rejected/bad.reason", 0o644),
    ] {
        let metadata = std::fs::metadata(fixture.data().join(name)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12_345, 54_321), "{name}");
        assert_eq!(metadata.mode() & 0o7777, mode, "{name}");
    }
}

#[test]
fn utf_16_is_told_as_what_it_is() {
    let fixture = Fixture::new();
    let text: Vec<u8> = "\u{FEFF}{}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(&fixture.data().join("inbox/a"), &text);
    let why = fixture.observe_one().unwrap_err();
    assert!(why.contains("UTF-16"), "{why}");
}
