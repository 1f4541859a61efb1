//! The one way in which a manifest is laid out: order of keys, quotes, indentation.
//!
//! Text in, text out, and the text means what it meant: it is parsed again, and must be the same
//! tree but for the order of keys, with the same comments. What is written in a way that is not
//! foreseen is left as it is, and never guessed at. Laying out what is laid out changes nothing.

mod build;
mod format;
mod indent;
mod layout;
mod same;
mod shape;
mod source;

#[cfg(test)]
mod tests;

pub(crate) use format::{Unformatted, format};
pub(super) use indent::{is_like_space, misindented};
pub(super) use same::same;
pub(super) use shape::Shape;
pub(super) use source::Source;
