//! JSONPath as kubectl takes it: `{.devices[*].id}`, with text around the braces, `{range …}` and
//! `{end}`, and filters such as `[?(@.status=="Failed")]`.
//!
//! Text in, text out, over the JSON that `-o json` prints. What is not there gives nothing.

use std::cmp::Ordering;

use serde_json::Value;

use super::text::safe;

/// A template, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// All values, separated by spaces.
    Values(Path),
    /// What is between `{range PATH}` and `{end}`, for each value.
    Range(Path, Vec<Part>),
}

/// Steps from a value to others.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `.name`, `['name']`
    Field(String),
    /// `[2]`, `[-1]`
    Index(i64),
    /// `[1:3]`
    Slice(Option<i64>, Option<i64>),
    /// `[*]`, `.*`
    All,
    /// `..name`
    Below(String),
    /// `[?(@.name == "value")]`
    Where(Path, Option<(Operator, Value)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Template {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, without a full stop.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // As kubectl: what has no braces is a path.
        let text = if text.contains('{') { text.to_owned() } else { format!("{{{text}}}") };
        let mut rest = text.as_str();
        let (parts, ended) = parts(&mut rest, 0)?;
        if ended { Err("`{end}` without `{range …}`".into()) } else { Ok(Self(parts)) }
    }

    /// What it says of a document.
    #[must_use]
    pub(crate) fn fill(&self, document: &Value) -> String {
        let mut out = String::new();
        fill(&self.0, document, &mut out);
        out
    }
}

/// Ranges within ranges.
const DEEPEST: usize = 16;

fn parts(rest: &mut &str, depth: usize) -> Result<(Vec<Part>, bool), String> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            parts.push(Part::Text(std::mem::take(rest).to_owned()));
            break;
        };
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let close = closing(&rest[open..]).ok_or("a `{` is not closed")? + open;
        let inside = rest[open + 1..close].trim();
        *rest = &rest[close + 1..];
        if inside == "end" {
            return if depth > 0 {
                Ok((parts, true))
            } else {
                Err("`{end}` without `{range …}`".into())
            };
        }
        if let Some(path) = inside.strip_prefix("range ") {
            if depth >= DEEPEST {
                return Err("ranges are nested too deeply".into());
            }
            let (inner, ended) = self::parts(rest, depth + 1)?;
            if !ended {
                return Err("`{range …}` without `{end}`".into());
            }
            parts.push(Part::Range(Path::parse(path)?, inner));
        } else if inside.starts_with(['"', '\'']) {
            parts.push(Part::Text(literal(inside)?));
        } else {
            parts.push(Part::Values(Path::parse(inside)?));
        }
    }
    Ok((parts, false))
}

/// The brace that closes the first one; those in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '}') => return Some(at),
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// `"\n"`, `'x'`
fn literal(text: &str) -> Result<String, String> {
    let bad = || format!("{text} is not a quoted text");
    if let Some(inner) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(inner.to_owned());
    }
    serde_json::from_str(text).map_err(|_| bad())
}

impl Path {
    /// Reads `.a.b[0]`; a `$` or `@` at its beginning, and a missing first dot, are fine.
    ///
    /// # Errors
    /// What is wrong, without a full stop.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = |why: &str| format!("{text:?} is not a path like .devices[*].id: {why}");
        let trimmed = text.trim().trim_start_matches(['$', '@']);
        let mut rest = trimmed.to_owned();
        if !rest.is_empty() && !rest.starts_with(['.', '[']) {
            rest.insert(0, '.');
        }
        let (mut steps, mut rest) = (Vec::new(), rest.as_str());
        while !rest.is_empty() {
            if let Some(below) = rest.strip_prefix("..") {
                let (name, after) = name(below);
                steps.push(Step::Below(name.ok_or_else(|| bad("a name is missing after `..`"))?));
                rest = after;
            } else if let Some(field) = rest.strip_prefix('.') {
                let (name, after) = name(field);
                match name {
                    Some(name) if name == "*" => steps.push(Step::All),
                    Some(name) => steps.push(Step::Field(name)),
                    // `.` alone is the value itself, and `.[` goes on.
                    None if after.is_empty() || after.starts_with('[') => {}
                    None => return Err(bad("a name is missing")),
                }
                rest = after;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let end = bracket(inner).ok_or_else(|| bad("a `[` is not closed"))?;
                steps.push(subscript(inner[..end].trim()).map_err(|why| bad(&why))?);
                rest = &inner[end + 1..];
            } else {
                return Err(bad("a dot is missing"));
            }
        }
        Ok(Self(steps))
    }

    /// The field that it begins with, if it begins with one.
    pub(crate) fn first_field(&self) -> Option<&str> {
        match self.0.first()? {
            Step::Field(name) => Some(name),
            _ => None,
        }
    }

    /// Every value that it leads to; `root` is where `$` of a filter begins.
    #[must_use]
    pub(crate) fn values<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        self.0.iter().fold(vec![value], |values, step| {
            values.into_iter().flat_map(|value| step.values(value)).collect()
        })
    }
}

