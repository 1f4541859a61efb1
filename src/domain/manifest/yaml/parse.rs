//! From text to a tree, and what is wrong with it as YAML.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::plain::plain;
use super::tree::{Extent, Node, Position, Style, Value};
use crate::domain::manifest::finding::Code;
use crate::domain::model::is_deceptive;
use crate::domain::wording::{harmless, quote};

/// Deepest nesting; a manifest needs six, free-form settings rarely ten.
pub(crate) const MAX_DEPTH: usize = 32;

/// Most nodes of a document: a hundred times a large profile.
pub(crate) const MAX_NODES: usize = 20_000;

/// Maps longer than this find duplicates by hashing; manifests stay below it.
pub(super) const FEW: usize = 16;

/// Something wrong with a document as YAML.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: &'static str,
    pub(crate) extent: Extent,
    /// The other place, and what is there.
    pub(crate) related: Option<(Extent, &'static str)>,
}

/// A parsed document.
#[derive(Debug, Default)]
pub(crate) struct Parsed<'a> {
    /// The tree; where `complete` is false, as much of it as could be read.
    pub(crate) root: Option<Node<'a>>,
    /// Whether the end was reached.
    pub(crate) complete: bool,
    /// In the order of the text.
    pub(crate) problems: Vec<Problem>,
}

/// Parses one document that begins in line `first_line` of its file.
#[must_use]
pub(crate) fn parse(text: &str, first_line: u32) -> Parsed<'_> {
    match plain(text, first_line) {
        Some(root) => Parsed { root: Some(root), complete: true, problems: Vec::new() },
        None => scan(text, first_line),
    }
}

/// Parses a document of any kind.
pub(super) fn scan(text: &str, first_line: u32) -> Parsed<'_> {
    let mut builder = Builder { text, first_line, ..Builder::default() };
    let mut parser = Parser::new_from_str(text);
    let complete = loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => break true,
            Some(Ok((event, span))) => {
                if !builder.take(event, span) {
                    break false;
                }
            }
            Some(Err(error)) => {
                builder.refuse(&error);
                break false;
            }
        }
    };
    // An unfinished tree is closed as it stands.
    while !builder.frames.is_empty() {
        let end = builder.end;
        builder.close(end);
    }
    Parsed { root: builder.root, complete, problems: builder.problems }
}

#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    first_line: u32,
    frames: Vec<Frame<'a>>,
    root: Option<Node<'a>>,
    problems: Vec<Problem>,
    nodes: usize,
    end: Position,
}

struct Frame<'a> {
    start: Position,
    content: Content<'a>,
}

