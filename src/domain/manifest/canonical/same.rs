//! Whether two trees mean the same.

use crate::domain::manifest::yaml::{Node, Scalar, Value};

/// Whether they differ in nothing but the order of keys and how scalars are written.
pub(in crate::domain::manifest) fn same(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.value, &other.value) {
        (Value::Seq(a), Value::Seq(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| {
                    let found = b.iter().find(|(k, _)| meaning(k) == meaning(key));
                    found.is_some_and(|(_, other)| same(value, other))
                })
        }
        _ => meaning(one).is_some_and(|one| Some(one) == meaning(other)),
    }
}

/// What a scalar is, and its text.
fn meaning<'n>(node: &'n Node<'_>) -> Option<(u8, &'n str)> {
    let Value::Scalar(text, _) = &node.value else { return None };
    Some(match node.scalar()? {
        Scalar::Null => (0, ""),
        Scalar::Text(text) => (1, text),
        Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) => (2, text),
    })
}