/// Letters, digits, `_`, `-` and escaped characters such as `\.`.
fn name(text: &str) -> (Option<String>, &str) {
    if let Some(after) = text.strip_prefix('*') {
        return (Some("*".to_owned()), after);
    }
    let (mut name, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '.' | '[' | ' ' => return (Some(name).filter(|name| !name.is_empty()), &text[at..]),
            _ => {}
        }
        name.push(c);
    }
    (Some(name).filter(|name| !name.is_empty()), "")
}

/// The bracket that closes one that was opened.
fn bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

fn subscript(text: &str) -> Result<Step, String> {
    if text == "*" {
        return Ok(Step::All);
    }
    if text.starts_with(['"', '\'']) {
        return literal(text).map(Step::Field);
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|text| text.strip_suffix(')')) {
        return condition(filter.trim());
    }
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{text:?} is not a number")),
    };
    match text.split_once(':') {
        Some((from, to)) => Ok(Step::Slice(number(from)?, number(to)?)),
        None => number(text)?.map(Step::Index).ok_or_else(|| "`[]` is empty".into()),
    }
}

fn condition(text: &str) -> Result<Step, String> {
    const OPERATORS: [(&str, Operator); 6] = [
        ("==", Operator::Is),
        ("!=", Operator::IsNot),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<", Operator::Less),
        (">", Operator::More),
    ];
    for (sign, operator) in OPERATORS {
        let Some((path, value)) = text.split_once(sign) else { continue };
        let value = value.trim();
        let value = if value.starts_with(['"', '\'']) {
            Value::String(literal(value)?)
        } else {
            serde_json::from_str(value).map_err(|_| format!("put {value:?} into quotes"))?
        };
        return Ok(Step::Where(Path::parse(path)?, Some((operator, value))));
    }
    Ok(Step::Where(Path::parse(text)?, None))
}

impl Step {
    fn values<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let items = || match value {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            Value::Object(fields) => fields.values().collect(),
            _ => Vec::new(),
        };
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::All => items(),
            Self::Index(at) => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                place(*at, items.len()).and_then(|at| items.get(at)).into_iter().collect()
            }
            Self::Slice(from, to) => {
                let items = value.as_array().map_or(&[][..], Vec::as_slice);
                let bound = |at: Option<i64>, other: usize| match at {
                    None => other,
                    Some(at) => place(at, items.len()).unwrap_or(0).min(items.len()),
                };
                let (from, to) = (bound(*from, 0), bound(*to, items.len()));
                items.get(from..to.max(from)).map_or_else(Vec::new, |some| some.iter().collect())
            }
            Self::Below(name) => {
                let mut found = Vec::new();
                below(value, name, &mut found);
                found
            }
            Self::Where(path, condition) => {
                items().into_iter().filter(|item| holds(item, path, condition.as_ref())).collect()
            }
        }
    }
}

/// From the end, where it is negative.
fn place(at: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if at < 0 { at + length } else { at }).ok()
}

fn below<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    found.extend(value.get(name));
    match value {
        Value::Array(items) => items.iter().for_each(|item| below(item, name, found)),
        Value::Object(fields) => fields.values().for_each(|item| below(item, name, found)),
        _ => {}
    }
}

fn holds(item: &Value, path: &Path, condition: Option<&(Operator, Value)>) -> bool {
    let found = path.values(item);
    let Some((operator, wanted)) = condition else {
        return found.iter().any(|value| !value.is_null());
    };
    let order = |value: &Value| compare(value, wanted);
    match operator {
        Operator::Is => found.contains(&wanted),
        Operator::IsNot => !found.contains(&wanted),
        Operator::Less => found.iter().any(|value| order(value) == Ordering::Less),
        Operator::AtMost => found.iter().any(|value| order(value) != Ordering::Greater),
        Operator::More => found.iter().any(|value| order(value) == Ordering::Greater),
        Operator::AtLeast => found.iter().any(|value| order(value) != Ordering::Less),
    }
}

