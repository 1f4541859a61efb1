//! `$filter`: the part of OData that the emulated services take.

use std::cmp::Ordering;

use serde_json::Value;

use super::refusal::Refusal;
use crate::domain::model::Timestamp;

/// An operator or function that a property may support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    Contains,
    StartsWith,
}

impl Op {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "lt" => Self::Lt,
            "gt" => Self::Gt,
            "le" => Self::Le,
            "ge" => Self::Ge,
            "contains" => Self::Contains,
            "startswith" | "startsWith" => Self::StartsWith,
            _ => return None,
        })
    }
}

/// A filter that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Test { property: String, op: Op, value: Value },
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

fn bad(text: &str, why: &str) -> Refusal {
    Refusal::bad(format!("Invalid filter clause: {why} in '{text}'."))
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            ' ' | '\t' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '\'' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some('\'') if rest.peek() == Some(&'\'') => {
                            rest.next();
                            inside.push('\'');
                        }
                        Some('\'') => break,
                        Some(char) => inside.push(char),
                        None => return Err(bad(text, "a text has no end")),
                    }
                }
                tokens.push(Token::Text(inside));
            }
            first => {
                let mut word = String::from(first);
                while let Some(next) = rest.peek() {
                    if " \t(),'".contains(*next) {
                        break;
                    }
                    word.push(*next);
                    rest.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

/// So deep may parentheses nest.
const DEEPEST: usize = 32;

struct Parser<'a> {
    text: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser<'_> {
    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.peek(), Some(Token::Word(next)) if next == word);
        if found {
            self.tokens.next();
        }
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.tokens.next().as_ref() == Some(token) {
            return Ok(());
        }
        Err(bad(self.text, "a parenthesis or comma is missing"))
    }

    fn any(&mut self) -> Result<Filter, Refusal> {
        let mut all = vec![self.all()?];
        while self.word("or") {
            all.push(self.all()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut all = vec![self.one()?];
        while self.word("and") {
            all.push(self.one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        match self.tokens.next() {
            Some(Token::Open) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(bad(self.text, "too many parentheses"));
                }
                let inside = self.any()?;
                self.expect(&Token::Close)?;
                self.depth -= 1;
                Ok(inside)
            }
            Some(Token::Word(word)) if self.tokens.peek() == Some(&Token::Open) => {
                let op = Op::of(&word).filter(|op| matches!(op, Op::Contains | Op::StartsWith));
                let op = op.ok_or_else(|| bad(self.text, "an unknown function"))?;
                self.expect(&Token::Open)?;
                let property = self.property()?;
                self.expect(&Token::Comma)?;
                let value = self.value()?;
                self.expect(&Token::Close)?;
                Ok(Filter::Test { property, op, value })
            }
            Some(Token::Word(property)) => {
                let Some(Token::Word(word)) = self.tokens.next() else {
                    return Err(bad(self.text, "an operator is missing"));
                };
                let op = Op::of(&word).filter(|op| !matches!(op, Op::Contains | Op::StartsWith));
                let op = op.ok_or_else(|| bad(self.text, "an unknown operator"))?;
                Ok(Filter::Test { property, op, value: self.value()? })
            }
            _ => Err(bad(self.text, "a property is missing")),
        }
    }

    fn property(&mut self) -> Result<String, Refusal> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(bad(self.text, "a property is missing")),
        }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        Ok(match self.tokens.next() {
            Some(Token::Text(text)) => Value::String(text),
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                // A number, a time or a GUID; numbers compare as numbers.
                _ => word.parse::<i64>().map_or(Value::String(word), Value::from),
            },
            _ => return Err(bad(self.text, "a value is missing")),
        })
    }
}

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let tokens = tokens(text)?.into_iter().peekable();
        let mut parser = Parser { text, tokens, depth: 0 };
        let filter = parser.any()?;
        if parser.tokens.next().is_some() {
            return Err(bad(text, "more than one expression"));
        }
        Ok(filter)
    }

    /// Every test in it, with whether it stands below an `or`.
    pub(crate) fn tests(&self) -> Vec<(&str, Op)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Test { property, op, .. } => vec![(property, *op)],
        }
    }

    /// Whether each `or` is between tests of one property.
    pub(crate) fn joins_one_property_with_or(&self) -> bool {
        match self {
            Self::Test { .. } => true,
            Self::All(parts) => parts.iter().all(Self::joins_one_property_with_or),
            Self::Any(_) => {
                let tests = self.tests();
                tests.iter().all(|(property, _)| *property == tests[0].0)
            }
        }
    }

    pub(crate) fn admits(&self, get: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.admits(get)),
            Self::Any(parts) => parts.iter().any(|part| part.admits(get)),
            Self::Test { property, op, value } => test(&get(property), *op, value),
        }
    }
}

