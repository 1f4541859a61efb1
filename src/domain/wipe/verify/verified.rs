//! The permission to wipe.

use crate::domain::model::{Digest, Email};
use crate::domain::wipe::request::Request;

/// Proof that [`super::verify`] found every rule to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedWipe {
    request: Request,
    signers: Vec<Email>,
    trust: Digest,
}

impl VerifiedWipe {
    /// Only for [`super::verify`], when every rule holds.
    pub(super) fn new(request: Request, signers: Vec<Email>, trust: Digest) -> Self {
        Self { request, signers, trust }
    }

    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
    /// The distinct people who signed: sorted, at least one.
    #[must_use]
    pub(crate) fn signers(&self) -> &[Email] {
        &self.signers
    }
    /// Digest of the trust file that it was judged by.
    #[must_use]
    pub(crate) fn trust(&self) -> Digest {
        self.trust
    }
}