enum Content<'a> {
    Seq(Vec<Node<'a>>),
    Map { entries: Vec<(Node<'a>, Node<'a>)>, key: Option<Node<'a>> },
}

impl<'a> Builder<'a> {
    /// Whether to go on.
    fn take(&mut self, event: Event<'a>, span: Span) -> bool {
        let extent = self.extent(span);
        self.end = extent.end;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.decorations(anchor, tag.is_some(), extent);
                let value = self.scalar(self.borrowed(text, span), style, extent);
                self.add(Node { value, extent });
            }
            Event::Alias(_) => {
                self.anchor("an alias", extent);
                self.add(Node { value: Value::Broken, extent });
            }
            Event::SequenceStart(anchor, tag) => {
                self.decorations(anchor, tag.is_some(), extent);
                return self.open(Content::Seq(Vec::new()), extent);
            }
            Event::MappingStart(anchor, tag) => {
                self.decorations(anchor, tag.is_some(), extent);
                return self.open(Content::Map { entries: Vec::new(), key: None }, extent);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(extent.end),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => return true,
        }
        self.within(self.nodes <= MAX_NODES, extent, || format!("more than {MAX_NODES} nodes"))
    }

    /// The parser owns each plain scalar, with 128 bytes to spare. Where it stands in the text
    /// just so, the text serves; its markers count characters, so this is a guess, checked.
    fn borrowed(&self, scalar: Cow<'a, str>, span: Span) -> Cow<'a, str> {
        match self.text.get(span.start.index()..span.end.index()) {
            Some(text) if *text == *scalar => Cow::Borrowed(text),
            _ => scalar,
        }
    }

    fn open(&mut self, content: Content<'a>, extent: Extent) -> bool {
        self.nodes += 1;
        self.frames.push(Frame { start: extent.start, content });
        let deep = self.frames.len() > MAX_DEPTH;
        self.within(!deep, extent, || format!("nested more than {MAX_DEPTH} levels deep"))
    }

    fn within(&mut self, ok: bool, extent: Extent, what: impl Fn() -> String) -> bool {
        if !ok {
            let message = format!("the document is too complex: {}", what());
            self.problem(Code::YamlTooComplex, message, "split it, or make it flatter", extent);
        }
        ok
    }

    fn close(&mut self, end: Position) {
        let Some(frame) = self.frames.pop() else { return };
        let value = match frame.content {
            Content::Seq(items) => Value::Seq(items),
            Content::Map { entries, .. } => {
                self.duplicates(&entries);
                Value::Map(entries)
            }
        };
        self.attach(Node { value, extent: Extent { start: frame.start, end } });
    }

    fn add(&mut self, node: Node<'a>) {
        self.nodes += 1;
        self.attach(node);
    }

    fn attach(&mut self, node: Node<'a>) {
        let merge = is_merge(&node);
        match self.frames.last_mut().map(|f| &mut f.content) {
            None => self.root = Some(node),
            Some(Content::Seq(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match key.take() {
                Some(key) if is_merge(&key) => {}
                Some(key) => entries.push((key, node)),
                None => {
                    let extent = node.extent;
                    *key = Some(node);
                    if merge {
                        self.anchor("a merge key", extent);
                    }
                }
            },
        }
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, extent: Extent) -> Value<'a> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        // What stands in the file was looked at before; in quotes anything may come from escapes.
        // Line breaks and tabs mean no harm, however they are written: YAML's own writers put
        // `\n` in quotes where others write a block. No key needs them.
        let visible = |c| match style {
            Style::Block => matches!(c, '\n' | '\t'),
            Style::Plain | Style::Quoted => !self.at_key() && matches!(c, '\n' | '\t'),
        };
        match text.chars().find(|c| is_deceptive(*c) && !visible(*c)) {
            None => Value::Scalar(text, style),
            Some(c) => {
                let message = format!(
                    "the string {} contains the control or bidirectional character U+{:04X}",
                    quote(&text),
                    u32::from(c)
                );
                self.problem(Code::ForbiddenCharacter, message, "remove the escape", extent);
                Value::Broken
            }
        }
    }

    /// Whether the next node is a key.
    fn at_key(&self) -> bool {
        let content = self.frames.last().map(|frame| &frame.content);
        matches!(content, Some(Content::Map { key: None, .. }))
    }

    fn decorations(&mut self, anchor: usize, tag: bool, extent: Extent) {
        if anchor != 0 {
            self.anchor("an anchor", extent);
        }
        if tag {
            let help = "remove the tag; a string that looks like a number is put in quotes";
            self.problem(Code::YamlTag, "a tag is not allowed".into(), help, extent);
        }
    }

    fn anchor(&mut self, what: &str, extent: Extent) {
        let message = format!("{what} is not allowed");
        self.problem(Code::YamlAnchor, message, "write the value out where it is used", extent);
    }

    fn duplicates(&mut self, entries: &[(Node<'a>, Node<'a>)]) {
        let keys = || {
            entries.iter().filter_map(|(key, _)| match &key.value {
                Value::Scalar(text, _) => Some((text.as_ref(), key.extent)),
                _ => None,
            })
        };
        let mut found = Vec::new();
        if entries.len() <= FEW {
            for (n, (key, extent)) in keys().enumerate() {
                found.extend(keys().take(n).find(|(k, _)| *k == key).map(|f| (key, f.1, extent)));
            }
        } else {
            let mut first = HashMap::with_capacity(entries.len());
            for (key, extent) in keys() {
                let at = *first.entry(key).or_insert(extent);
                found.extend((at != extent).then_some((key, at, extent)));
            }
        }
        for (key, first, extent) in found {
            self.problems.push(Problem {
                code: Code::DuplicateKey,
                message: format!("the key {} is given twice", quote(key)),
                help: "keep one of them",
                extent,
                related: Some((first, "first given here")),
            });
        }
    }

    fn refuse(&mut self, error: &ScanError) {
        let start = self.position(*error.marker());
        let extent = Extent { start, end: start };
        let info = error.info();
        if info.contains("unknown anchor") {
            return self.anchor("an alias", extent);
        }
        if info.contains("handle wasn't declared") {
            return self.decorations(0, true, extent);
        }
        let help = if info.contains("tab") {
            "indent with spaces, not with tabs"
        } else {
            "compare indentation, quotes and brackets with the lines before; text with `: ` or ` #` needs quotes"
        };
        let info: String = harmless(info).chars().take(200).collect();
        self.problem(Code::YamlSyntax, format!("not valid YAML: {info}"), help, extent);
    }

    fn problem(&mut self, code: Code, message: String, help: &'static str, extent: Extent) {
        self.problems.push(Problem { code, message, help, extent, related: None });
    }

    fn extent(&self, span: Span) -> Extent {
        Extent { start: self.position(span.start), end: self.position(span.end) }
    }

    fn position(&self, marker: Marker) -> Position {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let line = small(marker.line()).saturating_sub(1).saturating_add(self.first_line);
        Position { line, column: small(marker.col()).saturating_add(1) }
    }
}

fn is_merge(node: &Node<'_>) -> bool {
    matches!(&node.value, Value::Scalar(text, Style::Plain) if text == "<<")
}
