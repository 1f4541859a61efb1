//! From a tree and the text it was read from to a [`layout`](super::layout), in the order of the text.
//!
//! Whatever is written in a way that is not foreseen gives nothing: the document stays as it is.

use std::mem;
use std::ops::Range;

use super::layout::{Entries, Entry, Form, Line, sort_by_name};
use super::shape::Shape;
use super::source::{Comment, Source};
use crate::domain::manifest::yaml::{Node, Scalar, Style, Value, Within, double, scalar};

type Pair<'a> = (Node<'a>, Node<'a>);

/// The layout of a document, which is in these bytes of the text; none where it is written in a way
/// that is not foreseen.
pub(super) fn build(source: &Source<'_>, bytes: Range<usize>, root: &Node<'_>) -> Option<Entries> {
    let mut scalars = Vec::new();
    collect(source, root, &mut scalars)?;
    let comments = source.comments(bytes.clone(), &scalars);
    let mut builder = Builder { source, comments, next: 0, reached: 0 };
    let Value::Map(pairs) = &root.value else { return None };
    let shape = Shape::of(root);
    let mut root = if builder.is_braced(root)? {
        let mut entry = Entry::default();
        builder.braces(&mut entry, root, shape, true)?;
        let Form::Entries(mut entries) = entry.value else { return None };
        let beside = entry.beside.into_iter().map(|(_, comment)| Line::Comment(comment));
        let first = entries.entries.first_mut()?;
        first.before.splice(0..0, beside);
        entries.column = Some(0);
        entries
    } else {
        builder.mapping(pairs, shape)?
    };
    builder.rest(&mut root, bytes.end);
    let heading = mem::take(&mut root.entries.first_mut()?.before);
    root.sort();
    root.entries.first_mut()?.before.splice(0..0, heading);
    Some(root)
}

/// The texts of the comments in these bytes.
pub(super) fn comments(
    source: &Source<'_>,
    bytes: Range<usize>,
    root: &Node<'_>,
) -> Option<Vec<String>> {
    let mut scalars = Vec::new();
    collect(source, root, &mut scalars)?;
    Some(source.comments(bytes, &scalars).into_iter().map(|comment| comment.text).collect())
}

/// Where the scalars of the tree are, in the order of the text.
fn collect(source: &Source<'_>, node: &Node<'_>, found: &mut Vec<Range<usize>>) -> Option<()> {
    match &node.value {
        Value::Scalar(..) => found.extend(source.scalar(node)?),
        Value::Seq(items) => items.iter().try_for_each(|item| collect(source, item, found))?,
        Value::Map(pairs) => pairs.iter().try_for_each(|(key, value)| {
            collect(source, key, found)?;
            collect(source, value, found)
        })?,
        Value::Broken => return None,
    }
    Some(())
}

struct Builder<'s, 'd> {
    source: &'s Source<'d>,
    comments: Vec<Comment>,
    /// Of the comments, the first that has no place yet.
    next: usize,
    /// What comes before this byte has a place.
    reached: usize,
}

impl Builder<'_, '_> {
    fn reach(&mut self, end: usize) {
        self.reached = self.reached.max(end);
    }

    fn at(&self, node: &Node<'_>) -> Option<usize> {
        self.source.offset(node.extent.start)
    }

    fn is_braced(&self, node: &Node<'_>) -> Option<bool> {
        let at = self.at(node)?;
        let begins = |brace| self.source.text[at..].starts_with(brace);
        Some(match &node.value {
            // The place of a list that is not indented is that of its first item.
            Value::Seq(items) => {
                begins('[') && items.first().is_none_or(|item| self.at(item) != Some(at))
            }
            _ => begins('{'),
        })
    }

    /// The next comment, if it is before this byte and `admits` it.
    fn comment(&mut self, end: usize, admits: impl Fn(&Comment) -> bool) -> Option<Comment> {
        let found = self.comments.get(self.next).filter(|c| c.at < end && admits(c))?.clone();
        self.next += 1;
        Some(found)
    }

    /// The lines before what begins at `at`, indented by `column`; comments that are indented deeper
    /// belong to what is before them.
    fn lead(&mut self, before: Option<&mut Entry>, at: usize, column: usize) -> Vec<Line> {
        let mut above = match before.map(|entry| &mut entry.value) {
            Some(Form::Entries(entries)) => Some(entries),
            _ => None,
        };
        let (mut lines, mut level) = (Vec::new(), usize::MAX);
        while let Some(comment) = self.comment(at, |_| true) {
            let own = comment.column.min(level);
            let mut new = with_blank(&comment);
            if own > column && lines.is_empty() {
                let to = above.as_mut().and_then(|entries| entries.adopt(own, &mut new));
                level = to.unwrap_or(column);
            } else {
                level = column;
            }
            lines.append(&mut new);
        }
        if self.source.is_after_blank(at) {
            lines.push(Line::Blank);
        }
        lines
    }

