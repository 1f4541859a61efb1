//! What a profile is in Microsoft Intune.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::macros::{as_string, words};
use super::text::Invalid;

/// The id of an object in Microsoft Graph: 1 to 64 letters, digits, `-` and `_`, so that it is one
/// segment of a URL as it is. Most are GUIDs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GraphId(CompactString);

impl FromStr for GraphId {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if !(1..=64).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(Invalid::new("is not the id of an object in Microsoft Graph"));
        }
        Ok(Self(text.into()))
    }
}

impl GraphId {
    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GraphId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
as_string!(GraphId);

words! {
    /// Where the compliance policy of a profile comes from.
    pub(crate) enum PolicySource {
        /// Fleetform writes it from `spec.compliance`.
        Managed = "managed",
        /// Somebody else maintains it, and assigns it to the group.
        Existing = "existing",
        /// There is none.
        None = "none",
    }
}

/// `spec.intune` of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IntuneProfile {
    /// Apps in Intune that are assigned to the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<GraphId>,
    /// Where the compliance policy comes from.
    pub compliance_policy: PolicySource,
    /// Configuration policies in Intune that are assigned to the group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_policies: Vec<GraphId>,
    /// The Entra group of the profile: its members get it.
    pub group: GraphId,
}
