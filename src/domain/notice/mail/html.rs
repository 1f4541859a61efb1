//! The paragraphs of a text: what its HTML is made of.

use serde::Serialize;

/// A part of a text. What is in it is text: whoever makes HTML of it escapes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Block {
    /// A line with dashes under it.
    Heading {
        lines: Vec<Line>,
    },
    /// Lines that begin with `- `, each with those that follow and are indented.
    List {
        items: Vec<Vec<Line>>,
    },
    Paragraph {
        lines: Vec<Line>,
    },
}

/// A line, cut where links begin and end.
type Line = Vec<Span>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) text: String,
    /// The configured address, and no other: a link that a stranger wrote stays text.
    pub(super) link: bool,
}

/// The blocks of a text, in their order.
pub(super) fn blocks(text: &str, help_url: Option<&str>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            take(&mut lines, help_url, &mut blocks);
        } else {
            lines.push(line);
        }
    }
    blocks
}

fn take(lines: &mut Vec<&str>, help_url: Option<&str>, blocks: &mut Vec<Block>) {
    let spans = |line: &str| line_of(line.trim(), help_url);
    let taken = std::mem::take(lines);
    let mut rest = &taken[..];
    if let [title, rule, more @ ..] = rest
        && is_rule(rule)
    {
        blocks.push(Block::Heading { lines: vec![spans(title)] });
        rest = more;
    }
    while let Some(first) = rest.first() {
        let listed = first.starts_with("- ");
        let end = rest.iter().position(|line| {
            let continues = line.starts_with("- ") || line.starts_with("  ");
            continues != listed
        });
        let (part, more) = rest.split_at(end.unwrap_or(rest.len()).max(1));
        rest = more;
        if !listed {
            blocks.push(Block::Paragraph { lines: part.iter().map(|line| spans(line)).collect() });
            continue;
        }
        let mut items: Vec<Vec<Line>> = Vec::new();
        for line in part {
            match (line.strip_prefix("- "), items.last_mut()) {
                (Some(text), _) => items.push(vec![spans(text)]),
                (None, Some(item)) => item.push(spans(line)),
                (None, None) => items.push(vec![spans(line)]),
            }
        }
        blocks.push(Block::List { items });
    }
}

/// Whether a line is an underline.
pub(super) fn is_rule(line: &str) -> bool {
    line.len() >= 3 && line.bytes().all(|b| b == b'-')
}

fn line_of(line: &str, help_url: Option<&str>) -> Line {
    let text = |text: &str| Span { text: text.to_owned(), link: false };
    let Some((url, at)) = help_url.and_then(|url| Some((url, line.find(url)?))) else {
        return vec![text(line)];
    };
    let (before, after) = (&line[..at], &line[at + url.len()..]);
    let link = Span { text: url.to_owned(), link: true };
    let spans = [text(before), link, text(after)];
    spans.into_iter().filter(|span| !span.text.is_empty()).collect()
}
