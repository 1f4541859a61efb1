//! Reading reports.

use super::*;
use crate::edges::provider::local::records::parse as parse_reports;

fn good(text: &str) -> Vec<Report> {
    let read = parse_reports(text.as_bytes());
    assert_eq!(read.bad, [], "{text}");
    read.good.into_iter().map(|(_, report)| report).collect()
}

fn problems(text: &[u8]) -> Vec<String> {
    parse_reports(text).bad.iter().map(|(_, problem)| problem.to_string()).collect()
}

fn with(more: &str) -> String {
    report("A").replace('}', &format!(",{more}}}"))
}

#[test]
fn the_contract_s_report_is_read_whole() {
    let reports = good(FULL);
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(report.serial_number, serial("PF3XK9Q2"));
    assert_eq!(report.at.unwrap().to_string(), "2026-11-22T09:00:00.000Z");
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
    assert!(report.unreadable.is_empty());
}

#[test]
fn reports_come_one_after_another_in_any_layout() {
    let (a, b) = (report("A"), report("B"));
    let pretty = "{\n  \"serialNumber\": \"A\",\n  \"at\": \"2026-11-22T09:00:00Z\",\n  \
                  \"antivirus\":\n{\n  \"enabled\": true\n}\n}\n";
    let table = [
        (a.clone(), 1),
        (a.trim_end().to_owned(), 1),
        (format!("{a}{b}"), 2),
        (format!("{} {}", a.trim_end(), b), 2),
        (format!("\n\n{a}\n  \n{b}\n\n"), 2),
        (format!("{a}{b}").replace('\n', "\r\n"), 2),
        (format!("\u{FEFF}{a}"), 1),
        (pretty.to_owned(), 1),
        (format!("{pretty}{pretty}"), 2),
        (FULL.to_owned(), 1),
    ];
    for (text, count) in table {
        assert_eq!(good(&text).len(), count, "{text:?}");
    }
}

#[test]
fn null_is_not_given_and_six_point_zero_is_six() {
    let nothing = good(&report("A")).remove(0);
    for field in [
        "osVersion",
        "antivirus",
        "encryption",
        "screenLock",
        "enrollmentError",
        "wiped",
        "completed",
    ] {
        assert_eq!(good(&with(&format!("\"{field}\":null"))).remove(0), nothing, "{field}");
    }
    let nested = r#""antivirus":{"enabled":null,"signaturesUpdatedAt":null},
        "encryption":{"enabled":null},"screenLock":{"enabled":null,"pinLength":null}"#;
    assert!(good(&with(&nested.replace('\n', "")))[0].unreadable.is_empty());
    for (written, length) in [("6", 6), ("6.0", 6), ("6e0", 6), ("0.6e1", 6), ("0", 0)] {
        let report = good(&with(&format!("\"screenLock\":{{\"pinLength\":{written}}}"))).remove(0);
        assert_eq!(report.screen_lock.unwrap().pin_length, Some(length), "{written}");
    }
}

