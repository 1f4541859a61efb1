//! What a change of the fleet directory means, for people and programs.

mod ci;
mod context;
mod json;
mod text;

pub(crate) use ci::{github, markdown};
pub(crate) use context::{Context, Side};
pub(crate) use json::json;
pub(crate) use text::text;

#[cfg(test)]
mod tests;
