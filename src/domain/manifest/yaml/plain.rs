//! Documents as nearly all of them are written, read in one go: block mappings of plain words.
//!
//! That takes a twentieth of the time of a scanner of all of YAML. What is read here is read as the
//! scanner reads it (`scan`), to the column, as tests show on thousands of documents; whatever is not as simple
//! as that is left to it.

use std::borrow::Cow;

use super::tree::{Extent, Node, Position, Style, Value};

/// Deepest nesting, longest text and line in bytes, and longest mapping, that are read here: all far below
/// what any document may have.
const DEPTH: usize = 8;
const LENGTH: usize = 16 << 10;
const WIDTH: usize = 512;
const ENTRIES: usize = 64;

/// The tree of a document that begins in line `first_line` of its file; `None` if it is not simple.
#[must_use]
pub(crate) fn plain(text: &str, first_line: u32) -> Option<Node<'_>> {
    if text.len() > LENGTH {
        return None;
    }
    let mut rest = Lines { text, number: first_line, next: None };
    if let Some(after) = text.strip_prefix("---\n") {
        rest.text = after;
        rest.number = first_line.checked_add(1)?;
    }
    rest.advance()?;
    let root = map(&mut rest, 0, 0)?;
    rest.next.is_none().then_some(root)
}

/// A line that is neither blank nor a comment.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Without its indentation and its newline.
    content: &'a str,
    indent: u32,
    number: u32,
}

impl Line<'_> {
    fn at(&self, column: usize) -> Option<Position> {
        let column = u32::try_from(column).ok()?;
        Some(Position { line: self.number, column: self.indent + column + 1 })
    }
}

struct Lines<'a> {
    /// What comes after `next`.
    text: &'a str,
    /// Of the line at which `text` begins.
    number: u32,
    next: Option<Line<'a>>,
}

impl<'a> Lines<'a> {
    /// Goes on to the next line; `None` if it cannot be read here.
    fn advance(&mut self) -> Option<()> {
        loop {
            let Some(end) = self.text.bytes().position(|b| b == b'\n') else {
                self.next = None;
                // The last line ends, too.
                return self.text.is_empty().then_some(());
            };
            let (line, rest) = (&self.text[..end], &self.text[end + 1..]);
            let number = self.number;
            (self.text, self.number) = (rest, number.checked_add(1)?);
            let content = line.trim_start_matches(' ');
            if content.is_empty() {
                continue;
            }
            if content.starts_with('#') {
                // A carriage return ends a comment, and what comes after it counts.
                if content.bytes().all(is_printable) {
                    continue;
                }
                return None;
            }
            let indent = u32::try_from(line.len() - content.len()).ok()?;
            self.next = Some(Line { content, indent, number });
            return (line.len() <= WIDTH).then_some(());
        }
    }

    /// Where the next line begins, or the text ends.
    fn here(&self) -> Position {
        match self.next {
            Some(line) => Position { line: line.number, column: line.indent + 1 },
            None => Position { line: self.number, column: 1 },
        }
    }
}

/// The block mapping that begins with the next line, of this indentation.
fn map<'a>(lines: &mut Lines<'a>, indent: u32, depth: usize) -> Option<Node<'a>> {
    let start = lines.here();
    let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::with_capacity(4);
    while let Some(line) = lines.next {
        if line.indent < indent {
            break;
        }
        let colon = line.content.bytes().position(|b| !is_key(b))?;
        let (key, rest) = line.content.split_at(colon);
        let first = key.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        let known =
            entries.iter().any(|(k, _)| matches!(&k.value, Value::Scalar(k, _) if k == key));
        let fits = depth < DEPTH && entries.len() < ENTRIES;
        if line.indent != indent || !first || known || !fits {
            return None;
        }
        let key = scalar(key, Style::Plain, &line, 0, colon)?;
        let value = match rest.strip_prefix(":")? {
            "" => {
                lines.advance()?;
                let deeper = lines.next.filter(|next| next.indent > indent)?.indent;
                map(lines, deeper, depth + 1)?
            }
            value => {
                let mut flow = Flow { line: &line, text: value.strip_prefix(' ')?, at: colon + 2 };
                let value = flow.value(false, depth)?;
                flow.text.is_empty().then_some(())?;
                lines.advance()?;
                // A plain word goes on in lines that are further in.
                if lines.next.is_some_and(|next| next.indent > indent) {
                    return None;
                }
                value
            }
        };
        entries.push((key, value));
    }
    let end = lines.here();
    (!entries.is_empty())
        .then_some(Node { value: Value::Map(entries), extent: Extent { start, end } })
}

