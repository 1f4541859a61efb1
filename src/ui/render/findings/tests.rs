use expect_test::expect;

use super::*;
use crate::domain::manifest::finding::Code;

fn span(path: &str, line: u32, column: u32, width: u32, text: &str) -> Span {
    Span { path: path.into(), line, column, width, text: text.into(), offset: 0 }
}

fn finding(code: Code, message: &str, span: Span) -> Finding {
    Finding {
        code,
        severity: Severity::Error,
        message: message.into(),
        help: "give each device its own".into(),
        span,
        related: None,
    }
}

fn duplicate() -> Finding {
    let at = span("madrid/ana.yaml", 7, 17, 8, "  serialNumber: PF3XK9Q2");
    let other = span("berlin/bo.yaml", 17, 17, 8, "  serialNumber: pf3xk9q2");
    let mut finding =
        finding(Code::DuplicateSerial, "serial number `PF3XK9Q2` is that of two devices", at);
    finding.related = Some((other, "the other one is here".into()));
    finding
}

fn drawn(finding: &Finding) -> String {
    Drawing::new(Path::new("./fleet"), false, None).draw(finding) + "\n"
}

#[test]
fn both_places_and_the_help() {
    expect![[r#"
        error[duplicate-serial]: serial number `PF3XK9Q2` is that of two devices
          --> ./fleet/madrid/ana.yaml:7:17
           |
         7 |   serialNumber: PF3XK9Q2
           |                 ^^^^^^^^
           |
           = help: give each device its own
        note: the other one is here
          --> ./fleet/berlin/bo.yaml:17:17
           |
        17 |   serialNumber: pf3xk9q2
           |                 --------
    "#]]
    .assert_eq(&drawn(&duplicate()));
}

#[test]
fn a_whole_file_has_no_snippet() {
    let mut finding =
        finding(Code::FileTooLarge, "the file is 1 GiB large", span("big.yaml", 0, 0, 1, ""));
    finding.severity = Severity::Warning;
    expect![[r#"
        warning[file-too-large]: the file is 1 GiB large
        --> ./fleet/big.yaml
         = help: give each device its own
    "#]]
    .assert_eq(&drawn(&finding));
    finding.span.path = "".into();
    finding.help = String::new();
    expect![[r#"
        warning[file-too-large]: the file is 1 GiB large
        --> ./fleet
    "#]]
    .assert_eq(&drawn(&finding));
}

#[test]
fn a_window_of_a_long_line_keeps_the_true_column() {
    let mut at = span("x.yaml", 3, 5_001, 3, "aaaa bad zzzz");
    at.offset = 4_995;
    expect![[r#"
        error[invalid-value]: `bad` is wrong
         --> ./fleet/x.yaml:3:5001
          |
        3 | …aaaa bad zzzz
          |       ^^^
          |
          = help: give each device its own
    "#]]
    .assert_eq(&drawn(&finding(Code::InvalidValue, "`bad` is wrong", at)));
}

#[test]
fn the_end_of_a_line_can_be_meant() {
    let at = span("x.yaml", 3, 6, 1, "name:");
    expect![[r#"
        error[missing-field]: a name is missing
         --> ./fleet/x.yaml:3:6
          |
        3 | name:
          |      ^
          |
          = help: give each device its own
    "#]]
    .assert_eq(&drawn(&finding(Code::MissingField, "a name is missing", at)));
}

#[test]
fn wide_and_hostile_characters_keep_the_carets_in_place() {
    let at = span("端\u{1b}.yaml", 2, 8, 3, "名: \"\u{202e}\t\u{7}bad\"");
    expect![[r#"
        error[forbidden-character]: ev\u{202e}il\nline
         --> ./fleet/端\u{1b}.yaml:2:8
          |
        2 | 名: "\u{202e}    \u{7}bad"
          |                       ^^^
          |
          = help: give each device its own
    "#]]
    .assert_eq(&drawn(&finding(Code::ForbiddenCharacter, "ev\u{202e}il\nline", at)));
}

#[test]
fn no_span_makes_it_panic() {
    for (line, column, width, text, offset) in [
        (1, 0, 0, "", 0),
        (1, 99, 99, "ab", 0),
        (1, 1, u32::MAX, "ab", 7),
        (u32::MAX, u32::MAX, u32::MAX, "端\t\u{0}", u32::MAX),
        (0, 5, 5, "text", 3),
        (1, 2, 1, "\u{300}\u{300}", 0),
        (1, 1, 1, "a\nb\r\nc", 0),
    ] {
        let mut at = span("x.yaml", line, column, width, text);
        at.offset = offset;
        for width in [None, Some(0), Some(80)] {
            for color in [false, true] {
                let finding = finding(Code::WrongType, "m", at.clone());
                let text = Drawing::new(Path::new(""), color, width).draw(&finding);
                assert!(text.contains("wrong-type"), "{text}");
            }
        }
    }
}

#[test]
fn color_changes_no_character() {
    let colored = Drawing::new(Path::new("./fleet"), true, None).draw(&duplicate()) + "\n";
    assert!(colored.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), drawn(&duplicate()));
}

#[test]
fn the_summary_counts() {
    let mut warning = duplicate();
    warning.severity = Severity::Warning;
    warning.span.path = "other.yaml".into();
    for (findings, text) in [
        (vec![], "No findings: 14 devices, 1 profile."),
        (vec![duplicate()], "1 error in 1 file; 14 devices and 1 profile are fine."),
        (vec![duplicate(), duplicate()], "2 errors in 1 file; 14 devices and 1 profile are fine."),
        (
            vec![duplicate(), warning.clone()],
            "1 error and 1 warning in 2 files; 14 devices and 1 profile are fine.",
        ),
        (vec![warning], "1 warning in 1 file; 14 devices and 1 profile are fine."),
    ] {
        assert_eq!(summary(&findings, 14, 1), text);
    }
}

#[test]
fn check_writes_text_and_json() {
    use crate::domain::fleet::Desired;
    use crate::ui::render::{check, testing::Screen};
    let whole = finding(Code::Symlink, "a symbolic link", span("link.yaml", 0, 0, 1, ""));
    let mut desired = Desired { findings: vec![duplicate(), whole], ..Desired::default() };
    let screen = Screen::piped();
    check::json(&desired, &mut screen.out()).unwrap();
    expect![[r#"
        {
          "version": 1,
          "findings": [
            {
              "code": "duplicate-serial",
              "severity": "error",
              "message": "serial number `PF3XK9Q2` is that of two devices",
              "help": "give each device its own",
              "path": "madrid/ana.yaml",
              "line": 7,
              "column": 17,
              "endColumn": 25,
              "related": {
                "message": "the other one is here",
                "path": "berlin/bo.yaml",
                "line": 17,
                "column": 17,
                "endColumn": 25
              }
            },
            {
              "code": "symlink",
              "severity": "error",
              "message": "a symbolic link",
              "help": "give each device its own",
              "path": "link.yaml",
              "line": 1,
              "column": 1,
              "endColumn": 1
            }
          ],
          "summary": {
            "errors": 2,
            "warnings": 0,
            "devices": 0,
            "profiles": 0
          }
        }
    "#]]
    .assert_eq(&screen.results());

    let screen = Screen::piped();
    check::text(&desired, Path::new("fleet"), &mut screen.out()).unwrap();
    let text = screen.results();
    assert!(
        text.ends_with("\n\n2 errors in 2 files; 0 devices and 0 profiles are fine.\n"),
        "{text}"
    );

    desired.findings.clear();
    let screen = Screen::piped();
    check::text(&desired, Path::new("fleet"), &mut screen.out()).unwrap();
    assert_eq!(screen.results(), "No findings: 0 devices, 0 profiles.\n");
}
