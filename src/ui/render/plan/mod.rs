//! A plan for people and programs: a text that is read at a glance, JSON, and what CI shows.

mod action;
pub(crate) mod ci;
mod context;
mod hold;
mod json;
mod summary;
mod text;
pub(crate) mod wipes;

pub(crate) use context::Context;
pub(crate) use json::json;
pub(crate) use text::text;