/// What follows a key in its line.
struct Flow<'l, 'a> {
    line: &'l Line<'a>,
    text: &'a str,
    /// Where `text` begins, in the content of the line.
    at: usize,
}

impl<'a> Flow<'_, 'a> {
    fn value(&mut self, inside: bool, depth: usize) -> Option<Node<'a>> {
        match self.text.bytes().next()? {
            quote @ (b'"' | b'\'') => {
                let from = &self.text[1..];
                let end = from.bytes().position(|b| b == quote || b == b'\\')?;
                // Escapes are none of ours, nor what stands between two quotes.
                let after = from.as_bytes().get(end + 1);
                let ends = after.is_none_or(|b| matches!(b, b',' | b'}' | b']'));
                let (text, at) = (&from[..end], self.at);
                (from.as_bytes()[end] == quote && ends && text.bytes().all(is_printable))
                    .then_some(())?;
                self.pass(end + 2);
                scalar(text, Style::Quoted, self.line, at, self.at)
            }
            b'{' if depth < DEPTH => self.flow_map(depth + 1),
            b'[' if depth < DEPTH => self.flow_seq(depth + 1),
            first if first.is_ascii_alphanumeric() => {
                let bytes = self.text.as_bytes();
                let word = |at: usize, b: u8| match b {
                    b':' => !inside && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
                    b',' => !inside,
                    b => is_word(b),
                };
                let end = (0..bytes.len()).find(|at| !word(*at, bytes[*at])).unwrap_or(bytes.len());
                let (text, at) = (&self.text[..end], self.at);
                (!text.ends_with(' ')).then_some(())?;
                self.pass(end);
                scalar(text, Style::Plain, self.line, at, self.at)
            }
            _ => None,
        }
    }

    fn flow_map(&mut self, depth: usize) -> Option<Node<'a>> {
        let start = self.at;
        let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::with_capacity(4);
        self.pass(1);
        loop {
            let colon = self.text.bytes().position(|b| !is_key(b))?;
            let (text, at) = (&self.text[..colon], self.at);
            let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
            let known =
                entries.iter().any(|(k, _)| matches!(&k.value, Value::Scalar(k, _) if k == text));
            (first && !known && self.text[colon..].starts_with(": ")).then_some(())?;
            self.pass(colon);
            let key = scalar(text, Style::Plain, self.line, at, self.at)?;
            self.pass(2);
            entries.push((key, self.value(true, depth)?));
            if self.ends(b'}')? {
                return self.node(start, Value::Map(entries));
            }
        }
    }

    fn flow_seq(&mut self, depth: usize) -> Option<Node<'a>> {
        let start = self.at;
        let mut items = Vec::new();
        self.pass(1);
        loop {
            items.push(self.value(true, depth)?);
            if self.ends(b']')? {
                return self.node(start, Value::Seq(items));
            }
        }
    }

    /// Whether what comes next ends this, and not only one part of it.
    fn ends(&mut self, with: u8) -> Option<bool> {
        let ends = self.text.as_bytes().first() == Some(&with);
        (ends || self.text.starts_with(", ")).then_some(())?;
        self.pass(if ends { 1 } else { 2 });
        Some(ends)
    }

    fn node(&self, start: usize, value: Value<'a>) -> Option<Node<'a>> {
        let extent = Extent { start: self.line.at(start)?, end: self.line.at(self.at)? };
        Some(Node { value, extent })
    }

    fn pass(&mut self, bytes: usize) {
        self.text = &self.text[bytes..];
        self.at += bytes;
    }
}

