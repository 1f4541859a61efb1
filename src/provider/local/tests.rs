//! Real files in real directories; the crash tests abort real processes.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use rustix::fs::{CWD, FileType, Mode};

use super::super::{Batch, Rejected, Target};
use super::*;
use crate::model::{DeviceId, Digest, Profile, Report, Requirements, Timestamp};

struct Fixture {
    dir: tempfile::TempDir,
    local: Local,
    runtime: tokio::runtime::Runtime,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Outbox::new())
    }

    fn with(outbox: Outbox) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::with(dir.path().into(), outbox);
        Self { dir, local, runtime: runtime() }
    }

    fn data(&self) -> &Path {
        self.dir.path()
    }

    fn drop_in(&self, name: &str, text: &str) {
        write(&self.data().join("inbox").join(name), text.as_bytes());
    }

    fn observe(&self) -> Vec<Batch> {
        self.runtime.block_on(self.local.observe()).unwrap().batches
    }

    fn observe_one(&self) -> Result<Vec<Report>, String> {
        let mut batches = self.observe();
        assert_eq!(batches.len(), 1, "{batches:?}");
        batches.remove(0).reports
    }

    fn acknowledge(&self, done: Vec<Acknowledgement>) -> Result<(), super::super::Error> {
        self.runtime.block_on(self.local.acknowledge(done))
    }

    fn push(&self, intent: u64, profile: &Arc<Profile>, serials: &[&str]) -> Outcomes {
        push(&self.runtime, &self.local, intent, profile, serials)
    }

    fn pending(&self, name: &str) -> Vec<String> {
        let commands = pending(self.data(), &serial(name)).unwrap();
        commands.iter().map(|c| format!("{} {}", c.id, c.command)).collect()
    }

    /// Every file below the data directory, by path, with its content.
    fn tree(&self) -> BTreeMap<String, String> {
        tree(self.data())
    }
}

type Outcomes = Vec<Result<(), super::super::Error>>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn push(
    runtime: &tokio::runtime::Runtime,
    local: &Local,
    intent: u64,
    profile: &Arc<Profile>,
    serials: &[&str],
) -> Outcomes {
    let target = |name: &&str| Target { id: DeviceId::FIRST, serial: serial(name) };
    let targets = serials.iter().map(target).collect();
    runtime.block_on(local.push(Push { intent, profile: profile.clone(), targets }))
}

fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(dir) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.symlink_metadata().unwrap().is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                let regular = path.symlink_metadata().unwrap().is_file();
                let text = if regular { std::fs::read(&path).unwrap() } else { Vec::new() };
                files.insert(name, String::from_utf8_lossy(&text).into_owned());
            }
        }
    }
    files
}

#[expect(clippy::disallowed_methods, reason = "a test's own file may be torn")]
fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

fn profile(name: &str, version: u32) -> Arc<Profile> {
    Arc::new(Profile {
        name: name.parse().unwrap(),
        description: String::new(),
        platforms: vec![crate::model::Platform::Windows],
        apps: vec!["VPN".into()],
        settings: serde_json::json!({ "revision": version }),
        licenses: vec!["SPE_E3".into()],
        compliance: Requirements::default(),
        digest: Digest::of(&version.to_be_bytes()),
    })
}

fn taken(batch: &Batch) -> Acknowledgement {
    let taken = batch.reports.clone().unwrap();
    Acknowledgement { name: batch.name.clone(), taken, rejected: Rejected::None }
}

fn refused(batch: &Batch) -> Acknowledgement {
    let why = batch.reports.clone().unwrap_err();
    Acknowledgement { name: batch.name.clone(), taken: Vec::new(), rejected: Rejected::Batch(why) }
}

fn report(serial: &str) -> String {
    format!("{{\"serialNumber\":\"{serial}\",\"at\":\"2026-11-22T09:00:00Z\"}}\n")
}

