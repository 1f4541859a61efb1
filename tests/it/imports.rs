//! `import` and `export`: lists of others, and what of them is written.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Fixture, needs, page, script, tell, tree};

const LIST: &str = "Serial Number;User;Model;labels.site\r\nPF3XK9Q2;ana@example.com;ThinkPad T14;Madrid\r\n\
    PF3XK9Q3;bo@example.com;;../../../tmp\r\n";

fn fleet() -> Fixture {
    Fixture::of(&[])
}

const USUAL: [&str; 4] = ["--profile", "Standard", "--os", "10.0.26100"];

#[test]
fn a_list_becomes_manifests_that_are_valid_and_formatted_and_a_second_run_changes_nothing() {
    let fixture = fleet();
    fixture.write("list.csv", LIST);
    let args =
        [&["import", "csv", "list.csv", "--layout", "{site}/{name}.yaml"][..], &USUAL].concat();
    let done = fixture.json(&args);
    assert_eq!(done["summary"]["added"], 2, "{done}");
    fixture.run(&["check"]).exits(0);
    fixture.run(&["fmt", "--check"]).exits(0);
    assert!(fixture.path("fleet/Madrid/ana-pf3xk9q2.yaml").exists());
    assert!(fixture.path("fleet/tmp/bo-pf3xk9q3.yaml").exists(), "{:?}", tree(&fixture.path("")));
    let before = tree(&fixture.path("fleet"));
    let again = fixture.json(&args);
    assert_eq!(again["summary"]["unchanged"], 2, "{again}");
    assert_eq!(tree(&fixture.path("fleet")), before);
    // A changed row edits its manifest in place.
    fixture.replace("fleet/Madrid/ana-pf3xk9q2.yaml", "spec:\n", "spec:\n  # hers\n");
    fixture.write("list.csv", LIST.replace("ana@", "eva@"));
    let changed = fixture.json(&args);
    assert_eq!(
        (&changed["summary"]["changed"], &changed["files"][0]["outcome"]),
        (&1.into(), &"changed".into())
    );
    let text = fixture.read("fleet/Madrid/ana-pf3xk9q2.yaml");
    assert!(text.contains("  # hers\n") && text.contains("eva@example.com"), "{text}");
    fixture.feed(&[&["import", "csv", "-"][..], &USUAL].concat(), LIST).exits(0);
}

#[test]
fn nothing_is_written_unless_all_is_right_or_somebody_says_so() {
    let fixture = fleet();
    let list = LIST.replace("bo@example.com", "bo") + "1.23457E+14;;;x\r\nPF3XK9Q2;;;\r\n";
    fixture.write("list.csv", list);
    let before = tree(&fixture.path("fleet"));
    let args = [&["import", "csv", "list.csv"][..], &USUAL].concat();
    let refused = fixture.run(&args).exits(1).complains(&["Nothing is written", "--partial"]);
    for place in ["line 3, column 2 (User)", "line 4, column 1 (Serial Number)", "line 5, column 1"]
    {
        assert!(refused.stdout.contains(&format!("list.csv, {place}")), "{place}: {refused:?}");
    }
    assert_eq!(tree(&fixture.path("fleet")), before);
    let partial = fixture.run(&[&args[..], &["--partial", "-o", "json"]].concat()).exits(1).json();
    assert_eq!(
        (&partial["summary"]["added"], &partial["summary"]["problems"]),
        (&1.into(), &5.into())
    );
    fixture.run(&["check"]).exits(0);
    // What the fleet would have a finding with is a problem of its row.
    fixture.write(
        "list.csv",
        "serial,user,name\nPF3XK9Q7,x@example.com,PF3XK9Q2\nPF3XK9Q8,x@example.com,\n",
    );
    let found = fixture.run(&args).exits(1).complains(&["Nothing is written"]);
    for part in ["list.csv, line 2, column 3 (name): ", "name-is-serial"] {
        assert!(found.stdout.contains(part), "{found:?}");
    }
    let partial = fixture.run(&[&args[..], &["--partial", "-o", "json"]].concat()).exits(1).json();
    assert_eq!(partial["summary"]["added"], 1, "{partial}");
    fixture.run(&["check"]).exits(0);
}