fn test(is: &Value, op: Op, wanted: &Value) -> bool {
    let lower = |value: &Value| value.as_str().map(str::to_lowercase);
    match op {
        Op::Contains | Op::StartsWith => match (lower(is), lower(wanted)) {
            (Some(is), Some(wanted)) if op == Op::Contains => is.contains(&wanted),
            (Some(is), Some(wanted)) => is.starts_with(&wanted),
            _ => false,
        },
        Op::Eq => compare(is, wanted) == Some(Ordering::Equal),
        Op::Ne => compare(is, wanted) != Some(Ordering::Equal),
        Op::Lt => compare(is, wanted) == Some(Ordering::Less),
        Op::Gt => compare(is, wanted) == Some(Ordering::Greater),
        Op::Le => matches!(compare(is, wanted), Some(Ordering::Less | Ordering::Equal)),
        Op::Ge => matches!(compare(is, wanted), Some(Ordering::Greater | Ordering::Equal)),
    }
}

/// Orders values: texts whatever their case, times as times.
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => {
            let times = (left.parse::<Timestamp>(), right.parse::<Timestamp>());
            Some(match times {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.to_lowercase().cmp(&right.to_lowercase()),
            })
        }
        // Numbers that stand in a text, as serial numbers without letters do.
        (Value::String(left), Value::Number(right)) => Some(left.cmp(&right.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn admits(filter: &str) -> bool {
        let row = json!({
            "serialNumber": "5CG1", "owner": "company", "n": 3, "on": true, "none": null,
            "name": "O'Neill", "at": "2026-08-20T06:31:07Z",
        });
        let filter = Filter::parse(filter).unwrap();
        filter.admits(&|name| row.get(name).cloned().unwrap_or_default())
    }

    #[test]
    fn what_holds_is_found_and_nothing_else() {
        for (filter, expected) in [
            ("serialNumber eq '5CG1'", true),
            ("serialNumber eq '5cg1'", true),
            ("serialNumber eq '5CG2'", false),
            ("serialNumber eq '5CG2' or serialNumber eq '5CG1'", true),
            ("(owner eq 'company') and (n gt 2 and n lt 4)", true),
            ("owner ne 'company'", false),
            ("name eq 'O''Neill'", true),
            ("contains(name,'neil')", true),
            ("startswith(name, 'O''')", true),
            ("startswith(name,'N')", false),
            ("at gt 2026-08-20T06:31:06Z", true),
            ("at lt 2026-08-20T08:31:07+02:00", false),
            ("at ge 2026-08-20T08:31:07+02:00", true),
            ("on eq true", true),
            ("none eq null", true),
            ("n eq null", false),
        ] {
            assert_eq!(admits(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}a eq 1", "(".repeat(99));
        for filter in [
            "",
            "a",
            "a eq",
            "a is 1",
            "a eq 'x",
            "(a eq 1",
            "a eq 1)",
            "a eq 1 b eq 2",
            "endswith(a,'x')",
            "contains(a)",
            "eq(a,1)",
            "a contains 'x'",
            "and",
            "a eq 1 or",
            &deep,
        ] {
            assert!(Filter::parse(filter).is_err(), "{filter}");
        }
    }
}
