//! What whoever imports a list says of it.

use std::collections::BTreeMap;

use super::field::Field;
use super::template::{Layout, NameTemplate};

/// How devices that have no manifest yet are written.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where their manifests go.
    pub(crate) layout: Layout,
    /// What they are called, where the list does not say.
    pub(crate) name: NameTemplate,
    /// What the list does not say of them.
    pub(crate) defaults: BTreeMap<Field, String>,
    /// What must be said of them, and the flag that says it for all.
    pub(crate) required: &'static [(Field, &'static str)],
}