fn scalar<'a>(
    text: &'a str,
    style: Style,
    line: &Line<'_>,
    from: usize,
    to: usize,
) -> Option<Node<'a>> {
    let extent = Extent { start: line.at(from)?, end: line.at(to)? };
    Some(Node { value: Value::Scalar(Cow::Borrowed(text), style), extent })
}

const fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
}

const fn is_word(b: u8) -> bool {
    is_key(b) || matches!(b, b' ' | b'@' | b'+' | b'/' | b'=' | b'(' | b')')
}

const fn is_printable(b: u8) -> bool {
    matches!(b, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::super::parse::{Parsed, scan};
    use super::*;

    /// A small generator of numbers: the same for the same seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) as usize % most
        }

        fn pick<'w>(&mut self, words: &[&'w str]) -> &'w str {
            words[self.below(words.len())]
        }
    }

    const WORDS: [&str; 52] = [
        "a",
        "b c",
        "10.0.1",
        "x:y",
        "x: y",
        "2026-11-22T10:00:00Z",
        "\"q\"",
        "'q'",
        "\"a, b\"",
        "'it''s'",
        "\"a\\n\"",
        "true",
        "null",
        "~",
        "",
        "-",
        "- x",
        "-x",
        "#x",
        "x #y",
        "x#y",
        "a,b",
        "a, b",
        "[",
        "{",
        "*a",
        "&a",
        "!t",
        "|",
        ">",
        "%x",
        "@x",
        "`x",
        "?",
        "? x",
        ":",
        ":x",
        "x:",
        "<<",
        "=",
        "u@e.com",
        "1e5",
        "0x1",
        "a ",
        "é",
        "a\tb",
        "---",
        "...",
        "(x)",
        "A/B",
        "\"x\"y",
        "{a: b} ",
    ];

    fn value(random: &mut Random, depth: usize) -> String {
        match random.below(12) {
            kind @ 0..=1 if depth < 3 => {
                let between = random.pick(&[", ", ", ", ", ", ",", " , "]);
                let mut one = |_| match kind {
                    0 => {
                        let key = random.pick(&["a", "b", "c", "d e", "\"k\"", "k-1", "<<", "1"]);
                        let colon = random.pick(&[": ", ": ", ": ", ":", ":  "]);
                        format!("{key}{colon}{}", value(random, depth + 1))
                    }
                    _ => value(random, depth + 1),
                };
                let all: Vec<String> = (0..3).map(&mut one).collect();
                let [open, close] = if kind == 0 { ["{", "}"] } else { ["[", "]"] };
                let all = all[..random.below(4)].join(between);
                format!("{open}{all}{close}")
            }
            2..=4 => random.pick(&WORDS).to_owned(),
            _ => {
                random.pick(&["a", "b c", "10.0", "u@e.com", "\"10.0\"", "'x y'", "12"]).to_owned()
            }
        }
    }

    fn document(random: &mut Random, indent: usize, depth: usize, out: &mut String) {
        for _ in 0..=random.below(4) {
            if random.below(14) == 0 {
                out.push_str(random.pick(&[
                    "\n",
                    "# c\n",
                    "  # c\n",
                    "   \n",
                    "        # deep\n",
                    "# c\rk: v\n",
                    "# \u{85}k: v\n",
                    "# \u{2028}k: v\n",
                    "#\t\u{202e}é\n",
                    "# \0\u{7}\u{feff}\n",
                ]));
            }
            let odd = random.below(40) == 0;
            out.push_str(&" ".repeat(if odd { random.below(6) } else { indent }));
            out.push_str(random.pick(&["a", "b", "spec", "x-y", "x.y", "k1", "k2", "k3", "k4"]));
            out.push_str(random.pick(&[":", ":", ":", ":", ":", ":", ":", ":", ":", " :", "\":"]));
            match random.below(6) {
                0 if depth < 4 => {
                    out.push('\n');
                    let step = if random.below(12) == 0 { random.below(5) } else { 2 };
                    document(random, indent + step, depth + 1, out);
                }
                1 if random.below(6) == 0 => {
                    out.push('\n');
                    out.push_str(&" ".repeat(indent + random.below(3)));
                    out.push_str(random.pick(&[
                        "- x\n",
                        "- a: b\n",
                        "text\n",
                        "|\n",
                        "more text\n",
                    ]));
                }
                _ => {
                    out.push_str(if random.below(40) == 0 { "" } else { " " });
                    out.push_str(&value(random, 0));
                    out.push_str(random.pick(&["", "", "", "", "", "", "", "", " # c", " ", "\r"]));
                    out.push_str(if random.below(90) == 0 { "" } else { "\n" });
                }
            }
        }
    }

    /// Whether it is read here; if so, as everything else is read.
    fn agrees(text: &str) -> bool {
        let Some(root) = plain(text, 7) else { return false };
        let Parsed { root: expected, complete, problems } = scan(text, 7);
        assert!(complete && problems.is_empty(), "{text}\n{problems:#?}");
        assert_eq!(Some(root), expected, "{text}");
        true
    }

    #[test]
    fn what_is_simple_is_read_as_everything_is_and_the_rest_is_left() {
        let (mut read, documents) = (0, 30_000);
        for seed in 0..documents {
            let mut random = Random(seed * 2 + 1);
            let mut text = random.pick(&["", "", "", "---\n", "--- \n", "# x\n---\n"]).to_owned();
            document(&mut random, 0, 0, &mut text);
            text.push_str(
                random.pick(&["", "", "", "", "", "", "", "...\n", "x", "  x\n", "\n\n"]),
            );
            read += usize::from(agrees(&text));
        }
        assert!(read > 1_000, "{read} of {documents} were simple");
    }

    #[test]
    fn a_manifest_with_any_slip_is_read_as_everything_is() {
        let manifest = "apiVersion: fleetform/v1\nkind: Device\nmetadata:\n  name: d-1\n  labels: \
                        {site: madrid, team: \"a b\"}\nspec:\n  serialNumber: PF3XK9Q2\n  osVersion: '10.0'\n\
                        \x20 hardware:\n    model: X 1\n  list: [a, {b: c}]\n  status: Enrolled\n";
        assert!(agrees(manifest) && agrees(&format!("---\n{manifest}")));
        let slips =
            [" ", ":", "#", ",", "\n", "-", "\"", "'", "{", "}", "[", "]", "\t", "&", "  ", ": "];
        let mut read = 0;
        for at in (0..manifest.len()).filter(|at| manifest.is_char_boundary(*at)) {
            for slip in slips {
                let (before, after) = manifest.split_at(at);
                read += usize::from(agrees(&format!("{before}{slip}{after}")));
                read += usize::from(agrees(&format!("{before}{slip}{}", &after[1..])));
            }
            read += usize::from(agrees(&format!("{}{}", &manifest[..at], &manifest[at + 1..])));
        }
        assert!(read > 1_000, "{read} were simple all the same");
    }

    #[test]
    fn what_is_long_deep_or_wide_is_left() {
        let wide: String = (0..=ENTRIES).map(|n| format!("k{n}: v\n")).collect();
        assert!(agrees(&wide[..wide.len() - "k64: v\n".len()]));
        let deep: String = (0..=DEPTH).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
        let line = format!("k: {}\n", "v".repeat(WIDTH));
        let long = format!("k: v\n{}", "# x\n".repeat(LENGTH / 4));
        let nested = format!("k: {}v{}\n", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
        for text in
            [&wide, &format!("{deep}{}k: v\n", " ".repeat(DEPTH + 1)), &line, &long, &nested]
        {
            assert_eq!(plain(text, 1), None, "{text}");
        }
    }
}
