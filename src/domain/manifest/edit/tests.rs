use super::*;

fn field(path: &str, to: To) -> Edit {
    Edit { path: path.split('/').map(str::to_owned).collect(), to }
}

fn text(path: &str, value: &str) -> Edit {
    field(path, To::Text(value.into()))
}

const DEVICE: &str = "\
# Ana's laptop
apiVersion: fleetform/v1
kind: Device
metadata:
  name: ana   # ours
  labels: {site: madrid}
spec:
  profile: Standard # the usual
  osVersion: \"10.0\"   # quoted
  userEmail: 'ana@example.com'
  hardware:
    model: T14
";

#[test]
fn only_what_is_meant_changes() {
    for (edit, from, to) in [
        (text("spec/profile", "Executive"), "Standard #", "Executive #"),
        (text("spec/osVersion", "11"), "\"10.0\"   #", "\"11\"   #"),
        (text("spec/userEmail", "o'neil@example.com"), "'ana@", "'o''neil@"),
        (text("metadata/labels/site", "san juan"), "{site: madrid}", "{site: san juan}"),
        (text("metadata/labels/room", "12"), "madrid}", "madrid, room: \"12\"}"),
        (text("metadata/labels/a b", ""), "madrid}", "madrid, a b: \"\"}"),
        (
            text("spec/status", "Failed"),
            "'ana@example.com'\n",
            "'ana@example.com'\n  status: Failed\n",
        ),
        (
            field("spec/enrollment", To::Raised { by: 1, from: 1 }),
            "'ana@example.com'\n",
            "'ana@example.com'\n  enrollment: 2\n",
        ),
        (text("spec/hardware/manufacturer", "X"), "T14\n", "T14\n    manufacturer: X\n"),
        (text("spec/hardware/model", "yes"), "T14", "\"yes\""),
        (text("spec/hardware/model", "a: #b\""), "T14", "\"a: #b\\\"\""),
    ] {
        let edited = super::edit(DEVICE, 2, std::slice::from_ref(&edit)).unwrap();
        let mut expected = DEVICE.replacen(from, to, 1);
        if from.starts_with("'ana@") && to.starts_with("'o''") {
            expected = DEVICE.replace("'ana@example.com'", "'o''neil@example.com'");
        }
        assert_eq!(edited, expected, "{edit:?}");
    }
}

#[test]
fn all_layouts() {
    let many = "kind: A\nspec: {a: 1}\n---\n# two\nkind: B\nspec: {a: {x: [1]}}\n...\n";
    for (file, line, edit, expected) in [
        (many, 1, text("spec/b", "c"), many.replace("{a: 1}", "{a: 1, b: c}")),
        (many, 5, text("spec/b", "c"), many.replace("{a: {", "{b: c, a: {")),
        (many, 5, text("kind", "C"), many.replace("B", "C")),
        ("a: {}", 1, text("a/b", "c"), "a: {b: c}".into()),
        ("a: {}", 1, text("b/c", "d"), "b: {c: d}\na: {}".into()),
        ("a:\n  b: 1", 1, text("a/c", "d"), "a:\n  b: 1\n  c: d".into()),
        ("a:\r\n  b: 1\r\n", 1, text("a/c", "d"), "a:\r\n  b: 1\r\n  c: d\r\n".into()),
        ("a:\n  b:\n    - 1\n", 1, text("a/c", "d"), "a:\n  c: d\n  b:\n    - 1\n".into()),
        ("é: ü # ö\nb: 'x'", 1, text("b", "y"), "é: ü # ö\nb: 'y'".into()),
        ("a: 7", 1, field("a", To::Raised { by: 2, from: 1 }), "a: 9".into()),
    ] {
        assert_eq!(super::edit(file, line, &[edit]).unwrap(), expected);
    }
}

