//! What a field of a device was and is.

use serde::{Deserialize, Serialize};

use crate::domain::model::words;

words! {
    /// A field of a recorded device that a manifest can change.
    pub enum Field {
        Name = "name",
        UserEmail = "userEmail",
        Profile = "profile",
        Platform = "platform",
        OsVersion = "osVersion",
        Ownership = "ownership",
        Labels = "labels",
        Hardware = "hardware",
        /// An exemption.
        Access = "access",
        Enrollment = "enrollment",
        /// The file that the device is written in.
        Manifest = "manifest",
    }
}

/// One field's change; `null` stands for absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change<F = Field> {
    /// In the log a word of [`Field`]; in a plan or diff also a profile's field, as `apps`.
    pub field: F,
    /// `null` where the field was absent.
    pub from: serde_json::Value,
    /// `null` where the field is absent from now on.
    pub to: serde_json::Value,
}
