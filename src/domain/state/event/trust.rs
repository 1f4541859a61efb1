//! What the log says of the trust files.

use serde::{Deserialize, Serialize};

use crate::domain::model::Digest;

/// Digests of the trust files' bytes, as `sha256sum` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TrustFiles {
    /// Of `trust.allowedSigners`.
    pub(crate) allowed_signers: Digest,
    /// Of `trust.revokedKeys`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked_keys: Option<Digest>,
}

/// `trust.changed`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustChanged {
    /// As read before; absent the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<TrustFiles>,
    pub(crate) to: TrustFiles,
}
