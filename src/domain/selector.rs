//! Label selectors, spelled as Kubernetes spells them: `site in (madrid,lisbon),tier!=lab,!spare`.
//!
//! Requirements are separated by commas and all hold. `!=` and `notin` also admit a device that does
//! not have the label at all, as there.

use std::collections::BTreeMap;
use std::str::FromStr;

use compact_str::CompactString;

use crate::domain::model::Invalid;

/// Requirements on labels; none at all admits every device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
    /// For the operators that take some.
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
}

impl Selector {
    /// Whether every requirement holds.
    #[must_use]
    pub(crate) fn admits(&self, labels: &BTreeMap<CompactString, CompactString>) -> bool {
        self.0.iter().all(|requirement| requirement.admits(labels))
    }
}

impl Requirement {
    fn admits(&self, labels: &BTreeMap<CompactString, CompactString>) -> bool {
        let Self { key, operator, values } = self;
        let value = labels.get(key.as_str());
        let listed = || value.is_some_and(|value| values.iter().any(|one| one == value));
        match operator {
            Operator::In => listed(),
            Operator::NotIn => !listed(),
            Operator::Exists => value.is_some(),
            Operator::Absent => value.is_none(),
        }
    }
}

impl FromStr for Selector {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts = split(text).ok_or_else(|| bad(text, "a parenthesis is not closed"))?;
        parts.into_iter().map(requirement).collect::<Result<_, _>>().map(Self)
    }
}

/// At the commas outside of parentheses.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut open) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if !open => open = true,
            ')' if open => open = false,
            '(' | ')' => return None,
            ',' if !open => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    (!open).then_some(parts)
}

fn requirement(text: &str) -> Result<Requirement, Invalid> {
    let text = text.trim();
    let new = |key: &str, operator, values: Vec<String>| {
        let key = key.trim().to_owned();
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "=!(),".contains(c)) {
            return Err(bad(text, "a label is missing"));
        }
        let odd = |text: &String| text.contains(|c: char| c == '\\' || c.is_control());
        if odd(&key) || values.iter().any(odd) {
            return Err(bad(text, "it has a character that no label needs"));
        }
        Ok(Requirement { key, operator, values })
    };
    if let Some(list) = text.strip_suffix(')') {
        let (head, list) = list.split_once('(').ok_or_else(|| bad(text, "`(` is missing"))?;
        let mut words = head.split_whitespace();
        let (Some(key), Some(word), None) = (words.next(), words.next(), words.next()) else {
            return Err(bad(text, "write `label in (a,b)` or `label notin (a,b)`"));
        };
        let operator = match word {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            _ => return Err(bad(text, "write `label in (a,b)` or `label notin (a,b)`")),
        };
        return new(key, operator, list.split(',').map(|value| value.trim().to_owned()).collect());
    }
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = text.split_once("!=") {
        new(key, Operator::NotIn, one(value))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        new(key, Operator::In, one(value))
    } else if let Some(key) = text.strip_prefix('!') {
        new(key, Operator::Absent, Vec::new())
    } else {
        new(text, Operator::Exists, Vec::new())
    }
}

fn bad(text: &str, why: &str) -> Invalid {
    Invalid(format!("{text:?} is not a selector like `site in (madrid,lisbon),!spare`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_admit_what_those_of_kubernetes_admit() {
        let labels: BTreeMap<CompactString, CompactString> =
            [("site".into(), "madrid".into()), ("floor".into(), "2".into())].into();
        for (text, admitted) in [
            ("site", true),
            ("!site", false),
            ("spare", false),
            ("!spare", true),
            ("site=madrid", true),
            ("site==madrid", true),
            ("site = madrid , floor=2", true),
            ("site=madrid,floor=3", false),
            ("site=Madrid", false),
            ("site!=madrid", false),
            ("spare!=yes", true),
            ("site in (madrid,lisbon)", true),
            ("site in (lisbon, madrid)", true),
            ("site in (lisbon)", false),
            ("site notin (lisbon,porto)", true),
            ("site notin (madrid)", false),
            ("spare notin (yes)", true),
            ("site in (madrid),!spare,floor notin (1,3)", true),
        ] {
            let selector: Selector = text.parse().unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(selector.admits(&labels), admitted, "{text}");
        }
        assert!(Selector::default().admits(&BTreeMap::new()));
    }

    #[test]
    fn what_is_none_is_refused_with_an_example() {
        for bad in [
            "",
            ",",
            "a\\b",
            "x=\u{1b}",
            "site in (madrid",
            "site in madrid)",
            "site of (x)",
            "=x",
            "a b",
            "in (x)",
        ] {
            let why = bad.parse::<Selector>().unwrap_err().to_string();
            assert!(why.contains("site in (madrid,lisbon)"), "{bad}: {why}");
        }
    }
}
