//! A fleet whose every free text attacks the reader, in all formats.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::out::Out;
use super::plan::Context;
use super::{check, sarif};
use crate::domain::fleet::Desired;
use crate::domain::guard::{ApprovedPlan, guard};
use crate::domain::model::is_deceptive;
use crate::domain::plan::{self, Inputs, NO_NEWS, Waiting};
use crate::domain::settings::Settings;
use crate::domain::state::State;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::source;

/// Marks what strangers wrote; `::error` and fences at the beginning of lines, markup, mentions.
const EVIL: &str = "EVIL``` </details><script>alert(1)</script> @all #1 | [x](javascript:x) \
                    ![i](http://e/x.png) *b* ::error file=x::y %0A::warning::z ##[error]";

/// One manifest for each attack; all with findings that quote it.
pub(crate) fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let device = |name: &str, field: &str, value: &str| {
        let text = format!(
            "apiVersion: fleetform/v1\nkind: Device\nmetadata: {{name: {name}}}\nspec:\n  \
             serialNumber: {name}\n  userEmail: a@example.com\n  profile: Standard\n  \
             osVersion: \"1\"\n  {field}: {value}\n"
        );
        fs::write(dir.path().join(format!("{name}.yaml")), text).unwrap();
    };
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    device("evil-1", "ownership", &quoted(EVIL));
    device("evil-2", &quoted(EVIL), "1");
    device("evil-3", "status", &quoted(&"EVIL".repeat(75)));
    device("evil-4", "ownership", "\"EVIL\\n::error::x\\n```\\n</details>\"");
    device("evil-5", "ownership", "\"EVIL \u{202e}reversed\u{2066}\"");
    device("evil-6", "ownership", "\"EVIL\\e[2J\\u202Ex\"");
    device("evil-7", "ownership", &format!("\"{}EVIL\"", "`".repeat(300)));
    let profile = format!(
        "apiVersion: fleetform/v1\nkind: Profile\nmetadata: {{name: Standard}}\nspec:\n  \
         platforms: [windows]\n  description: {evil}\n  apps: [{evil}]\n  \
         settings: {{{evil}: {evil}}}\n---\napiVersion: fleetform/v1\nkind: Device\n\
         metadata: {{name: good, labels: {{{label}: {evil}}}}}\nspec:\n  serialNumber: GOOD\n  \
         userEmail: '`evil|`@example.com'\n  profile: Standard\n  osVersion: \"1\"\n  \
         hardware: {{model: {evil}}}\n",
        evil = quoted(EVIL),
        label = quoted("EVIL``` </b>::error::x"),
    );
    fs::write(dir.path().join("good.yaml"), profile).unwrap();
    fs::write(dir.path().join("EVIL``` <b>,::error%0A.yaml"), "::error::EVIL\n```EVIL\n").unwrap();
    fs::write(dir.path().join("EVIL\n::error::x.yaml"), "x").unwrap();
    dir
}

/// What a Markdown reader takes for markup: all but fenced blocks and code within lines.
pub(crate) fn outside_code(markdown: &str) -> String {
    let mut outside = String::new();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let run = line.trim_start().len() - line.trim_start().trim_start_matches('`').len();
        match fence {
            Some(open) if run >= open && line.trim().len() == run => fence = None,
            Some(_) => {}
            None if run >= 3 => fence = Some(run),
            None => outside.push_str(&(without_spans(line) + "\n")),
        }
    }
    assert_eq!(fence, None, "a fence is left open");
    outside
}

fn without_spans(line: &str) -> String {
    let mut rest = line;
    let mut outside = String::new();
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let body = &rest[at + run..];
        let ends = body.match_indices('`').map(|(n, _)| n);
        let end = ends.into_iter().find(|n| {
            let after = body[*n..].len() - body[*n..].trim_start_matches('`').len();
            after == run && !body[..*n].ends_with('`')
        });
        let Some(end) = end else { return outside + rest };
        rest = &body[end + run..];
    }
    outside + rest
}

pub(crate) fn assert_harmless(text: &str) {
    let bad: BTreeSet<char> = text.chars().filter(|c| *c != '\n' && is_deceptive(*c)).collect();
    assert!(bad.is_empty(), "{bad:?} in {text}");
}