#[test]
fn a_fact_that_cannot_be_read_is_unknown_alone() {
    let table = [
        ("\"osVersion\":10.10", "osVersion", "10.10"),
        ("\"osVersion\":{\"major\":10}", "osVersion", "{\"major\":10}"),
        ("\"antivirus\":[true,null]", "antivirus", "[true,null]"),
        ("\"antivirus\":{\"enabled\":\"yes\"}", "antivirus.enabled", "\"yes\""),
        ("\"antivirus\":{\"enabled\":1}", "antivirus.enabled", "1"),
        (
            "\"antivirus\":{\"signaturesUpdatedAt\":\"today\"}",
            "antivirus.signaturesUpdatedAt",
            "\"today\"",
        ),
        ("\"encryption\":true", "encryption", "true"),
        ("\"encryption\":{\"enabled\":\"on\"}", "encryption.enabled", "\"on\""),
        ("\"screenLock\":{\"pinLength\":-1}", "screenLock.pinLength", "-1"),
        ("\"screenLock\":{\"pinLength\":6.5}", "screenLock.pinLength", "6.5"),
        ("\"screenLock\":{\"pinLength\":1e99}", "screenLock.pinLength", "1e99"),
        ("\"screenLock\":{\"pinLength\":\"6\"}", "screenLock.pinLength", "\"6\""),
        ("\"wiped\":\"yes\"", "wiped", "\"yes\""),
        ("\"wiped\":1", "wiped", "1"),
        ("\"wiped\":true,\"wiped\":false", "wiped", "given twice"),
        ("\"completed\":\"c1\"", "completed", "\"c1\""),
    ];
    for (written, field, text) in table {
        let other = with(&format!("{written},\"enrollmentError\":\"no license\""));
        let report = good(&other).remove(0);
        let unreadable: Vec<_> = report.unreadable.iter().map(|(f, t)| (&**f, &**t)).collect();
        assert_eq!(unreadable, [(field, text)], "{written}");
        assert!(!report.wiped, "{written}");
        assert_eq!(report.enrollment_error.as_deref(), Some("no license"), "the rest counts");
    }
    // One id that is none takes no other with it.
    let report = good(&with("\"completed\":[\"c1\",\"17\",\"c2\"]")).remove(0);
    assert_eq!(
        (report.completed, &*report.unreadable["completed"]),
        (vec!["c1".into(), "c2".into()], "\"17\"")
    );
    // A date that is none: the report counts as of its arrival.
    for at in ["\"yesterday\"", "1763802000", "[]"] {
        let text = format!("{{\"serialNumber\":\"A\",\"at\":{at}}}");
        let report = good(&text).remove(0);
        assert_eq!((report.at, &*report.unreadable["at"]), (None, at));
    }
    assert_eq!(good(&with("\"osVersion\":14"))[0].os_version.as_ref().unwrap().as_str(), "14");
}

#[test]
fn an_enrolment_error_is_one_whatever_it_is_written_as() {
    for none in ["null", "false", "0", "\"\"", "\" \"", "[]", "{}"] {
        let report = good(&with(&format!("\"enrollmentError\":{none}"))).remove(0);
        assert_eq!(report.enrollment_error, None, "{none}");
    }
    for some in ["true", "42", "{\"code\":42}"] {
        let report = good(&with(&format!("\"enrollmentError\":{some}"))).remove(0);
        assert_eq!(report.enrollment_error.as_deref(), Some(some));
    }
}

#[test]
fn fields_of_a_newer_agent_are_passed_over_and_named_once() {
    let newer = with("\"model\":\"20XX\",\"antivirus\":{\"enabled\":true,\"engine\":7}");
    let read = parse_reports(newer.repeat(3).as_bytes());
    assert_eq!((read.good.len(), read.bad.len()), (3, 0));
    let unknown: Vec<_> = read.unknown.iter().map(String::as_str).collect();
    assert_eq!(unknown, ["antivirus.engine", "model"]);
    assert_eq!(read.good[0].1.antivirus.unwrap().enabled, Some(true));
}

#[test]
fn what_is_no_report_is_placed_and_named_without_words_of_the_program() {
    let table = [
        ("[]", "line 1: a report is an object like"),
        ("17", "a report is an object"),
        ("null", "a report is an object"),
        (
            "{\"serialNumber\":\"A\",\"at\":",
            "line 1: the report breaks off: was it written \
                                             completely?",
        ),
        ("{\"serialNumber\":\"A\"}", "line 1: `at` is missing"),
        ("{\"serialNumber\":\"A\",\"at\":null}", "`at` is missing"),
        ("{\"at\":\"2026-11-22T09:00:00Z\"}", "`serialNumber` is missing"),
        (
            "{\"serialNumber\":\"a%b\",\"at\":1}",
            "`serialNumber`: \"a%b\" is not a valid serial number",
        ),
        ("{\"serialNumber\":17,\"at\":1}", "`serialNumber`: 17 is not a string"),
        ("{\"serialNumber\":null,\"at\":1}", "`serialNumber`: null is not a string"),
        ("nonsense", "line 1: is not JSON (column 2)"),
        ("\u{FEFF}\u{FEFF}{}", "is not JSON"),
        (&with("\"at\":\"2026-11-22T09:00:00Z\""), "`at` is given twice"),
        (&with("\"serialNumber\":\"B\""), "`serialNumber` is given twice"),
        ("\n\n{\"a\": tru}", "line 3: is not JSON"),
        ("{\"a\":\"torn\n", "line 1: is not JSON: a string does not end on its line"),
    ];
    for (text, expected) in table {
        let said = problems(text.as_bytes());
        let [said] = said.as_slice() else { panic!("{text:?}: {said:?}") };
        let placed = expected.starts_with("line");
        assert!(
            if placed { said.starts_with(expected) } else { said.contains(expected) },
            "{text:?}\n  said     {said}\n  expected {expected}"
        );
        let words = ["u32", "ident", "invalid type", "map", "sequence", "EOF", "deserial"];
        assert!(!words.iter().any(|word| said.contains(word)), "{said}");
    }
    assert_eq!(problems(b""), [""; 0]);
    assert_eq!(problems(b"\n{\"serialNumber\":\"\xC3\xA9\xFF\"}\n"), ["line 2: is not UTF-8"]);
}

