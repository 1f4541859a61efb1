//! One YAML file as text: cut into documents, each parsed to a small tree with places.
//!
//! There is one way of reading, and it always knows line and column. The dialect is YAML 1.2
//! with the core schema, without anchors, aliases, merge keys, tags and directives; what is
//! left out is a problem with a place, never an error that ends the file. Documents are cut
//! before parsing, so that a syntax error harms only its own. Nothing here panics or recurses
//! on input; trees are at most [`parse::MAX_DEPTH`] deep, so that others may recurse over them.

mod cut;
mod parse;
mod scalar;
mod spelling;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use cut::{Piece, cut};
pub(crate) use parse::{Problem, parse};
pub(crate) use scalar::{Scalar, past_quotes};
pub(crate) use spelling::{Within, double, is_plain, scalar};
pub(crate) use tree::{Extent, Node, Position, Style, Value};
