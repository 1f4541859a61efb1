//! The order of keys: where a mapping of a manifest has fields of its own, theirs.

use crate::domain::manifest::fields::{self, Kind, Mapping};
use crate::domain::manifest::yaml::Node;

/// What a value is in its manifest, as far as the order of its keys goes.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain::manifest) enum Shape {
    /// The whole document.
    Root(Option<Kind>),
    /// A mapping with fields of its own.
    Fields(&'static Mapping),
    /// Anything else: its order is its author's.
    Free,
}

impl Shape {
    pub(in crate::domain::manifest) fn of(root: &Node<'_>) -> Self {
        Self::Root(root.get("kind").and_then(|kind| kind.text()?.parse().ok()))
    }

    /// Whether it is known what kind of manifest this is.
    pub(in crate::domain::manifest) fn has_kind(self) -> bool {
        matches!(self, Self::Root(Some(_)))
    }

    /// Its keys in order.
    pub(in crate::domain::manifest) fn order(self) -> &'static [&'static str] {
        match self {
            Self::Root(_) => fields::ROOT.all,
            Self::Fields(mapping) => mapping.all,
            Self::Free => &[],
        }
    }

    /// What is below one of its keys.
    pub(in crate::domain::manifest) fn below(self, name: Option<&str>) -> Self {
        let found = match (self, name) {
            (Self::Root(kind), Some("metadata")) => Some(match kind {
                None | Some(Kind::Device) => &fields::DEVICE_METADATA,
                Some(Kind::Profile | Kind::WipeRequest) => &fields::METADATA,
            }),
            (Self::Root(kind), Some("spec")) => kind.map(|kind| match kind {
                Kind::Device => &fields::DEVICE,
                Kind::Profile => &fields::PROFILE,
                Kind::WipeRequest => &fields::WIPE_REQUEST,
            }),
            (Self::Fields(mapping), Some(name)) => mapping.below(name),
            _ => None,
        };
        found.map_or(Self::Free, Self::Fields)
    }
}