/// Numbers by their size, texts with the numbers in them by theirs (`D9` before `D10`); what is not
/// there comes last.
#[must_use]
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) | Value::Object(_) => 3,
        Value::Null => 4,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default())
        }
        (Value::String(a), Value::String(b)) => natural(a, b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) if rank(a) == rank(b) => a.to_string().cmp(&b.to_string()),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    loop {
        match (digits(a), digits(b)) {
            (0, _) | (_, 0) => match (a.chars().next(), b.chars().next()) {
                (None, None) => return Ordering::Equal,
                (Some(x), Some(y)) if x == y => {
                    (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
                }
                (x, y) => return x.cmp(&y),
            },
            (n, m) => {
                let value = |text: &str| text.trim_start_matches('0').to_owned();
                let (x, y) = (value(&a[..n]), value(&b[..m]));
                let order = x.len().cmp(&y.len()).then(x.cmp(&y)).then(n.cmp(&m));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[n..], &b[m..]);
            }
        }
    }
}

fn fill(parts: &[Part], here: &Value, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Values(path) => {
                let values: Vec<_> = path.values(here).into_iter().map(plain).collect();
                out.push_str(&safe(&values.join(" ")));
            }
            Part::Range(path, inner) => {
                path.values(here).into_iter().for_each(|value| fill(inner, value, out));
            }
        }
    }
}

/// A text without its quotes, nothing for null, else JSON.
#[must_use]
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_say_what_those_of_kubectl_say() {
        let document = json!({"version": 1, "devices": [
            {"id": "D001", "status": "Failed", "labels": {"site.code": "m1"}, "n": 2},
            {"id": "D002", "status": "Enrolled", "labels": {}, "n": 10, "user": null},
            {"id": "D010", "status": "Failed", "labels": {"x": "y"}, "n": 3},
        ]});
        for (template, said) in [
            ("{.devices[*].id}", "D001 D002 D010"),
            (".devices[*].id", "D001 D002 D010"),
            ("devices[0].id", "D001"),
            ("{$.devices[-1].id}", "D010"),
            ("{.devices[0:2].id}", "D001 D002"),
            ("{.devices[1:].id}", "D002 D010"),
            ("{..x}", "y"),
            ("{.devices[0].labels['site.code']}", "m1"),
            (r"{.devices[0].labels.site\.code}", "m1"),
            ("{.devices[?(@.status==\"Failed\")].id}", "D001 D010"),
            ("{.devices[?(@.status != 'Failed')].id}", "D002"),
            ("{.devices[?(@.n>2)].id}", "D002 D010"),
            ("{.devices[?(@.user)].id}", ""),
            ("{.devices[?(@.labels.x)].id}", "D010"),
            (
                "{range .devices[*]}{.id}={.status}{\"\\n\"}{end}",
                "D001=Failed\nD002=Enrolled\nD010=Failed\n",
            ),
            ("v{.version}: {.nothing.there}.", "v1: ."),
            ("{.devices[0].labels}", r#"{"site.code":"m1"}"#),
        ] {
            let parsed =
                Template::parse(template).unwrap_or_else(|why| panic!("{template}: {why}"));
            assert_eq!(parsed.fill(&document), said, "{template}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (bad, why) in [
            ("{.devices", "not closed"),
            ("{.devices[", "not closed"),
            ("{.devices[x]}", "is not a number"),
            ("{range .devices[*]}{.id}", "without `{end}`"),
            ("{.id}{end}", "without `{range"),
            ("{.devices[?(@.status==Failed)]}", "into quotes"),
            ("{.devices[]}", "is empty"),
            ("{\"x}", "not closed"),
        ] {
            let said = Template::parse(bad).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
        assert!(Template::parse(&"{range .a}".repeat(100)).is_err());
    }

    #[test]
    fn numbers_in_texts_count_as_numbers() {
        let sorted = |texts: &[&str]| {
            let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
            values.push(Value::Null);
            values.sort_by(compare);
            values.iter().map(plain).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&["D1000", "D999", "D010"]), ["D010", "D999", "D1000", ""]);
        assert_eq!(sorted(&["10.0.9", "10.0.26100", "9.1"]), ["9.1", "10.0.9", "10.0.26100", ""]);
    }
}
