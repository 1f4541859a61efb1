use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::domain::fleet::Desired;
use crate::domain::fleet::assemble;
use crate::domain::manifest::finding::{Code, Finding, Severity, Span};
use crate::domain::manifest::parse_file;
use crate::domain::model::ReportId;
use crate::domain::plan::{Heard, Inputs, NO_NEWS, plan};
use crate::domain::settings::Settings;
use crate::domain::wipe::trust_state::TrustState;
use crate::edges::provider::local::parse_reports;
use crate::edges::source::git::Repository;
use crate::ui::render::testing::{now, state};

/// What the examples stand beside.
const PROFILES: &str = "\
apiVersion: fleetform/v1
kind: Profile
metadata: {name: Standard}
spec: {platforms: [windows]}
---
apiVersion: fleetform/v1
kind: Profile
metadata: {name: Mobile}
spec: {platforms: [ios, android]}
";

/// What the wrong example of a code gives; where it is told in prose, what is meant.
pub(crate) fn wrong(code: Code) -> Desired {
    desired(code.explain().wrong).unwrap_or_else(|| match code {
        Code::Unreadable => unreadable(),
        Code::UnexpectedWipe => unexpected_wipe(),
        Code::TooManyWipeRequests => too_many_wipe_requests(),
        Code::MailTemplate => mail_template(),
        other => panic!("{other} is told in prose; write here how it comes about"),
    })
}

/// A revision in which a submodule is named like a manifest: to the superuser, whom permissions
/// do not stop, nothing else is unreadable on demand.
fn unreadable() -> Desired {
    let dir = tempfile::tempdir().unwrap();
    shell(
        dir.path(),
        "git init -q && git -c user.name=t -c user.email=t@example.com \
         commit -q --allow-empty -m base\n\
         git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),fleet/ana.yaml\n\
         git -c user.name=t -c user.email=t@example.com commit -q -m submodule\n\
         mkdir fleet",
    );
    let repository = Repository::open(&dir.path().join("fleet")).unwrap();
    repository.load(&repository.commit("HEAD").unwrap()).unwrap()
}

/// A report of D001 that it was wiped, as the plan sees it.
fn unexpected_wipe() -> Desired {
    let report = "{\"serialNumber\":\"PF3XK9Q2\",\"at\":\"2026-11-22T09:30:00Z\",\"wiped\":true}";
    let heard = [Heard {
        id: ReportId::new("ana"),
        origin: "inbox/ana.json".into(),
        report: parse_reports(report.as_bytes()).good.remove(0).1,
    }];
    let (settings, recorded) = (Settings::default(), state());
    let mut desired = Desired::default();
    let inputs = Inputs {
        now: now(),
        settings: &settings,
        desired: &desired,
        recorded: &recorded,
        heard: &heard,
        news: &NO_NEWS,
        requests: &[],
        trust: &TrustState::NotConfigured,
        heads: &[],
        clock: None,
    };
    let plan = plan(&inputs);
    desired.findings = plan.findings;
    desired
}

/// A text as `check` tells of it.
fn mail_template() -> Desired {
    let text: std::sync::Arc<str> = "{{ devices[0].nmae }}".into();
    let path = "/etc/fleetform/texts/en/blocked.txt".into();
    let finding = Finding {
        code: Code::MailTemplate,
        severity: Severity::Error,
        message: "no mail can be made of this text: undefined value".to_owned(),
        help: "docs/notifications.md says what a text can use".to_owned(),
        span: Span { path, line: 3, column: 1, width: 21, text, offset: 0 },
        related: None,
    };
    Desired { findings: vec![finding], ..Desired::default() }
}

/// One more request that nobody signed than is recorded, as the plan sees it.
fn too_many_wipe_requests() -> Desired {
    let Example::Manifest(text) = Code::WipeNotAlone.explain().right else { panic!("no request") };
    let requests = (0..1_001).map(|n| {
        let text = text.replace("d007-lost", &format!("r{n}"));
        parse_file(&format!("r{n}.yaml").into(), text.as_bytes())
    });
    let mut desired = assemble(requests);
    let (settings, recorded) = (Settings::default(), state());
    let inputs = Inputs {
        now: now(),
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
    let plan = plan(&inputs);
    desired.findings = plan.findings;
    desired
}

fn codes(example: Example) -> Option<BTreeSet<Code>> {
    Some(desired(example)?.findings.iter().map(|finding| finding.code).collect())
}

fn desired(example: Example) -> Option<Desired> {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("profiles.yaml"), PROFILES).unwrap();
    match example {
        Example::Manifest(text) => fs::write(dir.path().join("example.yaml"), text).unwrap(),
        Example::Shell(script) => shell(dir.path(), script),
        Example::Prose(_) => return None,
    }
    let desired = crate::edges::source::load(dir.path());
    assert_eq!(desired.missing, None);
    Some(desired)
}

fn shell(dir: &Path, script: &str) {
    let done = Command::new("sh").args(["-euc", script]).current_dir(dir).status().unwrap();
    assert!(done.success(), "{script}");
}

#[test]
fn every_wrong_example_gives_its_code_and_every_right_one_nothing() {
    for code in Code::ALL {
        let Explanation { wrong, right, .. } = code.explain();
        if let Some(found) = codes(wrong) {
            assert_eq!(found, BTreeSet::from([*code]), "{code}, wrong:\n{}", wrong.text());
        }
        if let Some(found) = codes(right) {
            assert_eq!(found, BTreeSet::new(), "{code}, right:\n{}", right.text());
        }
    }
}

#[test]
fn only_what_lies_outside_the_manifests_is_told_in_prose() {
    let prose = |code: &&Code| matches!(code.explain().wrong, Example::Prose(_));
    let told: Vec<_> = Code::ALL.iter().filter(prose).collect();
    let outside =
        [Code::Unreadable, Code::TooManyWipeRequests, Code::UnexpectedWipe, Code::MailTemplate];
    assert_eq!(told, outside.iter().collect::<Vec<_>>());
}

#[test]
fn every_code_has_words_of_its_own() {
    let titles: BTreeSet<_> = Code::ALL.iter().map(|code| code.explain().title).collect();
    assert_eq!(titles.len(), Code::ALL.len());
    for code in Code::ALL {
        let Explanation { title, why, wrong, right } = code.explain();
        assert!(!title.ends_with('.') && why.ends_with('.'), "{code}");
        assert!(!why.contains("  ") && !why.contains('\n'), "{code}: {why}");
        assert!(wrong.text().ends_with('\n') && right.text().ends_with('\n'), "{code}");
        assert_ne!(wrong, right, "{code}");
    }
}
