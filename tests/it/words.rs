//! Words that fit two devices, and manifests as other programs write them, by the program itself; and the
//! words that the program and its pages do not use.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::architecture::{root, rust_files};
use crate::support::{Fixture, PROFILE, device, text};

/// A manifest of a device with this name.
fn named(name: &str, serial: &str) -> String {
    device(&format!("\"{serial}\"")).replace(&format!("dev-\"{serial}\""), name)
}

/// D001 is named D002, and D002 like the serial number of D001.
fn confusing() -> Fixture {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PROFILE);
    fixture.write("fleet/a.yaml", named("D002", "AAA1"));
    fixture.write("fleet/b.yaml", named("AAA1", "AAA2"));
    fixture.run(&["apply", "--yes"]).exits(1);
    fixture
}

#[test]
fn every_command_refuses_a_word_that_fits_two_devices() {
    let fixture = confusing();
    let check = fixture.run(&["check", "-o", "json"]).exits(1).json();
    let codes: Vec<_> =
        check["findings"].as_array().expect("findings").iter().map(|f| text(&f["code"])).collect();
    assert_eq!(codes, ["looks-like-id", "name-is-serial"]);
    for word in ["D002", "d002", "AAA1", "aaa1"] {
        let commands: [&[&str]; 5] = [
            &["show", word],
            &["sync", "id=D001", word],
            &["audit", "log", "--device", word],
            &["wipe", "new", word, "--reason", "lost", "--requested-by", "bob@example.com"],
            &["set", word, "status=Failed"],
        ];
        for args in commands {
            let said = fixture.run(args).exits(1);
            said.complains(&[&format!("{word:?} fits 2 devices"), "AAA1", "AAA2", "say which one"]);
        }
    }
    assert!(!fixture.path("fleet/wipes").exists());
    assert!(!fixture.data().join("requests").exists());
    assert_eq!(fixture.read("fleet/a.yaml"), named("D002", "AAA1"));
    assert_eq!(fixture.read("fleet/b.yaml"), named("AAA1", "AAA2"));
    for (word, id) in [
        ("id=d002", "D002"),
        ("serial=AAA1", "D001"),
        ("name=AAA1", "D002"),
        ("name=D002", "D001"),
        ("d001", "D001"),
    ] {
        assert_eq!(fixture.json(&["show", word])["device"]["id"], id, "{word}");
    }
    fixture.run(&["set", "id=D002", "status=Failed"]).exits(0);
    assert!(fixture.read("fleet/b.yaml").contains("status: Failed"));
    fixture.run(&["set", "name=D002", "status=Pending"]).exits(0);
    assert!(fixture.read("fleet/a.yaml").contains("status: Pending"));
}

#[test]
fn an_id_whose_manifest_is_gone_does_not_mean_another_device_of_that_name() {
    let fixture = confusing();
    fixture.remove("fleet/b.yaml");
    let said = fixture.run(&["set", "D002", "status=Failed"]).exits(1);
    said.complains(&["fits 2 devices", "no manifest"]);
    fixture.write("fleet/a.yaml", named("zed", "AAA1"));
    let said = fixture.run(&["set", "D002", "status=Failed"]).exits(1);
    said.complains(&["no manifest has the serial number AAA2 of D002"]);
    // An id that a ledger may have, which nobody can read.
    fixture.write(".fleetform/audit.jsonl", "{}\n");
    fixture.run(&["set", "D001", "status=Failed"]).exits(1);
    assert_eq!(fixture.read("fleet/a.yaml"), named("zed", "AAA1"));
    fixture.run(&["set", "zed", "status=Failed"]).exits(0);
}