#[test]
fn what_is_not_mastered_is_refused() {
    for (file, edit) in [
        ("a: |\n  block\n", text("a", "x")),
        ("a: one\n  two\n", text("a", "x")),
        ("a: \"one\n  two\"\n", text("a", "x")),
        ("a: [1]\n", text("a", "x")),
        ("a:\n", text("a", "x")),
        ("a: 1\n", text("a", "x\u{202e}")),
        ("a:\n", text("a/b", "x")),
        ("a: 1\n", text("a/b", "x")),
        ("- 1\n", text("a", "x")),
        ("? a\n: b\n", text("c/d/e", "x")),
    ] {
        let error = super::edit(file, 1, &[edit]).unwrap_err();
        assert!(matches!(error, Error::Unusual(_)), "{file}: {error}");
    }
    let bad = |file, line| super::edit(file, line, &[text("a", "x")]).unwrap_err();
    assert_eq!(bad("a: 1\na: 2\n", 1), Error::Syntax);
    assert_eq!(bad("a: [", 1), Error::Syntax);
    assert_eq!(bad("a: 1", 2), Error::NoManifest(2));
    let raise = |file| super::edit(file, 1, &[field("a", To::Raised { by: 1, from: 1 })]);
    assert_eq!(raise("a: x"), Err(Error::NoNumber("a".into())));
    assert_eq!(raise("a: 4294967295"), Err(Error::NoNumber("a".into())));
}

#[test]
fn scalars_mean_what_they_say() {
    for text in [
        "plain",
        "a b",
        "",
        "1",
        "1.0",
        "true",
        "null",
        "~",
        "yes",
        "0x1f",
        "a:b",
        "a: b",
        "#x",
        "x #y",
        "-",
        "- x",
        "[x",
        "{x",
        "@x",
        "`",
        "\"",
        "'",
        "\\",
        "é",
        "\u{202e}",
        "a\nb",
        "1e3",
        "2026-11-22",
        ".5",
        "=",
        "<<",
        "*x",
        "&x",
        "!x",
        "%x",
        "a,b",
        "a]b",
        "\t",
        "\u{feff}x",
    ] {
        let (bare, written) = (scalar(text, Within::Block), scalar(text, Within::Braces));
        for document in [format!("k: {bare}\n"), format!("k: {{{written}: {written}}}\n")] {
            let parsed = yaml::parse(&document, 1);
            let root = parsed.root.unwrap();
            let value = root.get("k").unwrap();
            if !text.contains(is_deceptive) {
                assert!(parsed.problems.is_empty(), "{document}");
                let found = value.text().or_else(|| value.get(text)?.text());
                assert_eq!(found, Some(text), "{document}");
            }
            assert!(!document.trim_end().contains(is_deceptive), "{document}");
        }
    }
}

#[test]
fn a_field_is_removed_with_its_line_and_nothing_else_changes() {
    let remove = |text: &str, path: &str| {
        let path = path.split('/').map(str::to_owned).collect();
        edit(text, 1, &[Edit { path, to: To::Absent }])
    };
    let block = "kind: Device\nmetadata:\n  name: a   # the name\n  labels:\n    site: madrid  # there\n    floor: 2\nspec:\n  platform: ios\n  status: Failed\n";
    assert_eq!(
        remove(block, "metadata/labels/site").unwrap(),
        block.replace("    site: madrid  # there\n", "")
    );
    assert_eq!(remove(block, "spec/platform").unwrap(), block.replace("  platform: ios\n", ""));
    assert_eq!(remove(block, "spec/ownership").unwrap(), block, "it is not there");
    // The last label takes the mapping with it.
    let one = block.replace("    floor: 2\n", "");
    let none = one.replace("  labels:\n    site: madrid  # there\n", "");
    assert_eq!(remove(&one, "metadata/labels/site").unwrap(), none);
    for (flow, path, expected) in [
        (
            "metadata: {name: a, labels: {x: y, z: w}}\n",
            "x",
            "metadata: {name: a, labels: {z: w}}\n",
        ),
        (
            "metadata: {name: a, labels: {x: y, z: w}}\n",
            "z",
            "metadata: {name: a, labels: {x: y}}\n",
        ),
        ("metadata: {name: a, labels: {x: y}}\n", "x", "metadata: {name: a}\n"),
        ("metadata: {labels: {x: y}, name: a}\n", "x", "metadata: {name: a}\n"),
        ("metadata:\n  name: a\n  labels: {x: y} # l\n", "x", "metadata:\n  name: a\n"),
    ] {
        let path = format!("metadata/labels/{path}");
        assert_eq!(remove(flow, &path).unwrap(), expected, "{flow}");
    }
    // What is written in an unusual way is left alone.
    let odd = "metadata:\n  name: a\n  labels:\n    x: |\n      y\n    z: w\n";
    assert!(remove(odd, "metadata/labels/x").is_err());
}