#[test]
fn a_list_that_is_broken_as_a_whole_is_refused_as_a_whole() {
    let fixture = fleet();
    let whole = [&["import", "csv", "list.csv"][..], &USUAL].concat();
    let args = [&whole[..], &["--partial"]].concat();
    for (list, part) in [
        (
            "serial,user,note\nA1,a@example.com,\"x\nA2,b@example.com,\n",
            "line 2, column 3: the quote",
        ),
        ("PK\u{3}\u{4}\u{14}\0", "workbook (.xlsx, .ods)"),
    ] {
        fixture.write("list.csv", list);
        let refused = fixture.run(&args).exits(1);
        assert!(refused.stdout.contains(part), "{refused:?}");
        assert!(refused.stdout.contains("0 devices added"), "{refused:?}");
        // There is nothing to leave out, and so nobody is told to, or that it was done.
        for refused in [refused, fixture.run(&whole).exits(1)] {
            assert!(!refused.stderr.contains("--partial"), "{refused:?}");
            assert!(!refused.stderr.contains("left out"), "{refused:?}");
            refused.complains(&["Nothing is written: 1 problem. Correct the list.\n"]);
        }
    }
    fixture.write("list.csv", LIST);
    fs::create_dir(fixture.path("fleet/all.yaml")).expect("a new directory");
    let refused = fixture.run(&[&args[..], &["--layout", "all.yaml"]].concat()).exits(1);
    assert!(refused.stdout.contains("list.csv, line 2: all.yaml cannot be read"), "{refused:?}");
}

#[test]
fn an_export_of_nothing_is_told_from_one_of_a_profile_that_is_not_there() {
    let fixture = Fixture::of(&["AAA1"]);
    let nope = fixture.run(&["export", "csv", "--profile", "Nope"]).exits(1);
    nope.complains(&["there is no profile `Nope`", "Standard"]);
    let none = ["export", "csv", "--label", "site=nowhere"];
    assert_eq!(fixture.json(&none)["summary"]["devices"], 0);
    let whole = fixture.run(&["export", "csv", "-o", "json"]).exits(1);
    whole.complains(&["the list itself is not shown", "--file"]);
}

#[test]
fn no_link_leads_an_import_out_of_the_fleet_directory() {
    let fixture = fleet();
    fs::create_dir(fixture.path("outside")).expect("a new directory");
    symlink("../outside", fixture.path("fleet/Madrid")).expect("a link");
    fixture.write("list.csv", LIST);
    let args = ["import", "csv", "list.csv", "--layout", "{site}/{name}.yaml", "--partial"];
    fixture.run(&[&args[..], &USUAL].concat()).exits(1);
    assert_eq!(fs::read_dir(fixture.path("outside")).expect("there").count(), 0);
    for layout in ["../{name}.yaml", "/tmp/{name}.yaml", "a/../../{name}.yaml"] {
        let args = [&["import", "csv", "list.csv", "--layout", layout][..], &USUAL].concat();
        fixture.run(&args).exits(1).complains(&["--layout"]);
    }
}