#[test]
fn what_is_wrong_with_one_line_harms_no_other() {
    let begun = "{\"serialNumber\":\"B\",\"at\":\n";
    for broken in [
        begun,
        "{\n  \"serialNumber\": \"B\",\n",
        "{\"serialNumber\":\"B\",\"x\":[\n",
        "{\"serialNumber\":\"B\",\"x\":\"\n",
        "}\n",
        "nonsense\n",
        "{\"serialNumber\":\"B\"}}\n",
    ] {
        let text = format!("{}{broken}{}{}", report("A"), report("C"), report("D"));
        let read = parse_reports(text.as_bytes());
        let serials: Vec<_> = read.good.iter().map(|(_, r)| r.serial_number.as_str()).collect();
        assert_eq!(serials, ["A", "C", "D"], "{broken:?}: {:?}", read.bad);
        assert!(!read.bad.is_empty(), "{broken:?}");
        // Every byte is in one report or in one problem.
        let mut all: Vec<_> = read.good.iter().map(|(at, _)| *at).collect();
        all.extend(read.bad.iter().map(|(at, _)| *at));
        all.sort_by_key(|at| at.start);
        let covered: Vec<_> = all.windows(2).map(|pair| pair[0].end == pair[1].start).collect();
        assert!(covered.iter().all(|joined| *joined), "{broken:?}: {all:?}");
        assert_eq!((all[0].start, all.last().unwrap().end), (0, text.len() as u64));
    }
}

#[test]
fn hostile_texts_are_cut_and_made_harmless() {
    let text = format!("a\u{1b}[2J\u{202e}b{}", "é".repeat(10_000));
    let line = serde_json::json!({
        "serialNumber": "A", "at": "2026-11-22T09:00:00Z", "enrollmentError": text,
        "osVersion": text, "encryption": text, "x\u{1b}[2J".repeat(500): 1,
    });
    let read = parse_reports(line.to_string().as_bytes());
    let report = &read.good[0].1;
    let error = report.enrollment_error.as_ref().unwrap();
    assert!(error.starts_with("a\u{FFFD}[2J\u{FFFD}béé"), "{error}");
    assert!(error.len() <= 512 && error.ends_with('…'), "{} bytes", error.len());
    let version = report.os_version.as_ref().unwrap().as_str();
    let texts = [error, version, &report.unreadable["encryption"]];
    for text in texts.into_iter().chain(read.unknown.iter().map(String::as_str)) {
        assert!(crate::domain::model::check_text(text, 512).is_ok(), "{text}");
    }
}

#[test]
fn lines_and_reports_have_a_bound() {
    let long = format!("{{\"serialNumber\":\"B\",\"x\":\"{}\"}}\n", "y".repeat(1 << 20));
    for bad in ["[".repeat(1 << 20) + "\n", "{\"antivirus\":".repeat(1 << 18) + "\n", long] {
        let text = format!("{}{bad}{}", report("A"), report("C"));
        let read = parse_reports(text.as_bytes());
        assert_eq!((read.good.len(), read.bad.len()), (2, 1));
    }
    // An object of very many fields takes no square of time.
    let many: String = (0..20_000).map(|n| format!("\"f{n}\":1,")).collect();
    let text = format!("{{{many}\"serialNumber\":\"B\",\"at\":1}}\n");
    assert_eq!(good(&text).len(), 1);
}
