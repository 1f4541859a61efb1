//! Findings as SARIF 2.1.0 (OASIS), for code scanning.
//!
//! One run; the rules are all codes with their explanations, in a fixed order. Paths are URIs
//! relative to the directory of the call, which in CI is the root of the repository, where the
//! fleet directory is given relatively. Columns count code points.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::json;
use super::out::Out;
use super::text::joined;
use crate::domain::manifest::finding::explain::Explanation;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(crate) fn write(out: &mut Out, findings: &[Finding], root: &Path) -> io::Result<()> {
    json::pretty(out, &log(findings, root))
}

fn log(findings: &[Finding], root: &Path) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "fleetform",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Code::ALL.iter().map(|code| rule(*code)).collect::<Value>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(|finding| result(finding, root)).collect::<Value>(),
        }],
    })
}

fn rule(code: Code) -> Value {
    let Explanation { title, why, wrong, right } = code.explain();
    let fenced = |text: &str, language| format!("```{language}\n{text}```\n");
    let help = format!(
        "{why}\n\nWrong:\n\n{}\nRight:\n\n{}",
        fenced(wrong.text(), wrong.language()),
        fenced(right.text(), right.language())
    );
    json!({
        "id": code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {"text": format!("{why}\n\nWrong:\n{}\nRight:\n{}", wrong.text(), right.text()),
                 "markdown": help},
        "defaultConfiguration": {"level": "error"},
    })
}

fn result(finding: &Finding, root: &Path) -> Value {
    let Finding { code, severity, message, help, span, related } = finding;
    let level = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let text = if help.is_empty() { message.clone() } else { format!("{message}\nhelp: {help}") };
    let index = Code::ALL.iter().position(|known| known == code);
    let mut result = json!({
        "ruleId": code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": plain(&text)},
        "locations": [{"physicalLocation": place(span, root)}],
    });
    if let Some((other, what)) = related {
        result["relatedLocations"] = json!([{
            "id": 1,
            "physicalLocation": place(other, root),
            "message": {"text": plain(what)},
        }]);
    }
    result
}

fn place(span: &Span, root: &Path) -> Value {
    let Span { path, line, column, width, text, offset } = span;
    let mut place = json!({"artifactLocation": {"uri": uri(&joined(root, path))}});
    if *line > 0 {
        let column = (*column).max(1);
        let mut region = json!({
            "startLine": line,
            "startColumn": column,
            "endColumn": column.saturating_add(*width),
        });
        // A line that was cut is not what stands there.
        if *offset == 0 && !text.is_empty() && text.chars().count() < 300 {
            let meant = text.chars().skip(column as usize - 1).take(*width as usize);
            region["snippet"] = json!({"text": meant.collect::<String>()});
        }
        place["region"] = region;
    }
    place
}

/// RFC 3986: a relative reference, or a `file:` URI for an absolute path.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// Plain text in which brackets make no link (SARIF §3.11.6).
fn plain(text: &str) -> String {
    let text = super::text::safe_lines(text);
    if !text.contains(['[', ']']) {
        return text.into_owned();
    }
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::manifest::finding::explain::tests::wrong;
    use crate::edges::source;
    use crate::ui::render::out::Out;
    use crate::ui::render::tests::directory;

    /// OASIS's own, with the formats that it names: URIs among them.
    fn schema() -> jsonschema::Validator {
        let schema = include_str!("../../../tests/fixtures/sarif-schema-2.1.0.json");
        // One regular expression, of languages, has a bracket too many to be one.
        let mended = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
        assert_ne!(mended, schema);
        let schema = serde_json::from_str(&mended).unwrap();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    }

    #[track_caller]
    fn assert_valid(schema: &jsonschema::Validator, findings: &[Finding], root: &str) {
        let text = Out::captured(|out| write(out, findings, Path::new(root))).unwrap();
        let log: Value = serde_json::from_str(&text).unwrap();
        let wrong: Vec<_> =
            schema.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in\n{text}");
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), findings.len());
    }

    #[test]
    fn every_code_is_valid_by_the_schema_of_the_standard() {
        let schema = schema();
        let mut all = Vec::new();
        for code in Code::ALL {
            let findings = wrong(*code).findings;
            assert!(findings.iter().any(|finding| finding.code == *code), "{code}");
            assert_valid(&schema, &findings, "./fleet");
            all.extend(findings);
        }
        assert_valid(&schema, &all, "/srv/a fleet/[x]");
        assert_valid(&schema, &[], ".");
    }

    #[test]
    fn a_hostile_fleet_is_valid_by_the_schema_of_the_standard() {
        let dir = directory();
        let findings = source::load(dir.path()).findings;
        assert!(findings.len() >= 9);
        for root in ["./fleet", "../x y", "/srv/%", "javascript:alert(1)", "a\\b\u{202e}"] {
            assert_valid(&schema(), &findings, root);
        }
    }

    #[test]
    fn the_schema_tells_what_is_wrong() {
        let schema = schema();
        let text =
            Out::captured(|out| write(out, &wrong(Code::DuplicateSerial).findings, Path::new("x")));
        let log: Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert!(schema.is_valid(&log));
        for (pointer, bad) in [
            ("/version", json!("2.0.0")),
            ("/runs/0/results/0/level", json!("fatal")),
            ("/runs/0/results/0/message", json!({})),
            ("/runs/0/results/0/locations/0/physicalLocation/region/startLine", json!(0)),
            ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", json!("a b")),
            ("/runs/0/tool/driver/rules/0/shortDescription", json!("a text")),
        ] {
            let mut log = log.clone();
            *log.pointer_mut(pointer).unwrap() = bad;
            assert!(!schema.is_valid(&log), "{pointer}");
        }
    }

    #[test]
    fn paths_are_uris() {
        for (path, expected) in [
            ("fleet/a b.yaml", "fleet/a%20b.yaml"),
            ("fleet/é#?%.yaml", "fleet/%C3%A9%23%3F%25.yaml"),
            ("/srv/fleet/x.yaml", "file:///srv/fleet/x.yaml"),
            ("javascript:x", "javascript%3Ax"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn messages_make_no_links() {
        assert_eq!(plain("`platforms[0]` \\"), "`platforms\\[0\\]` \\\\");
        assert_eq!(plain("[x](http://evil)"), "\\[x\\](http://evil)");
        assert_eq!(plain("a\nb\u{1b}"), "a\nb\\u{1b}");
    }
}
