//! Whether anybody's signature counts, in JSON.

use serde::Serialize;

use crate::domain::wipe::trust_state::{TrustState, TrustWord};

/// `{"state": "usable" | "notConfigured" | "broken", "why": text or null}`
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct TrustJson<'a> {
    state: TrustWord,
    why: Option<&'a str>,
}

impl<'a> From<&'a TrustState> for TrustJson<'a> {
    fn from(trust: &'a TrustState) -> Self {
        Self { state: trust.word(), why: trust.usable().err() }
    }
}