#[test]
fn what_is_exported_is_what_was_imported() {
    let fixture = fleet();
    let hash = "aGFyZHdhcmUgaGFzaA==";
    let list = format!(
        "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User\r\nPF3XK9Q2,,{hash},Standard,ana@example.com\r\n"
    );
    fixture.write("hashes.csv", &list);
    fixture.run(&["import", "autopilot", "hashes.csv", "--os", "10.0.26100"]).exits(0);
    assert_eq!(fixture.run(&["export", "autopilot"]).exits(0).stdout, list);
    let table = fixture.run(&["export", "csv"]).exits(0).stdout;
    let again = fixture.feed(&["import", "csv", "-", "-o", "json"], &table).exits(0).json();
    assert_eq!(
        (&again["summary"]["unchanged"], &again["files"]),
        (&1.into(), &serde_json::json!([]))
    );
    fixture.run(&["export", "autopilot", "--file", "out.csv"]).exits(0);
    assert_eq!(fixture.read("out.csv"), list);
    fixture
        .run(&["export", "autopilot", "--file", "out.csv"])
        .exits(1)
        .complains(&["already exists"]);
    // What its reader could not read is left out, and said.
    fixture
        .run(&["export", "corporate-ids"])
        .exits(1)
        .complains(&["hardware.manufacturer", "1 left out"]);
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    for tool in ["curl", "bash"] {
        needs(tool);
    }
    let (place, said) = tell(&script(&page("import.md")));
    for part in
        ["2 devices added", "0 devices added, 1 changed", "    model: ThinkPad T14", "R52N80ABCDE,"]
    {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(place.path("fleet/intune/jorge-pf4a81lm.yaml").exists(), "{said}");
    let check = place.run(&["check"]).exits(0);
    assert!(check.stdout.contains("6 devices"), "{check:?}");
}

/// Python's `csv`, which is not ours, as the program that writes and reads lists.
const PYTHON: &str = r#"
import csv, json, sys
rows = json.load(open("rows.json"))
names = ["serialNumber", "userEmail", "labels.note", "hardware.model"]
dialects = [("excel", "utf-8"), ("excel", "utf-8-sig"), ("excel-tab", "utf-16"), ("unix", "utf-8")]
for n, (dialect, encoding) in enumerate(dialects):
    with open(f"list{n}.csv", "w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, names, dialect=dialect)
        writer.writeheader()
        writer.writerows(rows)
with open("semicolon.csv", "w", newline="", encoding="cp1252") as file:
    writer = csv.DictWriter(file, names, delimiter=";", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    writer.writerows(rows)
"#;

const READ: &str = r#"
import csv, json, sys
rows = csv.DictReader(sys.stdin, strict=True)
print(json.dumps([{key: value for key, value in row.items()} for row in rows]))
"#;

#[test]
fn the_csv_of_python_and_ours_read_each_other() {
    needs("/usr/bin/python3");
    let rows = serde_json::json!([
        {"serialNumber": "PF3XK9Q2", "userEmail": "ana@example.com", "labels.note": "a, \"b\"; c",
         "hardware.model": "ThinkPad é"},
        {"serialNumber": "0123456789AB", "userEmail": "bo@example.com", "labels.note": " 'x' # y: z",
         "hardware.model": "14\""},
    ]);
    let python = |fixture: &Fixture, code: &str, input: &str| {
        let done = fixture.feed_to(&["/usr/bin/python3", "-c", code], input);
        assert!(done.code == Some(0), "{done:?}");
        done.stdout
    };
    let mut lists = (0..4).map(|n| format!("list{n}.csv")).collect::<Vec<_>>();
    lists.push("semicolon.csv".to_owned());
    for list in lists {
        let fixture = fleet();
        fixture.write("rows.json", rows.to_string());
        python(&fixture, PYTHON, "");
        fixture.run(&[&["import", "csv", &list][..], &USUAL].concat()).exits(0);
        let exported = fixture.run(&["export", "csv"]).exits(0).stdout;
        let read: Vec<serde_json::Value> =
            serde_json::from_str(&python(&fixture, READ, &exported)).expect("JSON");
        assert_eq!(read.len(), 2, "{list}: {exported}");
        for row in rows.as_array().expect("rows") {
            let serial = &row["serialNumber"];
            let device = read.iter().find(|device| device["serialNumber"] == *serial).expect("it");
            for key in ["userEmail", "labels.note", "hardware.model"] {
                // A space at an end is not kept, by us.
                let trimmed = row[key].as_str().expect("a text").trim();
                assert_eq!(device[key], trimmed, "{list}: {key} of {serial}");
            }
        }
    }
}