    /// What is left after the last entry of the document.
    fn rest(&mut self, root: &mut Entries, end: usize) {
        let mut level = usize::MAX;
        while let Some(comment) = self.comment(end, |_| true) {
            let mut lines = with_blank(&comment);
            level = root.adopt(comment.column.min(level), &mut lines).unwrap_or(0);
            root.foot.append(&mut lines);
        }
    }

    /// A mapping on lines of its own.
    fn mapping(&mut self, pairs: &[Pair<'_>], shape: Shape) -> Option<Entries> {
        let column = self.source.column_of(self.at(&pairs.first()?.0)?);
        let order = shape.order();
        let mut all = Entries { column: Some(column), order, ..Entries::default() };
        for (key, value) in pairs {
            let at = self.at(key)?;
            let before = self.lead(all.entries.last_mut(), at, column);
            let mut entry = Entry { before, ..named(key)? };
            let after = self.past(key)?;
            self.reach(after);
            self.value(&mut entry, value, after, shape.below(key.text()))?;
            all.entries.push(entry);
        }
        Some(all)
    }

    /// A list with dashes.
    fn list(&mut self, start: usize, items: &[Node<'_>]) -> Option<Entries> {
        let column = self.source.column_of(start);
        let mut all = Entries { column: Some(column), ..Entries::default() };
        self.reached = start;
        for item in items {
            let dash = self.dash(self.reached)?;
            self.reach(dash + 1);
            let at = match &item.value {
                // Without a value an item is only its dash.
                Value::Scalar(..) if self.source.scalar(item)?.is_none() => dash,
                Value::Seq(_) if !self.is_braced(item)? => self.dash(dash + 1)?,
                _ => self.at(item)?,
            };
            let mut before = self.lead(all.entries.last_mut(), dash, column);
            while let Some(comment) = self.comment(at, |_| true) {
                before.push(Line::Comment(comment.text));
            }
            let mut entry = Entry { before, ..Entry::default() };
            self.value(&mut entry, item, dash + 1, Shape::Free)?;
            all.entries.push(entry);
        }
        Some(all)
    }

    /// The next dash of a list: before it there is nothing else but comments, and the end of its key.
    fn dash(&self, from: usize) -> Option<usize> {
        let mut at = from;
        loop {
            let rest = &self.source.text[at..];
            at += rest.len() - rest.trim_start().len();
            match self.source.text[at..].chars().next()? {
                '-' => return Some(at),
                ':' => at += 1,
                '#' => at = self.source.start_of(self.source.line_of(at) + 1),
                _ => return None,
            }
        }
    }

    /// Where a node ends: the last of its scalars, or its brace.
    fn end(&self, node: &Node<'_>) -> Option<usize> {
        match &node.value {
            Value::Scalar(..) => Some(self.source.scalar(node)?.map_or(0, |range| range.end)),
            Value::Seq(items) if self.is_braced(node)? => self.closing(node, items.last()),
            Value::Map(pairs) if self.is_braced(node)? => {
                self.closing(node, pairs.last().map(|(_, value)| value))
            }
            // A value may be left out.
            Value::Seq(items) => {
                let ends = items.iter().map(|item| self.end(item));
                ends.collect::<Option<Vec<_>>>()?.into_iter().max()
            }
            Value::Map(pairs) => {
                let ends = pairs.iter().flat_map(|(key, value)| [self.end(key), self.end(value)]);
                ends.collect::<Option<Vec<_>>>()?.into_iter().max()
            }
            Value::Broken => None,
        }
    }

    /// Past the brace that closes `node`, whose last value is `last`.
    fn closing(&self, node: &Node<'_>, last: Option<&Node<'_>>) -> Option<usize> {
        let start = self.at(node)?;
        let brace = if self.source.text[start..].starts_with('{') { '}' } else { ']' };
        let key = match &node.value {
            Value::Map(pairs) => pairs.last().map(|(key, _)| key),
            _ => None,
        };
        let mut at = start + 1;
        for node in [key, last].into_iter().flatten() {
            at = at.max(self.end(node)?);
        }
        let mut rest = self.source.text[at..].char_indices();
        let mut in_comment = false;
        rest.find_map(|(n, c)| match c {
            '\n' => {
                in_comment = false;
                None
            }
            _ if in_comment => None,
            '#' => {
                in_comment = true;
                None
            }
            c if c == brace => Some(Some(at + n + 1)),
            c if c.is_whitespace() || c == ',' || c == ':' => None,
            _ => Some(None),
        })?
    }

    fn past(&self, scalar: &Node<'_>) -> Option<usize> {
        Some(self.source.scalar(scalar)??.end)
    }

    /// The value of an entry whose key ends at `after`.
    fn value(
        &mut self,
        entry: &mut Entry,
        node: &Node<'_>,
        after: usize,
        shape: Shape,
    ) -> Option<()> {
        match &node.value {
            Value::Broken => return None,
            Value::Scalar(text, style) => {
                let range = self.source.scalar(node)?;
                let start = range.as_ref().map_or(after, |range| range.start);
                self.between(entry, start);
                self.reach(range.as_ref().map_or(after, |range| range.end));
                match style {
                    Style::Block if range.is_some() => {
                        entry.value = self.block(after, start, text)?;
                    }
                    _ => {
                        entry.value = Form::Inline(spelled(node, Within::Block)?);
                        self.beside(entry, range.map_or(after, |range| range.end));
                    }
                }
            }
            Value::Seq(items) if !self.is_braced(node)? => {
                let start = self.dash(after)?;
                self.until(entry, start);
                entry.value = Form::Entries(self.list(start, items)?);
            }
            Value::Map(pairs) if !self.is_braced(node)? => {
                self.until(entry, self.at(&pairs.first()?.0)?);
                entry.value = Form::Entries(self.mapping(pairs, shape)?);
            }
            Value::Seq(_) | Value::Map(_) => {
                self.between(entry, self.at(node)?);
                self.braces(entry, node, shape, false)?;
                let end = self.end(node)?;
                self.reach(end);
                self.beside(entry, end);
            }
        }
        Some(())
    }

    /// Comments between a key and its scalar.
    fn between(&mut self, entry: &mut Entry, start: usize) {
        while let Some(comment) = self.comment(start, |_| true) {
            if comment.alone {
                entry.before.push(Line::Comment(comment.text))
            } else {
                put(entry, comment)
            }
        }
    }

    /// The comments in the line of a key whose value begins in a later one.
    fn until(&mut self, entry: &mut Entry, start: usize) {
        while let Some(comment) = self.comment(start, |comment| !comment.alone) {
            put(entry, comment);
        }
    }

    /// The comment in the line in which a value ends.
    fn beside(&mut self, entry: &mut Entry, end: usize) {
        let line = self.source.line_of(end.saturating_sub(1));
        while let Some(comment) =
            self.comment(usize::MAX, |comment| comment.line == line && !comment.alone)
        {
            put(entry, comment);
        }
    }

    /// What is in braces: in one line where it was so, else as entries.
    fn braces(
        &mut self,
        entry: &mut Entry,
        node: &Node<'_>,
        shape: Shape,
        always: bool,
    ) -> Option<()> {
        let (start, end) = (self.at(node)?, self.end(node)?);
        let lines = self.source.line_of(start)..self.source.line_of(end - 1);
        let is_empty = match &node.value {
            Value::Map(pairs) => pairs.is_empty(),
            Value::Seq(items) => items.is_empty(),
            _ => return None,
        };
        let has_comment = self.comments.get(self.next).is_some_and(|c| c.at < end);
        if !always && !has_comment && (lines.is_empty() || is_empty) {
            entry.value = Form::Inline(inline(node, shape)?);
            return Some(());
        }
        let mut all = Entries { order: shape.order(), ..Entries::default() };
        match &node.value {
            Value::Map(pairs) => {
                for (key, value) in pairs {
                    let (at, after) = (self.at(key)?, self.past(key)?);
                    let below = shape.below(key.text());
                    let new = named(key)?;
                    self.braced(entry, &mut all, new, (value, at, after), below)?;
                }
            }
            Value::Seq(items) => {
                for item in items {
                    let at = self.at(item)?;
                    let new = Entry::default();
                    self.braced(entry, &mut all, new, (item, at, at), Shape::Free)?;
                }
            }
            _ => return None,
        }
        // Before the brace that closes.
        while let Some(comment) = self.comment(end, |_| true) {
            match all.entries.last_mut() {
                Some(last) if !comment.alone => put(last, comment),
                _ => all.foot.extend(with_blank(&comment)),
            }
        }
        if all.entries.is_empty() {
            // An empty list has no line that these could stand before.
            entry.before.append(&mut all.foot);
            entry.value = Form::Inline(inline(node, shape)?);
        } else {
            entry.value = Form::Entries(all);
        }
        Some(())
    }

    /// One entry within braces that go over several lines.
    fn braced(
        &mut self,
        outer: &mut Entry,
        all: &mut Entries,
        mut entry: Entry,
        (value, at, after): (&Node<'_>, usize, usize),
        shape: Shape,
    ) -> Option<()> {
        while let Some(comment) = self.comment(at, |_| true) {
            if comment.alone {
                entry.before.extend(with_blank(&comment));
            } else {
                put(all.entries.last_mut().unwrap_or(outer), comment);
            }
        }
        let is_collection = matches!(value.value, Value::Map(_) | Value::Seq(_));
        if is_collection && !self.is_braced(value)? {
            // `[a: b]`: a mapping without braces of its own.
            let Value::Map(pairs) = &value.value else { return None };
            let [(key, inner)] = &pairs[..] else { return None };
            let mut pair = named(key)?;
            self.value(&mut pair, inner, self.past(key)?, Shape::Free)?;
            let entries = vec![pair];
            entry.value = Form::Entries(Entries { entries, ..Entries::default() });
        } else {
            self.value(&mut entry, value, after, shape)?;
        }
        all.entries.push(entry);
        Some(())
    }

    fn block(&self, after: usize, start: usize, value: &str) -> Option<Form> {
        let (sign, mut lines) = self.source.block(after, start)?;
        let breaks = value.len() - value.trim_end_matches('\n').len();
        let used = lines.iter().rposition(|line| !line.trim_matches(' ').is_empty())? + 1;
        lines.truncate(used);
        let chomping = match breaks {
            0 => "-",
            1 => "",
            more => {
                lines.resize(used + more - 1, String::new());
                "+"
            }
        };
        let deeper = lines.iter().find(|line| !line.is_empty()).is_some_and(|l| l.starts_with(' '));
        let indicator = if deeper { "2" } else { "" };
        Some(Form::Block { header: format!("{sign}{indicator}{chomping}"), lines })
    }
}

/// A comment for the first line of an entry; where there is one already, that goes before it.
fn put(entry: &mut Entry, comment: Comment) {
    let earlier = entry.beside.replace((comment.gap, comment.text));
    entry.before.extend(earlier.map(|(_, text)| Line::Comment(text)));
}

fn with_blank(comment: &Comment) -> Vec<Line> {
    let blank = (comment.after_blank && comment.alone).then_some(Line::Blank);
    blank.into_iter().chain([Line::Comment(comment.text.clone())]).collect()
}

fn named(key: &Node<'_>) -> Option<Entry> {
    let name = key.text().map(str::to_owned);
    Some(Entry { key: Some(spelled(key, Within::Block)?), name, ..Entry::default() })
}

/// A scalar in one line.
fn spelled(node: &Node<'_>, within: Within) -> Option<String> {
    let Value::Scalar(text, style) = &node.value else { return None };
    match (node.scalar()?, style) {
        (Scalar::Text(text), Style::Block) => Some(double(text)),
        (Scalar::Text(text), _) => Some(scalar(text, within)),
        // Numbers, booleans and nothing are as they were written.
        _ => Some(text.to_string()),
    }
}

/// What is in braces, in one line.
fn inline(node: &Node<'_>, shape: Shape) -> Option<String> {
    match &node.value {
        Value::Seq(items) => {
            let items = items.iter().map(|item| inline(item, Shape::Free));
            Some(format!("[{}]", items.collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Value::Map(pairs) => {
            let mut sorted: Vec<&Pair<'_>> = pairs.iter().collect();
            sort_by_name(&mut sorted, shape.order(), |(key, _)| key.text());
            let pairs = sorted.into_iter().map(|(key, value)| {
                let value = inline(value, shape.below(key.text()))?;
                Some(format!("{}: {value}", inline(key, Shape::Free)?))
            });
            Some(format!("{{{}}}", pairs.collect::<Option<Vec<_>>>()?.join(", ")))
        }
        Value::Broken => None,
        Value::Scalar(..) => {
            let text = spelled(node, Within::Braces)?;
            Some(if text.is_empty() { "null".to_owned() } else { text })
        }
    }
}
