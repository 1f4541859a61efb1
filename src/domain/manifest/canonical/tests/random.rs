//! Random documents, written in every way that comes to mind, with comments in odd places.

use super::super::same::same;
use super::super::{Unformatted, format};
use crate::domain::manifest::yaml;

const TALES: u64 = 4_000;
const KEYS: [&str; 14] = [
    "kind",
    "apiVersion",
    "spec",
    "metadata",
    "name",
    "labels",
    "profile",
    "serialNumber",
    "hardware",
    "model",
    "settings",
    "compliance",
    "'quo ted'",
    "\"a: b\"",
];
const SCALARS: [&str; 24] = [
    "Device",
    "Profile",
    "fleetform/v1",
    "1",
    "1.50",
    "true",
    "null",
    "~",
    "0x1F",
    "10.0.1.2",
    "a b  c",
    "it's",
    "x#y",
    "a, b",
    "'single ''quoted'' # x'",
    "\"double \\\"x\\\" \\n y\"",
    "'yes'",
    "\"\"",
    "'- x'",
    "2026-11-22T10:00:00Z",
    "\"1\"",
    "é: x",
    "a:b",
    "\"\\u00e9\\t\"",
];

struct Tale {
    state: u64,
    out: String,
    comments: usize,
}

impl Tale {
    /// A number below `n`, by splitmix64.
    fn below(&mut self, n: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn comment(&mut self) {
        self.comments += 1;
        let text = format!("# c{} '\" - : {{[", self.comments);
        self.push(&text);
    }

    /// Ends the line, perhaps with a comment.
    fn end(&mut self) {
        if self.one_in(5) {
            let gap = " ".repeat(1 + self.below(3));
            self.push(&gap);
            self.comment();
        } else if self.one_in(8) {
            self.push("  ");
        }
        self.push("\n");
    }

    /// Blank lines, and comments indented up to `most`.
    fn between(&mut self, most: usize) {
        while self.one_in(4) {
            if self.one_in(2) {
                self.push("\n");
            } else {
                let indent = " ".repeat(self.below(most + 1));
                self.push(&indent);
                self.comment();
                self.push("\n");
            }
        }
    }

    fn scalar(&mut self, flow: bool) {
        loop {
            let text = SCALARS[self.below(SCALARS.len())];
            if (flow && text.contains(',')) || text == "é: x" {
                continue;
            }
            return self.push(text);
        }
    }

    fn keys(&mut self) -> Vec<&'static str> {
        let n = 1 + self.below(4);
        let mut keys: Vec<&str> = (0..n).map(|_| KEYS[self.below(KEYS.len())]).collect();
        keys.sort_unstable();
        keys.dedup();
        if self.one_in(2) {
            keys.reverse();
        }
        keys
    }

    /// Within braces: white space, perhaps with comments.
    fn space(&mut self, lines: bool, indent: usize) {
        if lines && self.one_in(2) {
            self.end();
            self.between(indent + 4);
            let blanks = " ".repeat(indent + self.below(4));
            self.push(&blanks);
        } else if self.one_in(2) {
            self.push(" ");
        }
    }

    fn braces(&mut self, depth: usize, lines: bool, indent: usize) {
        let is_map = self.one_in(2);
        self.push(if is_map { "{" } else { "[" });
        self.space(lines, indent);
        let keys = if self.one_in(6) { Vec::new() } else { self.keys() };
        for (n, key) in keys.iter().enumerate() {
            if n > 0 {
                self.push(",");
                self.space(lines, indent);
            }
            if is_map {
                self.push(key);
                self.push(": ");
            }
            if depth > 0 && self.one_in(3) {
                self.braces(depth - 1, lines, indent);
            } else {
                self.scalar(true);
            }
            self.space(lines, indent);
        }
        self.push(if is_map { "}" } else { "]" });
    }

    /// What comes after `key:` or `-`, to the end of the line or lines.
    fn value(&mut self, indent: usize, depth: usize, after_key: bool) {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 | 1 => {
                self.push(" ");
                self.scalar(false);
                self.end();
            }
            2 => self.end(),
            3 => {
                self.push(" ");
                let lines = self.one_in(2);
                self.braces(2, lines, indent + 1);
                self.end();
            }
            4 => {
                let sign = ["|", ">", "|-", ">-", "|+"][self.below(5)];
                self.push(" ");
                self.push(sign);
                self.end();
                let blanks = " ".repeat(indent + 1 + self.below(3));
                for _ in 0..=self.below(3) {
                    if self.one_in(4) {
                        self.push("\n");
                    }
                    let text = ["text", "# no comment", "a: b", "  deeper", "- x"][self.below(5)];
                    // The first line says how deep all are.
                    let text = if self.out.ends_with(":\n") { "text" } else { text };
                    let line = format!("{blanks}{}\n", text.trim_start());
                    self.push(&line);
                    if text.starts_with("  ") {
                        let line = format!("{blanks}{text}\n");
                        self.push(&line);
                    }
                }
            }
            5 => {
                let blanks = " ".repeat(indent + 1);
                let text = match self.below(3) {
                    0 => format!(" one\n{blanks}two\n\n{blanks}three"),
                    1 => format!(" \"one # x\n{blanks}two\\\n{blanks}three\""),
                    _ => format!(" 'one\n{blanks}# two'"),
                };
                self.push(&text);
                self.end();
            }
            6 | 7 => {
                self.end();
                self.between(indent + 3);
                let indent = indent + 1 + self.below(3);
                self.mapping(indent, depth - 1);
            }
            _ => {
                self.end();
                self.between(indent);
                let indent = if after_key { indent + self.below(3) } else { indent + 1 };
                self.list(indent, depth - 1);
            }
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        for (n, key) in self.keys().into_iter().enumerate() {
            if n > 0 {
                self.between_entries(indent);
            }
            let line = format!("{}{key}:", " ".repeat(indent));
            self.push(&line);
            self.value(indent, depth, true);
        }
    }

