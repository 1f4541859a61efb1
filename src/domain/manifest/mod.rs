//! Manifests as written, made into typed drafts or findings: one file at a time.
//!
//! A draft is valid by itself; what depends on other files is judged by [`crate::domain::fleet`].
//! A document with any finding gives no draft but `Unusable`, with as much of its identity as
//! can be read, so that whatever is recorded of it is held. All findings come at once, up to
//! `parse::MAX_FINDINGS` a file. Where a document cannot be read to its end, or holds characters
//! that make it look other than it is, its fields are not judged: they may not be what they seem.

pub(crate) mod canonical;
mod device;
mod documents;
pub(crate) mod edit;
pub(crate) mod encoding;
mod envelope;
pub(crate) mod fields;
pub(crate) mod finding;
pub(crate) mod limits;
pub(crate) mod new_device;
mod packed;
mod parse;
mod partial_device;
mod profile;
mod reader;
pub(crate) mod repair;
pub(crate) mod schema;
pub(crate) mod strict_map;
mod text;
mod unusable;
mod wipe_request;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use device::DeviceDraft;
pub(crate) use documents::Documents;
pub(crate) use packed::{Unpacker, pack};
pub use parse::parse_file;
pub(crate) use partial_device::PartialDevice;
pub(crate) use profile::ProfileDraft;
pub(crate) use reader::Spot;
pub(crate) use unusable::{ROOT, Unusable, UnusableKind};
pub(crate) use wipe_request::WipeDraft;
