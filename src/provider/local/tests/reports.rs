//! Reading reports.

use super::*;

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
            "{\"serialNumber\":\"a%b\",\"at\":\"2026-11-22T09:00:00Z\"}",
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
