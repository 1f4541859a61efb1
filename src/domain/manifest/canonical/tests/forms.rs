use super::super::*;

fn laid_out(text: &str) -> String {
    let once = format(text.as_bytes()).unwrap_or_else(|why| panic!("{why}\n{text}"));
    assert_eq!(format(once.as_bytes()).as_ref(), Ok(&once), "not the same again:\n{once}");
    once
}

#[test]
fn keys_quotes_and_indentation_have_one_form() {
    for (text, expected) in [
        ("kind: Device\napiVersion: fleetform/v1\n", "apiVersion: fleetform/v1\nkind: Device\n"),
        (
            "kind: Device\nspec: {profile: 'Standard', serialNumber: \"A1\"}\nmetadata:\n      labels: { site : 'madrid' }\n      name: \"ana\"\n",
            "kind: Device\nmetadata:\n  name: ana\n  labels: {site: madrid}\nspec: {serialNumber: A1, profile: Standard}\n",
        ),
        ("a: 'it''s'\nb: \"x: y\"\nc: 'a #b'\n", "a: it's\nb: \"x: y\"\nc: \"a #b\"\n"),
        (
            "a: 10.0.26100.1\nb: 1.0\nc: \"1.0\"\nd: 'no'\ne: 2026-11-22T10:00:00Z\n",
            "a: \"10.0.26100.1\"\nb: 1.0\nc: \"1.0\"\nd: \"no\"\ne: 2026-11-22T10:00:00Z\n",
        ),
        ("a:\n- x\n-   [z]\nb:\n- [1]\n", "a:\n  - x\n  - [z]\nb:\n  - [1]\n"),
        ("a: [x,\n  'z', {b: c}]\n", "a:\n  - x\n  - z\n  - {b: c}\n"),
        ("a: one\n  two\nb: \"one\n  two\"\n", "a: one two\nb: one two\n"),
        (
            "a: |\n     text\n      more\n\n     end\nb: >-\n  folded\n  text\n",
            "a: |\n  text\n   more\n\n  end\nb: >-\n  folded\n  text\n",
        ),
        (
            "{\"kind\": \"Device\", \"apiVersion\": \"fleetform/v1\"}",
            "apiVersion: fleetform/v1\nkind: Device\n",
        ),
        ("a: ~\nb:\nc: {}\nd: [ ]\ne: {x: }\n", "a: ~\nb:\nc: {}\nd: []\ne: {x: null}\n"),
        ("a: 1\r\n\r\n\r\nb: 2\r\n\r\n", "a: 1\n\nb: 2\n"),
        ("? a\n: b\n", "a: b\n"),
        ("- - 1\n  - 2\n- a: 1\n  b: 2\n", ""),
    ] {
        if expected.is_empty() {
            assert!(matches!(format(text.as_bytes()), Err(Unformatted::Unusual(1))), "{text}");
        } else {
            assert_eq!(laid_out(text), expected, "{text}");
        }
    }
}

#[test]
fn keys_stay_where_they_are_when_one_of_them_may_belong_elsewhere() {
    for text in [
        "kind: Device\nmetadata:\nname: ana\nspec:\nserialNumber: A1\napiVersion: fleetform/v1\n",
        "apiVersion: fleetform/v1\nkind: Device\nspec: {profile: Standard, sreialNumber: A1, osVersion: x}\n",
    ] {
        assert_eq!(laid_out(text), text);
    }
    let text = "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n\u{a0}\u{a0}name: ana\nspec:\n";
    assert_eq!(format(text.as_bytes()), Err(Unformatted::Misindented(4)));
    let quoted = "apiVersion: fleetform/v1\n\" a\": 1\n";
    assert_eq!(laid_out(quoted), quoted);
}

#[test]
fn comments_stay_with_what_they_are_about() {
    for (text, expected) in [
        (
            "# head\n\nkind: Device # k\n# about the version\napiVersion: fleetform/v1\n",
            "# head\n\n# about the version\napiVersion: fleetform/v1\nkind: Device # k\n",
        ),
        (
            "metadata:\n  # the name\n  name: a   # aligned\n  # foot\nspec:\n",
            "metadata:\n  # the name\n  name: a   # aligned\n  # foot\nspec:\n",
        ),
        ("a: # head\n  b: 1\n", "a: # head\n  b: 1\n"),
        ("a:\n  # in between\n  b\n", "# in between\na: b\n"),
        (
            "a: [{ # b\n  b: 1,\n  c: 2\n} # c\n, 3]\n",
            "a:\n  # b\n  # c\n  - b: 1\n    c: 2\n  - 3\n",
        ),
        (
            "a: [ # one\n  x, # two\n  # three\n  z # four\n  # five\n] # six\n",
            "# one\na: # six\n  - x # two\n  # three\n  - z # four\n  # five\n",
        ),
        ("a: | # kept\n  x # text\n", "a: | # kept\n  x # text\n"),
        (
            "a:\n- # one\n  b: 1\n  # two\n- c # three\n# four\nd: 1\n",
            "a:\n  # one\n  - b: 1\n    # two\n  - c # three\n# four\nd: 1\n",
        ),
        ("a: 'x # y' # z\n", "a: \"x # y\" # z\n"),
        ("a: x#y # z\n", ""),
        (
            "# one\n---\na: 1\n# two\n...\n# three\n---\n# four\nb: 2\n# five\n",
            "# one\n---\na: 1\n# two\n---\n# three\n# four\nb: 2\n# five\n",
        ),
        ("# only\n", "# only\n"),
        ("--- # one\na: 1\n--- # two\nb: 1\n", "# one\na: 1\n---\n# two\nb: 1\n"),
        ("---\n# nothing\n---\na: 1\n---\n# end\n", "# nothing\n---\na: 1\n# end\n"),
        ("a:\n  b: 1\n # odd\nc: 1\n", "a:\n  b: 1\n# odd\nc: 1\n"),
    ] {
        if expected.is_empty() {
            let _ = laid_out(text);
        } else {
            assert_eq!(laid_out(text), expected, "{text}");
        }
    }
}