    fn list(&mut self, indent: usize, depth: usize) {
        for n in 0..=self.below(3) {
            if n > 0 {
                self.between_entries(indent);
            }
            let line = format!("{}-", " ".repeat(indent));
            self.push(&line);
            if depth > 0 && self.one_in(3) {
                let key = KEYS[self.below(KEYS.len())];
                self.push(" ");
                self.push(key);
                self.push(":");
                self.value(indent + 2, depth - 1, true);
            } else {
                self.value(indent, depth, false);
            }
        }
    }

    /// After a text whose lines are its content, a comment that is indented would be content, too.
    fn between_entries(&mut self, indent: usize) {
        self.between(indent);
        if !self.out.contains('|') && !self.out.contains('>') {
            self.between(indent + 6);
        }
    }

    fn file(seed: u64) -> (String, usize) {
        let mut tale = Self { state: seed, out: String::new(), comments: 0 };
        tale.between(0);
        for n in 0..=tale.below(3) {
            if n > 0 {
                if tale.one_in(4) {
                    tale.push("...");
                    tale.end();
                    tale.between(0);
                }
                tale.push("---");
                tale.end();
                tale.between(0);
            } else if tale.one_in(4) {
                tale.push("---");
                tale.end();
            }
            tale.mapping(0, 3);
        }
        tale.between(0);
        if tale.one_in(10) {
            tale.out = tale.out.trim_end().to_owned();
        }
        (tale.out, tale.comments)
    }
}

/// The trees of a file; none where one cannot be read.
fn trees(text: &str) -> Option<Vec<yaml::Node<'_>>> {
    let pieces = yaml::cut(text.as_bytes());
    let read = |piece: &yaml::Piece| {
        let parsed = yaml::parse(&text[piece.body..piece.bytes.end], 1);
        parsed.root.filter(|_| parsed.complete && parsed.problems.is_empty())
    };
    pieces.iter().map(read).collect()
}

#[test]
fn a_layout_means_the_same_keeps_each_comment_and_is_its_own() {
    let first = std::env::var("CANONICAL_SEED").ok().and_then(|seed| seed.parse().ok());
    let (mut unusual, mut done, mut unread) = (0, 0, 0);
    for seed in first.map_or(0..TALES, |seed: u64| seed..seed + 1) {
        let (text, comments) = Tale::file(seed);
        let Some(before) = trees(&text) else {
            unread += 1;
            continue;
        };
        let new = match format(text.as_bytes()) {
            Ok(new) => new,
            Err(Unformatted::Unusual(line)) => {
                if first.is_some() {
                    panic!("line {line} of\n{text}");
                }
                unusual += 1;
                continue;
            }
            Err(why) => panic!("CANONICAL_SEED={seed}: {why}\n{text}"),
        };
        let after = trees(&new).unwrap_or_else(|| panic!("CANONICAL_SEED={seed}\n{text}\n{new}"));
        let is_same = before.len() == after.len()
            && before.iter().zip(&after).all(|(before, after)| same(before, after));
        assert!(is_same, "CANONICAL_SEED={seed}: another meaning\n{text}\n=====\n{new}");
        for n in 1..=comments {
            let found = new.matches(&format!("# c{n} '")).count();
            assert_eq!(found, 1, "CANONICAL_SEED={seed}: comment {n}\n{text}\n=====\n{new}");
        }
        let again = format(new.as_bytes());
        assert_eq!(
            again.as_deref(),
            Ok(&*new),
            "CANONICAL_SEED={seed}: not the same again\n{text}"
        );
        done += 1;
    }
    assert!(
        done > TALES * 8 / 10 || first.is_some(),
        "{done} done, {unusual} unusual, {unread} unread"
    );
    // A file with a place that cannot be laid out without a doubt stays as it is: few do.
    assert!(unusual < TALES / 100, "{unusual} unusual of {done}");
}