pub(crate) fn assert_commands(text: &str) {
    for line in text.lines() {
        let command = ["::error ", "::warning ", "::notice "].iter().any(|c| line.starts_with(c));
        assert!(command, "{line}");
        // The properties end at the first `::`, and none of them is a stranger's.
        let properties = &line[2..][..line[2..].find("::").unwrap()];
        let names = properties.split_once(' ').unwrap().1.split(',');
        for name in names.map(|property| property.split('=').next().unwrap()) {
            let known = ["file", "line", "col", "endLine", "endColumn", "title"];
            assert!(known.contains(&name), "{name} in {line}");
        }
    }
}

pub(crate) fn assert_markdown(text: &str) {
    assert_harmless(text);
    let outside = outside_code(text);
    for evil in ["EVIL", "script", "::", "@all", "javascript"] {
        assert!(!outside.contains(evil), "{evil} in {outside}");
    }
    assert!(text.chars().count() <= super::markdown::LIMIT);
    assert_eq!(outside.matches("<details").count(), outside.matches("</details>").count());
}

fn drawn(desired: &Desired, draw: impl Fn(&Desired, &mut Out) -> std::io::Result<()>) -> String {
    Out::captured(|out| draw(desired, out)).unwrap()
}

#[test]
fn check_is_harmless_in_all_formats() {
    let dir = directory();
    let root = Path::new("./fleet");
    let desired = source::load(dir.path());
    assert!(desired.findings.len() >= 9, "{:?}", desired.findings);
    let text = drawn(&desired, |d, out| check::text(d, root, out));
    assert_harmless(&text);
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert_harmless(&drawn(&desired, check::json));
    assert_markdown(&drawn(&desired, |d, out| check::markdown(d, root, out)));
    let github = drawn(&desired, |d, out| check::github(d, root, out));
    assert_harmless(&github);
    assert_commands(&github);
    assert_eq!(github.lines().count(), desired.findings.len() + 1);
}

#[test]
fn plan_is_harmless_in_all_formats() {
    let dir = directory();
    let desired = source::load(dir.path());
    assert_eq!(desired.devices.len(), 1, "{:#?}", desired.findings);
    let recorded = State::default();
    let settings = Settings::default();
    let inputs = Inputs {
        now: super::testing::now(),
        settings: &settings,
        desired: &desired,
        recorded: &recorded,
        heard: &[],
        news: &NO_NEWS,
        requests: &[],
        trust: &TrustState::NotConfigured,
        heads: &[],
        clock: None,
    };
    let approved = guard(plan::plan(&inputs), &desired, &recorded, settings.limits, None);
    assert!(!approved.plan().actions.is_empty() && !approved.plan().holds.is_empty());
    let (seq, head) = (recorded.seq, recorded.head.0);
    let trust = &TrustState::Broken("\u{1b}[2J @all".into());
    let context =
        Context { root: "./fleet", revision: Some("EVIL` @all"), seq, head, lineage: None, trust };
    let drawn = |draw: fn(&mut Out, &ApprovedPlan, Context<'_>) -> std::io::Result<()>| {
        Out::captured(|out| draw(out, &approved, context)).unwrap()
    };
    assert_harmless(&drawn(|out, approved, context| {
        let waiting = Waiting::among(&approved.plan().holds);
        super::plan::text(out, (approved, &waiting), context)
    }));
    assert_harmless(&drawn(|out, approved, context| super::plan::json(out, approved, context)));
    let markdown = drawn(super::plan::ci::markdown);
    assert_markdown(&markdown);
    assert!(markdown.contains("<summary>1 to provision</summary>"), "{markdown}");
    let github = drawn(super::plan::ci::github);
    assert_harmless(&github);
    assert_commands(&github);
    assert!(github.contains(",title=provision D001::+ provision  D001  GOOD  good"), "{github}");
}

#[test]
fn sarif_is_whole_and_harmless() {
    let dir = directory();
    let desired = source::load(dir.path());
    let text = drawn(&desired, |d, out| sarif::write(out, &d.findings, Path::new("./fleet")));
    assert_harmless(&text);
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), desired.findings.len());
    for (result, finding) in results.iter().zip(&desired.findings) {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["ruleId"], finding.code.as_str());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("fleet/"), "{uri}");
        assert!(!uri.contains([' ', '<', ':', '`', '\\']), "{uri}");
        if finding.span.line > 0 {
            let region = &place["region"];
            assert_eq!(region["startLine"], finding.span.line);
            assert!(region["endColumn"].as_u64() > region["startColumn"].as_u64());
        } else {
            assert_eq!(place.get("region"), None);
        }
        // A bracket is escaped, so that no viewer makes a link of it.
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.contains(" [x]("), "{message}");
    }
}
