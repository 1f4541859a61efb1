//! The reference leaves nothing out and makes nothing up: it is compared with the program.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::place::root;
use crate::support::{Fixture, WIPE, public};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The cells of the rows of the table below this title.
fn table(title: &str) -> Vec<Vec<String>> {
    let page = read("docs/reference.md");
    let (_, rest) = page.split_once(&format!("\n## {title}\n")).expect("the title");
    let part = rest.split("\n## ").next().expect("the part");
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What the first cells of a table name.
fn named(title: &str) -> BTreeSet<String> {
    table(title).iter().flat_map(|row| quoted(&row[0]).map(str::to_owned)).collect()
}

#[test]
fn every_command_is_listed_with_what_its_help_says() {
    let mut expected = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/golden/help")).expect("the files") {
        let help = fs::read_to_string(entry.expect("an entry").path()).expect("a help");
        let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).expect("a usage");
        let name = usage.split(" [").next().expect("a name").to_owned();
        if !help.contains("\nCommands:\n") {
            expected.insert(vec![format!("`{name}`"), help.lines().next().expect("it").to_owned()]);
        }
    }
    assert_eq!(table("Commands").into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn every_exit_code_is_explained() {
    let page = read("docs/reference.md");
    let help = read("tests/golden/help/fleetform.txt");
    let (_, codes) = help.split_once("\nExit codes:\n").expect("the codes");
    for line in codes.lines().take_while(|line| line.starts_with("  ")) {
        let Some(code) = line.trim_start().chars().next().filter(char::is_ascii_digit) else {
            continue;
        };
        assert!(page.contains(&format!("\n| {code} | ")), "{line}");
    }
}

#[test]
fn every_kind_of_entry_is_explained() {
    let help = read("tests/golden/help/audit-log.txt");
    let (_, values) = help.split_once("Entries of this kind").expect("the flag");
    let values = values.split_once("[possible values:").expect("kinds").1;
    let values = values.split(']').next().expect("kinds");
    let kinds: BTreeSet<_> = values.split(',').map(|kind| kind.trim().to_owned()).collect();
    let listed: BTreeSet<_> =
        named("Log entries").into_iter().filter(|name| name.contains('.')).collect();
    assert_eq!(listed, kinds);
}

#[test]
fn every_metric_is_explained() {
    let source: String = read("src/ui/http/metrics.rs").split_whitespace().collect();
    let source = source.split("#[cfg(test)]").next().expect("the code");
    let mut names = BTreeSet::new();
    for call in ["text.one(\"", "text.family(\"", "text.histogram(\""] {
        let of = source.split(call).skip(1).filter_map(|rest| rest.split('"').next());
        names.extend(of.map(|name| format!("fleetform_{name}")));
    }
    assert!(names.len() > 30, "{names:?}");
    let listed: BTreeSet<_> =
        named("Metrics").into_iter().filter(|name| name.starts_with("fleetform_")).collect();
    assert_eq!(listed, names);
}

/// The fields that the program wants in the place of `{zzz: 1}`; `None` if that is no mapping with fixed
/// fields.
fn fields(fixture: &Fixture, text: &str) -> Option<Vec<String>> {
    fixture.write("conf/f.yaml", text);
    let said = fixture.run(&["--config", "conf/f.yaml", "check"]).stderr;
    let (_, list) = said.split_once("unknown field `zzz`, expected ")?;
    Some(quoted(list.lines().next()?).map(str::to_owned).collect())
}

/// All keys below a place of the configuration.
fn keys(fixture: &Fixture, path: &str, around: &dyn Fn(&str) -> String, found: &mut Vec<String>) {
    let dot = if path.is_empty() { "" } else { "." };
    for field in fields(fixture, &around("{zzz: 1}")).expect("a mapping") {
        let shapes = [("", "", ""), ("[]", "[", "]"), (".NAME", "{zzz9: ", "}")];
        let below = shapes.into_iter().find_map(|(mark, open, close)| {
            let inner = |text: &str| around(&format!("{{{field}: {open}{text}{close}}}"));
            fields(fixture, &inner("{zzz: 1}"))?;
            Some((mark, open, close))
        });
        let path = format!("{path}{dot}{field}");
        match below {
            None => found.push(path),
            Some((mark, open, close)) => {
                let inner = |text: &str| around(&format!("{{{field}: {open}{text}{close}}}"));
                keys(fixture, &(path + mark), &inner, found);
            }
        }
    }
}

#[test]
fn every_key_of_the_configuration_is_explained() {
    let fixture = Fixture::of(&["A"]);
    let mut found = Vec::new();
    keys(&fixture, "", &str::to_owned, &mut found);
    assert!(found.len() > 100, "{found:?}");
    assert_eq!(named("Configuration"), found.into_iter().collect());
}

#[test]
fn every_json_output_has_the_keys_that_are_listed() {
    let fixture = Fixture::enrolled();
    fixture.write_secret(
        "conf/signers",
        format!("bob@example.com namespaces=\"{WIPE}\" {}\n", public("bob")),
    );
    let config = "fleet: ../fleet\ndata: ../.fleetform\ntrust: {allowedSigners: signers}\n\
                  access: {publicUrl: 'https://f.example.com', resources: {SAP: {require: [enrolled]}}}\n";
    fixture.write("conf/f.yaml", config);
    fixture.write("conf/list.csv", "serial,user\nZ1Z2Z3,b@example.com\n");
    fixture.write("conf/report", crate::support::healthy("PF3XK9Q2", 2));
    let signing = crate::support::key("bob").display().to_string();
    let request = "fleet/wipes/d008-lost.yaml";
    let (wipe, new, sign) = ("wipe", "new", "sign");
    let runs: &[(&str, &[&str])] = &[
        ("plan", &["plan"]),
        ("apply", &["apply", "--yes"]),
        ("list", &["list"]),
        ("show", &["show", "D008"]),
        ("why", &["why", "D008"]),
        ("orphans", &["orphans"]),
        ("profile list", &["profile", "list"]),
        ("profile show", &["profile", "show", "Standard"]),
        ("access", &["access", "ana.ruiz@example.com", "SAP"]),
        ("check", &["check"]),
        ("diff", &["diff", "./fleet", "./fleet"]),
        ("fmt", &["fmt", "--check"]),
        ("set", &["set", "D008", "labels.x=y"]),
        (
            "provision",
            &[
                "provision",
                "--serial",
                "X1Y2",
                "--user",
                "a@example.com",
                "--profile",
                "Standard",
                "--os",
                "10",
            ],
        ),
        ("import", &["import", "csv", "conf/list.csv", "--profile", "Standard", "--os", "10"]),
        ("export", &["export", "csv", "--file", "conf/out.csv"]),
        ("report", &["report", "conf/report"]),
        ("reports rejected", &["reports", "rejected"]),
        ("sync", &["sync", "D008"]),
        ("wipe new", &[wipe, new, "D008", "--reason", "lost", "--requested-by", "bob@example.com"]),
        ("wipe sign", &[wipe, sign, request, "--key", &signing]),
        ("wipe verify", &[wipe, "verify", request]),
        ("wipe list", &[wipe, "list"]),
        ("trust check", &["trust", "check"]),
        ("audit verify", &["audit", "verify"]),
        ("audit log", &["audit", "log"]),
        ("audit replay", &["audit", "replay"]),
        ("deliveries", &["deliveries"]),
        ("doctor", &["doctor"]),
        ("explain", &["explain"]),
        ("backup", &["backup", "conf/backup.tar"]),
    ];
    let mut printed = BTreeSet::new();
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    for (name, args) in runs {
        let args = [&["--config", "conf/f.yaml"], *args, &["-o", "json"]].concat();
        printed.insert(((*name).to_owned(), keys(&fixture.run(&args).json())));
    }
    let empty = Fixture::bare();
    let backup = fixture.path("conf/backup.tar").display().to_string();
    printed.insert(("restore".into(), keys(&empty.json(&["restore", &backup, "--data", "new"]))));
    printed.insert(("init".into(), keys(&empty.json(&["init", "repository"]))));
    let mut listed = BTreeSet::new();
    for row in table("JSON output") {
        for name in quoted(&row[0]) {
            let always = row[1].split(';').next().expect("keys");
            listed.insert((name.to_owned(), quoted(always).map(str::to_owned).collect()));
        }
    }
    assert_eq!(listed, printed);
}
