//! One YAML file as text: cut into documents, each parsed to a small tree with places.
//!
//! Reading always knows line and column. What nearly all manifests look like is read in one go
//! (`plain.rs`), everything else by a scanner of all of YAML; both give the same tree, and only the second one finds
//! anything. The dialect is YAML 1.2
//! with the core schema, without anchors, aliases, merge keys, tags and directives; what is
//! left out is a problem with a place, never an error that ends the file. Documents are cut
//! before parsing, so that a syntax error harms only its own. Nothing here panics or recurses
//! on input; trees are at most [`parse::MAX_DEPTH`] deep, so that others may recurse over them.

mod cut;
mod parse;
mod plain;
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
