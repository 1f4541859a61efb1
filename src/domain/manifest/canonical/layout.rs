//! A document as it is to be written: values as texts, and every comment at its entry.

/// A line between entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    /// With its `#`.
    Comment(String),
}

/// An entry of a mapping or an item of a list.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Lines before it.
    pub(super) before: Vec<Line>,
    /// As it is written; none of an item.
    pub(super) key: Option<String>,
    /// What the key means, where that is a string.
    pub(super) name: Option<String>,
    /// The comment in its first line, and how many blanks are before it.
    pub(super) beside: Option<(usize, String)>,
    pub(super) value: Form,
}

/// How a value is written.
#[derive(Debug)]
pub(super) enum Form {
    /// In the line of its key; empty where there is nothing.
    Inline(String),
    /// After `|` or `>`.
    Block {
        /// With its indicators.
        header: String,
        /// Without their indentation.
        lines: Vec<String>,
    },
    /// Each entry on lines of its own.
    Entries(Entries),
}

impl Default for Form {
    fn default() -> Self {
        Self::Inline(String::new())
    }
}

/// A mapping or a list.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
    /// Lines after the last one.
    pub(super) foot: Vec<Line>,
    /// Where they were written; none within braces.
    pub(super) column: Option<usize>,
    /// The order of their keys.
    pub(super) order: &'static [&'static str],
}

impl Entries {
    /// Takes in a comment that stands after these entries, indented as they are or deeper: gives the
    /// indentation of those that it went to.
    pub(super) fn adopt(&mut self, column: usize, lines: &mut Vec<Line>) -> Option<usize> {
        let own = self.column.filter(|own| *own <= column)?;
        if let Some(Entry { value: Form::Entries(below), .. }) = self.entries.last_mut()
            && let Some(deeper) = below.adopt(column, lines)
        {
            return Some(deeper);
        }
        self.foot.append(lines);
        Some(own)
    }

    /// All keys, also those below, in their order.
    pub(super) fn sort(&mut self) {
        sort_by_name(&mut self.entries, self.order, |entry| entry.name.as_deref());
        for entry in &mut self.entries {
            if let Form::Entries(below) = &mut entry.value {
                below.sort();
            }
        }
    }
}

/// Sorts what has these names. Where one of them is not known, all stay where they are: it may belong
/// to what is above it, which only its place tells.
pub(super) fn sort_by_name<T>(all: &mut [T], order: &[&str], name: impl Fn(&T) -> Option<&str>) {
    let rank = |one: &T| order.iter().position(|known| Some(*known) == name(one));
    if all.iter().all(|one| rank(one).is_some()) {
        all.sort_by_key(rank);
    }
}

/// Comments and blank lines that belong to one place, from the text of these lines.
pub(super) fn lines_of(text: &str) -> Vec<Line> {
    let line = |line: &str| match line.trim() {
        "" => Line::Blank,
        comment => Line::Comment(comment.to_owned()),
    };
    text.lines().map(line).collect()
}

/// The text of entries, each line indented so much.
pub(super) fn write(entries: &Entries, indent: usize, out: &mut String) {
    let Entries { entries, foot, column: _, order: _ } = entries;
    let from = out.len();
    for entry in entries {
        lines(&entry.before, indent, from, out);
        hoisted(entry, indent, from, out);
        write_entry(entry, indent, out);
    }
    lines(foot, indent, from, out);
}

/// The comments of an item and before its first entry: that entry is in the line of the dash.
fn hoisted(entry: &Entry, indent: usize, from: usize, out: &mut String) {
    let mut entry = entry;
    while let (None, Form::Entries(Entries { entries, .. })) = (&entry.key, &entry.value) {
        let Some(first) = entries.first() else { return };
        let own = entry.beside.iter().map(|(_, comment)| Line::Comment(comment.clone()));
        let before = first.before.iter().filter(|line| **line != Line::Blank).cloned();
        lines(&own.chain(before).collect::<Vec<_>>(), indent, from, out);
        entry = first;
    }
}

fn write_entry(entry: &Entry, indent: usize, out: &mut String) {
    out.push_str(&" ".repeat(indent));
    write_rest(entry, indent, out);
}

/// An entry but for the blanks before it.
fn write_rest(entry: &Entry, indent: usize, out: &mut String) {
    let Entry { before: _, key, name: _, beside, value } = entry;
    match key {
        Some(key) => {
            out.push_str(key);
            out.push(':');
        }
        None => out.push('-'),
    }
    if let (None, Form::Entries(Entries { entries, foot, .. })) = (key, value)
        && let Some((first, others)) = entries.split_first()
    {
        let from = out.len();
        out.push(' ');
        write_rest(first, indent + 2, out);
        for entry in others {
            lines(&entry.before, indent + 2, from, out);
            hoisted(entry, indent + 2, from, out);
            write_entry(entry, indent + 2, out);
        }
        lines(foot, indent + 2, from, out);
        return;
    }
    match value {
        Form::Inline(text) if text.is_empty() => {}
        Form::Inline(text) | Form::Block { header: text, .. } => {
            out.push(' ');
            out.push_str(text);
        }
        Form::Entries(_) => {}
    }
    if let Some((gap, comment)) = beside {
        out.push_str(&" ".repeat((*gap).max(1)));
        out.push_str(comment);
    }
    out.push('\n');
    match value {
        Form::Inline(_) => {}
        Form::Block { header: _, lines } => {
            for line in lines {
                if !line.is_empty() {
                    out.push_str(&" ".repeat(indent + 2));
                }
                out.push_str(line);
                out.push('\n');
            }
        }
        Form::Entries(entries) => write(entries, indent + 2, out),
    }
}

/// Lines between entries: one blank line at most in a row, and none where `out` begins.
pub(super) fn lines(lines: &[Line], indent: usize, from: usize, out: &mut String) {
    for line in lines {
        match line {
            Line::Blank if out.len() == from || out.ends_with("\n\n") => {}
            Line::Blank => out.push('\n'),
            Line::Comment(text) => {
                out.push_str(&" ".repeat(indent));
                out.push_str(text);
                out.push('\n');
            }
        }
    }
}
