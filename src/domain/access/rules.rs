//! What a device must be to reach a resource, as it is configured.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::domain::model::words;

words! {
    /// Something that a resource asks of a device.
    pub(crate) enum Requirement {
        /// Its status is Enrolled.
        Enrolled = "enrolled",
        /// Its evidence is recent, and every required check passes.
        Compliant = "compliant",
        /// It was heard from within `maxAge`.
        Fresh = "fresh",
        /// It has not been non-compliant for `compliance.blockAfter`, or it is exempt.
        NotBlocked = "notBlocked",
        /// It belongs to the organization.
        Corporate = "corporate",
        /// Its manifest is there.
        Declared = "declared",
    }
}

words! {
    /// Which of a user's enrolled devices must fulfil the requirements where none is named.
    pub(crate) enum Users { All = "all", Any = "any" }
}

/// What one resource asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// At least one, each once, in the order in which they are asked.
    pub(crate) require: Vec<Requirement>,
    pub(crate) users: Users,
}

/// Everything that an answer depends on beside the recorded state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// By name, as clients name it, exactly.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Evidence that is older is none.
    pub(crate) max_age: TimeDelta,
    /// Where users find help, if there is such a page.
    pub(crate) help_url: Option<String>,
}