/// What keeps a document, or a field, from being judged.
#[test]
fn what_set_cannot_check_it_does_not_write() {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PROFILE);
    let good = device("PF1");
    let crlf = good.replace('\n', "\r\n");
    for (what, file) in [
        ("a byte order mark", format!("\u{feff}{good}")),
        ("a byte order mark and CRLF", format!("\u{feff}{crlf}")),
        ("one in the second document", format!("---\n{}---\n\u{feff}{good}", device("PF2"))),
        ("a control character", good.replace("kind:", "#\u{7}\nkind:")),
        ("another kind", good.replace("kind: Device", "kind: Devise")),
        ("another version", good.replace("fleetform/v1", "fleetform/v9")),
        ("a key twice", format!("{good}  osVersion: \"11\"\n")),
        ("an anchor", good.replace("ana@example.com", "&a ana@example.com")),
        ("an unknown field", format!("{good}  color: red\n")),
    ] {
        fixture.write("fleet/a.yaml", &file);
        for change in ["status=Bogus", "profile=Nowhere", "osVersion=x", "status=Failed"] {
            let done = fixture.run(&["set", "PF1", change]).exits(1);
            assert!(!done.stdout.contains("No changes"), "{what}, {change}: {done:#?}");
            assert!(!done.stderr.is_empty(), "{what}, {change}: {done:#?}");
            assert_eq!(fixture.read("fleet/a.yaml"), file, "{what}, {change}");
        }
    }
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fixture.write("fleet/a.yaml", &utf16);
    let check = fixture.run(&["check"]).exits(1);
    assert!(check.stdout.contains("UTF-16") && check.stdout.contains("1 error"), "{check:#?}");
    fixture.run(&["set", "PF1", "status=Failed"]).exits(1);
    assert_eq!(fs::read(fixture.path("fleet/a.yaml")).expect("it"), utf16);
}

#[test]
fn set_says_what_happened_and_mends_what_it_can() {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PROFILE);
    let good = device("PF1");
    for (layout, file) in [
        ("as usual", good.clone()),
        ("CRLF", good.replace('\n', "\r\n")),
        ("no newline at the end", good.trim_end().to_owned()),
        ("between documents", format!("{}---\n{good}...\n---\n{}", device("PF0"), device("PF2"))),
        ("beside a broken document", format!("{good}---\nkind: [\n")),
    ] {
        fixture.write("fleet/a.yaml", &file);
        let done = fixture.run(&["set", "PF1", "status=Bogus"]).exits(1);
        done.complains(&["Nothing is written"]);
        assert_eq!(fixture.read("fleet/a.yaml"), file, "{layout}");
        let done = fixture.run(&["set", "PF1", "status=Failed"]).exits(0);
        assert!(done.stdout.contains("status: Enrolled -> Failed"), "{layout}: {done:#?}");
        let written = fixture.read("fleet/a.yaml");
        let end = if layout == "CRLF" { "\r\n" } else { "\n" };
        assert!(written.contains(&format!("{end}  status: Failed")), "{layout}: {written}");
        let again = fixture.run(&["set", "PF1", "status=Failed"]).exits(0);
        assert!(again.stdout.contains("No changes"), "{layout}: {again:#?}");
        assert_eq!(fixture.read("fleet/a.yaml"), written, "{layout}");
    }
    // Changed, and yet nothing else is meant.
    fixture.write("fleet/a.yaml", &good);
    let done = fixture.run(&["set", "PF1", "status=Enrolled"]).exits(0);
    assert!(!done.stdout.contains("No changes"), "{done:#?}");
    assert!(fixture.read("fleet/a.yaml").contains("status: Enrolled"));
    // One of two mistakes is mended, then the other.
    let file = good.replace("Standard", "Standrad").replace("ana@", "ana at ");
    fixture.write("fleet/a.yaml", &file);
    fixture.run(&["set", "PF1", "userEmail=ana@example.com"]).exits(0);
    fixture.run(&["set", "PF1", "status=Failed"]).exits(1);
    fixture.run(&["set", "PF1", "profile=Standard"]).exits(0);
    assert_eq!(fixture.read("fleet/a.yaml"), good);
}