const FULL: &str = r#"{"serialNumber":"PF3XK9Q2","at":"2026-11-22T09:00:00Z","osVersion":"10.0.26100.2314",
 "antivirus":{"enabled":true,"signaturesUpdatedAt":"2026-11-21T22:00:00Z"},
 "encryption":{"enabled":true},"screenLock":{"enabled":true,"pinLength":6},
 "enrollmentError":null,"wiped":false,"completed":["c17"]}"#;

// Reading reports.

#[test]
fn the_contract_s_report_is_read_whole() {
    let reports = parse_reports(FULL.as_bytes()).unwrap();
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(report.serial_number, serial("PF3XK9Q2"));
    assert_eq!(report.at.to_string(), "2026-11-22T09:00:00.000Z");
    assert_eq!(report.os_version.as_ref().unwrap().as_str(), "10.0.26100.2314");
    assert_eq!(report.antivirus.unwrap().enabled, Some(true));
    assert_eq!(
        report.antivirus.unwrap().signatures_updated_at.unwrap().short(),
        "2026-11-21T22:00:00Z"
    );
    assert_eq!(report.encryption.unwrap().enabled, Some(true));
    assert_eq!(report.screen_lock.unwrap().pin_length, Some(6));
    assert_eq!((&report.enrollment_error, report.wiped), (&None, false));
    assert_eq!(report.completed, ["c17"]);
}

#[test]
fn reports_come_one_after_another_in_any_layout() {
    let (a, b) = (report("A"), report("B"));
    let pretty = "{\n  \"serialNumber\": \"A\",\n  \"at\": \"2026-11-22T09:00:00Z\"\n}\n";
    let table = [
        (a.clone(), 1),
        (a.trim_end().to_owned(), 1),
        (format!("{a}{b}"), 2),
        (format!("\n\n{a}\n  \n{b}\n\n"), 2),
        (format!("{a}{b}").replace('\n', "\r\n"), 2),
        (format!("\u{FEFF}{a}"), 1),
        (pretty.to_owned(), 1),
        (format!("{pretty}{pretty}"), 2),
    ];
    for (text, count) in table {
        assert_eq!(parse_reports(text.as_bytes()).map(|r| r.len()), Ok(count), "{text:?}");
    }
}

