//! A document as a tree, each node with its place.

use std::borrow::Cow;

use super::scalar::{Scalar, resolve};

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    /// From 1, within the file.
    pub(crate) line: u32,
    /// From 1, in characters.
    pub(crate) column: u32,
}

/// From `start` up to, not including, `end`; empty where a value is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extent {
    /// Inclusive.
    pub(crate) start: Position,
    /// Exclusive.
    pub(crate) end: Position,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node<'a> {
    pub(crate) value: Value<'a>,
    pub(crate) extent: Extent,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text, not yet resolved.
    Scalar(Cow<'a, str>, Style),
    Seq(Vec<Node<'a>>),
    /// A mapping in the order written; a key may occur twice, which is a [`super::Problem`].
    Map(Vec<(Node<'a>, Node<'a>)>),
    /// Something that is already the subject of a [`super::Problem`].
    Broken,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes: may be a number, boolean or null.
    Plain,
    Quoted,
    /// After `|` or `>`.
    Block,
}

impl Node<'_> {
    /// The resolved scalar, if it is one.
    #[must_use]
    pub(crate) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.value {
            Value::Scalar(text, Style::Plain) => Some(resolve(text)),
            Value::Scalar(text, _) => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    /// The text, if it is a string.
    #[must_use]
    pub(crate) fn text(&self) -> Option<&str> {
        match self.scalar()? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of this key, if it is a mapping that has it.
    #[must_use]
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value)
    }
}