#[test]
fn serial_numbers_of_virtual_machines_go_all_the_way() {
    let fixture = Fixture::empty();
    fixture.write("fleet/profile.yaml", PROFILE);
    let serials =
        ["VMware-56 4d fa 72 69 7a 39 13-aa 0e 17 06 9b 09 42 c8", "VM5vodACsc+k", "/77NDZ12/CN7/"];
    let provision = |serial| {
        let rest = ["--user", "ana@example.com", "--profile", "Standard", "--os", "10.0"];
        fixture.run(&[&["provision", "--serial", serial][..], &rest].concat())
    };
    for serial in serials {
        provision(serial).exits(0);
    }
    fixture.run(&["check"]).exits(0);
    fixture.run(&["apply", "--yes"]).exits(0);
    let mut outbox: Vec<_> = std::fs::read_dir(fixture.path(".fleetform/outbox"))
        .expect("the outbox")
        .map(|entry| entry.expect("it").file_name().into_string().expect("UTF-8"))
        .collect();
    outbox.sort();
    assert_eq!(
        outbox,
        [
            "%2F77NDZ12%2FCN7%2F.json",
            "VM5VODACSC%2BK.json",
            "VMWARE-56%204D%20FA%2072%2069%207A%2039%2013-AA%200E%2017%2006%209B%2009%2042%20C8.json",
        ]
    );
    let reports: Vec<_> = serials.iter().map(|serial| super::support::healthy(serial, 1)).collect();
    fixture.report(&reports.join("\n"));
    fixture.run(&["apply", "--yes"]).exits(0);
    for serial in serials {
        let shown = fixture.json(&["show", serial])["device"].take();
        assert_eq!(
            (&shown["serialNumber"], &shown["status"]),
            (&serial.into(), &"Enrolled".into())
        );
        let args = ["wipe", "new", serial, "--reason", "lost", "--requested-by", "bob@example.com"];
        assert_eq!(fixture.json(&args)["serialNumber"], serial);
        fixture.run(&["set", serial, "status=Failed"]).exits(0);
    }
    let csv = fixture.run(&["list", "-o", "csv"]).exits(0).stdout;
    assert!(serials.iter().all(|serial| csv.contains(serial)), "{csv}");
    // What stands for a missing serial number is no device's.
    for serial in ["0", "To be filled by O.E.M.", "System Serial Number", "N/A", "..", "0123456789"]
    {
        let done = provision(serial).exits(1);
        assert!(done.stdout.contains("placeholder-serial"), "{done:#?}");
    }
}

/// Words that people who know Terraform, Kubernetes and Intune stumbled over, or that are not American
/// spelling; and what to say instead.
const ODD: &[(&str, &str)] = &[
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("a pass", "a reconciliation"),
    ("the pass", "the reconciliation"),
    ("one pass", "one reconciliation"),
    ("same pass", "same reconciliation"),
    ("every pass", "every reconciliation"),
    ("two passes", "two reconciliations"),
    ("no pass", "no reconciliation"),
    ("next pass", "next reconciliation"),
    ("first pass", "first reconciliation"),
    ("each pass", "each reconciliation"),
    ("whole passes", "whole reconciliations"),
    ("thaw", "unfreeze"),
    ("thaws", "unfreezes"),
    ("thawed", "no longer frozen"),
    ("cooling off", "delay"),
    ("cools off", "waits"),
    ("vouch", "prove"),
    ("vouches", "proves"),
    ("put right", "correct"),
    ("puts right", "corrects"),
    ("passed over", "ignored"),
    ("under way", "in progress"),
    ("heard from", "reported"),
    ("nobody here", "name what is missing"),
    ("hands that know", "as in"),
    ("again and again", "repeatedly"),
    ("anew", "again"),
    ("befall", "happen to"),
    ("befalls", "happens to"),
    ("made so", "brought to that state"),
    ("goes on", "continues"),
    ("enrol", "enroll"),
    ("enrols", "enrolls"),
    ("enrolment", "enrollment"),
    ("licence", "license"),
    ("licences", "licenses"),
    ("colour", "color"),
    ("colours", "colors"),
    ("behaviour", "behavior"),
    ("artefact", "artifact"),
    ("armour", "armor"),
    ("armoured", "armored"),
    ("defence", "defense"),
    ("honour", "honor"),
    ("catalogue", "catalog"),
    ("centre", "center"),
    ("favour", "favor"),
    ("grey", "gray"),
    ("neighbour", "neighbor"),
    ("organisation", "organization"),
    ("recognise", "recognize"),
    ("authorise", "authorize"),
];

/// All files below this folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("it").path());
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}

/// The odd words in a text, as whole words; `pass.thawed` is a name.
fn odd(text: &str) -> Vec<&'static (&'static str, &'static str)> {
    let text = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let stands = |word: &str| {
        text.match_indices(word).any(|(at, _)| {
            let after = text[at + word.len()..].chars().next();
            !text[..at].ends_with(is_word)
                && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        })
    };
    ODD.iter().filter(|(word, _)| stands(word)).collect()
}

