use super::parse::{FEW, MAX_DEPTH, MAX_NODES};
use super::scalar::resolve;
use super::*;
use crate::domain::manifest::finding::Code;

fn cut_up(file: &str) -> Vec<(&str, u32, &str, u32)> {
    let show = |p: &Piece| {
        let bytes = p.bytes.clone();
        (&file[bytes.clone()], p.line, &file[p.body..bytes.end], p.body_line)
    };
    cut(file.as_bytes()).iter().map(show).collect()
}

#[test]
fn files_are_cut_at_markers_in_the_first_column() {
    assert_eq!(cut_up("a: 1\n"), [("a: 1\n", 1, "a: 1\n", 1)]);
    assert_eq!(
        cut_up("# c\n---\na\n--- # x\nb\n...\n# end\n"),
        [("# c\n---\na\n", 1, "---\na\n", 2), ("--- # x\nb\n...\n", 4, "--- # x\nb\n...\n", 4),]
    );
    assert_eq!(
        cut_up("%YAML 1.2\n---\na\n...\n%X\n---\nb"),
        [("%YAML 1.2\n---\na\n...\n", 1, "---\na\n...\n", 2), ("%X\n---\nb", 5, "---\nb", 6),]
    );
    assert_eq!(cut_up("a: 1\r\n---\r\nb: 2\r\n").len(), 2);
    for one in
        ["a: |\n  ---\n", "---a\n", "a: ---\n", "----\n", " ...\nx", "--- {a: b}\n", "---\ta\n"]
    {
        assert_eq!(cut(one.as_bytes()).len(), 1, "{one:?}");
    }
    for nothing in ["", "\n", "# a\n", "---\n", "---\n---\n...\n", "--- # a\n", " \t\r\n"] {
        assert_eq!(cut(nothing.as_bytes()), [], "{nothing:?}");
    }
}

#[test]
fn scalars_by_the_core_schema() {
    use Scalar::{Bool, Float, Int, Null, Text};
    let cases: &[(&str, Scalar<'_>)] = &[
        ("", Null),
        ("~", Null),
        ("null", Null),
        ("Null", Null),
        ("NULL", Null),
        ("nUll", Text("nUll")),
        ("true", Bool(true)),
        ("FALSE", Bool(false)),
        ("yes", Text("yes")),
        ("on", Text("on")),
        ("0", Int(0)),
        ("-12", Int(-12)),
        ("+7", Int(7)),
        ("007", Int(7)),
        ("0x1f", Int(31)),
        ("0o17", Int(15)),
        ("0x", Text("0x")),
        ("0o8", Text("0o8")),
        ("-0x1", Text("-0x1")),
        ("1_000", Text("1_000")),
        ("+", Text("+")),
        ("-", Text("-")),
        (".", Text(".")),
        ("1.", Float(1.0)),
        (".5", Float(0.5)),
        ("-1.5e3", Float(-1500.0)),
        ("1e5", Float(1e5)),
        ("e5", Text("e5")),
        ("1e", Text("1e")),
        (".inf", Float(f64::INFINITY)),
        ("-.INF", Float(f64::NEG_INFINITY)),
        ("inf", Text("inf")),
        ("nan", Text("nan")),
        ("+-1", Text("+-1")),
        ("1.2.3", Text("1.2.3")),
        ("2026-11-22", Text("2026-11-22")),
        ("12:30", Text("12:30")),
        ("99999999999999999999999999999999999999999", Int(i128::MAX)),
    ];
    for (text, want) in cases {
        assert_eq!(resolve(text), *want, "{text:?}");
    }
    assert!(matches!(resolve(".nan"), Float(x) if x.is_nan()));
}

fn extents(text: &str) -> Vec<(String, u32, u32, u32)> {
    fn walk(node: &Node<'_>, out: &mut Vec<(String, u32, u32, u32)>) {
        match &node.value {
            Value::Scalar(text, _) => {
                let Extent { start, end } = node.extent;
                out.push((text.to_string(), start.line, start.column, end.column));
            }
            Value::Seq(items) => items.iter().for_each(|item| walk(item, out)),
            Value::Map(entries) => entries.iter().for_each(|(k, v)| {
                walk(k, out);
                walk(v, out);
            }),
            Value::Broken => {}
        }
    }
    let mut out = Vec::new();
    walk(parse(text, 10).root.as_ref().unwrap(), &mut out);
    out
}

#[test]
fn places_count_lines_of_the_file_and_characters() {
    let at = |text: &str, line, column, end| (text.to_owned(), line, column, end);
    assert_eq!(
        extents("é: [ü, \"b\"]\nk:   v   # c\n"),
        [
            at("é", 10, 1, 2),
            at("ü", 10, 5, 6),
            at("b", 10, 8, 11),
            at("k", 11, 1, 2),
            at("v", 11, 6, 7)
        ]
    );
    assert_eq!(extents("a: 1\r\nb: 2\r\n")[2..], [at("b", 11, 1, 2), at("2", 11, 4, 5)]);
}

#[test]
fn problems_do_not_end_the_document() {
    let parsed = parse("a: &x 1\nb: *x\n<<: {c: d}\ne: !t f\na: 2\ng: \"\\u202e\"\n", 1);
    use Code::{DuplicateKey, ForbiddenCharacter, YamlAnchor, YamlTag};
    let codes: Vec<_> = parsed.problems.iter().map(|p| (p.code, p.extent.start.line)).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable_by_key(|c| c.1);
    let want = [
        (YamlAnchor, 1),
        (YamlAnchor, 2),
        (YamlAnchor, 3),
        (YamlTag, 4),
        (DuplicateKey, 5),
        (ForbiddenCharacter, 6),
    ];
    assert_eq!(sorted, want);
    assert!(parsed.complete);
}

#[test]
fn duplicates_are_found_in_small_and_large_mappings() {
    for size in [2, FEW - 1, FEW, 1000] {
        let mut text: String = (0..size).map(|n| format!("k{n}: v\n")).collect();
        text += "'k0': again\nk1: again\n";
        let problems = parse(&text, 1).problems;
        let lines: Vec<_> = problems.iter().map(|p| p.related.unwrap().0.start.line).collect();
        assert_eq!(lines, [1, 2], "{size}");
    }
}

#[test]
fn depth_and_size_are_limited() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(parse(&deep(MAX_DEPTH), 1).complete);
    assert_eq!(parse(&deep(MAX_DEPTH + 1), 1).problems[0].code, Code::YamlTooComplex);
    let wide = |n: usize| format!("[{}]", "a,".repeat(n));
    assert!(parse(&wide(MAX_NODES - 1), 1).complete);
    assert_eq!(parse(&wide(MAX_NODES), 1).problems[0].code, Code::YamlTooComplex);
}