#[test]
fn a_bad_report_is_placed_and_named() {
    let with = |more: &str| report("A").replace('}', &format!(",{more}}}"));
    let table = [
        ("", "line 1, column 1: there is no report in it"),
        (" \n \n", "there is no report in it"),
        ("[]", "line 1, column 1: invalid type: sequence, expected a mapping"),
        ("17", "expected a mapping"),
        (
            "{\"serialNumber\":\"A\",\"at\":",
            "line 1, column 25: the report breaks off: was it written whole?",
        ),
        ("{\"serialNumber\":\"A\"}", "line 1, column 20: missing field `at`"),
        (
            "{\"serialNumber\":\"a/b\",\"at\":\"2026-11-22T09:00:00Z\"}",
            "line 1, column 21: `serialNumber`: is not a serial number",
        ),
        ("{\"serialNumber\":17}", "`serialNumber`: invalid type: integer `17`, expected a string"),
        ("{\"serialNumber\":null}", "`serialNumber`: invalid type: null"),
        (
            "{\n \"serialNumber\":\"A\",\n \"at\":\"yesterday\"}",
            "line 3, column 17: `at`: is not a time like",
        ),
        ("nonsense", "line 1, column 2: is not JSON: expected ident"),
        ("\u{FEFF}\u{FEFF}{}", "is not JSON"),
        (&with("\"serial\":1"), "unknown field `serial`, expected one of `serialNumber`"),
        (&with("\"at\":\"2026-11-22T09:00:00Z\""), "duplicate field `at`"),
        (&with("\"osVersion\":\"ten\""), "`osVersion`: is not a version of dotted numbers"),
        (&with("\"osVersion\":10.0"), "`osVersion`: invalid type: floating point `10.0`"),
        (&with("\"wiped\":null"), "`wiped`: invalid type: null, expected a boolean"),
        (&with("\"wiped\":1"), "`wiped`: invalid type: integer `1`"),
        (
            &with("\"antivirus\":[true,null]"),
            "`antivirus`: invalid type: sequence, expected a mapping",
        ),
        (
            &with("\"antivirus\":{\"enabled\":\"yes\"}"),
            "`antivirus.enabled`: invalid type: string \"yes\", expected a boolean",
        ),
        (&with("\"antivirus\":{\"on\":true}"), "`antivirus`: unknown field `on`"),
        (
            &with("\"antivirus\":{\"enabled\":true,\"enabled\":false}"),
            "`antivirus`: duplicate field `enabled`",
        ),
        (
            &with("\"screenLock\":{\"enabled\":true,\"pinLength\":-1}"),
            "`screenLock.pinLength`: invalid value: integer `-1`",
        ),
        (
            &with("\"completed\":[\"c1\",\"17\"]"),
            "`completed[1]`: is not the id of a command like c17",
        ),
        (
            &with("\"completed\":\"c1\""),
            "`completed`: invalid type: string \"c1\", expected a list of at most 1000 ids",
        ),
        (
            &with(&format!("\"completed\":[{}\"c0\"]", "\"c1\",".repeat(1000))),
            "expected a list of at most 1000 ids of commands",
        ),
        (
            &with("\"enrollmentError\":{\"a\\\"]\":[\"}\"],\"b\":1}"),
            "`enrollmentError`: invalid type: map, expected a string",
        ),
    ];
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let problems = parse_reports(text.as_bytes()).expect_err(text);
        let said = problems[0].to_string();
        let placed = expected.starts_with("line");
        if problems.len() != 1
            || if placed { !said.starts_with(expected) } else { !said.contains(expected) }
        {
            wrong.push(format!("{text:?}\n  said     {problems:?}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let problems = parse_reports(b"{\"serialNumber\":\"\xC3\xA9\",\n\"at\":\"\xFF\"}").unwrap_err();
    assert_eq!(problems[0].to_string(), "line 2, column 7: is not UTF-8");
}

#[test]
fn all_problems_of_json_lines_are_told_at_once_up_to_a_bound() {
    let lines = format!(
        "{}{{\"serialNumber\":\"B\",\"at\":\n{}{{\"serialNumber\":\"é/\"}}\n{}{{\"at\":1}}\n",
        report("A"),
        report("C"),
        report("D")
    );
    let problems = parse_reports(lines.as_bytes()).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| (p.line, p.field.as_str())).collect();
    assert_eq!(places, [(4, ""), (4, "serialNumber"), (6, "at")], "{problems:?}");

    let flood = "{\"at\":1}\n".repeat(100_000) + &"{\"\n".repeat(1000);
    assert_eq!(parse_reports(flood.as_bytes()).unwrap_err().len(), 20);
    assert_eq!(parse_reports("{\"\n".repeat(1000).as_bytes()).unwrap_err().len(), 20);
}

#[test]
fn hostile_texts_are_cut_and_made_harmless() {
    let text = format!("a\u{1b}[2J\u{202e}b{}", "é".repeat(10_000));
    let line = serde_json::json!({
        "serialNumber": "A", "at": "2026-11-22T09:00:00Z", "enrollmentError": text,
    });
    let reports = parse_reports(line.to_string().as_bytes()).unwrap();
    let error = reports[0].enrollment_error.as_ref().unwrap();
    assert!(error.starts_with("a\u{FFFD}[2J\u{FFFD}béé"), "{error}");
    assert!(error.len() <= 512 && error.ends_with('…'), "{} bytes", error.len());
    assert!(crate::model::check_text(error, 512).is_ok());

    for key in ["x\u{1b}[2J".repeat(5000), "\u{202e}".repeat(5000)] {
        let line = serde_json::json!({ key: 1 }).to_string();
        let said = parse_reports(line.as_bytes()).unwrap_err()[0].to_string();
        assert!(crate::model::check_text(&said, 800).is_ok(), "{said}");
    }

    let blank = report("A").replace('}', ",\"enrollmentError\":\" \"}");
    assert_eq!(parse_reports(blank.as_bytes()).unwrap()[0].enrollment_error, None);
}

#[test]
fn deep_nesting_ends_in_a_problem() {
    for text in ["[".repeat(1 << 20), "{\"antivirus\":".repeat(1 << 18)] {
        assert_eq!(parse_reports(text.as_bytes()).unwrap_err().len(), 1);
    }
}

// Observing.

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

    fixture.acknowledge(batches.iter().map(refused).collect()).unwrap();
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

// Letting go.

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
        for rejected in [Rejected::None, Rejected::Batch("bad".into())] {
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
    let done = vec![taken(&fixture.observe()[0])];
    let other = Local::new(fixture.data());
    fixture.runtime.block_on(other.acknowledge(done)).unwrap();
    assert_eq!(fixture.observe().len(), 1);
}

#[test]
fn a_bad_batch_moves_away_with_its_reason_and_overwrites_nothing() {
    let fixture = Fixture::new();
    for round in 0..3 {
        fixture.drop_in("a", &format!("nonsense {round}"));
        let batches = fixture.observe();
        fixture.acknowledge(batches.iter().map(refused).collect()).unwrap();
    }
    let why = "line 1, column 2: is not JSON: expected ident\n";
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
            fixture.acknowledge(batches.iter().map(refused).collect()).unwrap();
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
    fixture.acknowledge(fixture.observe().iter().map(refused).collect()).unwrap();
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
    let why = |r: &Report| (r.clone(), format!("nobody knows {}\nat all", r.serial_number));
    let done = Acknowledgement {
        name: batch.name,
        taken: vec![reports[0].clone()],
        rejected: Rejected::Reports(reports[1..].iter().map(why).collect()),
    };
    fixture.acknowledge(vec![done.clone()]).unwrap();
    let tree = fixture.tree();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["inbox/rejected/a", "inbox/rejected/a.reason"]);
    assert_eq!(
        tree["inbox/rejected/a.reason"],
        "line 1: nobody knows X\u{FFFD}at all\nline 2: nobody knows Y\u{FFFD}at all\n"
    );
    let kept = parse_reports(tree["inbox/rejected/a"].as_bytes()).unwrap();
    assert_eq!(kept, reports[1..]);

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
    let error = fixture.acknowledge(vec![refused(&batches[0]), taken(&batches[1])]).unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
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
    let second = submit(fixture.data(), "../B b", report("B").as_bytes(), at(5)).unwrap();
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
    let Err(Error::Reports(problems)) = error else { panic!("{error:?}") };
    assert_eq!(problems.len(), 2);
    assert_eq!(fixture.tree(), BTreeMap::new());
}

// Pushing.

#[test]
fn a_first_push_writes_once_and_links() {
    let fixture = Fixture::new();
    let outcomes = fixture.push(17, &profile("Standard", 1), &["ab-1", "B", ".hidden", ".."]);
    assert_eq!(outcomes, vec![Ok(()); 4]);
    let names = [".HIDDEN.json", "...json", "AB-1.json", "B.json"];
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

const OTHERS: &str = r#"{"version":1,"commands":[
    {"id":"c9","command":"sync"},
    {"id":"c10","command":"profile","profile":"Old","digest":"x"},
    {"id":"c30","command":"selectiveWipe","request":"d007-lost","deep":{"a":[1]}}]}"#;

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
        assert_eq!(error.class, ErrorClass::Permanent);
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
        assert_eq!(error.class, ErrorClass::Permanent);
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
fn errors_that_pass_are_told_from_those_that_stay() {
    use rustix::io::Errno;
    let error = |errno| Error::Io { doing: "write", path: "x".into(), errno };
    for errno in [Errno::NOSPC, Errno::DQUOT, Errno::IO, Errno::MFILE, Errno::NFILE] {
        assert_eq!(error(errno).class(), ErrorClass::Transient, "{errno}");
    }
    for errno in [Errno::ACCESS, Errno::PERM, Errno::NOTDIR, Errno::ROFS, Errno::LOOP] {
        assert_eq!(error(errno).class(), ErrorClass::Permanent, "{errno}");
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

// Crashes: a child aborts at each point in turn; the same work, done again, must end where
// undisturbed work ends.

/// Everything that the provider does, in a fixed order, in the directory given.
fn all_the_work(data: &Path) {
    let (local, runtime) = (Local::new(data), runtime());
    let all = ["A", "B", "C", "D"];
    for outcome in push(&runtime, &local, 5, &profile("Standard", 1), &all) {
        outcome.unwrap();
    }
    for outcome in push(&runtime, &local, 6, &profile("Standard", 2), &all[..2]) {
        outcome.unwrap();
    }
    let lines = report("C").replace('}', ",\"completed\":[\"c5\"]}") + &report("X");
    submit(data, "r", lines.as_bytes(), Timestamp::from_millis(0)).unwrap();
    let observation = runtime.block_on(local.observe()).unwrap();
    let mut done = Vec::new();
    for batch in &observation.batches {
        let Ok(reports) = &batch.reports else {
            done.push(refused(batch));
            continue;
        };
        let (bad, good): (Vec<_>, Vec<_>) =
            reports.iter().cloned().partition(|r| r.serial_number == serial("X"));
        let why = |r| (r, "not known".to_owned());
        done.push(Acknowledgement {
            name: batch.name.clone(),
            taken: good,
            rejected: Rejected::Reports(bad.into_iter().map(why).collect()),
        });
    }
    runtime.block_on(local.acknowledge(done)).unwrap();
}

/// What a device or an operator sees in the end: refused reports go by their content, since
/// their files bear the names of batches, which are handed in twice where a crash came late.
fn outcome(data: &Path) -> (BTreeMap<String, String>, std::collections::BTreeSet<String>) {
    let (mut named, mut refused) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for (path, text) in tree(data) {
        if path.starts_with("inbox/rejected/") {
            assert!(!path.ends_with(".tmp"), "a temporary is left: {path}");
            refused.insert(text);
        } else if !path.starts_with("inbox/.") {
            named.insert(path, text);
        }
    }
    (named, refused)
}

#[test]
#[ignore = "the child of a_crash_at_any_point_loses_and_doubles_nothing; aborts"]
fn crash_child() {
    let _scenario = fail::FailScenario::setup();
    all_the_work(&std::env::current_dir().unwrap());
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_nothing() {
    let prepared = || {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("inbox/bad"), b"nonsense");
        write(&dir.path().join("outbox/D.json"), OTHERS.as_bytes());
        dir
    };
    let undisturbed = prepared();
    all_the_work(undisturbed.path());
    let expected = outcome(undisturbed.path());
    assert_eq!(expected.0.len(), 3, "{expected:?}");
    assert_eq!(expected.1.len(), 4, "{expected:?}");

    let exe = std::env::current_exe().unwrap();
    let test = "provider::local::tests::crash_child";
    for point in CRASH_POINTS {
        let dir = prepared();
        if *point == "outbox.mkdir.before" || *point == "outbox.mkdir.after" {
            std::fs::remove_dir_all(dir.path().join("outbox")).unwrap();
        }
        if point.starts_with("submit.mkdir") {
            std::fs::remove_dir_all(dir.path().join("inbox")).unwrap();
        }
        let status = Process::new(&exe)
            .args(["--ignored", "--exact", test])
            .env("FAILPOINTS", format!("{point}=return"))
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(6), "{point} is passed, and aborts");
        if point.starts_with("outbox.mkdir") {
            write(&dir.path().join("outbox/D.json"), OTHERS.as_bytes());
        }
        if point.starts_with("submit.mkdir") {
            write(&dir.path().join("inbox/bad"), b"nonsense");
        }
        all_the_work(dir.path());
        assert_eq!(outcome(dir.path()), expected, "after a crash at {point}");
    }
}