/// String literals that the program may print: none of attributes but of `error`, none of tests, and
/// none that only a broken program says.
fn literals(stream: TokenStream, found: &mut Vec<String>) {
    const INTERNAL: [&str; 7] =
        ["expect", "panic", "unreachable", "assert", "assert_eq", "debug_assert", "expect_test"];
    let mut tokens = stream.into_iter().peekable();
    let (mut before, mut internal) = (String::new(), false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group)
                if matches!(&*before, "#" | "#!") && group.delimiter() == Delimiter::Bracket =>
            {
                let text = group.stream().to_string();
                if text.starts_with("error") {
                    literals(group.stream(), found);
                }
                if text.replace(' ', "") == "cfg(test)" {
                    // The item that it is about.
                    for token in tokens.by_ref() {
                        match token {
                            TokenTree::Group(item) if item.delimiter() == Delimiter::Brace => break,
                            TokenTree::Punct(end) if end.as_char() == ';' => break,
                            _ => {}
                        }
                    }
                }
                before.clear();
            }
            TokenTree::Group(group) => {
                if !internal {
                    literals(group.stream(), found);
                }
                (before, internal) = (String::new(), false);
            }
            TokenTree::Ident(ident) => {
                before = ident.to_string();
                internal = INTERNAL.contains(&&*before);
            }
            TokenTree::Punct(punct) => {
                internal = internal && punct.as_char() == '!';
                // `#![…]` is an attribute too.
                let inner = before == "#" && punct.as_char() == '!';
                before = if inner { "#!".to_owned() } else { punct.as_char().to_string() };
            }
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    found.push(text.value());
                }
            }
        }
    }
}

#[test]
fn neither_the_program_nor_a_page_uses_an_odd_word() {
    let mut wrong = Vec::new();
    let mut judge = |place: &str, text: &str| {
        for (word, better) in odd(text) {
            wrong.push(format!("{place}: {word:?}, say {better:?}: {text:.90}"));
        }
    };
    let (mut all, source) = (0, root().join("src"));
    for path in rust_files(&source) {
        let name = path.strip_prefix(&source).expect("below").display().to_string();
        if name.contains("/tests") || name.ends_with("testing.rs") || name.contains("/testing/") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("readable source");
        let mut found = Vec::new();
        literals(text.parse().expect("Rust"), &mut found);
        all += found.len();
        // One word alone is a key or a name.
        found.iter().filter(|text| text.contains(' ')).for_each(|text| judge(&name, text));
    }
    assert!(all > 5000, "only {all} literals");
    let alone = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    let mut pages: Vec<_> = alone.iter().map(|page| root().join(page)).collect();
    for folder in ["docs", "tests/golden/help", "tests/golden/explain", "examples"] {
        pages.extend(files_below(&root().join(folder)));
    }
    // The hook has no ending.
    for path in pages.iter().filter(|path| path.extension().is_none_or(|end| end != "svg")) {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).expect("a page");
        // A phrase may go over the end of a line.
        for paragraph in text.split("\n\n").flat_map(|part| part.split("\n|")) {
            judge(&name, paragraph);
        }
    }
    assert!(wrong.is_empty(), "{} odd words:\n  {}", wrong.len(), wrong.join("\n  "));
}

#[test]
fn an_odd_word_is_found_and_no_name_is_taken_for_one() {
    for (text, expected) in [
        ("Mend it.", 1),
        ("amend it, and emended", 0),
        ("`pass.thawed` is a kind", 0),
        ("wipe-under-way", 0),
        ("a wipe is under\nway", 1),
        ("passes", 0),
        ("until the next pass", 1),
    ] {
        assert_eq!(odd(text).len(), expected, "{text}");
    }
    let mut found = Vec::new();
    let code = "#![doc = \"no\"] #[error(\"one\")] struct A; #[doc = \"no\"] fn a() { b(\"two\").expect(\"no\"); \
                panic!(\"no\"); } #[cfg(test)] mod tests { fn c() { d(\"no\") } }";
    literals(code.parse().expect("Rust"), &mut found);
    assert_eq!(found, ["one", "two"]);
}
